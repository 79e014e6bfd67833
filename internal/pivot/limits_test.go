package pivot_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

func danglingEdges(g *pivot.Graph) []pivot.Edge {
	nodes := map[pivot.Ref]bool{}
	for _, n := range g.Nodes {
		nodes[n.Ref] = true
	}
	var out []pivot.Edge
	for _, e := range g.Edges {
		if !nodes[e.From] || !nodes[e.To] {
			out = append(out, e)
		}
	}
	return out
}

func indicators(g *pivot.Graph) int {
	n := 0
	for _, node := range g.Nodes {
		if _, ok := node.Ref.Indicator(); ok {
			n++
		}
	}
	return n
}

func hub(members int) *fake {
	f := &fake{reports: map[string][]member{}}
	for i := range members {
		f.reports["hub"] = append(f.reports["hub"], member{sum(fmt.Sprint(i)), 50})
	}
	return f
}

func cutOf(g *pivot.Graph, limit string) pivot.Cut {
	for _, c := range g.Cut {
		if c.Limit == limit {
			return c
		}
	}
	return pivot.Cut{}
}

func TestReportOfFiftyThousandHashes(t *testing.T) {
	t.Parallel()
	for _, greedy := range []bool{false, true} {
		p := hub(50_000)
		p.greedy = greedy
		g := expand(t, seedOf(sum("0")), depth(1), p)
		if n := indicators(g); n != 1001 || g.Complete {
			t.Errorf("greedy %v: %d indicators, complete %v", greedy, n, g.Complete)
		}
		want := pivot.Cut{Provider: "fake", At: "report:fake:hub", Limit: "max_per_report", Kept: 1000, Total: 49_999}
		if d := cmp.Diff(want, cutOf(g, "max_per_report")); d != "" {
			t.Error(d)
		}
	}
}

// Every member of a hub leads to every other one; the graph must not hold the square of it.
func TestHubAtDepthTwo(t *testing.T) {
	t.Parallel()
	p := hub(900)
	g := expand(t, seedOf(sum("0")), depth(3), p)
	if indicators(g) != 900 || len(g.Edges) > 2*900 || !g.Complete {
		t.Errorf("%d indicators, %d edges, complete %v", indicators(g), len(g.Edges), g.Complete)
	}
}

func TestHashInThreeThousandReports(t *testing.T) {
	t.Parallel()
	p := &fake{reports: map[string][]member{}, greedy: true}
	for i := range 3000 {
		p.reports[fmt.Sprintf("R%04d", i)] = []member{{sum("a"), 50}, {sum(fmt.Sprint(i)), 50}}
	}
	g := expand(t, seedOf(sum("a")), depth(1), p)
	want := pivot.Cut{Provider: "fake", At: pivot.IndicatorRef(sum("a")).String(), Limit: "max_reports", Kept: 100, Total: 3000}
	if d := cmp.Diff([]pivot.Cut{want}, g.Cut); d != "" || len(g.Reports) != 100 || g.Complete {
		t.Errorf("%d reports, complete %v\n%s", len(g.Reports), g.Complete, d)
	}
}

func TestMaxIndicatorsKeepsTheMostTrusted(t *testing.T) {
	t.Parallel()
	p := &fake{reports: map[string][]member{"R": {{sum("seed"), 50}}}}
	for i := range 50 {
		p.reports["R"] = append(p.reports["R"], member{sum(fmt.Sprint(i)), i})
	}
	opt := depth(2)
	opt.Limits.MaxIndicators = 11
	g := expand(t, seedOf(sum("seed")), opt, p)
	if indicators(g) != 11 || g.Complete {
		t.Errorf("%d indicators", indicators(g))
	}
	for i := 40; i < 50; i++ {
		if _, ok := node(g, sum(fmt.Sprint(i))); !ok {
			t.Errorf("%d is cut before a less trusted one", i)
		}
	}
	want := pivot.Cut{Provider: "fake", At: pivot.IndicatorRef(sum("seed")).String(), Limit: "max_indicators", Kept: 11} // the rest was not asked: no total
	if d := cmp.Diff(want, cutOf(g, "max_indicators")); d != "" {
		t.Error(d)
	}
	opt.Limits.Depth = 1
	if got := cutOf(expand(t, seedOf(sum("seed")), opt, p), "max_indicators").Total; got != 51 {
		t.Errorf("total %d, want 51", got)
	}
}

// world draws a small intelligence of cycles, hubs, siblings and collisions.
func world(t *rapid.T) *fake {
	names := []string{"a", "b", "c", "d", "e", "f"}
	pick := func(label string) indicator.Indicator {
		n := rapid.SampledFrom(names).Draw(t, label)
		switch rapid.IntRange(0, 3).Draw(t, label+" kind") {
		case 0:
			return md5Of(n)
		case 1:
			return domain(n + ".example")
		default:
			return sum(n)
		}
	}
	f := &fake{reports: map[string][]member{}, meta: map[string]indicator.Report{}, related: map[string][]string{}}
	for i := range rapid.IntRange(0, 5).Draw(t, "reports") {
		id := fmt.Sprintf("R%d", i)
		for range rapid.IntRange(0, 5).Draw(t, "members") {
			f.reports[id] = append(f.reports[id], member{pick("member"), rapid.IntRange(0, 100).Draw(t, "own")})
		}
		f.meta[id] = indicator.Report{TLP: rapid.SampledFrom(append(indicator.TLPs(), "")).Draw(t, "tlp")}
		f.related[id] = []string{fmt.Sprintf("R%d", rapid.IntRange(0, 5).Draw(t, "related"))}
	}
	rels := []indicator.Relation{indicator.RelDrops, indicator.RelDroppedBy, indicator.RelSimilar, indicator.RelContains, indicator.RelCommunicates}
	for range rapid.IntRange(0, 6).Draw(t, "direct") {
		f.direct = append(f.direct, pivot.Edge{
			From: pivot.IndicatorRef(pick("from")), To: pivot.IndicatorRef(pick("to")), Relation: rapid.SampledFrom(rels).Draw(t, "relation"),
			Confidence: rapid.IntRange(0, 100).Draw(t, "own"), Report: rapid.SampledFrom([]string{"", "fake:R0", "fake:R1"}).Draw(t, "by"),
		})
	}
	for range rapid.IntRange(0, 6).Draw(t, "files") {
		f.files = append(f.files, indicator.File{
			MD5: md5Of(rapid.SampledFrom(names).Draw(t, "md5")).Value, SHA256: sum(rapid.SampledFrom(names).Draw(t, "sha256")).Value,
			Size: int64(rapid.IntRange(0, 2).Draw(t, "size")),
		})
	}
	return f
}

func anyOptions(t *rapid.T) pivot.Options {
	o := depth(rapid.IntRange(0, 4).Draw(t, "depth"))
	o.Limits.MaxIndicators = rapid.IntRange(1, 12).Draw(t, "max_indicators")
	o.Limits.PerReport = rapid.IntRange(1, 4).Draw(t, "max_per_report")
	o.Limits.PerIndicator = rapid.IntRange(1, 3).Draw(t, "max_reports")
	o.MinConfidence = rapid.SampledFrom([]int{0, 30, 80}).Draw(t, "min_confidence")
	o.Follow = rapid.SampledFrom([][]indicator.Relation{nil, {indicator.RelRelatedReport}, {indicator.RelSimilar}}).Draw(t, "follow")
	return o
}

func TestGraphIsSoundAndWithinLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, opt := world(t), anyOptions(t)
		p.desc.MaxTLP = rapid.SampledFrom([]indicator.TLP{"", indicator.TLPGreen}).Draw(t, "max_tlp")
		p.greedy = rapid.Bool().Draw(t, "greedy")
		g, err := pivot.Expand(t.Context(), seedOf(sum("a")), []pivot.Provider{p}, opt)
		if err != nil {
			t.Fatal(err)
		}
		if d := danglingEdges(g); len(d) > 0 {
			t.Fatalf("dangling %+v", d)
		}
		siblings := map[pivot.Ref]bool{}
		for _, c := range g.Collisions { // once taken as a sibling, before that was known
			siblings[pivot.IndicatorRef(c.Digest)] = true
		}
		for _, e := range g.Edges {
			siblings[e.To] = siblings[e.To] || e.Relation == indicator.RelSibling
		}
		counted := 0
		for _, n := range g.Nodes {
			ind, ok := n.Ref.Indicator()
			if ok && !siblings[n.Ref] {
				counted++
			}
			if n.Depth > max(opt.Limits.Depth, 0) {
				t.Fatalf("%v has depth %d of %d", n.Ref, n.Depth, opt.Limits.Depth)
			}
			if ok && !n.Seed && len(pivot.Explain(g, ind)) == 0 {
				t.Fatalf("no chain leads to %v", n.Ref)
			}
		}
		if counted > opt.Limits.MaxIndicators || indicators(g) > 3*opt.Limits.MaxIndicators {
			t.Fatalf("%d indicators and %d with siblings, of %d", counted, indicators(g), opt.Limits.MaxIndicators)
		}
		perReport := map[string]map[pivot.Ref]bool{}
		for _, e := range g.Edges {
			if e.Relation == indicator.RelSameReport {
				if perReport[e.Report] == nil {
					perReport[e.Report] = map[pivot.Ref]bool{}
				}
				perReport[e.Report][e.To] = true
			}
		}
		for r, members := range perReport {
			if len(members) > opt.Limits.PerReport {
				t.Fatalf("%d members of %s, limit %d", len(members), r, opt.Limits.PerReport)
			}
		}
		if g.Complete != (len(g.Cut) == 0 && len(g.Skipped) == 0) {
			t.Fatalf("complete %v with %v %v", g.Complete, g.Cut, g.Skipped)
		}
	})
}

// The order inside answers must not matter.
func TestGraphIsDeterministic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, opt := world(t), anyOptions(t)
		seed := seedOf(sum("a"), md5Of("b"))
		one, err := pivot.Expand(t.Context(), seed, []pivot.Provider{p}, opt)
		if err != nil {
			t.Fatal(err)
		}
		p.shuffle = slices.Reverse[[]pivot.Edge]
		slices.Reverse(p.files)
		slices.Reverse(p.direct)
		two, err := pivot.Expand(t.Context(), seed, []pivot.Provider{p}, opt)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(one, two); d != "" {
			t.Fatal(d)
		}
	})
}

// A report that names the seed and nothing beside it is an answer, not silence.
func TestReportOfTheSeedAlone(t *testing.T) {
	t.Parallel()
	p := &alone{}
	g := expand(t, seedOf(sum("a")), depth(1), p)
	if len(g.Reports) != 1 || g.Reports[0].Ref() != "alone:R1" || len(g.Edges) != 0 || !g.Complete {
		t.Errorf("reports %v, edges %v, complete %v", g.Reports, g.Edges, g.Complete)
	}
}

// alone knows a report of one member.
type alone struct{}

func (*alone) Describe() pivot.Description { return pivot.Description{Name: "alone", Type: "fake"} }

func (*alone) Resolve(context.Context, []indicator.Indicator) (pivot.Result, error) {
	return pivot.Result{}, nil
}

func (*alone) Related(context.Context, indicator.Indicator, pivot.Limits) (pivot.Result, error) {
	return pivot.Result{Reports: []indicator.Report{{Provider: "alone", ID: "R1", Title: "one hash"}}}, nil
}
