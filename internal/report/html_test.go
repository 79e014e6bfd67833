package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

func pages() map[string]report.View {
	return map[string]report.View{"run": view(), "proven": provenView(), "gaps": gapsView(), "open": openView(), "many": manyView()}
}

func TestPages(t *testing.T) {
	t.Parallel()
	for name, v := range pages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := golden(t, name+".html", func(w io.Writer) error { return report.HTML(w, v) })
			clean(t, "html", page)
			elements(t, page)
			text := golden(t, name+".md", func(w io.Writer) error { return report.Markdown(w, v) })
			clean(t, "md", text)
			blocks(t, text)
		})
	}
	golden(t, "pivot.svg", func(w io.Writer) error { return report.GraphSVG(w, graph()) })
}

// A browser that keeps the page's policy loads nothing, and uses the page's own style.
func TestPolicy(t *testing.T) {
	t.Parallel()
	page := rendered(t, func(w io.Writer) error { return report.HTML(w, view()) })
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	got := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if len(got) != 2 || html.UnescapeString(got[1]) != want {
		t.Errorf("the policy is %q instead of %q", got, want)
	}
	for _, bad := range []string{"<script", "<link", "<img", "<iframe", "<object", "<base", "@import", "http://", " style=", " src="} {
		if strings.Contains(strings.ReplaceAll(page, `xmlns="http://www.w3.org/2000/svg"`, ""), bad) {
			t.Errorf("%s in the page", bad)
		}
	}
}

// A run that proves nothing never looks like one that proves absence.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	zero := 0
	accepted := openView() // recorded tools alone, and the hunt takes that
	accepted.Run.State, accepted.Run.ExitCode = results.RunFinished, &zero
	accepted.Targets = []results.Target{pageTarget("plant-1", "plant-floor", ledger.Recorded, ledger.NotSeen, false, "")}
	failed := provenView()
	failed.Run.State = results.RunFailed
	for name, c := range map[string]struct {
		v     report.View
		class string
	}{
		"hits": {view(), "hit"}, "proven": {provenView(), "absent"}, "gaps": {gapsView(), "open"}, "left": {openView(), "open"},
		"recorded alone": {settled(accepted), "open"}, "failed": {failed, "failed"},
	} {
		page := rendered(t, func(w io.Writer) error { return report.HTML(w, c.v) })
		if !strings.Contains(page, `class="verdict v-`+c.class+`"`) {
			t.Errorf("%s is not %s", name, c.class)
		}
		text := rendered(t, func(w io.Writer) error { return report.Markdown(w, c.v) })
		if proven := strings.Contains(text, "That is proven"); proven != (c.class == "absent") {
			t.Errorf("%s: Markdown says proven: %t", name, proven)
		}
	}
}

// A page carries the strictest label of what it shows.
func TestStrictestLabel(t *testing.T) {
	t.Parallel()
	v := provenView()
	v.Reports[0].TLP = indicator.TLPRed
	for name, present := range map[string]func(io.Writer, report.View) error{"html": report.HTML, "md": report.Markdown} {
		out := rendered(t, func(w io.Writer) error { return present(w, v) })
		if !strings.Contains(out, "TLP:RED") || !strings.Contains(out, "The hunt is TLP:GREEN") {
			t.Errorf("%s does not carry the label", name)
		}
	}
}

// The bar accounts for every endpoint, and hides none of thousands.
func TestBarIsWhole(t *testing.T) {
	t.Parallel()
	v := manyView()
	page := rendered(t, func(w io.Writer) error { return report.HTML(w, v) })
	_, rest, _ := strings.Cut(page, `id="bar-live-desc"`)
	desc, rest, _ := strings.Cut(rest, "</desc>")
	sum := 0
	for _, m := range regexp.MustCompile(`(\d+) [a-z, ]+ \(`).FindAllStringSubmatch(desc, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum != v.Run.Endpoints {
		t.Errorf("%d of %d endpoints are in the bar", sum, v.Run.Endpoints)
	}
	bar, _, _ := strings.Cut(rest, "</svg>")
	width := 0.0
	for _, m := range regexp.MustCompile(`class="b-seg [^>]* width="([0-9.]+)%"`).FindAllStringSubmatch(bar, -1) {
		w, err := strconv.ParseFloat(m[1], 64)
		if err != nil || w < 0.5 {
			t.Errorf("a part %s%% wide: %v", m[1], err)
		}
		width += w
	}
	if math.Abs(width-100) > 0.1 {
		t.Errorf("the bar is %.2f%% wide", width)
	}
}

// Folding counts everything that it does not draw, however large the pivot.
func TestFoldLosesNothing(t *testing.T) {
	t.Parallel()
	for _, reports := range []int{1, 14, 60} {
		page := rendered(t, func(w io.Writer) error { return report.HTML(w, wideView(reports)) })
		_, drawn, _ := strings.Cut(page, `class="graph`)
		drawn, _, _ = strings.Cut(drawn, "<figcaption")
		sum, groups := 0, 0
		for _, m := range regexp.MustCompile(`class="g-text( g-struck)?" x="\d+" y="\d+">(\d+) (related|refused|things)<`).FindAllStringSubmatch(drawn, -1) {
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			sum += n
			if m[3] == "things" { // some of them hit
				groups++
			}
		}
		sum += strings.Count(drawn, ">HIT<") - groups + strings.Count(drawn, ">update.invalid<")
		if boxes := strings.Count(drawn, `class="g-text" x=`); sum != reports*43+1 || boxes > 45 {
			t.Errorf("%d reports: %d of %d things are told, in %d boxes", reports, sum, reports*43+1, boxes)
		}
		if reports == 60 != strings.Contains(drawn, " more<") {
			t.Errorf("%d reports: folded otherwise than it should be", reports)
		}
	}
}

// Every text that a page sets can be read: WCAG 2.2 AA asks for 4.5 to 1, light, dark and on paper.
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/report.css")
	if err != nil {
		t.Fatal(err)
	}
	palettes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(palettes) != 3 {
		t.Fatalf("%d palettes", len(palettes))
	}
	for i, p := range palettes {
		colour := map[string]string{"white": "#ffffff"}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(p[1], -1) {
			colour[m[1]] = m[2]
		}
		for _, pair := range []string{
			"ink/page", "ink/card", "ink/hit-bg", "ink/good-bg", "ink/warn-bg", "ink/gap-bg", "ink/seed-bg", "muted/page", "muted/card", "muted/hit-bg", "muted/seed-bg",
			"link/page", "link/card", "hit/card", "hit/hit-bg", "good/card", "good/good-bg", "warn/card", "warn/warn-bg", "white/hit-solid", "white/good-solid",
		} {
			fore, back, _ := strings.Cut(pair, "/")
			if got := contrast(t, colour[fore], colour[back]); got < 4.5 {
				t.Errorf("palette %d: %s is %.2f to 1", i, pair, got)
			}
		}
	}
}

// contrast is the ratio of two colours as WCAG counts it.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	light := func(c string) float64 {
		out := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			if len(c) != 7 {
				t.Fatalf("no colour: %q", c)
			}
			n, err := strconv.ParseUint(c[1+2*i:3+2*i], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			x := float64(n) / 255
			if x <= 0.04045 {
				x /= 12.92
			} else {
				x = math.Pow((x+0.055)/1.055, 2.4)
			}
			out += weight * x
		}
		return out
	}
	x, y := light(a), light(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// JSON says what it said, in characters that no terminal obeys.
func TestJSONIsQuiet(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"plain", "a\x1b[2Jb", "\u202egnp.exe", "\U000e0041", "\u009b", "\x7f", "漢字 é"} {
		var b bytes.Buffer
		if err := report.WriteJSON(&b, s); err != nil {
			t.Fatal(err)
		}
		clean(t, fmt.Sprintf("%q", s), b.String())
		var got string
		if err := json.Unmarshal(b.Bytes(), &got); err != nil || got != s {
			t.Errorf("%q became %q: %v", s, got, err)
		}
	}
}
