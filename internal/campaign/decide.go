package campaign

import (
	"fmt"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// The waves of a run on a fleet.
const (
	WaveAlert  = 0 // the host on which an alert saw the file
	WaveCanary = 1 // asked first, when there is a canary
	WaveRest   = 2
	WaveLate   = 3 // endpoints that were asleep and came back
)

// Bounds of the stop rules.
const (
	enoughAnswers = 50 // shares of fewer endpoints say little, but at the end of a canary
	leastHosts    = 2  // one host alone stops nothing
	canaryPolls   = 2  // so many poll intervals a canary is waited for at most
)

// Moment is all that a decision on a run on a fleet goes by.
type Moment struct {
	Now      time.Time
	Settings Fleet
	Interval time.Duration // of the agents' polls
	Counts   results.FleetCounts
	Waiting  int       // endpoints that are awake and whose turn has not come
	Returned int       // endpoints that were asleep and came back
	Silent   int       // were let go, have something left to ask, and are not heard of any more
	Mute     int       // of Silent, those that were handed a query and gave no answer in time
	CanaryAt time.Time // when the canary was let go, or this server took the run over
	Credit   int       // how many the rate lets go now
	Busy     bool      // tools of the run that are no fleet are still at work
	Seeds    []indicator.Indicator
	Aside    []indicator.Indicator // set aside before
}

// Decision is what is done at a moment. The zero value waits.
type Decision struct {
	Wave    int // that of Release
	Release int // so many endpoints are let go, in the plan's order
	Late    int // so many of those that came back are let go
	Stop    string
	Finish  bool
	Aside   []results.Prevalence // to be set aside for a person; the run goes on, and goes on asking for them
}

// Decide says what comes next in a run on a fleet. It is pure: the same moment gives the same decision, and all that it goes by
// is in the store, so that another server can go on at any time.
func Decide(m Moment) Decision {
	d := Decision{Aside: m.aside()}
	canary, rest := m.wave(WaveCanary), m.wave(WaveRest)
	if d.Stop = m.stop(canary, rest); d.Stop != "" {
		return d
	}
	first := m.Settings.canary(m.Waiting)
	switch {
	case canary.Released == 0 && rest.Released == 0 && first > 0:
		d.Wave, d.Release = WaveCanary, first
		return d
	case rest.Released == 0 && m.canaryOut(canary):
		return d
	case m.Waiting > 0:
		d.Wave, d.Release = WaveRest, min(m.Waiting, m.Credit)
	}
	d.Late = min(m.Returned, m.Credit-d.Release)
	d.Finish = !m.Busy && m.Waiting == 0 && m.Returned == 0 && m.Counts.Settled+m.Silent >= m.Counts.Released
	return d
}

// wave gives the counts of a wave; none are those of one that was not let go.
func (m Moment) wave(n int) results.WaveCounts {
	for _, w := range m.Counts.Waves {
		if w.Wave == n {
			return w
		}
	}
	return results.WaveCounts{}
}

// canaryOut reports whether the canary is waited for.
func (m Moment) canaryOut(canary results.WaveCounts) bool {
	return canary.Released > canary.Settled && m.Now.Sub(m.CanaryAt) < canaryPolls*m.Interval
}

// limitText stands in a reason to stop before what is told of the run alone.
const limitText = "; the limit is "

// stop gives the reason to stop, "" for none. Shares count once enough endpoints answered, and when a canary is over.
func (m Moment) stop(canary, rest results.WaveCounts) string {
	s, all := m.Settings.StopIf, m.Counts.WaveCounts
	gate := canary.Released > 0 && rest.Released == 0 && !m.canaryOut(canary)
	if all.Answered < enoughAnswers && !gate {
		all.Answered = 0
	}
	asked := all.Released
	if asked < enoughAnswers && !gate {
		asked = 0
	}
	for _, r := range []struct {
		limit  float64
		n, of  int
		what   string
		answer string
	}{
		{s.Denylisted, all.States[ledger.Denylisted], all.Answered, "refuse what they are asked (denylisted)", "endpoints that answered"},
		{s.Errors, all.States[ledger.Error], all.Answered, "have errors", "endpoints that answered"},
		{s.Timeout, all.States[ledger.Timeout] + m.Mute, asked, "gave no answer in time", "endpoints that were asked"},
	} {
		if r.limit > 0 && r.of > 0 && r.n >= leastHosts && share(r.n, r.of) >= r.limit {
			return fmt.Sprintf("%d of %d %s %s%s%s", r.n, r.of, r.answer, r.what, limitText, percent(r.limit))
		}
	}
	return ""
}

// aside lists the hashes that are on more endpoints than a rare file is. The seed is what the run is about, and is never among
// them.
func (m Moment) aside() []results.Prevalence {
	limit := m.Settings.StopIf.Prevalence
	if limit <= 0 || m.Counts.Answered < enoughAnswers {
		return nil
	}
	var out []results.Prevalence
	for _, p := range m.Counts.Prevalence {
		if share(p.Endpoints, m.Counts.Answered) > limit && !slices.Contains(m.Seeds, p.Indicator) && !slices.Contains(m.Aside, p.Indicator) {
			out = append(out, p)
		}
	}
	return out
}

func share(n, of int) float64 { return float64(n) / float64(of) }

// percent writes a share for people.
func percent(share float64) string { return fmt.Sprintf("%.4g %%", share*100) }

// pace counts how many endpoints a rate lets go. What a pause or a slow server did not use is not made up for.
type pace struct {
	rate Rate
	last time.Time
	has  float64
}

// burst is the longest time whose share of a rate may go out at once.
const burst = 2 * time.Second

// credit gives how many may be let go at a moment.
func (p *pace) credit(now time.Time) int {
	perSecond := float64(p.rate.Count) / p.rate.Per.Seconds()
	if p.last.IsZero() {
		p.has = max(1, perSecond) // the first second's
	} else if d := now.Sub(p.last); d > 0 {
		p.has = min(p.has+perSecond*d.Seconds(), max(1, perSecond*burst.Seconds()))
	}
	p.last = now
	return int(p.has)
}

// spend takes from the credit what was let go.
func (p *pace) spend(n int) { p.has = max(0, p.has-float64(n)) }
