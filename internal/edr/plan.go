package edr

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// DefaultMaxSize is the biggest file in scope when a hunt says nothing: what osquery hashes by default.
const DefaultMaxSize = 50 << 20

// DefaultSearch is what is looked at when a hunt says nothing.
func DefaultSearch() Search {
	return Search{Where: []ledger.Stage{ledger.Running, ledger.Autoruns, ledger.Files}, Unsized: UnsizedPlaces, MaxSize: DefaultMaxSize}
}

// MakePlan decides what every tool is asked about files. For each file object a tool is asked the first digest that is
// known in its order of preference; one that it can't be asked is listed. Sizes raise search.MaxSize: a file that
// intelligence names is never out of scope for its size. The plan is the same for the same input.
func MakePlan(ctx context.Context, files []indicator.File, tools []Tool, sel Selection, search Search) (Plan, error) {
	search.Where = ordered(search.Where)
	for _, f := range files {
		search.MaxSize = max(search.MaxSize, f.Size)
	}
	plan := Plan{Search: search}
	found := map[string]bool{}
	for _, t := range tools {
		tp, err := planTool(ctx, t, files, sel, search, found)
		if err != nil {
			return Plan{}, err
		}
		plan.Tools = append(plan.Tools, tp)
	}
	for _, h := range sel.Hosts {
		if !found[h] {
			return Plan{}, fmt.Errorf("no tool knows an endpoint %q; `hunter plan` lists the endpoints", h)
		}
	}
	plan.Scope = scopeOf(plan)
	return plan, nil
}

// ordered sorts stages cheapest first, each once.
func ordered(where []ledger.Stage) []ledger.Stage {
	var out []ledger.Stage
	for _, s := range []ledger.Stage{ledger.Running, ledger.Autoruns, ledger.Files, ledger.Telemetry} {
		if slices.Contains(where, s) {
			out = append(out, s)
		}
	}
	return out
}

func planTool(ctx context.Context, t Tool, files []indicator.File, sel Selection, search Search, found map[string]bool) (ToolPlan, error) {
	tp := ToolPlan{Tool: t.Describe()}
	tp.Targets, tp.Unaskable = choose(files, tp.Tool)
	if search.Unsized == UnsizedSkip && slices.Contains(search.Where, ledger.Files) {
		for _, target := range tp.Targets {
			if target.File.Size == 0 {
				tp.Narrowed = append(tp.Narrowed, target)
			}
		}
	}
	endpoints, err := t.Endpoints(ctx)
	if err != nil {
		return ToolPlan{}, fmt.Errorf("list the endpoints of %s: %w", tp.Tool.Name, err)
	}
	chunks := chunked(tp.Targets, tp.Tool.Chunk)
	for _, ep := range endpoints {
		if !sel.wants(ep, found) {
			continue
		}
		planned := EndpointPlan{Endpoint: ep, Scope: Scope(search, ep.Platform)}
		if reason := sel.excludes(ep); reason != "" {
			planned.Excluded = reason
			tp.Endpoints = append(tp.Endpoints, planned)
			continue
		}
		for i, c := range chunks {
			qs, err := t.Compile(ep, Work{Targets: c, Search: search, Chunk: i, Chunks: len(chunks)})
			if err != nil {
				return ToolPlan{}, fmt.Errorf("word the queries of %s: %w", tp.Tool.Name, err)
			}
			planned.Queries = append(planned.Queries, qs...)
		}
		tp.Endpoints = append(tp.Endpoints, planned)
	}
	return tp, nil
}

// choose picks the digest of each file object by which the tool is asked.
func choose(files []indicator.File, tool Description) (targets []Target, unaskable []Unaskable) {
	seen := map[indicator.Indicator]bool{}
	for _, f := range files {
		asked := false
		for _, k := range tool.Kinds {
			ind := indicator.Indicator{Kind: k, Value: f.Digest(k)}
			if ind.Value == "" {
				continue
			}
			asked = true
			if !seen[ind] {
				seen[ind] = true
				targets = append(targets, Target{Ask: ind, File: f})
			}
			break
		}
		if !asked {
			best := f.Best()
			unaskable = append(unaskable, Unaskable{
				Value: best.Value, Kind: best.Kind, Tool: tool.Name,
				Reason: fmt.Sprintf("only its %s is known; %s takes %s", kindList(f.Digests()), tool.Name, joinKinds(tool.Kinds)),
			})
		}
	}
	slices.SortFunc(targets, func(a, b Target) int { return strings.Compare(a.Ask.String(), b.Ask.String()) })
	return targets, unaskable
}

func kindList(inds []indicator.Indicator) string {
	var kinds []indicator.Kind
	for _, i := range inds {
		kinds = append(kinds, i.Kind)
	}
	return joinKinds(kinds)
}

func joinKinds(kinds []indicator.Kind) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = string(k)
	}
	return strings.Join(out, ", ")
}

// chunked splits targets into parts of at most size; 0 is no limit.
func chunked(targets []Target, size int) [][]Target {
	if len(targets) == 0 {
		return nil
	}
	if size <= 0 {
		size = len(targets)
	}
	return slices.Collect(slices.Chunk(targets, size))
}

// wants reports whether an endpoint is a target, and notes which of the named hosts it is.
func (s Selection) wants(ep Endpoint, found map[string]bool) bool {
	ok := len(s.Hosts) == 0
	for _, h := range s.Hosts {
		if matchHost(h, ep) {
			found[h] = true
			ok = true
		}
	}
	if len(s.Platforms) > 0 && !slices.Contains(s.Platforms, ep.Platform) {
		return false
	}
	if len(s.Labels) > 0 && !slices.ContainsFunc(s.Labels, func(l string) bool { return slices.Contains(ep.Labels, l) }) {
		return false
	}
	return ok
}

// excludes gives the reason why an endpoint is left out, "" when it is not.
func (s Selection) excludes(ep Endpoint) string {
	for _, x := range s.Exclude {
		if matchHost(x, ep) || slices.Contains(ep.Labels, x) {
			return "excluded by " + x
		}
	}
	return ""
}

// matchHost matches an id or host name, without case, or a glob of one.
func matchHost(pattern string, ep Endpoint) bool {
	p := strings.ToLower(pattern)
	for _, name := range []string{ep.ID, ep.Hostname} {
		name = strings.ToLower(name)
		if p == name {
			return true
		}
		if ok, err := path.Match(p, name); err == nil && ok {
			return true
		}
	}
	return false
}
