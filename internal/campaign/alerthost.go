package campaign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// alertHost is the host on which an alert saw a file. It is asked for that file alone before the others go: its answer brings the
// file's size, and the others are asked for files of that size, which costs them next to nothing.
type alertHost struct {
	prep  *Prepared
	hosts []results.Target
	since time.Time // when they were let go
}

// newAlertHost gives nil when no size is to be learned: none is lacking, or nobody knows where to look.
func newAlertHost(prep *Prepared) *alertHost {
	if prep == nil || len(prep.Spec.Search.First) == 0 || !slices.Contains(prep.Plan.Search.Where, ledger.Files) ||
		!slices.ContainsFunc(prep.Files, func(f indicator.File) bool { return f.Size <= 0 }) {
		return nil
	}
	return &alertHost{prep: prep}
}

// alertFirst lets the alert's host go, and waits for what it says, for two polls at most. waits says that the others have to wait.
func (s *Steward) alertFirst(ctx context.Context, r *carried, now time.Time) (waits bool, err error) {
	a := r.alert
	if a == nil {
		return false, nil
	}
	if a.since.IsZero() {
		saw := func(t results.Target) bool {
			return len(a.prep.Plan.Search.FirstOn(edr.Endpoint{Hostname: t.Hostname, Platform: t.Platform})) > 0
		}
		for _, t := range r.waiting {
			if saw(t) {
				a.hosts = append(a.hosts, t)
			}
		}
		if len(a.hosts) == 0 || len(a.hosts) == len(r.waiting) {
			r.alert = nil
			return false, nil
		}
		if err := s.let(ctx, r.id, a.hosts, WaveAlert, now); err != nil {
			return false, err
		}
		r.waiting = slices.DeleteFunc(r.waiting, saw)
		a.since = now
		return true, nil
	}
	sizes, answered, err := s.learned(ctx, r)
	switch {
	case err != nil:
		return false, err
	case len(sizes) > 0:
		if err := s.resize(ctx, r, sizes); err != nil {
			return false, err
		}
	case !answered && now.Sub(a.since) < canaryPolls*s.opt.Interval:
		return true, nil
	default:
		if _, err := s.store.AppendEvent(ctx, results.Event{
			Run: r.id, Kind: results.EventReplanned, Detail: `{"targets":0,"reason":"the host of the alert did not tell the file's size in time; the others are asked for files of any size"}`,
		}); err != nil {
			return false, err
		}
	}
	r.alert, r.canaryAt = nil, now
	return false, nil
}

// learned gives the sizes that the alert's hosts found, by digest; answered says that nothing more is to come of them.
func (s *Steward) learned(ctx context.Context, r *carried) (sizes map[indicator.Indicator]int64, answered bool, err error) {
	a := r.alert
	sizes, answered = map[indicator.Indicator]int64{}, true
	for _, t := range a.hosts {
		paths := a.prep.Plan.Search.FirstOn(edr.Endpoint{Hostname: t.Hostname, Platform: t.Platform})
		queries, err := s.store.EndpointQueries(ctx, r.id, t.Endpoint, t.Tool)
		if err != nil {
			return nil, false, err
		}
		for _, q := range queries {
			if !slices.Contains(paths, q.Query.Root) || len(q.Query.Recheck) > 0 {
				continue
			}
			answered = answered && q.State == results.QueryAnswered
			for _, v := range q.Verdicts {
				for _, h := range v.Hits {
					if h.Size > 0 && !h.Conflict && slices.Contains(paths, h.Path) {
						sizes[h.Matched] = h.Size
					}
				}
			}
		}
	}
	return sizes, answered, nil
}

// resize words the questions of those that were not let go anew, now that sizes are known.
func (s *Steward) resize(ctx context.Context, r *carried, sizes map[indicator.Indicator]int64) error {
	prep := r.alert.prep
	files := slices.Clone(prep.Files)
	why := ""
	for i := range files {
		for _, d := range files[i].Digests() {
			if size := sizes[d]; size > 0 && files[i].Size <= 0 {
				files[i].Size = size
				why = fmt.Sprintf("the host of the alert tells that %s has %d bytes; the others are asked for files of that size", d, size)
			}
		}
	}
	if why == "" {
		return nil
	}
	plan, err := edr.MakePlan(ctx, files, slices.DeleteFunc(slices.Clone(prep.tools), func(t edr.Tool) bool { return !s.posts(t.Describe().Name) }), r.spec.Select, r.spec.Search)
	if err != nil {
		return fmt.Errorf("plan by size: %w", err)
	}
	left, err := s.store.Unreleased(ctx, r.id, 0)
	if err != nil {
		return err
	}
	open := map[Pair]bool{}
	for _, t := range left {
		open[Pair{t.Endpoint, t.Tool}] = true
	}
	again := &Prepared{Spec: r.spec, Graph: prep.Graph, Files: files, Plan: plan, proofs: map[Pair]proof{}}
	again.Spec.MaxAge = 0 // what was carried is no target that waits
	if err := s.campaign.carryProofs(ctx, again); err != nil {
		return err
	}
	saved := again.saved()
	saved.Targets = slices.DeleteFunc(saved.Targets, func(t results.Target) bool { return !open[Pair{t.Endpoint, t.Tool}] })
	_, err = s.store.Replan(ctx, r.id, saved.Targets, slices.Collect(saved.Rest), why)
	return err
}
