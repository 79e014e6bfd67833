package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// attacks are what a name may hold. Every text of a view is put between two of the same.
func attacks() []string {
	return []string{
		`<script>alert(1)</script>`, `</title></style></pre></code><img src=x onerror=alert(1)>`, `<!--`, `-->`, `]]>`, `" onmouseover="alert(1)`, `' onfocus='alert(1)`,
		`javascript:alert(1)`, `url(javascript:alert(1))`, `{{.}}`, `&lt;b&gt;&#60;`,
		`|`, `\|`, `\`, "`", "```\n</code>", "a``b", "[l](javascript:alert(1))", "![i](http://evil.invalid/i.png)", "<http://evil.invalid>", "[x]: http://evil.invalid", "*b* _i_ ~~s~~",
		"https://evil.invalid/x", "www.evil.invalid", "ann@evil.invalid", "@ann", "#1", "\n# heading", "\n\n- item\n\n---\n", "1. one", "- [ ] task", "> quote", "    code", "$x$", "|\n|---|\n",
		`=HYPERLINK("http://evil.invalid")`, "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", ";=1", "＝1",
		"\x1b[31m", "\x1b]0;title\a", "\u009b31m", "\x7f", "\u202e", "\u2066x\u2069", "\u200b", "\ufeff", "\U000e0041", "\u2028", "\r\n", "\v\f\b",
		"\xff\xfe", "\xed\xa0\x80", "\x00", strings.Repeat("a/", 2048), strings.Repeat("漢", 300), strings.Repeat("e\u0301\u0301", 400),
	}
}

// everyText changes every text in v, however deep; the words that decide what is shown stay.
func everyText(v reflect.Value, change func(string) string) {
	switch v.Kind() {
	case reflect.String:
		switch v.Interface().(type) {
		case ledger.State, ledger.Mode, results.RunState, results.IndicatorStatus, indicator.Kind:
		default:
			v.SetString(change(v.String()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			everyText(v.Elem(), change)
		}
	case reflect.Slice:
		for i := range v.Len() {
			everyText(v.Index(i), change)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Type() == reflect.TypeFor[indicator.Ref]() && v.Type().Field(i).Name == "Kind" {
				continue
			}
			everyText(v.Field(i), change)
		}
	}
}

// attacked is view() and more with every text between two attacks.
func attacked(attack string) report.View {
	v := view()
	v.Queries = []report.Query{{Tool: "cb", ID: "files-1", Platform: "linux", Text: "SELECT 1;\n-- end", Endpoints: 2}, {Tool: "cb", ID: "t", Text: "md5:x", Search: true}}
	v.Reports[0].Tags = []string{"malware: x", "y"}
	v.Run.Error = "why"
	everyText(reflect.ValueOf(&v).Elem(), func(s string) string {
		if s == "" {
			return s
		}
		return attack + s + attack
	})
	for i := range v.Edges {
		if v.Edges[i].Report != "" {
			v.Edges[i].Report = v.Reports[0].Ref()
		}
	}
	return v
}

func attackedGraph(attack string) report.Graph {
	g := graph()
	everyText(reflect.ValueOf(&g).Elem(), func(s string) string { return attack + s + attack })
	return g
}

func rendered(t *testing.T, present func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := present(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// clean checks that no terminal obeys a text and no reader shows it in another order.
func clean(t *testing.T, what, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("%s: not UTF-8", what)
	}
	for line := range strings.SplitSeq(out, "\n") {
		if safe := diag.Escape(line); safe != line {
			t.Fatalf("%s: a line is not safe: %.300q", what, line)
		}
	}
}

// elements lists the elements of a page with the names of their attributes. Pages are well-formed, so that a strict
// reader finds every mark that is not ours.
func elements(t *testing.T, page string) []string {
	t.Helper()
	var out []string
	for d := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			var names []string
			for _, a := range e.Attr {
				names = append(names, a.Name.Local)
				if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
					t.Errorf("a link leads out: %s", a.Value)
				}
			}
			out = append(out, e.Name.Local+" "+strings.Join(names, " "))
		case xml.Comment, xml.ProcInst:
			t.Errorf("a %T in the page", e)
		}
	}
}

// blocks lists the blocks of a Markdown text as GitHub reads it, and what leads out of it.
func blocks(t *testing.T, source string) []string {
	t.Helper()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	var out []string
	err := ast.Walk(md.Parser().Parse(text.NewReader([]byte(source))), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n.Kind() {
		case ast.KindLink, ast.KindAutoLink, ast.KindImage, ast.KindRawHTML, ast.KindHTMLBlock, extast.KindTaskCheckBox, extast.KindStrikethrough, ast.KindCodeBlock:
			t.Errorf("a %s in the text", n.Kind())
		case ast.KindText, ast.KindString, ast.KindCodeSpan:
		default:
			out = append(out, n.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// No name changes what a form is made of: each says the same with an attack as with a harmless word.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	harmless, harmlessGraph := attacked("zz"), attackedGraph("zz")
	lines := map[string]func(io.Writer, report.View) error{"text": report.Text(report.Style{Next: true}), "say": report.Say}
	graphs := map[string]func(io.Writer, report.Graph) error{"pivot text": report.GraphText, "tree": report.GraphTree, "plain": report.GraphPlain, "pivot json": report.GraphJSON}
	page := func(v report.View) func(io.Writer) error { return func(w io.Writer) error { return report.HTML(w, v) } }
	mark := func(v report.View) func(io.Writer) error {
		return func(w io.Writer) error { return report.Markdown(w, v) }
	}
	draw := func(g report.Graph) func(io.Writer) error {
		return func(w io.Writer) error { return report.GraphSVG(w, g) }
	}
	wantPage, wantMarks, wantDrawn := elements(t, rendered(t, page(harmless))), blocks(t, rendered(t, mark(harmless))), elements(t, rendered(t, draw(harmlessGraph)))
	for _, attack := range attacks() {
		t.Run(fmt.Sprintf("%.20q", attack), func(t *testing.T) {
			t.Parallel()
			v, g := attacked(attack), attackedGraph(attack)
			out := rendered(t, page(v))
			clean(t, "html", out)
			if diff := cmp.Diff(wantPage, elements(t, out)); diff != "" {
				t.Errorf("html: %s", diff)
			}
			out = rendered(t, draw(g))
			clean(t, "svg", out)
			if diff := cmp.Diff(wantDrawn, elements(t, out)); diff != "" {
				t.Errorf("svg: %s", diff)
			}
			out = rendered(t, mark(v))
			clean(t, "md", out)
			if diff := cmp.Diff(wantMarks, blocks(t, out)); diff != "" {
				t.Errorf("md: %s", diff)
			}
			for name, present := range lines {
				out, want := rendered(t, func(w io.Writer) error { return present(w, v) }), rendered(t, func(w io.Writer) error { return present(w, harmless) })
				clean(t, name, out)
				if strings.Count(out, "\n") != strings.Count(want, "\n") {
					t.Errorf("%s: a name makes lines", name)
				}
			}
			for name, present := range graphs {
				out, want := rendered(t, func(w io.Writer) error { return present(w, g) }), rendered(t, func(w io.Writer) error { return present(w, harmlessGraph) })
				clean(t, name, out)
				if strings.Count(out, "\n") != strings.Count(want, "\n") {
					t.Errorf("%s: a name makes lines", name)
				}
			}
			checkCSV(t, v)
			checkJSON(t, v)
		})
	}
}

// checkCSV wants every cell in its place, and none that a spreadsheet runs, whichever sign it splits at.
func checkCSV(t *testing.T, v report.View) {
	t.Helper()
	out := rendered(t, func(w io.Writer) error { return report.CSV(w, v) })
	clean(t, "csv", out)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != len(v.Hits)+1 {
		t.Fatalf("csv: %d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			for part := range strings.SplitSeq(cell, ";") {
				if p := strings.TrimLeft(part, " \u3000"); p != "" && strings.ContainsAny(string([]rune(p)[0]), "=+-@\t\r＝＋－＠") {
					t.Errorf("csv: a spreadsheet runs %.40q", cell)
				}
			}
		}
	}
}

// checkJSON wants the names as they are, written so that no terminal obeys them.
func checkJSON(t *testing.T, v report.View) {
	t.Helper()
	out := rendered(t, func(w io.Writer) error { return report.JSON(w, v) })
	clean(t, "json", out)
	var got struct {
		Gaps []struct{ Hostname string }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || strings.Count(out, "\n") != 1 {
		t.Fatalf("json: %v", err)
	}
	want := strings.ToValidUTF8(v.Targets[2].Hostname, "\ufffd")
	if utf8.ValidString(v.Targets[2].Hostname) && !slices.ContainsFunc(got.Gaps, func(g struct{ Hostname string }) bool { return g.Hostname == want }) {
		t.Errorf("json: the name %.40q is lost: %.80q", want, got.Gaps)
	}
}
