package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf16"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// Graph is what a pivot found and how much of it is shown.
type Graph struct {
	Graph   *pivot.Graph
	Refused []pivot.Refused
	Kinds   []indicator.Kind // only these; nil is all
	Reports bool             // reports instead of indicators
}

// wants reports whether an indicator is shown.
func (g Graph) wants(i indicator.Indicator) bool {
	return len(g.Kinds) == 0 || slices.Contains(g.Kinds, i.Kind)
}

// nodes gives the indicators that are shown, in order of discovery.
func (g Graph) nodes() []pivot.Node {
	var out []pivot.Node
	for _, n := range g.Graph.Nodes {
		if ind, ok := n.Ref.Indicator(); ok && g.wants(ind) {
			out = append(out, n)
		}
	}
	return out
}

// isSeed reports whether a report is what the pivot started from.
func (g Graph) isSeed(ref string) bool {
	return slices.Contains(g.Graph.Seeds, indicator.ReportRef(ref))
}

// refusals gives the reason for each digest that would not be hunted. A refused file may be listed by one digest alone; it
// is refused with all.
func (g Graph) refusals() map[indicator.Indicator]string {
	out := map[indicator.Indicator]string{}
	for _, r := range g.Refused {
		out[indicator.Indicator{Kind: r.Kind, Value: r.Value}] = r.Reason
	}
	for _, f := range g.Graph.Files {
		digests := f.Digests()
		at := slices.IndexFunc(digests, func(d indicator.Indicator) bool { return out[d] != "" })
		if at < 0 {
			continue
		}
		for _, d := range digests {
			if out[d] == "" {
				out[d] = out[digests[at]]
			}
		}
	}
	return out
}

// GraphPlain writes values alone, one a line: what is handed to another tool. Digests that would be refused are left
// out, and so is what could not stand on one line.
func GraphPlain(w io.Writer, g Graph) error {
	var b bytes.Buffer
	if g.Reports {
		for _, r := range g.Graph.Reports {
			if !g.isSeed(r.Ref()) { // of a report, those related to it
				fmt.Fprintln(&b, diag.Escape(r.Ref()))
			}
		}
		return flush(w, &b)
	}
	refused := g.refusals()
	for _, n := range g.nodes() {
		ind, _ := n.Ref.Indicator()
		if refused[ind] == "" {
			fmt.Fprintln(&b, diag.Escape(ind.Value))
		}
	}
	return flush(w, &b)
}

// GraphText writes a table of what was found.
func GraphText(w io.Writer, g Graph) error {
	var b bytes.Buffer
	tw := tabwriter.NewWriter(&b, 2, 4, 2, ' ', 0)
	if g.Reports {
		fmt.Fprintln(tw, "REPORT\tPUBLISHED\tTLP\tTITLE\tABOUT")
		for _, r := range g.Graph.Reports {
			published := "-"
			if !r.Published.IsZero() {
				published = r.Published.UTC().Format("2006-01-02")
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", diag.Escape(r.Ref()), published, tlpText(r.TLP), diag.Escape(r.Title), diag.Escape(r.About()))
		}
		tw.Flush() // memory
		return flush(w, &b)
	}
	refused, best := g.refusals(), bestEdges(g.Graph)
	fmt.Fprintln(tw, "KIND\tVALUE\tDEPTH\tCONFIDENCE\tRELATION\tREPORT\tNOTE")
	for _, n := range g.nodes() {
		ind, _ := n.Ref.Indicator()
		e, known := best[n.Ref]
		relation, from := "", ""
		switch {
		case n.Seed:
			relation = "seed"
		case known:
			relation, from = string(e.Relation), e.Report
		}
		note := ""
		if r := refused[ind]; r != "" {
			note = "not hunted: " + r
		}
		fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n", diag.Escape(string(ind.Kind)), diag.Escape(ind.Value), n.Depth, n.Confidence, diag.Escape(relation), diag.Escape(from), diag.Escape(note))
	}
	tw.Flush() // memory
	fmt.Fprintf(&b, "\n%s, %s, %s; %s\n", count(len(g.nodes()), "indicator", "indicators"), count(len(g.Graph.Files), "file", "files"),
		count(len(g.Graph.Reports), "report", "reports"), graphState(g.Graph))
	writeReports(&b, 11, g.Graph.Reports)
	g.lost(&b)
	return flush(w, &b)
}

// mostReports is how many reports a page names.
const mostReports = 10

// writeReports names reports with what their sources say of them; width is that of the page's first column.
func writeReports(b *bytes.Buffer, width int, reports []indicator.Report) {
	for _, r := range reports[:min(len(reports), mostReports)] {
		fmt.Fprintf(b, "%-*s%s%s%s\n", width, "report", diag.Escape(r.Ref()), quoted(r.Title), bracketed(r.About()))
	}
	if more := len(reports) - mostReports; more > 0 {
		fmt.Fprintf(b, "%-*sand %d more\n", width, "report", more)
	}
}

// bracketed sets what a source says of the threat apart from a title.
func bracketed(about string) string {
	if about == "" {
		return ""
	}
	return " [" + diag.Escape(about) + "]"
}

// RememberedLine says that answers of a provider are not of now.
func RememberedLine(r pivot.Remembered) string {
	age := time.Duration(r.Oldest * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%s: %s, the oldest from %s ago", diag.Escape(r.Provider), count(r.Answers, "remembered answer", "remembered answers"), age)
}

// lost lists what limits cut and what was not answered.
func (g Graph) lost(b *bytes.Buffer) {
	for _, c := range g.Graph.Cut {
		fmt.Fprintf(b, "cut        %s: %d of %s kept (%s)\n", diag.Escape(c.At), c.Kept, totalText(c.Total), diag.Escape(c.Limit))
	}
	for _, s := range g.Graph.Skipped {
		fmt.Fprintf(b, "not asked  %s of %s: %s\n", diag.Escape(s.Indicator), diag.Escape(s.Provider), diag.Escape(s.Reason))
	}
	for _, c := range g.Graph.Collisions {
		fmt.Fprintf(b, "collision  %s is claimed by %d different files; neither is taken for the other\n", diag.Escape(c.Digest.String()), len(c.Files))
	}
}

func totalText(n int) string {
	if n == 0 {
		return "an unknown number"
	}
	return fmt.Sprint(n)
}

func graphState(g *pivot.Graph) string {
	if g.Complete {
		return "complete"
	}
	return "NOT complete"
}

func tlpText(t indicator.TLP) string {
	if t == "" {
		return "-"
	}
	return strings.ToUpper(diag.Escape(string(t)))
}

// bestEdges gives for each node the most trusted edge that leads to it.
func bestEdges(g *pivot.Graph) map[indicator.Ref]indicator.Edge {
	best := map[indicator.Ref]indicator.Edge{}
	for _, e := range g.Edges {
		if old, seen := best[e.To]; !seen || e.Confidence > old.Confidence {
			best[e.To] = e
		}
	}
	return best
}

// graphJSON is what pivot --json prints.
type graphJSON struct {
	Schema     string             `json:"schema"`
	Seeds      []indicator.Ref    `json:"seeds"`
	Complete   bool               `json:"complete"`
	Nodes      []pivot.Node       `json:"nodes"`
	Edges      []edgeJSON         `json:"edges"`
	Files      []indicator.File   `json:"files"`
	Reports    []reportJSON       `json:"reports"`
	Refused    []refusedJSON      `json:"refused"`
	Collisions []pivot.Collision  `json:"collisions"`
	Cut        []pivot.Cut        `json:"cut"`
	Skipped    []pivot.Skip       `json:"skipped"`
	Remembered []pivot.Remembered `json:"remembered"`
}

// edgeJSON is an edge whose time is written as everywhere.
type edgeJSON struct {
	indicator.Edge
	Time *string `json:"time,omitempty"`
}

// reportJSON is a report whose time is written as everywhere.
type reportJSON struct {
	indicator.Report
	Published *string `json:"published,omitempty"`
}

func edgesOf(list []indicator.Edge) []edgeJSON {
	out := make([]edgeJSON, len(list))
	for i, e := range list {
		out[i] = edgeJSON{Edge: e, Time: Stamp(e.Time)}
	}
	return out
}

func reportsOf(list []indicator.Report) []reportJSON {
	out := make([]reportJSON, len(list))
	for i, r := range list {
		out[i] = reportJSON{Report: r, Published: Stamp(r.Published)}
	}
	return out
}

type refusedJSON struct {
	Kind       indicator.Kind     `json:"kind"`
	Value      string             `json:"value"`
	Reason     string             `json:"reason"`
	Relation   indicator.Relation `json:"relation,omitempty"`
	Provider   string             `json:"provider,omitempty"`
	Report     string             `json:"report,omitempty"`
	Confidence int                `json:"confidence"`
}

func refusedOf(list []pivot.Refused) []refusedJSON {
	out := make([]refusedJSON, len(list))
	for i, r := range list {
		out[i] = refusedJSON{Kind: r.Kind, Value: r.Value, Reason: r.Reason, Relation: r.Relation, Provider: r.Provider, Report: r.Report, Confidence: r.Confidence}
	}
	return out
}

// GraphJSON writes the whole graph as one object on one line; kinds narrow the nodes, never the edges.
func GraphJSON(w io.Writer, g Graph) error {
	nodes := g.nodes()
	if len(g.Kinds) == 0 {
		nodes = g.Graph.Nodes
	}
	return WriteJSON(w, graphJSON{
		Schema: "hunter.pivot/1", Seeds: orEmpty(g.Graph.Seeds), Complete: g.Graph.Complete, Nodes: orEmpty(nodes), Edges: edgesOf(g.Graph.Edges),
		Files: orEmpty(g.Graph.Files), Reports: reportsOf(g.Graph.Reports), Refused: refusedOf(g.Refused), Collisions: orEmpty(g.Graph.Collisions),
		Cut: orEmpty(g.Graph.Cut), Skipped: orEmpty(g.Graph.Skipped), Remembered: orEmpty(g.Graph.Remembered),
	})
}

// WriteJSON writes v on one line. What a terminal would obey is written as \u…: it means the same, and does nothing.
func WriteJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	if _, err := io.WriteString(w, quiet(b.String())); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// quiet writes the characters of a JSON text that a terminal would obey as \u…; all of them stand in strings.
func quiet(s string) string {
	line := strings.TrimSuffix(s, "\n")
	if diag.Escape(line) == line {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || diag.Escape(string(r)) == string(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func flush(w io.Writer, b *bytes.Buffer) error {
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
