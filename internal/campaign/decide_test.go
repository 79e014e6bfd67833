package campaign_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

func noon() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

// moment is a run on a fleet of so many endpoints that are awake, nothing of which was let go.
func moment(awake int) campaign.Moment {
	return campaign.Moment{
		Now: noon(), Settings: campaign.DefaultFleet(), Interval: time.Minute, Waiting: awake, Credit: 50, CanaryAt: noon(),
		Counts: results.FleetCounts{WaveCounts: results.WaveCounts{Targets: awake}},
	}
}

// gone lets n endpoints of a wave go, of which so many have settled, with these states.
func gone(m campaign.Moment, wave, n, settled int, states map[ledger.State]int) campaign.Moment {
	w := results.WaveCounts{Wave: wave, Targets: n, Released: n, Settled: settled, Answered: settled, States: states}
	m.Counts.Waves = append(m.Counts.Waves, w)
	m.Waiting -= n
	m.Counts.Released += n
	m.Counts.Settled += settled
	m.Counts.Answered += settled
	if m.Counts.States == nil {
		m.Counts.States = map[ledger.State]int{}
	}
	for s, k := range states {
		m.Counts.States[s] += k
	}
	return m
}

func TestCanaryBySize(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ setting, awake, want int }{
		"200 hosts have none": {campaign.CanaryByRule, 200, 0}, "201": {campaign.CanaryByRule, 201, 10}, "499": {campaign.CanaryByRule, 499, 24},
		"500": {campaign.CanaryByRule, 500, 25}, "10,000": {campaign.CanaryByRule, 10_000, 25}, "none": {0, 10_000, 0}, "by hand": {3, 10, 3}, "all": {10, 10, 0},
	} {
		m := moment(c.awake)
		m.Settings.Canary = c.setting
		d := campaign.Decide(m)
		if canary := d.Wave == campaign.WaveCanary; canary != (c.want > 0) || (canary && d.Release != c.want) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// A canary is waited for until it has settled, or two poll intervals at most; then the rest goes at its rate.
func TestCanaryIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settled int
		after   time.Duration
		goes    bool
	}{
		"at once": {0, time.Second, false}, "nearly": {24, 119 * time.Second, false}, "all answered": {25, 20 * time.Second, true}, "two polls": {3, 2 * time.Minute, true},
	} {
		m := gone(moment(1000), campaign.WaveCanary, 25, c.settled, nil)
		m.Now = noon().Add(c.after)
		d := campaign.Decide(m)
		if (d.Release > 0) != c.goes || d.Finish || d.Stop != "" || (c.goes && (d.Wave != campaign.WaveRest || d.Release != m.Credit)) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestStopRules(t *testing.T) {
	t.Parallel()
	many := func(state ledger.State, n, of int) campaign.Moment {
		return gone(moment(1000), campaign.WaveRest, of, of, map[ledger.State]int{state: n, ledger.Absent: of - n})
	}
	canary := func(state ledger.State, n int) campaign.Moment {
		return gone(moment(1000), campaign.WaveCanary, 25, 25, map[ledger.State]int{state: n, ledger.Absent: 25 - n})
	}
	timeouts := many(ledger.Timeout, 30, 100)
	timeouts.Settings.StopIf.Timeout = 0.3
	mute := many(ledger.Absent, 70, 100)
	mute.Settings.StopIf.Timeout, mute.Mute = 0.3, 30
	off := many(ledger.Error, 100, 100)
	off.Settings.StopIf = campaign.StopIf{}
	for name, c := range map[string]struct {
		m    campaign.Moment
		want string
	}{
		"errors":                       {many(ledger.Error, 20, 100), "20 of 100 endpoints that answered have errors; the limit is 20 %"},
		"fewer errors":                 {many(ledger.Error, 19, 100), ""},
		"denylisted":                   {many(ledger.Denylisted, 5, 100), "5 of 100 endpoints that answered refuse"},
		"fewer denylisted":             {many(ledger.Denylisted, 4, 100), ""},
		"too few answers":              {many(ledger.Error, 49, 49), ""},
		"enough answers":               {many(ledger.Error, 10, 50), "10 of 50"},
		"timeouts without a rule":      {many(ledger.Timeout, 90, 100), ""},
		"timeouts":                     {timeouts, "30 of 100 endpoints that were asked gave no answer in time"},
		"silent ones are timeouts":     {mute, "30 of 100 endpoints that were asked gave no answer in time"},
		"no rules":                     {off, ""},
		"a canary of errors":           {canary(ledger.Error, 5), "5 of 25"},
		"one error of a canary":        {canary(ledger.Error, 1), ""},
		"two denylisted of the canary": {canary(ledger.Denylisted, 2), "2 of 25"},
	} {
		d := campaign.Decide(c.m)
		if (d.Stop == "") != (c.want == "") || !strings.Contains(d.Stop, c.want) || (d.Stop != "" && (d.Release > 0 || d.Finish)) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// A hash on many hosts is set aside once, and the run goes on; the seed never is.
func TestPrevalence(t *testing.T) {
	t.Parallel()
	common := indicator.Indicator{Kind: indicator.SHA256, Value: unknown}
	run := func(on, answered int) campaign.Moment {
		m := gone(moment(1000), campaign.WaveRest, answered, answered, map[ledger.State]int{ledger.Hit: on})
		m.Counts.Prevalence = []results.Prevalence{{Indicator: common, Endpoints: on}}
		return m
	}
	seed, before := run(60, 100), run(60, 100)
	seed.Seeds, before.Aside = []indicator.Indicator{common}, []indicator.Indicator{common}
	for name, c := range map[string]struct {
		m     campaign.Moment
		aside bool
	}{
		"common": {run(11, 100), true}, "at the limit": {run(10, 100), false}, "few answers": {run(49, 49), false}, "the seed": {seed, false}, "known": {before, false},
	} {
		d := campaign.Decide(c.m)
		if (len(d.Aside) > 0) != c.aside || d.Stop != "" || d.Release == 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestFinish(t *testing.T) {
	t.Parallel()
	asleep := moment(0)
	asleep.Counts.Targets = 40
	busy := gone(moment(10), campaign.WaveRest, 10, 10, nil)
	busy.Busy = true
	silent := gone(moment(10), campaign.WaveRest, 10, 7, nil)
	silent.Silent = 3
	back := gone(moment(10), campaign.WaveRest, 10, 10, nil)
	back.Returned = 2
	for name, c := range map[string]struct {
		m    campaign.Moment
		want bool
	}{
		"all settled": {gone(moment(10), campaign.WaveRest, 10, 10, nil), true}, "one is at work": {gone(moment(10), campaign.WaveRest, 10, 9, nil), false},
		"some wait": {gone(moment(11), campaign.WaveRest, 10, 10, nil), false}, "the others are not heard of": {silent, true},
		"all asleep": {asleep, true}, "another tool is at work": {busy, false}, "some came back": {back, false},
	} {
		if d := campaign.Decide(c.m); d.Finish != c.want {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// Whatever comes, a run lets go of no more endpoints than wait and the rate allows, lets the rest go only after the canary,
// and ends only when nobody is left.
func TestDecisionsHoldTheirBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := moment(rapid.IntRange(0, 600).Draw(t, "awake"))
		m.Settings.Canary = rapid.IntRange(-1, 50).Draw(t, "canary")
		m.Credit = rapid.IntRange(0, 100).Draw(t, "credit")
		answered := false
		for step := range 200 {
			m.Now = m.Now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			d := campaign.Decide(m)
			again := campaign.Decide(m)
			switch {
			case d.Release != again.Release || d.Stop != again.Stop || d.Finish != again.Finish:
				t.Fatalf("two decisions on one moment: %+v, %+v", d, again)
			case d.Release > m.Waiting, d.Release < 0, d.Wave == campaign.WaveRest && d.Release+d.Late > m.Credit:
				t.Fatalf("%+v of %+v", d, m)
			case d.Wave == campaign.WaveCanary && (step > 0 && m.Counts.Released > 0 || d.Release > 50):
				t.Fatalf("a canary of %d after %d", d.Release, m.Counts.Released)
			case d.Finish && (m.Waiting > 0 || m.Counts.Settled+m.Silent < m.Counts.Released):
				t.Fatalf("the end with %d waiting and %d of %d settled", m.Waiting, m.Counts.Settled, m.Counts.Released)
			case d.Stop != "":
				t.Fatalf("stopped without a fault: %s", d.Stop)
			}
			if answered = d.Finish; answered {
				return
			}
			if d.Release > 0 {
				m = gone(m, d.Wave, d.Release, 0, nil)
				if d.Wave == campaign.WaveCanary {
					m.CanaryAt = m.Now
				}
			}
			settle(t, &m)
			m.Credit = rapid.IntRange(1, 100).Draw(t, "credit")
		}
		if !answered && m.Waiting == 0 && m.Counts.Settled == m.Counts.Released {
			t.Fatal("it never ends")
		}
	})
}

// settle lets some of the endpoints answer that were let go.
func settle(t *rapid.T, m *campaign.Moment) {
	for i := range m.Counts.Waves {
		w := &m.Counts.Waves[i]
		n := rapid.IntRange(0, w.Released-w.Settled).Draw(t, "answers")
		w.Settled, w.Answered = w.Settled+n, w.Answered+n
		m.Counts.Settled, m.Counts.Answered = m.Counts.Settled+n, m.Counts.Answered+n
	}
	all := m.Counts
	all.Waves = nil
	for _, w := range m.Counts.Waves { // a wave is told once
		found := false
		for i := range all.Waves {
			if found = all.Waves[i].Wave == w.Wave; found {
				all.Waves[i].Released, all.Waves[i].Settled, all.Waves[i].Answered = all.Waves[i].Released+w.Released, all.Waves[i].Settled+w.Settled, all.Waves[i].Answered+w.Answered
				break
			}
		}
		if !found {
			all.Waves = append(all.Waves, w)
		}
	}
	m.Counts = all
}

func TestReask(t *testing.T) {
	t.Parallel()
	const limit = 15 * time.Minute
	post := func(state ledger.PostState, attempt int, ago time.Duration, silent bool) results.OpenPost {
		return results.OpenPost{State: state, Attempt: attempt, HandedAt: noon().Add(-ago), Silent: silent}
	}
	for name, c := range map[string]struct {
		post   results.OpenPost
		want   campaign.Reask
		giveUp ledger.State
	}{
		"lost: a probe in the same words":   {post(ledger.PostLost, 1, time.Minute, false), campaign.Reask{Attempt: 2}, ""},
		"the probe is lost: other words":    {post(ledger.PostLost, 2, time.Minute, false), campaign.Reask{Attempt: 3, Lighter: true}, ""},
		"lighter still":                     {post(ledger.PostLost, 3, time.Minute, false), campaign.Reask{Attempt: 4, Lighter: true}, ""},
		"no form is left":                   {post(ledger.PostLost, 4, time.Minute, false), campaign.Reask{}, ledger.Timeout},
		"known to refuse it: no probe":      {post(ledger.PostHeld, 1, 0, false), campaign.Reask{Attempt: 3, Lighter: true}, ""},
		"refuses the lighter form, too":     {post(ledger.PostHeld, 3, 0, false), campaign.Reask{Attempt: 4, Lighter: true}, ""},
		"refuses every form":                {post(ledger.PostHeld, 4, 0, false), campaign.Reask{}, ledger.Denylisted},
		"at work":                           {post(ledger.PostHanded, 1, limit-time.Second, false), campaign.Reask{}, ""},
		"too slow":                          {post(ledger.PostHanded, 1, limit, false), campaign.Reask{}, ledger.Timeout},
		"not heard of: it may come back":    {post(ledger.PostHanded, 1, time.Hour, true), campaign.Reask{}, ""},
		"not handed out yet: there is time": {post(ledger.PostDue, 1, time.Hour, false), campaign.Reask{}, ""},
	} {
		got := campaign.ReaskOf(c.post, noon(), limit)
		state := ledger.State("")
		if got.GiveUp != nil {
			state = got.GiveUp.State
		}
		if got.Attempt != c.want.Attempt || got.Lighter != c.want.Lighter || state != c.giveUp || (state != "" && got.GiveUp.Message == "") {
			t.Errorf("%s: %+v, %s", name, got, state)
		}
	}
}

// However posts are lost and refused, attempts only grow, the words change after the probe, and there is an end.
func TestReaskEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := results.OpenPost{Attempt: 1}
		for range campaign.MaxAttempts {
			p.State = rapid.SampledFrom([]ledger.PostState{ledger.PostLost, ledger.PostHeld}).Draw(t, "state")
			next := campaign.ReaskOf(p, noon(), time.Minute)
			if next.GiveUp != nil {
				return
			}
			if next.Attempt <= p.Attempt || next.Attempt > campaign.MaxAttempts || next.Lighter != (next.Attempt > 2) {
				t.Fatalf("%+v after %+v", next, p)
			}
			p.Attempt = next.Attempt
		}
		if p.State = ledger.PostLost; campaign.ReaskOf(p, noon(), time.Minute).GiveUp == nil {
			t.Fatal("it is asked for ever")
		}
	})
}
