package campaign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

// Prepared is everything that is known before anything is asked: what `hunter plan` shows.
type Prepared struct {
	Spec    Spec
	Graph   *pivot.Graph
	Files   []indicator.File // the file objects that are hunted
	Refused []pivot.Refused
	Plan    edr.Plan
	proofs  map[Pair]proof
	tools   []edr.Tool // that it was planned with
}

// Prepare pivots and plans, and stores and asks nothing.
func (c *Campaign) Prepare(ctx context.Context, spec Spec) (*Prepared, error) {
	never, err := loadNever(spec.Never)
	if err != nil {
		return nil, err
	}
	providers, err := c.providers(spec)
	if err != nil {
		return nil, err
	}
	tools, err := c.tools(spec)
	if err != nil {
		return nil, err
	}
	opt := spec.Pivot
	opt.Now = c.Now
	asking := ctx
	if spec.Refresh > 0 {
		asking = httpx.WithMaxAge(ctx, spec.Refresh)
	}
	graph, err := pivot.Expand(asking, spec.Seed, providers, opt)
	if err != nil {
		return nil, fmt.Errorf("pivot: %w", err)
	}
	files, refused := pivot.Hunted(graph, opt, never, c.Now())
	c.Progress(Event{Kind: EventPivoted, Graph: graph})
	plan, err := edr.MakePlan(ctx, files, tools, spec.Select, spec.Search)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	prep := &Prepared{Spec: spec, Graph: graph, Files: files, Refused: refused, Plan: plan, proofs: map[Pair]proof{}, tools: tools}
	return prep, c.carryProofs(ctx, prep)
}

// AllRefused lists what is not hunted by rule: of the pivot, and of the seeds as they were given.
func (p *Prepared) AllRefused() []pivot.Refused {
	out := slices.Clone(p.Refused)
	for _, r := range p.Spec.Refused {
		out = append(out, pivot.Refused{Kind: r.Kind, Value: r.Value, Reason: r.Reason})
	}
	return out
}

func (c *Campaign) providers(spec Spec) ([]pivot.Provider, error) {
	if spec.NoPivot {
		return nil, nil
	}
	named, err := c.ProvidersNamed(spec.Providers)
	if err != nil || c.Own == nil {
		return named, err
	}
	return append(slices.Clone(named), c.Own), nil
}

// ProvidersNamed gives the providers of those names in that order; nil is all.
func (c *Campaign) ProvidersNamed(names []string) ([]pivot.Provider, error) {
	if names == nil {
		return c.Providers, nil
	}
	var out []pivot.Provider
	for _, name := range names {
		i := slices.IndexFunc(c.Providers, func(p pivot.Provider) bool { return p.Describe().Name == name })
		if i < 0 {
			return nil, unknownName("provider", name, c.Providers, func(p pivot.Provider) string { return p.Describe().Name })
		}
		out = append(out, c.Providers[i])
	}
	return out, nil
}

func (c *Campaign) tools(spec Spec) ([]edr.Tool, error) {
	if spec.Tools == nil {
		return c.Tools, nil
	}
	all := slices.Concat(c.Tools, c.ByName)
	var out []edr.Tool
	for _, name := range spec.Tools {
		i := slices.IndexFunc(all, func(t edr.Tool) bool { return t.Describe().Name == name })
		if i < 0 {
			return nil, unknownName("tool", name, all, func(t edr.Tool) string { return t.Describe().Name })
		}
		out = append(out, all[i])
	}
	return out, nil
}

// unknownName says that nothing of that sort is called so, and what there is.
func unknownName[T any](sort, name string, all []T, nameOf func(T) string) error {
	names := make([]string, len(all))
	for i, x := range all {
		names[i] = nameOf(x)
	}
	if near := diag.Nearest(name, names); near != "" {
		return fmt.Errorf("no %s named %q; did you mean %q?", sort, name, near)
	}
	return fmt.Errorf("no %s named %q; there is %s; define others under %ss in a hunts file", sort, name, strings.Join(names, ", "), sort)
}

// pivoted gives the store's form of the pivot.
func (p *Prepared) pivoted() results.Pivoted {
	g := p.Graph
	out := results.Pivoted{Seeds: g.Seeds, Edges: g.Edges, Files: g.Files, Reports: g.Reports, Complete: g.Complete}
	for _, s := range g.Skipped {
		out.Skipped = append(out.Skipped, results.Skipped(s))
	}
	for _, c := range g.Cut {
		out.Cut = append(out.Cut, results.Cut(c))
	}
	for _, r := range g.Raw {
		if r.Body != nil {
			out.Raw = append(out.Raw, results.Raw(r))
		}
	}
	return out
}

// saved gives the store's form of the plan: every indicator with its status, every target, every query and search.
func (p *Prepared) saved() results.SavedPlan {
	out := results.SavedPlan{Scope: p.Plan.Scope, Indicators: p.indicators(), Rest: p.queries()}
	for _, tp := range p.Plan.Tools {
		hashset := hashsetOf(tp.Targets)
		for i, q := range tp.Searches {
			out.Queries = append(out.Queries, results.StoredQuery{Tool: tp.Tool.Name, Seq: i, Query: q, State: results.QueryPlanned})
		}
		for _, ep := range tp.Endpoints {
			proof := p.proofs[Pair{ep.Endpoint.ID, tp.Tool.Name}]
			out.Targets = append(out.Targets, results.Target{
				Endpoint: ep.Endpoint.ID, Hostname: ep.Endpoint.Hostname, Tool: tp.Tool.Name, Mode: tp.Tool.Mode,
				Platform: ep.Endpoint.Platform, Scope: ep.Scope, Hashset: hashset, WindowFrom: tp.Window.From, WindowTo: tp.Window.To,
				Coverage: p.beforehand(tp, ep), Proof: proof.name, Carried: proof.carried.Run, AnsweredAt: proof.carried.At,
			})
		}
	}
	return out
}

// queries gives what each endpoint is asked.
func (p *Prepared) queries() iter.Seq[results.StoredQuery] {
	return func(yield func(results.StoredQuery) bool) {
		for _, tp := range p.Plan.Tools {
			for _, ep := range tp.Endpoints {
				for i, q := range ep.Queries {
					if !yield(results.StoredQuery{Endpoint: ep.Endpoint.ID, Tool: tp.Tool.Name, Seq: i, Query: q, State: results.QueryPlanned}) {
						return
					}
				}
			}
		}
	}
}

// beforehand is the standing of a target before anything is asked.
func (p *Prepared) beforehand(tp edr.ToolPlan, ep edr.EndpointPlan) ledger.Coverage {
	out := ledger.Coverage{State: ledger.Unasked, Reason: reasonNotReached, Scope: ep.Scope}
	switch {
	case ep.Failed != "":
		out.State, out.Reason = ledger.Error, ep.Failed
	case ep.Excluded != "":
		out.State, out.Reason = ledger.Excluded, ep.Excluded
	case ep.Cannot != "":
		out.State, out.Reason = ledger.Unsupported, ep.Cannot
	case ep.Carried != "":
		out.State, out.Proven, out.Reason = ledger.Absent, true, ep.Carried
	case ep.Asleep != "":
		out.State, out.Reason = ledger.Asleep, ep.Asleep
	case len(ep.Queries) == 0:
		out.Reason = p.nothingToAsk(tp)
	}
	return out
}

// nothingToAsk says why an endpoint of a tool gets no question.
func (p *Prepared) nothingToAsk(tp edr.ToolPlan) string {
	switch {
	case len(p.Files) == 0:
		return "nothing to ask: no hash is hunted"
	case len(tp.Targets) == 0:
		return "nothing to ask: no hash that this tool takes"
	case len(tp.Narrowed) > 0:
		return "nothing to ask: no hash has a known size, and unsized: skip leaves the others out of files"
	default:
		return "nothing to ask"
	}
}

const reasonNotReached = "its turn did not come"

// indicators lists what the run does with every digest it knows of.
func (p *Prepared) indicators() []results.RunIndicator {
	origin := originOf(p.Graph)
	var out []results.RunIndicator
	add := func(ind indicator.Indicator, status results.IndicatorStatus, tool, reason, sibling string) {
		e := origin[ind]
		out = append(out, results.RunIndicator{
			Tool: tool, Indicator: ind, Status: status, Reason: reason, Relation: e.Relation, Provider: e.Provider,
			Report: e.Report, Confidence: e.Confidence, Sibling: sibling,
		})
	}
	for _, f := range p.Files {
		best := f.Best()
		add(best, results.StatusHunted, "", "", best.Value)
	}
	for _, r := range p.Refused {
		out = append(out, results.RunIndicator{
			Indicator: indicator.Indicator{Kind: r.Kind, Value: r.Value}, Status: results.StatusRefused, Reason: r.Reason,
			Relation: r.Relation, Provider: r.Provider, Report: r.Report, Confidence: r.Confidence,
		})
	}
	for _, r := range p.Spec.Refused {
		add(indicator.Indicator{Kind: r.Kind, Value: r.Value}, results.StatusRefused, "", r.Reason, "")
	}
	for _, tp := range p.Plan.Tools {
		for _, u := range tp.Unaskable {
			add(indicator.Indicator{Kind: u.Kind, Value: u.Value}, results.StatusUnaskable, u.Tool, u.Reason, "")
		}
		for _, t := range tp.Narrowed {
			add(t.Ask, results.StatusNarrowed, tp.Tool.Name, "no size is known; searched in running and autoruns alone", t.File.Best().Value)
		}
	}
	return out
}

// originOf gives for each indicator the edge that speaks for it best. A seed that a person gave has none, and is its own.
func originOf(g *pivot.Graph) map[indicator.Indicator]pivot.Edge {
	best := map[indicator.Indicator]pivot.Edge{}
	for _, e := range g.Edges {
		ind, ok := e.To.Indicator()
		if !ok {
			continue
		}
		if old, seen := best[ind]; !seen || e.Confidence > old.Confidence {
			best[ind] = e
		}
	}
	for _, ref := range g.Seeds {
		if ind, ok := ref.Indicator(); ok && best[ind].Relation != indicator.RelAlert {
			best[ind] = pivot.Edge{From: ref, To: ref, Relation: indicator.RelSeed, Confidence: 100}
		}
	}
	return best
}

// hashsetOf names a set of digests, so that two runs can be compared.
func hashsetOf(targets []edr.Target) string {
	values := make([]string, 0, len(targets))
	for _, t := range targets {
		values = append(values, t.Ask.String())
	}
	slices.Sort(values)
	h := sha256.New()
	for _, v := range slices.Compact(values) {
		h.Write([]byte(v + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}
