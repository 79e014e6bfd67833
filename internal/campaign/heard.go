package campaign

import (
	"context"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// unlooked is the longest time between two ticks after which silence says something of agents. What is longer says that the
// server was away, that its machine slept, or that its clock was set forward.
const unlooked = 2 * time.Minute

// follow follows the clock. Agents that could not be heard are not held to be silent, and a clock that was set back must
// not make moments of the future out of the past: by those who is gone would be awake, and what is lost on its way, for years.
func (s *Steward) follow(ctx context.Context, now time.Time) error {
	back := s.ticked.IsZero() || now.Before(s.ticked)
	if !back && now.Sub(s.ticked) <= unlooked {
		s.ticked = now
		return nil
	}
	s.heard = now
	for _, r := range s.runs {
		r.renewed, r.checked, r.besideAt = time.Time{}, time.Time{}, time.Time{}
		if r.canaryAt.After(now) {
			r.canaryAt = now
		}
		if r.alert != nil && r.alert.since.After(now) {
			r.alert.since = now
		}
	}
	if back {
		if err := s.store.SetBack(ctx, now); err != nil {
			s.ticked = time.Time{} // the next tick tries again
			return err
		}
	}
	s.ticked = now
	return nil
}

// gone says of a target that has something left to answer whether nothing more is to be awaited of it now: its node is not heard
// of any more, or was forgotten, or it was given a query, has not polled since, and its time is over (mute). An agent at work
// does not poll.
func (s *Steward) gone(u results.Unsettled, now time.Time, timeout time.Duration) (silent, mute bool) {
	quiet := ledger.Silence(s.opt.Interval)
	last := u.LastSeen
	for _, at := range []time.Time{u.ReleasedAt, s.heard} {
		if at.After(last) {
			last = at
		}
	}
	switch {
	case u.Forgotten:
		return true, false
	case !u.HandedAt.IsZero():
		mute = u.Silent && now.Sub(u.HandedAt) >= timeout && now.Sub(s.heard) > quiet
		return mute, mute
	}
	return now.Sub(last) > quiet, false
}
