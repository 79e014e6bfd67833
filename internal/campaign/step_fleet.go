package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// checkEvery is how often it is looked who is silent and who has come back: both take polls to change.
const checkEvery = 5 * time.Second

// pollSlack is by how much a poll may be late, and its being stored with others.
const pollSlack = 10 * time.Second

// step does what is due for one run.
func (s *Steward) step(ctx context.Context, r *carried) error {
	now := s.campaign.Now()
	if now.Sub(r.renewed) >= s.opt.Lease/3 {
		ok, err := s.store.RenewRun(ctx, r.id, s.opt.Server, now.Add(s.opt.Lease))
		if err != nil {
			return err
		}
		if !ok {
			s.drop(r)
			return nil
		}
		r.renewed = now
	}
	if done, err := s.obey(ctx, r, now); err != nil || done {
		return err
	}
	if r.state == results.RunPlanned {
		if err := s.plan(ctx, r, now); err != nil || r.state != results.RunRunning {
			return err
		}
		if done, err := s.obey(ctx, r, now); err != nil || done { // what was wished while it was planned
			return err
		}
	}
	if r.state != results.RunRunning {
		return nil
	}
	return s.carry(ctx, r, now)
}

// obey does what a person wants of a run; done says that there is nothing more to do now.
func (s *Steward) obey(ctx context.Context, r *carried, now time.Time) (done bool, err error) {
	wish, err := s.store.Wish(ctx, r.id)
	if err != nil || wish == "" {
		return false, err
	}
	switch {
	case wish == results.WishStop:
		return true, s.stop(ctx, r, "stopped by a person")
	case r.state == results.RunPlanned: // it is obeyed once there is a plan
		return false, nil
	case wish == results.WishPause && r.state == results.RunRunning:
		if err := s.store.SetRunState(ctx, r.id, results.RunPaused, "paused by a person"); err != nil {
			return true, err
		}
		r.state = results.RunPaused
		if r.cancel != nil { // what is asked beside the fleet is asked again when it goes on
			r.cancel()
			r.cancel = nil
		}
		if _, err := s.store.Park(ctx, r.id); err != nil {
			return true, err
		}
	case wish == results.WishResume && r.state == results.RunPaused:
		if err := s.store.SetRunState(ctx, r.id, results.RunRunning, "a person lets it go on"); err != nil {
			return true, err
		}
		r.state, r.canaryAt, r.pace.last = results.RunRunning, now, time.Time{}
		if err := s.store.Unpark(ctx, r.id, now); err != nil {
			return true, err
		}
	}
	return false, s.store.Obeyed(ctx, r.id, wish)
}

// plan pivots and plans beside the loop, since intelligence may take its time.
func (s *Steward) plan(ctx context.Context, r *carried, now time.Time) error {
	if r.planning == nil {
		planning, cancel := context.WithCancel(ctx)
		r.planning, r.cancel = make(chan planned, 1), cancel
		done := r.planning
		s.work.Go(func() {
			defer s.Wake()
			done <- s.make(planning, r.id, r.spec)
		})
		return nil
	}
	select {
	case got := <-r.planning:
		r.planning = nil
		r.cancel()
		r.cancel = nil
		switch {
		case ctx.Err() != nil:
			return nil
		case got.err != nil:
			s.drop(r)
			_, err := s.campaign.fail(ctx, r.id, got.err)
			return err
		}
		r.state, r.canaryAt, r.alert = results.RunRunning, now, newAlertHost(got.prep)
	default:
	}
	return nil
}

// planned is what came of making a run ready.
type planned struct {
	prep *Prepared // nil when the plan was there already
	err  error
}

// make makes a run ready; a plan that is stored is never made anew, so that the targets stay what they are.
func (s *Steward) make(ctx context.Context, id string, spec Spec) (out planned) {
	targets, err := s.store.Targets(ctx, id)
	switch {
	case err != nil:
		out.err = err
	case len(targets) > 0:
		out.err = s.store.SetRunState(ctx, id, results.RunRunning, "planned")
	default:
		out.err = s.with(ctx, spec, func(c *Campaign) error {
			c.Progress = func(e Event) {
				if e.Kind == EventPlanned {
					out.prep = e.Prepared
				}
			}
			return c.plan(ctx, id, spec)
		})
	}
	return out
}

// carry does what is due for a run that is under way.
func (s *Steward) carry(ctx context.Context, r *carried, now time.Time) error {
	if err := s.besides(ctx, r, now); err != nil {
		return err
	}
	if !r.ready {
		if err := s.queue(ctx, r); err != nil {
			return err
		}
	}
	if err := s.reask(ctx, r.id, r.spec, now); err != nil {
		return err
	}
	if waits, err := s.alertFirst(ctx, r, now); err != nil || waits {
		return err
	}
	counts, err := s.store.FleetCounts(ctx, r.id)
	if err != nil {
		return err
	}
	if err := s.look(ctx, r, counts, now); err != nil {
		return err
	}
	d := Decide(Moment{
		Now: now, Settings: r.fleet, Interval: s.opt.Interval, Counts: counts, Waiting: len(r.waiting), Returned: len(r.returned),
		Silent: r.silent, Mute: r.mute, CanaryAt: r.canaryAt, Credit: r.pace.credit(now), Busy: !r.besideOK, Seeds: r.seeds, Aside: asideOf(r.aside),
	})
	if err := s.put(ctx, r, d.Aside, counts.Answered); err != nil {
		return err
	}
	switch {
	case d.Stop != "":
		hosts, err := s.named(ctx, r.id)
		if err != nil {
			return err
		}
		return s.stop(ctx, r, "stopped: "+d.Stop+hosts)
	case d.Finish:
		return s.finish(ctx, r, now)
	case !now.Before(r.started.Add(r.fleet.longest())):
		return s.stop(ctx, r, fmt.Sprintf("expired: it was under way for %s", r.fleet.longest()))
	}
	return s.release(ctx, r, d, now)
}

// queue reads who waits to be let go, and what the run is about.
func (s *Steward) queue(ctx context.Context, r *carried) error {
	all, err := s.store.Unreleased(ctx, r.id, 0)
	if err != nil {
		return err
	}
	files, err := s.store.Files(ctx, r.id)
	if err != nil {
		return err
	}
	r.seeds = r.spec.seeds(files)
	r.waiting = slices.DeleteFunc(all, func(t results.Target) bool { return t.Coverage.State == ledger.Asleep || !s.posts(t.Tool) })
	r.ready = true
	return nil
}

// posts reports whether a tool's endpoints come and ask.
func (s *Steward) posts(tool string) bool {
	return s.fleets[tool]
}

// besides begins the tools of a run that are no fleet, and sees whether they are through.
func (s *Steward) besides(ctx context.Context, r *carried, now time.Time) error {
	switch {
	case r.besideOK, r.beside == nil && now.Before(r.besideAt):
		return nil
	case r.beside == nil:
		others, err := s.others(ctx, r.id)
		if err != nil {
			return err
		}
		if !others {
			r.besideOK = true
			return nil
		}
		asking, cancel := context.WithCancel(ctx)
		r.beside, r.cancel = make(chan error, 1), cancel
		done := r.beside
		s.work.Go(func() {
			defer s.Wake()
			done <- s.with(asking, r.spec, func(c *Campaign) error { return c.askBeside(asking, r.id, r.spec) })
		})
		return nil
	}
	select {
	case err := <-r.beside:
		r.beside = nil
		if r.cancel != nil {
			r.cancel()
			r.cancel = nil
		}
		if err == nil {
			r.besideOK = true
		} else if errors.Is(err, context.Canceled) { // paused meanwhile: begun anew
			return nil
		} else {
			r.besideAt = now.Add(besidePause)
		}
		return err
	default:
		return nil
	}
}

// besidePause is how long after a fault the tools beside the fleet are tried again.
const besidePause = 30 * time.Second

// others reports whether a run has targets of tools that are no fleet.
func (s *Steward) others(ctx context.Context, run string) (bool, error) {
	targets, err := s.store.Targets(ctx, run)
	return slices.ContainsFunc(targets, func(t results.Target) bool { return !s.posts(t.Tool) }), err
}

// look reads now and then who is silent and who has come back.
func (s *Steward) look(ctx context.Context, r *carried, counts results.FleetCounts, now time.Time) error {
	quiet := len(r.waiting) == 0 && counts.Released <= counts.Settled+r.silent
	if !quiet && now.Sub(r.checked) < checkEvery {
		return nil
	}
	open, err := s.store.Unsettled(ctx, r.id)
	if err != nil {
		return err
	}
	r.silent, r.mute = 0, 0
	changes, due := false, now.Add(-s.opt.Interval-pollSlack)
	for _, u := range open {
		silent, mute := s.gone(u, now, r.spec.timeout())
		r.silent, r.mute = r.silent+one(silent), r.mute+one(mute)
		changes = changes || dozes(u, r.started, due)
	}
	if changes {
		if _, err := s.store.Doze(ctx, r.id, due); err != nil {
			return err
		}
	}
	if r.returned, err = s.returned(ctx, r.id); err != nil {
		return err
	}
	r.checked = now
	return nil
}

func (s *Steward) returned(ctx context.Context, run string) ([]results.Target, error) {
	back, err := s.store.Returned(ctx, run)
	return slices.DeleteFunc(back, func(t results.Target) bool { return !s.posts(t.Tool) }), err
}

// dozes reports whether a target's standing may be out of line with whether its node comes; results.Store.Doze decides.
func dozes(u results.Unsettled, started, due time.Time) bool {
	switch {
	case u.Answered:
		return false
	case u.State == ledger.Asleep:
		return !u.HandedAt.IsZero()
	}
	return u.State == ledger.Unasked && u.HandedAt.IsZero() && u.LastSeen.Before(started) && !u.ReleasedAt.After(due)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// release lets endpoints go.
func (s *Steward) release(ctx context.Context, r *carried, d Decision, now time.Time) error {
	if d.Release > 0 {
		if err := s.let(ctx, r.id, r.waiting[:d.Release], d.Wave, now); err != nil {
			return err
		}
		r.waiting = r.waiting[d.Release:]
		if d.Wave == WaveCanary {
			r.canaryAt = now
		}
		if d.Wave != WaveCanary {
			r.pace.spend(d.Release)
		}
	}
	if d.Late > 0 {
		if err := s.let(ctx, r.id, r.returned[:d.Late], WaveLate, now); err != nil {
			return err
		}
		r.returned = r.returned[d.Late:]
		r.pace.spend(d.Late)
	}
	return nil
}

// let lets targets go, tool by tool.
func (s *Steward) let(ctx context.Context, run string, targets []results.Target, wave int, now time.Time) error {
	byTool := map[string][]string{}
	var tools []string
	for _, t := range targets {
		if byTool[t.Tool] == nil {
			tools = append(tools, t.Tool)
		}
		byTool[t.Tool] = append(byTool[t.Tool], t.Endpoint)
	}
	for _, tool := range tools {
		if _, err := s.store.Release(ctx, run, tool, byTool[tool], wave, now); err != nil {
			return err
		}
	}
	return nil
}

// seeds lists the digests that a run is about: those that were given, and what intelligence knows of the same files.
func (s Spec) seeds(files []indicator.File) []indicator.Indicator {
	var out []indicator.Indicator
	for _, f := range s.Seed.Files {
		out = append(out, f.Digests()...)
	}
	given := len(out)
	for _, f := range files {
		if slices.ContainsFunc(f.Digests(), func(d indicator.Indicator) bool { return slices.Contains(out[:given], d) }) {
			out = append(out, f.Digests()...)
		}
	}
	return out
}
