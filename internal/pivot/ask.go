package pivot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
)

// resolveBatch is how many digests one Resolve takes.
const resolveBatch = 500

// relate asks one provider for what belongs to an indicator.
func (x *expander) relate(ctx context.Context, p Provider, ind indicator.Indicator, depth int) error {
	ref, d := IndicatorRef(ind), p.Describe()
	if !x.takes(d, ind) {
		return nil // not its kind: nothing is lost, it could not know
	}
	if x.full {
		x.graph.Cut[x.fullCut].Total = 0 // nobody knows what was not asked for
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !x.allowed(d, ref) {
		return nil
	}
	res, err := p.Related(ctx, ind, x.opt.Limits)
	x.take(d.Name, ref, res, depth)
	if err != nil {
		return x.fail(ctx, d.Name, ref, err)
	}
	return nil
}

// resolve asks for the file objects of all digests found since the last time, and of the siblings that brings.
func (x *expander) resolve(ctx context.Context) error {
	for x.resolved < len(x.graph.Nodes) {
		var batch []Ref
		for _, n := range x.graph.Nodes[x.resolved:] {
			if ind, ok := n.Ref.Indicator(); ok && ind.Kind.IsDigest() {
				batch = append(batch, n.Ref)
			}
		}
		x.resolved = len(x.graph.Nodes)
		for _, p := range x.providers {
			if err := x.resolveAt(ctx, p, batch); err != nil {
				x.addSiblings(batch)
				return err
			}
		}
		x.addSiblings(batch)
	}
	return nil
}

// resolveAt asks one provider for file objects, in batches.
func (x *expander) resolveAt(ctx context.Context, p Provider, refs []Ref) error {
	d := p.Describe()
	for part := range slices.Chunk(refs, resolveBatch) {
		var digests []indicator.Indicator
		for _, ref := range part {
			ind, _ := ref.Indicator()
			if _, junk := indicator.Junk(ind); !junk && x.takes(d, ind) && x.allowed(d, ref) {
				digests = append(digests, ind)
			}
		}
		if len(digests) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		res, err := p.Resolve(ctx, digests)
		x.takeFiles(d.Name, res, digests)
		x.takeNotes(d.Name, res)
		if err == nil {
			continue
		}
		for _, ind := range digests {
			if err := x.fail(ctx, d.Name, IndicatorRef(ind), err); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *expander) takes(d Description, ind indicator.Indicator) bool {
	return d.Kinds == nil || slices.Contains(d.Kinds, ind.Kind)
}

// allowed reports whether a provider may be asked about a node; a refusal is told.
func (x *expander) allowed(d Description, ref Ref) bool {
	if x.failed[d.Name] {
		x.skip(d.Name, ref, "not asked: provider failed")
		return false
	}
	tlp := x.opt.TLP
	if i, there := x.nodes[ref]; there {
		tlp = indicator.Stricter(tlp, x.graph.Nodes[i].TLP)
	}
	if d.MaxTLP != "" && tlp.Rank() > d.MaxTLP.Rank() {
		x.skip(d.Name, ref, fmt.Sprintf("not asked: tlp %s is above the provider's max_tlp %s", tlp, d.MaxTLP))
		return false
	}
	return true
}

func (x *expander) skip(provider string, ref Ref, reason string) {
	s := Skip{Provider: provider, Indicator: ref.String(), Reason: diag.Escape(cutText(reason, 500))}
	if !x.skips[s] {
		x.skips[s] = true
		x.graph.Skipped = append(x.graph.Skipped, s)
	}
}

// fail notes that a provider failed at a node; it is not asked again in this pivot. The end of ctx is no failure of the
// provider: it is given back, and ends the pivot.
func (x *expander) fail(ctx context.Context, provider string, ref Ref, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	x.failed[provider] = true
	x.skip(provider, ref, "provider: "+err.Error())
	return nil
}

// seedReport takes the report that a run starts from to its members. An id alone is asked of every provider.
func (x *expander) seedReport(ctx context.Context, ref string) error {
	found, asked := false, []string{}
	for _, p := range x.candidates(ref) {
		d := p.Describe()
		pivoter, ok := p.(ReportPivoter)
		if !ok {
			continue
		}
		asked = append(asked, d.Name)
		id := strings.TrimPrefix(ref, d.Name+":")
		node := ReportRef(d.Name + ":" + id)
		res, ok, err := x.fromReport(ctx, d, pivoter, id)
		if err != nil {
			return err
		}
		if !ok || (len(res.Edges) == 0 && len(res.Reports) == 0) {
			if !d.Local { // that a report is not in the local store leaves nothing out when another provider has it
				x.takeNotes(d.Name, res)
			}
			continue
		}
		found = true
		x.graph.Seeds = append(x.graph.Seeds, node)
		x.addReport(node, res, 0)
		x.graph.Nodes[x.nodes[node]].Seed = true
		x.take(d.Name, node, res, 1)
		x.pending = append(x.pending, node.Value)
		x.nameRelated(node)
	}
	switch {
	case found:
		return nil
	case len(asked) == 0:
		return fmt.Errorf("seed report %q: no provider can be asked for it; give it as PROVIDER:ID with a provider that knows reports", ref)
	}
	why := []string{"no provider knows it"}
	for _, s := range x.graph.Skipped {
		if s.Indicator == ReportRef(s.Provider+":"+strings.TrimPrefix(ref, s.Provider+":")).String() {
			why = append(why, s.Provider+": "+s.Reason)
		}
	}
	return fmt.Errorf("seed report %q: %s (asked: %s)", ref, strings.Join(why, "; "), strings.Join(asked, ", "))
}

// nameRelated keeps the reports that are related to the seed report as nodes, though nobody follows them: they are known.
func (x *expander) nameRelated(node Ref) {
	edges := x.related[node.Value]
	if x.opt.told(indicator.RelRelatedReport) || len(edges) == 0 {
		return
	}
	if lim := x.opt.Limits.MaxIndicators; len(edges) > lim {
		x.cut(Cut{Provider: edges[0].Provider, At: node.String(), Limit: "max_indicators", Kept: lim, Total: len(edges)})
		edges = edges[:lim]
	}
	for _, e := range edges {
		x.reportOf(Edge{Report: e.To.Value})
		x.addReport(e.To, Result{}, 1)
		x.keepEdge(e)
	}
}

// candidates lists the providers to ask for a report: the one it names, else all.
func (x *expander) candidates(ref string) []Provider {
	for _, p := range x.providers {
		if strings.HasPrefix(ref, p.Describe().Name+":") {
			return []Provider{p}
		}
	}
	return x.providers
}

// fromReport asks one provider for one report, once. ok is false when it was not asked or failed.
func (x *expander) fromReport(ctx context.Context, d Description, p ReportPivoter, id string) (res Result, ok bool, err error) {
	node := ReportRef(d.Name + ":" + id)
	if err := ctx.Err(); err != nil {
		return Result{}, false, err
	}
	if !x.allowed(d, node) {
		return Result{}, false, nil
	}
	x.visited[node.Value] = true
	res, askErr := p.FromReport(ctx, id, x.opt.Limits)
	if askErr != nil {
		err = x.fail(ctx, d.Name, node, askErr)
	}
	x.related[node.Value] = relatedEdges(d.Name, node, res.Edges)
	return res, err == nil && (askErr == nil || len(res.Edges) > 0), err
}

// followReport takes a report to the reports related to it, and those to their members.
func (x *expander) followReport(ctx context.Context, ref string, depth int) error {
	if !x.opt.told(indicator.RelRelatedReport) || x.full {
		return nil
	}
	d, pivoter, id, err := x.pivoterOf(ref)
	if err != nil {
		return nil //nolint:nilerr // a provider without report pivot has no related reports
	}
	if !x.visited[ref] {
		res, _, err := x.fromReport(ctx, d, pivoter, id)
		x.takeNotes(d.Name, res)
		if err != nil {
			return err
		}
	}
	edges := x.related[ref]
	if lim := x.opt.Limits.PerIndicator; len(edges) > lim {
		x.cut(Cut{Provider: d.Name, At: ReportRef(ref).String(), Limit: "max_reports", Kept: lim, Total: len(edges)})
		edges = edges[:lim]
	}
	for _, e := range edges {
		if x.visited[e.To.Value] {
			continue
		}
		d, pivoter, id, err := x.pivoterOf(e.To.Value)
		if err != nil {
			x.visited[e.To.Value] = true
			x.skip(e.Provider, e.To, err.Error())
			continue
		}
		res, ok, err := x.fromReport(ctx, d, pivoter, id)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		x.addReport(e.To, res, depth)
		x.keepEdge(e)
		x.take(d.Name, e.To, res, depth)
		x.pending = append(x.pending, e.To.Value)
	}
	return nil
}

var errNoPivoter = errors.New("not asked: its provider is not one of this hunt's or can't be asked for reports")

// pivoterOf finds who can be asked for a report by its public form.
func (x *expander) pivoterOf(ref string) (Description, ReportPivoter, string, error) {
	for _, p := range x.providers {
		d := p.Describe()
		id, mine := strings.CutPrefix(ref, d.Name+":")
		if pivoter, ok := p.(ReportPivoter); mine && ok {
			return d, pivoter, id, nil
		}
	}
	return Description{}, nil, "", errNoPivoter
}

func cutText(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
