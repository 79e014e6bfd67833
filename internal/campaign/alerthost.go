package campaign

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// alertHost is the host on which an alert saw a file. It is asked for that file alone before the others go: its answer brings the
// file's size, and the others are asked for files of that size first, in more places, which costs them next to nothing. The size is
// one host's word, and that host may be in an attacker's hands: it takes nothing away, so files of any size are asked for as well.
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
	if err != nil {
		return false, err
	}
	switch {
	case len(sizes) > 0:
		err = s.resize(ctx, r, sizes)
	case !answered && now.Sub(a.since) < canaryPolls*s.opt.Interval:
		return true, nil
	default:
		err = s.notResized(ctx, r.id, "the host of the alert did not tell the file's size in time; the others are asked for files of any size")
	}
	if err != nil {
		return false, err
	}
	r.alert, r.canaryAt = nil, now
	return false, nil
}

func (s *Steward) notResized(ctx context.Context, run, why string) error {
	detail, err := json.Marshal(map[string]any{"targets": 0, "reason": why})
	if err != nil {
		return err
	}
	_, err = s.store.AppendEvent(ctx, results.Event{Run: run, Kind: results.EventReplanned, Detail: string(detail)})
	return err
}

// toldSize is what a host says of the size of the alert's file.
type toldSize struct {
	size int64
	host string
}

// sizesTold bounds how many sizes of one file are believed to be possible.
const sizesTold = 4

// learned gives the sizes that the alert's hosts found, by digest; answered says that nothing more is to come of them. A file of
// another size than what was asked for can't have been read.
func (s *Steward) learned(ctx context.Context, r *carried) (sizes map[indicator.Indicator][]toldSize, answered bool, err error) {
	a := r.alert
	sizes, answered = map[indicator.Indicator][]toldSize{}, true
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
					known := sizes[h.Matched]
					same := slices.ContainsFunc(known, func(k toldSize) bool { return k.size == h.Size })
					if h.Size > 0 && h.Size <= q.Query.MaxSize && !h.Conflict && !same && len(known) < sizesTold && slices.Contains(paths, h.Path) {
						sizes[h.Matched] = append(known, toldSize{h.Size, t.Hostname})
					}
				}
			}
		}
	}
	return sizes, answered, nil
}

// sized adds what is known of sizes to files; why says so. The files themselves stay: nobody knows whether the sizes are right.
func sized(files []indicator.File, sizes map[indicator.Indicator][]toldSize) (out []indicator.File, why []string) {
	out = slices.Clone(files)
	for _, f := range files {
		if f.Size > 0 {
			continue
		}
		for _, d := range f.Digests() {
			for _, told := range sizes[d] {
				f.Size = told.size
				out = append(out, f)
				why = append(why, fmt.Sprintf("%s tells that %s has %d bytes", told.host, d, told.size))
			}
		}
	}
	return out, why
}

// resize words the questions of those that were not let go anew, now that sizes are known.
func (s *Steward) resize(ctx context.Context, r *carried, sizes map[indicator.Indicator][]toldSize) error {
	prep := r.alert.prep
	files, told := sized(prep.Files, sizes)
	if len(told) == 0 {
		return nil
	}
	left, err := s.store.Unreleased(ctx, r.id, 0)
	if err != nil {
		return err
	}
	open := map[Pair]bool{}
	for _, t := range left {
		open[Pair{t.Endpoint, t.Tool}] = true
	}
	fleets := slices.DeleteFunc(slices.Clone(prep.tools), func(t edr.Tool) bool { return !s.posts(t.Describe().Name) })
	plan, err := edr.MakePlan(ctx, files, fleets, edr.Selection{}, r.spec.Search) // of all endpoints: those that wait are chosen already
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil: // what is planned already is as good
		return s.notResized(ctx, r.id, "the others can not be asked for files of that size first: "+err.Error())
	}
	why := strings.Join(told[:min(len(told), sizesTold)], ", ")
	again := &Prepared{Spec: r.spec, Graph: prep.Graph, Files: files, Plan: plan, proofs: map[Pair]proof{}}
	again.Spec.MaxAge = 0 // what was carried is no target that waits
	if err := s.campaign.carryProofs(ctx, again); err != nil {
		return err
	}
	saved := again.saved()
	asked := map[Pair]bool{} // one of which nothing can be asked by now stays as it is
	queries := slices.Collect(saved.Rest)
	for _, q := range queries {
		asked[Pair{q.Endpoint, q.Tool}] = true
	}
	saved.Targets = slices.DeleteFunc(saved.Targets, func(t results.Target) bool {
		pair := Pair{t.Endpoint, t.Tool}
		return !open[pair] || !asked[pair]
	})
	for i := range saved.Targets {
		saved.Targets[i].Scope += "; the size is what the alert's host says: " + why
	}
	_, err = s.store.Replan(ctx, r.id, saved.Targets, queries, why+"; the others are asked for files of that size first")
	return err
}
