package pivot

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
)

// edgeKey is what makes two edges one. Of membership in a report the start does not matter: a report of a thousand
// members that lead to each other gives a thousand edges, not a million.
type edgeKey struct {
	from, to         Ref
	relation         indicator.Relation
	provider, report string
}

func keyOf(e Edge) edgeKey {
	k := edgeKey{from: e.From, to: e.To, relation: e.Relation, provider: e.Provider, report: e.Report}
	if ofMember(e) {
		k.from = Ref{}
	}
	return k
}

// ofMember reports whether an edge says that a report names an indicator, and no more than that.
func ofMember(e Edge) bool {
	return e.Report != "" && (e.Relation == indicator.RelSameReport || e.Relation == indicator.RelReportsOn)
}

// take puts a provider's answer about one node into the graph.
func (x *expander) take(provider string, asked Ref, res Result, depth int) {
	x.takeNotes(provider, res)
	for _, r := range res.Reports {
		if r.Provider == "" {
			r.Provider = provider
		}
		if _, there := x.reports[r.Ref()]; !there {
			x.reports[r.Ref()] = r
		}
	}
	x.nameSeed(asked, res)
	edges := x.within(provider, x.wording(provider, asked, res))
	lost := map[Ref]bool{}
	for _, e := range edges {
		if !x.admit(e, depth) {
			lost[e.To] = true
		}
	}
	if len(lost) > 0 && !x.full {
		x.full = true
		kept := x.opt.Limits.MaxIndicators
		x.fullCut = x.cut(Cut{Provider: provider, At: asked.String(), Limit: "max_indicators", Kept: kept, Total: kept + len(lost)})
	}
	x.takeFiles(provider, res, nil)
	if x.opt.told(indicator.RelRelatedReport) {
		x.linkReports(edges, depth)
	}
}

// nameSeed remembers the reports of an answer about the seed that name nothing beside it.
func (x *expander) nameSeed(asked Ref, res Result) {
	if !x.planted[asked] {
		return
	}
	edged := map[string]bool{}
	for _, e := range res.Edges {
		edged[e.Report] = true
	}
	newest := slices.SortedFunc(slices.Values(res.Reports), func(a, b indicator.Report) int {
		return cmp.Or(b.Published.Compare(a.Published), cmp.Compare(a.Ref(), b.Ref()))
	})
	for i, r := range newest {
		if i < x.opt.Limits.PerIndicator && !edged[r.Ref()] {
			x.naming = append(x.naming, r.Ref())
		}
	}
}

// wording brings edges into the one form, leaves out what says nothing new, and sorts: what is hunted first, then the
// most trusted, then by value.
func (x *expander) wording(provider string, asked Ref, res Result) []Edge {
	raw := ""
	if len(res.Raw) == 1 {
		raw = res.Raw[0].Digest
	}
	var out []Edge
	strange, many := 0, x.tooMany(provider, asked, res.Edges)
	for _, e := range res.Edges {
		if e.Relation == indicator.RelRelatedReport || (ofMember(e) && many[e.Report]) {
			continue // related reports are followReport's
		}
		to, ok := e.To.Indicator()
		e.Provider = cmp.Or(e.Provider, provider)
		e.To, e.Raw = IndicatorRef(normal(to)), cmp.Or(e.Raw, raw)
		if from, ok := e.From.Indicator(); ok {
			e.From = IndicatorRef(normal(from))
		}
		if _, there := x.nodes[e.From]; !ok || (!there && e.From != asked) {
			strange++
			continue
		}
		if e.From == e.To || x.isSeed(e.To) {
			continue
		}
		x.note(e, asked)
		e.Confidence = confidence(e.Relation, e.Confidence)
		if at, there := x.edges[keyOf(e)]; there && x.graph.Edges[at].Confidence >= e.Confidence {
			continue
		}
		r := x.reportOf(e)
		e.TLP = indicator.Stricter(e.TLP, r.TLP)
		if e.Time.IsZero() {
			e.Time = r.Published
		}
		out = append(out, e)
	}
	if strange > 0 {
		x.skip(provider, asked, "the answer holds edges that do not start at what was asked or end at no indicator; they are left out")
	}
	slices.SortFunc(out, func(a, b Edge) int {
		return cmp.Or(boolCompare(x.opt.hunts(b.Relation), x.opt.hunts(a.Relation)), cmp.Compare(b.Confidence, a.Confidence), compareEdges(a, b))
	})
	return out
}

// compareEdges orders edges by all that they say.
func compareEdges(a, b Edge) int {
	return cmp.Or(
		cmp.Compare(a.To.Kind, b.To.Kind), cmp.Compare(a.To.Value, b.To.Value), cmp.Compare(a.Relation, b.Relation), cmp.Compare(a.Report, b.Report),
		cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.From.Kind, b.From.Kind), cmp.Compare(a.From.Value, b.From.Value),
		cmp.Compare(b.Confidence, a.Confidence), a.Time.Compare(b.Time), cmp.Compare(a.Raw, b.Raw), cmp.Compare(a.TLP, b.TLP),
	)
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// note remembers who was told a report's members. Told to two, it is known in full: the first time leaves out only the
// one that was asked about.
func (x *expander) note(e Edge, asked Ref) {
	if !ofMember(e) || x.opt.Limits.Known[e.Report] {
		return
	}
	if x.told[e.Report] == nil {
		x.told[e.Report] = map[Ref]bool{}
	}
	x.told[e.Report][asked] = true
	if len(x.told[e.Report]) > 1 {
		x.opt.Limits.Known[e.Report] = true
	}
}

// reportOf gives the report that speaks for an edge. One that the answer does not describe is known by its id alone.
func (x *expander) reportOf(e Edge) indicator.Report {
	if e.Report == "" {
		return indicator.Report{}
	}
	r, there := x.reports[e.Report]
	if !there {
		provider, id, _ := strings.Cut(e.Report, ":")
		r = indicator.Report{Provider: provider, ID: id}
		x.reports[e.Report] = r
	}
	return r
}

// tooMany lists the reports of an answer beyond max_reports, whatever the provider made of it: the newest are followed.
func (x *expander) tooMany(provider string, asked Ref, edges []Edge) map[string]bool {
	named := map[string]bool{}
	for _, e := range edges {
		if ofMember(e) {
			named[e.Report] = true
		}
	}
	lim := x.opt.Limits.PerIndicator
	if len(named) <= lim {
		return nil
	}
	refs := slices.SortedFunc(maps.Keys(named), func(a, b string) int {
		return cmp.Or(x.reports[b].Published.Compare(x.reports[a].Published), cmp.Compare(a, b))
	})
	for _, ref := range refs[:lim] {
		delete(named, ref)
	}
	x.cut(Cut{Provider: provider, At: asked.String(), Limit: "max_reports", Kept: lim, Total: len(refs)})
	return named
}

// within holds every report to max_per_report, over all answers and whatever the provider made of it. Edges must be
// sorted: the most trusted members stay.
func (x *expander) within(provider string, edges []Edge) []Edge {
	lim := x.opt.Limits.PerReport
	beyond := map[string]int{}
	edges = slices.DeleteFunc(edges, func(e Edge) bool {
		if !ofMember(e) {
			return false
		}
		if _, there := x.edges[keyOf(e)]; there {
			return false
		}
		if x.members[e.Report] >= lim {
			beyond[e.Report]++
			return true
		}
		x.members[e.Report]++
		return false
	})
	for _, ref := range slices.Sorted(maps.Keys(beyond)) {
		x.cut(Cut{Provider: provider, At: ReportRef(ref).String(), Limit: "max_per_report", Kept: lim, Total: lim + beyond[ref]})
	}
	return edges
}

// admit adds an edge with the node that it leads to. It reports false when that node finds no room.
func (x *expander) admit(e Edge, depth int) bool {
	at, there := x.nodes[e.To]
	if !there {
		if x.counted >= x.opt.Limits.MaxIndicators {
			return false
		}
		x.counted++
		at = len(x.graph.Nodes)
		x.nodes[e.To] = at
		x.graph.Nodes = append(x.graph.Nodes, Node{Ref: e.To, Depth: depth, TLP: x.opt.TLP})
	}
	n := &x.graph.Nodes[at]
	n.Confidence = max(n.Confidence, e.Confidence)
	n.TLP = indicator.Stricter(n.TLP, e.TLP)
	if !ofMember(e) { // what one learns from a node is as confidential as the node
		n.TLP = indicator.Stricter(n.TLP, x.graph.Nodes[x.nodes[e.From]].TLP)
	}
	if x.opt.follows(e.Relation) && e.Confidence >= x.opt.MinConfidence {
		x.leads[e.To] = true
	}
	x.keepEdge(e)
	return true
}

// keepEdge records an edge; of two with one key the more trusted stays. The way back along a known edge says nothing new.
func (x *expander) keepEdge(e Edge) {
	key := keyOf(e)
	if at, there := x.edges[key]; there {
		if e.Confidence > x.graph.Edges[at].Confidence {
			e.From = x.graph.Edges[at].From
			x.graph.Edges[at] = e
		}
		return
	}
	if !ofMember(e) {
		back := edgeKey{from: e.To, to: e.From, relation: e.Relation.Inverse(), provider: e.Provider, report: e.Report}
		if _, there := x.edges[back]; there {
			return
		}
	}
	x.edges[key] = len(x.graph.Edges)
	x.graph.Edges = append(x.graph.Edges, e)
}

// linkReports makes the reports that speak for edges nodes of their own, so that related reports can be followed.
func (x *expander) linkReports(edges []Edge, depth int) {
	for _, e := range edges {
		if !ofMember(e) || e.Relation != indicator.RelSameReport {
			continue
		}
		ref := ReportRef(e.Report)
		if _, there := x.nodes[ref]; there {
			continue
		}
		x.addReport(ref, Result{}, depth)
		x.keepEdge(Edge{From: e.From, To: ref, Relation: indicator.RelInReport, Provider: e.Provider, Report: e.Report, Confidence: 100, Time: e.Time, Raw: e.Raw, TLP: e.TLP})
		x.pending = append(x.pending, e.Report)
	}
}

// addReport makes a report a node. Reports have no share in max_indicators.
func (x *expander) addReport(ref Ref, res Result, depth int) {
	tlp := indicator.Stricter(x.opt.TLP, x.reports[ref.Value].TLP)
	for _, r := range res.Reports {
		if r.Ref() == ref.Value {
			tlp = indicator.Stricter(tlp, r.TLP)
		}
	}
	if _, there := x.nodes[ref]; there {
		return
	}
	x.nodes[ref] = len(x.graph.Nodes)
	x.graph.Nodes = append(x.graph.Nodes, Node{Ref: ref, Depth: depth, Confidence: 100, TLP: tlp})
}

// relatedEdges gives the edges from one report to others, in one order.
func relatedEdges(provider string, from Ref, edges []Edge) []Edge {
	var out []Edge
	seen := map[string]bool{from.Value: true}
	for _, e := range edges {
		if e.Relation != indicator.RelRelatedReport || e.To.Kind != indicator.RefReport || seen[e.To.Value] {
			continue
		}
		seen[e.To.Value] = true
		e.From, e.Provider, e.Confidence = from, cmp.Or(e.Provider, provider), confidence(e.Relation, e.Confidence)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Edge) int { return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), compareEdges(a, b)) })
	return out
}

// takeNotes keeps what an answer says about itself: what was cut, what was skipped, how it read.
func (x *expander) takeNotes(provider string, res Result) {
	cuts, skips := slices.Clone(res.Cut), slices.Clone(res.Skipped)
	slices.SortFunc(cuts, func(a, b Cut) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Limit, b.Limit), cmp.Compare(b.Total, a.Total))
	})
	slices.SortFunc(skips, func(a, b Skip) int {
		return cmp.Or(cmp.Compare(a.Indicator, b.Indicator), cmp.Compare(a.Reason, b.Reason))
	})
	for _, c := range cuts {
		c.Provider = cmp.Or(c.Provider, provider)
		x.cut(c)
	}
	for _, s := range skips {
		s.Provider, s.Reason = cmp.Or(s.Provider, provider), diag.Escape(cutText(s.Reason, 500))
		if !x.skips[s] {
			x.skips[s] = true
			x.graph.Skipped = append(x.graph.Skipped, s)
		}
	}
	for _, r := range res.Raw {
		x.keepRaw(r)
	}
	x.remembered(provider, res)
}

// remembered adds up how many answers of a provider are from before.
func (x *expander) remembered(provider string, res Result) {
	if res.Remembered == 0 {
		return
	}
	i := slices.IndexFunc(x.graph.Remembered, func(r Remembered) bool { return r.Provider == provider })
	if i < 0 {
		i = len(x.graph.Remembered)
		x.graph.Remembered = append(x.graph.Remembered, Remembered{Provider: provider})
	}
	r := &x.graph.Remembered[i]
	r.Answers += res.Remembered
	r.Oldest = max(r.Oldest, res.Oldest.Seconds())
}

func (x *expander) keepRaw(r Raw) {
	if !x.raws[r.Digest] {
		x.raws[r.Digest] = true
		x.graph.Raw = append(x.graph.Raw, r)
	}
}

// cut notes a limit once for each place, with the greatest total that was told, and gives its index.
func (x *expander) cut(c Cut) int {
	key := Cut{Provider: c.Provider, At: c.At, Limit: c.Limit}
	if at, there := x.cuts[key]; there {
		if c.Total > x.graph.Cut[at].Total {
			x.graph.Cut[at] = c
		}
		return at
	}
	x.cuts[key] = len(x.graph.Cut)
	x.graph.Cut = append(x.graph.Cut, c)
	return len(x.graph.Cut) - 1
}

func (x *expander) isSeed(ref Ref) bool {
	at, there := x.nodes[ref]
	return there && x.graph.Nodes[at].Seed
}
