package campaign

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// stop ends a run before its end: nothing more is handed out from the moment on that its state is stored, and its targets
// say why they were not asked.
func (s *Steward) stop(ctx context.Context, r *carried, reason string) error {
	if r.cancel != nil {
		r.cancel()
	}
	if r.planning != nil { // it would set the run going again
		if got := <-r.planning; got.err != nil {
			s.opt.Log.DebugContext(ctx, "the plan of a run that is stopped", slog.String("run", r.id), slog.Any("error", got.err))
		}
		r.planning = nil
	}
	code, err := s.exitCode(ctx, r.id, r.spec)
	if err != nil {
		return err
	}
	if err := s.store.FinishRun(ctx, r.id, results.RunStopped, code, reason); err != nil {
		return err
	}
	if err := s.store.SetWish(ctx, r.id, ""); err != nil {
		return err
	}
	s.drop(r)
	return s.close(ctx, r.id, reason)
}

// finish ends a run in which nothing is to be awaited any more. Endpoints that sleep are asked when they come back, until
// its late time is over.
func (s *Steward) finish(ctx context.Context, r *carried, now time.Time) error {
	if err := s.standSilent(ctx, r, now); err != nil {
		return err
	}
	if err := s.store.SetLate(ctx, r.id, r.started.Add(r.fleet.Late)); err != nil {
		return err
	}
	code, err := s.exitCode(ctx, r.id, r.spec)
	if err != nil {
		return err
	}
	if err := s.store.FinishRun(ctx, r.id, results.RunFinished, code, ""); err != nil {
		return err
	}
	s.drop(r)
	return s.store.ReleaseRun(ctx, r.id, s.opt.Server)
}

func (s *Steward) exitCode(ctx context.Context, run string, spec Spec) (int, error) {
	sum, err := s.store.Run(ctx, run)
	return ExitCode(sum, spec.DoneWhen), err
}

// standSilent stores how the endpoints stand that were let go and are not heard of any more.
func (s *Steward) standSilent(ctx context.Context, r *carried, now time.Time) error {
	open, err := s.store.Unsettled(ctx, r.id)
	if err != nil {
		return err
	}
	open = slices.DeleteFunc(open, func(u results.Unsettled) bool {
		silent, _ := s.gone(u, now, r.spec.timeout())
		return !silent
	})
	return s.stand(ctx, r.id, open, ledger.Asleep, lastSeen)
}

// lastSeen says why a node has not come.
func lastSeen(u results.Unsettled) string {
	if u.Forgotten {
		return "its host was forgotten (hunter hosts forget)"
	}
	return results.LastSeen(u.LastSeen)
}

// stand stores the standings of targets that have something left to answer; why says for each what keeps it, and untouched is
// the state of one that was never given anything. One that was given something and is silent since had its time.
func (s *Steward) stand(ctx context.Context, run string, open []results.Unsettled, untouched ledger.State, why func(results.Unsettled) string) error {
	return each(open, func(u results.Unsettled) error {
		defer s.receiver.hold(u.Endpoint)()
		queries, err := s.store.EndpointQueries(ctx, run, u.Endpoint, u.Tool)
		if err != nil {
			return err
		}
		acc := account{queries: queries}
		asked := slices.ContainsFunc(queries, func(q results.StoredQuery) bool { return q.Attempts > 0 })
		cov := ledger.Cover(acc.planned(), acc.verdicts("", ledger.Verdict{}), why(u))
		switch {
		case !acc.open():
			return nil // it answered in the meantime
		case cov.State == ledger.Unasked && !asked:
			cov.State = untouched
			if u.State == ledger.Asleep {
				cov.State = u.State
			}
			if u.Forgotten { // it does not sleep: nobody will come
				cov.State = ledger.Unasked
			}
		case cov.State == ledger.Unasked:
			cov.State, cov.Reason = ledger.Timeout, "given a query, and no answer came: "+cov.Reason
		case !u.HandedAt.IsZero():
			cov.State = ledger.Stronger(cov.State, ledger.Timeout)
		}
		return s.store.SetCoverages(ctx, run, []results.Standing{{Endpoint: u.Endpoint, Tool: u.Tool, Coverage: cov}})
	})
}

// close ends all asking for a run that is over: what is open says why it stays so. It can be done again.
func (s *Steward) close(ctx context.Context, run, reason string) error {
	sum, err := s.store.Run(ctx, run)
	if err != nil {
		return err
	}
	if sum.State == results.RunStopped && sum.Error != "" {
		reason = sum.Error
	}
	reason, _, _ = strings.Cut(reason, limitText) // the run names the limit and the hosts, once
	open, err := s.store.Unsettled(ctx, run)
	if err != nil {
		return err
	}
	if sum.State == results.RunStopped {
		if err := s.closeUnasked(ctx, run, reason); err != nil {
			return err
		}
	}
	if err := s.stand(ctx, run, open, ledger.Unasked, func(u results.Unsettled) string { return reason + "; " + lastSeen(u) }); err != nil {
		return err
	}
	if err := s.code(ctx, run, reason); err != nil {
		return err
	}
	_, err = s.store.Drop(ctx, run)
	return err
}

// closeUnasked says of the targets whose turn did not come why that is.
func (s *Steward) closeUnasked(ctx context.Context, run, reason string) error {
	left, err := s.store.Unreleased(ctx, run, 0)
	if err != nil {
		return err
	}
	var out []results.Standing
	for _, t := range left {
		if t.Coverage.State == ledger.Unasked && s.posts(t.Tool) {
			out = append(out, results.Standing{Endpoint: t.Endpoint, Tool: t.Tool, Coverage: ledger.Coverage{State: ledger.Unasked, Reason: reason, Scope: t.Scope}})
		}
	}
	if len(out) == 0 {
		return nil
	}
	return s.store.SetCoverages(ctx, run, out)
}

// lateRun is a run that has finished and asks endpoints that come back.
type lateRun struct {
	spec   Spec
	looked time.Time
}

// late goes on with runs that have finished: endpoints that come back are let go, and what was lost is asked again. A few a tick, each
// now and then: nothing of that is in a hurry.
func (s *Steward) late(ctx context.Context, now time.Time, told func(string, error)) error {
	ids, err := s.store.Late(ctx, now)
	if err != nil {
		return err
	}
	maps.DeleteFunc(s.lates, func(id string, _ *lateRun) bool { return !slices.Contains(ids, id) })
	slices.SortStableFunc(ids, func(a, b string) int { return s.lookedAt(a).Compare(s.lookedAt(b)) })
	for _, id := range ids[:min(latePerTick, len(ids))] {
		if since := now.Sub(s.lookedAt(id)); since >= 0 && since < checkEvery {
			continue
		}
		told(id, s.lateRun(ctx, id, now))
	}
	return nil
}

// lookedAt gives when it was looked at a late run; zero: never.
func (s *Steward) lookedAt(id string) time.Time {
	if r := s.lates[id]; r != nil {
		return r.looked
	}
	return time.Time{}
}

func (s *Steward) lateRun(ctx context.Context, id string, now time.Time) error {
	r := s.lates[id]
	if r == nil {
		sum, err := s.store.Run(ctx, id)
		if err != nil {
			return err
		}
		spec, err := Thaw(sum.Definition)
		if err != nil {
			return err
		}
		s.know(spec)
		r = &lateRun{spec: spec}
		s.lates[id] = r
	}
	r.looked = now
	wish, err := s.store.Wish(ctx, id)
	if err != nil {
		return err
	}
	if wish == results.WishStop { // it is Expired then
		if err := s.store.SetLate(ctx, id, now); err != nil {
			return err
		}
		return s.store.SetWish(ctx, id, "")
	}
	back, err := s.returned(ctx, id)
	if err != nil {
		return err
	}
	if err := s.let(ctx, id, back, WaveLate, now); err != nil {
		return err
	}
	return s.reask(ctx, id, r.spec, now)
}

// codes stores what late answers change of the exit codes of runs that are over.
func (s *Steward) codes(ctx context.Context, told func(string, error)) error {
	list, err := s.store.Unjudged(ctx, latePerTick)
	for _, u := range list {
		err := s.code(ctx, u.Run, "a late answer")
		if err == nil {
			err = s.store.Judged(ctx, u)
		}
		told(u.Run, err)
	}
	return err
}

// code stores the exit code of a run that is over, as it is by now. One that failed keeps its own, and one that goes on has none.
func (s *Steward) code(ctx context.Context, id, reason string) error {
	sum, err := s.store.Run(ctx, id)
	if err != nil || (sum.State != results.RunFinished && sum.State != results.RunStopped) {
		return err
	}
	spec, err := Thaw(sum.Definition)
	if err != nil {
		return err
	}
	return s.store.SetExitCode(ctx, id, ExitCode(sum, spec.DoneWhen), reason)
}

// hostsNamed is how many hosts a reason to stop names.
const hostsNamed = 10

// named lists the hosts that made a run stop.
func (s *Steward) named(ctx context.Context, run string) (string, error) {
	targets, err := s.store.Targets(ctx, run)
	if err != nil {
		return "", err
	}
	var names []string
	n := 0
	for _, t := range targets {
		if slices.Contains([]ledger.State{ledger.Error, ledger.Denylisted, ledger.Timeout}, t.Coverage.State) {
			if n++; n <= hostsNamed {
				names = append(names, fmt.Sprintf("%s (%s)", t.Hostname, t.Coverage.State))
			}
		}
	}
	switch {
	case n == 0:
		return "", nil
	case n > len(names):
		names = append(names, fmt.Sprintf("%d more", n-len(names)))
	}
	return ": " + strings.Join(names, ", "), nil
}
