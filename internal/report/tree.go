package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
)

// GraphTree writes how one thing led to another: seed, the reports that name it, what these name. Everything stands
// under what led to it first; a node that stands elsewhere already is not repeated.
func GraphTree(w io.Writer, g Graph) error {
	t := tree{g: g, out: &bytes.Buffer{}, under: map[indicator.Ref][]branch{}, shown: map[indicator.Ref]bool{}, titles: map[string]string{}, refused: g.refusals()}
	for _, r := range g.Graph.Reports {
		t.titles[r.Ref()] = quoted(r.Title) + bracketed(r.About())
	}
	t.grow()
	for _, s := range g.Graph.Seeds {
		if !t.shown[s] {
			t.shown[s] = true
			title := ""
			if s.Kind == indicator.RefReport {
				title = t.titles[s.Value]
			}
			fmt.Fprintf(t.out, "%s %s%s\n", diag.Escape(s.Kind), diag.Escape(s.Value), title)
			t.children(s, "")
		}
	}
	fmt.Fprintf(t.out, "\n%s\n", graphState(g.Graph))
	g.lost(t.out)
	return flush(w, t.out)
}

// branch is one step down: directly to a node, or to a report and the nodes that it names.
type branch struct {
	report string // "" for a direct step
	edges  []indicator.Edge
}

type tree struct {
	g       Graph
	out     *bytes.Buffer
	under   map[indicator.Ref][]branch
	shown   map[indicator.Ref]bool
	titles  map[string]string // of reports, with what their sources say of them
	refused map[indicator.Indicator]string
}

// grow hangs each node under the first edge that leads to it, in order of discovery.
func (t *tree) grow() {
	first := map[indicator.Ref]bool{}
	for _, s := range t.g.Graph.Seeds {
		first[s] = true
	}
	for _, e := range t.g.Graph.Edges {
		if first[e.To] {
			continue
		}
		first[e.To] = true
		rep := e.Report
		if e.From.Kind == indicator.RefReport || e.Relation != indicator.RelSameReport {
			rep = ""
		}
		list := t.under[e.From]
		if n := len(list); n > 0 && rep != "" && list[n-1].report == rep {
			list[n-1].edges = append(list[n-1].edges, e)
			continue
		}
		t.under[e.From] = append(list, branch{report: rep, edges: []indicator.Edge{e}})
	}
}

func (t *tree) children(at indicator.Ref, indent string) {
	list := t.under[at]
	for i, b := range list {
		tee, more := "├─ ", "│  "
		if i == len(list)-1 {
			tee, more = "└─ ", "   "
		}
		if b.report == "" {
			t.node(b.edges[0], indent+tee, indent+more)
			continue
		}
		fmt.Fprintf(t.out, "%s%sreport %s%s\n", indent, tee, diag.Escape(b.report), t.titles[b.report])
		for k, e := range b.edges {
			sub, deeper := "├─ ", "│  "
			if k == len(b.edges)-1 {
				sub, deeper = "└─ ", "   "
			}
			t.node(e, indent+more+sub, indent+more+deeper)
		}
	}
}

func (t *tree) node(e indicator.Edge, head, indent string) {
	if t.shown[e.To] {
		return
	}
	t.shown[e.To] = true
	ind, isIndicator := e.To.Indicator()
	if t.visible(e.To) {
		note := ""
		if r := t.refused[ind]; isIndicator && r != "" {
			note = "  not hunted: " + diag.Escape(r)
		}
		fmt.Fprintf(t.out, "%s%s %s  (%s, confidence %d%s)%s%s\n", head, diag.Escape(e.To.Kind), diag.Escape(e.To.Value), diag.Escape(string(e.Relation)), e.Confidence, from(e), t.titles[e.To.Value], note)
	}
	t.children(e.To, indent)
}

// visible reports whether a node is shown: kinds narrow the ends of the tree, never what leads on.
func (t *tree) visible(r indicator.Ref) bool {
	ind, ok := r.Indicator()
	return !ok || t.g.wants(ind) || len(t.under[r]) > 0
}

func from(e indicator.Edge) string {
	if e.Provider == "" {
		return ""
	}
	return ", " + diag.Escape(e.Provider)
}

func quoted(title string) string {
	if title == "" {
		return ""
	}
	return ` "` + diag.Escape(strings.TrimSpace(title)) + `"`
}
