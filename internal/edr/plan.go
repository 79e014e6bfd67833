package edr

import (
	"cmp"
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
// intelligence names is never out of scope for its size. The plan is the same for the same input, in any order of files.
func MakePlan(ctx context.Context, files []indicator.File, tools []Tool, sel Selection, search Search) (Plan, error) {
	search, notes := settle(search, files)
	plan := Plan{Search: search, Notes: notes}
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

// settle fills in what a search leaves open, and says what intelligence changes of it. Nothing said is the default: a
// limit of 0 would look at no file and find nothing wrong with that.
func settle(s Search, files []indicator.File) (Search, []string) {
	def := DefaultSearch()
	switch {
	case len(s.Where) > 0:
	case len(s.Paths[""]) > 0: // places named for every platform are about files alone
		s.Where = []ledger.Stage{ledger.Files}
	default:
		s.Where = def.Where
	}
	if s.MaxSize <= 0 {
		s.MaxSize = def.MaxSize
	}
	if s.Unsized == "" {
		s.Unsized = def.Unsized
	}
	if s.Full {
		s.Unsized = UnsizedFull
	}
	s.Where = ordered(s.Where)
	limit := s.MaxSize
	for _, f := range files {
		s.MaxSize = max(s.MaxSize, f.Size)
	}
	var notes []string
	if s.MaxSize > limit {
		notes = append(notes, fmt.Sprintf("max_size is raised from %s to %s: intelligence names a file of that size", ledger.Size(limit), ledger.Size(s.MaxSize)))
	}
	return s, notes
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
		_, tp.Narrowed = BySize(tp.Targets)
	}
	endpoints, err := t.Endpoints(ctx)
	if err != nil {
		return ToolPlan{}, fmt.Errorf("list the endpoints of %s: %w", tp.Tool.Name, err)
	}
	endpoints = slices.Clone(endpoints)
	slices.SortStableFunc(endpoints, func(a, b Endpoint) int { return strings.Compare(a.ID, b.ID) })
	chunks := chunked(tp.Targets, tp.Tool.Chunk)
	for _, ep := range endpoints {
		if !sel.wants(ep, found) {
			continue
		}
		planned := EndpointPlan{Endpoint: ep, Scope: scopeFor(search, ep.Platform, tp.Targets)}
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

// choose picks the digest of each file object by which the tool is asked. Two files of one digest (a collision) are two
// targets: each may have its own size.
func choose(files []indicator.File, tool Description) (targets []Target, unaskable []Unaskable) {
	type identity struct {
		ask    indicator.Indicator
		size   int64
		sha256 string
	}
	seen := map[identity]bool{}
	for _, f := range files {
		if f.Best().IsZero() {
			continue
		}
		best := f.Best()
		if reason, junk := indicator.Junk(best); junk { // would hit on every machine
			unaskable = append(unaskable, Unaskable{Value: best.Value, Kind: best.Kind, Tool: tool.Name, Reason: reason})
			continue
		}
		i := slices.IndexFunc(tool.Kinds, func(k indicator.Kind) bool {
			_, junk := indicator.Junk(indicator.Indicator{Kind: k, Value: f.Digest(k)})
			return f.Digest(k) != "" && !junk
		})
		if i < 0 {
			unaskable = append(unaskable, Unaskable{
				Value: best.Value, Kind: best.Kind, Tool: tool.Name,
				Reason: fmt.Sprintf("only its %s is known; %s takes %s", kindList(f.Digests()), tool.Name, joinKinds(tool.Kinds)),
			})
			continue
		}
		ask := indicator.Indicator{Kind: tool.Kinds[i], Value: f.Digest(tool.Kinds[i])}
		if id := (identity{ask, f.Size, f.SHA256}); !seen[id] {
			seen[id] = true
			targets = append(targets, Target{Ask: ask, File: f})
		}
	}
	slices.SortFunc(targets, func(a, b Target) int {
		return cmp.Or(strings.Compare(a.Ask.String(), b.Ask.String()), cmp.Compare(a.File.Size, b.File.Size), strings.Compare(a.File.SHA256, b.File.SHA256))
	})
	slices.SortFunc(unaskable, func(a, b Unaskable) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Value, b.Value))
	})
	return targets, slices.Compact(unaskable)
}

// BySize parts the targets whose size is known from those whose size nobody knows; the order stays.
func BySize(targets []Target) (sized, unsized []Target) {
	for _, t := range targets {
		if t.File.Size > 0 {
			sized = append(sized, t)
		} else {
			unsized = append(unsized, t)
		}
	}
	return sized, unsized
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
