package pivot

import (
	"context"
	"errors"

	"github.com/hunter-project/hunter/internal/indicator"
)

// ErrNoSeed says that a seed names neither digest nor other indicator nor report.
var ErrNoSeed = errors.New("the seed names no indicator and no report")

// expander is a pivot in the making.
type expander struct {
	opt       Options
	providers []Provider
	graph     *Graph

	nodes    map[Ref]int // index in graph.Nodes
	leads    map[Ref]bool
	naming   []string // reports of answers about the seed, "provider:id"
	counted  int      // indicators held against MaxIndicators
	edges    map[edgeKey]int
	origin   map[Ref]Ref // sibling: the digest it was first known by
	files    *indicator.FileSet
	claims   map[indicator.Indicator][]claim
	said     map[statement]bool
	planted  map[Ref]bool   // the seed's own
	members  map[string]int // by report, over all answers
	reports  map[string]indicator.Report
	raws     map[string]bool
	cuts     map[Cut]int // without its numbers: index in graph.Cut
	skips    map[Skip]bool
	failed   map[string]bool // providers that are not asked any more
	told     map[string]map[Ref]bool
	pending  []string // reports whose related reports are to be followed
	visited  map[string]bool
	related  map[string][]Edge
	full     bool
	fullCut  int // index in graph.Cut
	resolved int // nodes up to here have been resolved
}

// Expand takes a seed through the providers, breadth first. Depth 0 is the seed with its siblings; each further depth
// takes every indicator of the last one to its reports and on to what those name. The members of a seed report are taken
// at any depth. The graph is the same for the same seed, providers, answers in any order, and options.
//
// A provider that fails is told in Skipped for what it was asked and for what it was not asked any more; the others go
// on. When ctx ends, the graph holds what there was and the error is ctx's. Other errors are ErrNoSeed and a seed report
// that no provider could give; then there is nothing to hunt.
func Expand(ctx context.Context, seed Seed, providers []Provider, opt Options) (*Graph, error) {
	if seed.IsEmpty() {
		return nil, ErrNoSeed
	}
	x := newExpander(providers, opt)
	x.plant(seed)
	err := x.run(ctx, seed)
	x.finish()
	x.graph.Complete = err == nil && len(x.graph.Cut) == 0 && len(x.graph.Skipped) == 0
	return x.graph, err
}

func newExpander(providers []Provider, opt Options) *expander {
	def := DefaultLimits()
	orDefault := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orDefault(&opt.Limits.MaxIndicators, def.MaxIndicators)
	orDefault(&opt.Limits.PerReport, def.PerReport)
	orDefault(&opt.Limits.PerIndicator, def.PerIndicator)
	opt.Limits.Known = map[string]bool{}
	return &expander{
		opt: opt, providers: providers, graph: &Graph{}, files: &indicator.FileSet{},
		nodes: map[Ref]int{}, leads: map[Ref]bool{}, edges: map[edgeKey]int{}, origin: map[Ref]Ref{},
		claims: map[indicator.Indicator][]claim{}, reports: map[string]indicator.Report{}, raws: map[string]bool{},
		cuts: map[Cut]int{}, skips: map[Skip]bool{}, failed: map[string]bool{}, told: map[string]map[Ref]bool{},
		visited: map[string]bool{}, related: map[string][]Edge{}, said: map[statement]bool{}, planted: map[Ref]bool{}, members: map[string]int{},
	}
}

// run goes from level to level. Digests are resolved before they are asked about, so that a seed by md5 pivots by its
// sha256 too.
func (x *expander) run(ctx context.Context, seed Seed) error {
	if err := x.resolve(ctx); err != nil {
		return err
	}
	frontier := x.leadsFrom(0)
	for depth := 1; ; depth++ {
		before := len(x.graph.Nodes)
		if depth == 1 && seed.Report != "" {
			if err := x.seedReport(ctx, seed.Report); err != nil {
				return err
			}
		}
		if depth <= x.opt.Limits.Depth {
			if err := x.level(ctx, frontier, depth); err != nil {
				return err
			}
		}
		if err := x.resolve(ctx); err != nil {
			return err
		}
		frontier = x.leadsFrom(before)
		if depth >= x.opt.Limits.Depth || (len(frontier) == 0 && len(x.pending) == 0) {
			return nil
		}
	}
}

// level asks every provider about the indicators of the last depth, then follows related reports.
func (x *expander) level(ctx context.Context, frontier []Ref, depth int) error {
	for _, ref := range frontier {
		ind, _ := ref.Indicator()
		for _, p := range x.providers {
			if err := x.relate(ctx, p, ind, depth); err != nil {
				return err
			}
		}
	}
	pending := x.pending
	x.pending = nil
	for _, ref := range pending {
		if err := x.followReport(ctx, ref, depth); err != nil {
			return err
		}
	}
	return nil
}

// plant puts the seed into the graph.
func (x *expander) plant(seed Seed) {
	g := x.graph
	raw := ""
	if seed.Raw != nil {
		raw = seed.Raw.Digest
		x.keepRaw(*seed.Raw)
	}
	alert := Ref{Kind: indicator.RefAlert, Value: seed.Alert}
	if seed.Alert != "" {
		x.nodes[alert] = 0
		g.Nodes = append(g.Nodes, Node{Ref: alert, Confidence: 100, TLP: x.opt.TLP, Seed: true})
	}
	add := func(i indicator.Indicator) {
		ref := IndicatorRef(normal(i))
		if _, there := x.nodes[ref]; there {
			return
		}
		x.nodes[ref] = len(g.Nodes)
		x.counted++
		x.leads[ref], x.planted[ref] = true, true
		g.Seeds = append(g.Seeds, ref)
		g.Nodes = append(g.Nodes, Node{Ref: ref, Confidence: 100, TLP: x.opt.TLP, Seed: true})
		if seed.Alert != "" {
			x.keepEdge(Edge{From: alert, To: ref, Relation: indicator.RelAlert, Confidence: 100, Time: seed.Time, Raw: raw, TLP: x.opt.TLP})
		}
	}
	for _, f := range seed.Files {
		f = normalFile(f)
		x.state(f, claim{raw: raw})
		for _, d := range f.Digests() {
			add(d)
		}
	}
	for _, i := range seed.Indicators {
		add(i)
	}
}

// leadsFrom lists the indicators found since an index that lead on, in order of discovery. The digest of an empty file in a
// report leads to everybody else's reports: it is refused, with its reason, and leads nowhere.
func (x *expander) leadsFrom(at int) []Ref {
	var out []Ref
	for _, n := range x.graph.Nodes[at:] {
		ind, ok := n.Ref.Indicator()
		if _, junk := indicator.Junk(ind); ok && x.leads[n.Ref] && (!junk || n.Seed) {
			out = append(out, n.Ref)
		}
	}
	return out
}

// normal gives an indicator in its normal form; what is malformed stays as it is and is refused before dispatch.
func normal(i indicator.Indicator) indicator.Indicator {
	if n, err := indicator.Parse(i.Kind, i.Value); err == nil {
		return n
	}
	if len(i.Value) > indicator.MaxValue {
		i.Value = i.Value[:indicator.MaxValue]
	}
	return i
}

// normalFile keeps the well-formed digests of a file object, in their normal form.
func normalFile(f indicator.File) indicator.File {
	for _, d := range f.Digests() {
		n, err := indicator.Parse(d.Kind, d.Value)
		if err != nil {
			n.Value = ""
		}
		f.SetDigest(d.Kind, n.Value)
	}
	return f
}
