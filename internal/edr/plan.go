package edr

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// AllEndpoints is the id of the target that stands for all endpoints of a tool that can't list them.
const AllEndpoints = "*"

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
	blind := slices.ContainsFunc(plan.Tools, func(t ToolPlan) bool {
		return slices.ContainsFunc(t.Endpoints, func(ep EndpointPlan) bool { return ep.Failed != "" })
	})
	for _, h := range sel.Hosts {
		if !found[h] && !blind { // a tool that can't list its endpoints may have it
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
	tp.keepSecret()
	if search.Unsized == UnsizedSkip && slices.Contains(search.Where, ledger.Files) && tp.Tool.Mode != ledger.Recorded {
		_, tp.Narrowed = BySize(tp.Targets)
	}
	endpoints, err := t.Endpoints(ctx)
	searcher, recorded := t.(Searcher)
	if err == nil && recorded {
		tp.Window, err = searcher.Window(ctx)
	}
	if err != nil {
		return tp.failed(ctx, err)
	}
	endpoints = slices.Clone(endpoints)
	slices.SortStableFunc(endpoints, func(a, b Endpoint) int { return strings.Compare(a.ID, b.ID) })
	works, blind := worksOf(tp, search, false), worksOf(tp, search, true)
	words := newWordbook(t, search, tp.Targets)
	_, posted := t.(Posted)
	for _, ep := range endpoints {
		if !sel.wants(ep, found) {
			continue
		}
		ep.Cannot = cmp.Or(ep.Cannot, tp.Tool.untold(ep))
		if !recorded {
			ep.Cannot = cmp.Or(ep.Cannot, search.nowhere(ep.Platform))
		}
		planned := EndpointPlan{Endpoint: ep, Scope: words.scope(ep), Excluded: cmp.Or(sel.excludes(ep), ep.Gone), Cannot: ep.Cannot}
		asked := works
		if ep.Blind != "" {
			asked = blind
		}
		switch {
		case recorded:
			planned.Scope, planned.Asleep = windowScope(tp.Window), asleep(ep, tp.Window)
			asked = works[:min(len(works), 1)]
		case posted:
			planned.Asleep = ep.Asleep
		}
		if planned.Excluded == "" && planned.Cannot == "" && (planned.Asleep == "" || posted) {
			if planned.Queries, err = words.queries(ep, asked); err != nil {
				return ToolPlan{}, err
			}
		}
		tp.Endpoints = append(tp.Endpoints, planned)
	}
	if recorded && slices.ContainsFunc(tp.Endpoints, func(ep EndpointPlan) bool { return len(ep.Queries) > 0 }) {
		tp.Searches, err = searches(searcher, works)
	}
	return tp, err
}

// failed plans for a tool that can't say which endpoints it has: one target that stands for all of them, so that a run
// never passes over what it could not look at.
func (tp ToolPlan) failed(ctx context.Context, cause error) (ToolPlan, error) {
	if ctx.Err() != nil {
		return ToolPlan{}, ctx.Err()
	}
	tp.Endpoints = []EndpointPlan{{
		Endpoint: Endpoint{ID: AllEndpoints, Hostname: "every endpoint of " + tp.Tool.Name},
		Failed:   "its endpoints can not be listed: " + cause.Error(),
	}}
	return tp, nil
}

// worksOf parts the targets of a tool into what one text may carry, for endpoints that may learn what is hunted or for
// those that may not.
func worksOf(tp ToolPlan, search Search, blind bool) []Work {
	open, hidden := tp.parted(blind)
	var out []Work
	for _, c := range chunked(open, tp.Tool.Chunk) {
		out = append(out, Work{Targets: c, Search: search, Window: tp.Window})
	}
	for _, c := range chunked(hidden, blindChunk) {
		out = append(out, Work{Targets: c, Search: search, Window: tp.Window, Blind: true})
	}
	for i := range out {
		out[i].Chunk, out[i].Chunks = i, len(out)
	}
	return out
}

func searches(t Searcher, works []Work) ([]ledger.Query, error) {
	var out []ledger.Query
	for _, w := range works {
		qs, err := t.Searches(w)
		if err != nil {
			return nil, fmt.Errorf("word the searches of %s: %w", t.Describe().Name, err)
		}
		out = append(out, qs...)
	}
	return out, nil
}

// asleep says why nothing of an endpoint can lie in the window, "" when something may.
func asleep(ep Endpoint, w ledger.Window) string {
	if ep.LastSeen.IsZero() || !ep.LastSeen.Before(w.From) {
		return ""
	}
	return "last seen " + ep.LastSeen.UTC().Format(time.DateOnly)
}

// windowScope says in words what a recorded tool is searched for.
func windowScope(w ledger.Window) string {
	return "what was recorded from " + w.From.UTC().Format(time.DateOnly) + " to " + w.To.UTC().Format(time.DateOnly)
}

// choose picks the digest of each file object by which the tool is asked. Two files of one digest (a collision) are two
// targets: each may have its own size.
func choose(files []indicator.File, tool Description) (targets []Target, unaskable []Unaskable) {
	all := make([]Target, 0, len(files))
	for _, f := range files {
		best := f.Best()
		if best.IsZero() {
			continue
		}
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
		all = append(all, Target{Ask: indicator.Indicator{Kind: tool.Kinds[i], Value: f.Digest(tool.Kinds[i])}, File: f})
	}
	targets = distinct(all)
	slices.SortFunc(unaskable, func(a, b Unaskable) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Value, b.Value))
	})
	return targets, slices.Compact(unaskable)
}

// distinct sorts targets, and of those that ask the same keeps the first. They are big: their places are sorted, and each is
// moved once.
func distinct(all []Target) []Target {
	order := make([]*Target, len(all))
	for i := range all {
		order[i] = &all[i]
	}
	same := func(a, b *Target) int {
		if a.Ask.Value != b.Ask.Value && a.Ask.Kind == b.Ask.Kind {
			return strings.Compare(a.Ask.Value, b.Ask.Value)
		}
		return cmp.Or(strings.Compare(string(a.Ask.Kind), string(b.Ask.Kind)), strings.Compare(a.Ask.Value, b.Ask.Value), cmp.Compare(a.File.Size, b.File.Size), strings.Compare(a.File.SHA256, b.File.SHA256))
	}
	slices.SortStableFunc(order, same)
	order = slices.CompactFunc(order, func(a, b *Target) bool { return same(a, b) == 0 })
	var out []Target
	for _, t := range order {
		if out == nil {
			out = make([]Target, 0, len(order))
		}
		out = append(out, *t)
	}
	return out
}

// BySize parts the targets whose size is known from those whose size nobody knows; the order stays.
func BySize(targets []Target) (sized, unsized []Target) {
	n := 0
	for i := range targets {
		if targets[i].File.Size > 0 {
			n++
		}
	}
	switch n {
	case 0:
		return nil, slices.Clip(targets)
	case len(targets):
		return slices.Clip(targets), nil
	}
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
