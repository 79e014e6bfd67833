package pivot_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// member is one indicator of a report with the report's own value for it.
type member struct {
	ind indicator.Indicator
	own int
}

// fake is a provider over plain data. It words its answers as the contract says.
type fake struct {
	desc    pivot.Description
	reports map[string][]member // by id
	meta    map[string]indicator.Report
	related map[string][]string
	direct  []pivot.Edge
	files   []indicator.File
	err     func(what string) error // nil: never fails
	shuffle func([]pivot.Edge)
	greedy  bool // ignores limits
	asked   []string
}

func (f *fake) Describe() pivot.Description {
	d := f.desc
	if d.Name == "" {
		d.Name = "fake"
	}
	return d
}

func (f *fake) fails(what string) error {
	f.asked = append(f.asked, what)
	if f.err == nil {
		return nil
	}
	return f.err(what)
}

func (f *fake) Resolve(_ context.Context, digests []indicator.Indicator) (pivot.Result, error) {
	var res pivot.Result
	if err := f.fails("resolve"); err != nil {
		return res, err
	}
	for _, file := range f.files {
		if slices.ContainsFunc(digests, func(d indicator.Indicator) bool { return file.Digest(d.Kind) == d.Value && d.Value != "" }) {
			res.Files = append(res.Files, file)
		}
	}
	return res, nil
}

func (f *fake) report(id string) indicator.Report {
	r := f.meta[id]
	r.Provider, r.ID = f.Describe().Name, id
	return r
}

func (f *fake) Related(_ context.Context, ind indicator.Indicator, lim pivot.Limits) (pivot.Result, error) {
	var res pivot.Result
	if err := f.fails(ind.String()); err != nil {
		return res, err
	}
	for id, members := range f.reports {
		if !slices.ContainsFunc(members, func(m member) bool { return m.ind == ind }) || lim.Known[f.report(id).Ref()] {
			continue
		}
		r := f.report(id)
		res.Reports = append(res.Reports, r)
		n := 0
		for _, m := range members {
			if m.ind == ind {
				continue
			}
			if n++; n > lim.PerReport && !f.greedy {
				res.Cut = append(res.Cut, pivot.Cut{At: pivot.ReportRef(r.Ref()).String(), Limit: "max_per_report", Kept: lim.PerReport, Total: len(members) - 1})
				break
			}
			res.Edges = append(res.Edges, pivot.Edge{From: pivot.IndicatorRef(ind), To: pivot.IndicatorRef(m.ind), Relation: indicator.RelSameReport, Report: r.Ref(), Confidence: m.own})
		}
	}
	for _, e := range f.direct {
		if e.From == pivot.IndicatorRef(ind) {
			res.Edges = append(res.Edges, e)
		}
	}
	if f.shuffle != nil {
		f.shuffle(res.Edges)
	}
	return res, nil
}

func (f *fake) FromReport(_ context.Context, id string, _ pivot.Limits) (pivot.Result, error) {
	var res pivot.Result
	if err := f.fails("report:" + id); err != nil {
		return res, err
	}
	members, ok := f.reports[id]
	if !ok {
		return res, nil
	}
	r := f.report(id)
	res.Reports = []indicator.Report{r}
	from := pivot.ReportRef(r.Ref())
	for _, m := range members {
		res.Edges = append(res.Edges, pivot.Edge{From: from, To: pivot.IndicatorRef(m.ind), Relation: indicator.RelReportsOn, Report: r.Ref(), Confidence: m.own})
	}
	for _, other := range f.related[id] {
		res.Edges = append(res.Edges, pivot.Edge{From: from, To: pivot.ReportRef(f.Describe().Name + ":" + other), Relation: indicator.RelRelatedReport})
	}
	return res, nil
}

// sum gives the sha256 of a name: a digest that is sound and stable.
func sum(name string) indicator.Indicator {
	return indicator.Indicator{Kind: indicator.SHA256, Value: fmt.Sprintf("%x", sha256.Sum256([]byte(name)))}
}

// md5Of and sha1Of give digests of the other kinds; any hex will do.
func md5Of(name string) indicator.Indicator {
	return indicator.Indicator{Kind: indicator.MD5, Value: sum("md5 " + name).Value[:32]}
}

func sha1Of(name string) indicator.Indicator {
	return indicator.Indicator{Kind: indicator.SHA1, Value: sum("sha1 " + name).Value[:40]}
}

func domain(name string) indicator.Indicator {
	return indicator.Indicator{Kind: indicator.Domain, Value: name}
}

func seedOf(inds ...indicator.Indicator) pivot.Seed { return pivot.Seed{Indicators: inds} }

func depth(n int) pivot.Options {
	o := pivot.DefaultOptions()
	o.MinConfidence = 30
	o.Limits.Depth = n
	return o
}

func expand(t testing.TB, seed pivot.Seed, opt pivot.Options, providers ...pivot.Provider) *pivot.Graph {
	t.Helper()
	g, err := pivot.Expand(t.Context(), seed, providers, opt)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func node(g *pivot.Graph, i indicator.Indicator) (pivot.Node, bool) {
	at := slices.IndexFunc(g.Nodes, func(n pivot.Node) bool { return n.Ref == pivot.IndicatorRef(i) })
	if at < 0 {
		return pivot.Node{}, false
	}
	return g.Nodes[at], true
}
