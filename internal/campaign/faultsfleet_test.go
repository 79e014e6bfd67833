package campaign_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// TestFaultsOfAFleet breaks a fleet whose parts are joined in each way that is known, and tells with -v what came of it.
func TestFaultsOfAFleet(t *testing.T) {
	t.Parallel()
	table := &faultTable{}
	t.Run("faults", func(t *testing.T) {
		for name, fault := range map[string]func(*testing.T) string{
			"disk full during deliveries":           diskFull,
			"clock an hour forward":                 func(t *testing.T) string { return clockForward(t, time.Hour) },
			"clock back by two hours":               func(t *testing.T) string { return clockBack(t, 2*time.Hour) },
			"clock back by ten years":               func(t *testing.T) string { return clockBack(t, 10*365*24*time.Hour) },
			"clock twenty days forward":             clockPastTheEnd,
			"server away for an hour":               serverAway,
			"agents that lie":                       agentsThatLie,
			"agent with another's key":              stolenKey,
			"answer too large":                      tooLarge,
			"agent that never reads":                neverReads,
			"two machines with one identity":        twoMachines,
			"hosts forgotten with open targets":     forgotten,
			"workers that die in a query, two runs": deadWorkers,
			"hit after the run's end":               lateHit,
			"stop rule errors":                      func(t *testing.T) string { return stopRule(t, ledger.Error) },
			"stop rule denylisted":                  func(t *testing.T) string { return stopRule(t, ledger.Denylisted) },
			"stop rule timeout":                     func(t *testing.T) string { return stopRule(t, ledger.Timeout) },
			"hash of intelligence on many hosts":    commonHash,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				table.note(name, fault(t))
			})
		}
	})
	t.Logf("\n%s", table)
}

// diskFull lets agents run what they got, and gives the database no more room when they deliver.
func diskFull(t *testing.T) string {
	const n = 24
	r := newRig(t, n, remote.Limits{})
	run := r.request(r.spec(r.digest))
	r.turn(time.Second)
	for i := range n {
		r.with[i], r.hold[i] = i%6 == 0, true
	}
	r.steps(0, n) // all are given their query, and run it
	db, _ := r.store.DB()
	limit := func(pages string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), `PRAGMA max_page_count = `+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit(fmt.Sprint(r.count(`PRAGMA page_count`)))
	clear(r.hold)
	refused := 0
	for range 3 {
		r.steps(0, n)
		r.turn(time.Minute)
	}
	for _, a := range r.agents {
		refused += a.Waiting()
	}
	stored := r.count(`SELECT count(*) FROM answer WHERE run = ?`, run)
	if refused == 0 || stored+refused != n {
		t.Errorf("%d are kept by the agents and %d stored, of %d", refused, stored, n)
	}
	if r.api.Counts().Panics > 0 {
		t.Error("a panic")
	}
	limit("1073741823")
	r.until(run, 5, func() { r.steps(0, n) })
	r.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: n / 6, ledger.Absent: n - n/6})
	if r.summary(run).HitsTotal != n/6 || r.doubled(run) != 0 {
		t.Errorf("%d hits, %d of them doubled", r.summary(run).HitsTotal, r.doubled(run))
	}
	for i, a := range r.agents {
		if a.Waiting() != 0 {
			t.Errorf("agent %d still keeps its answer", i)
		}
	}
	return fmt.Sprintf("%d answers: %d refused and kept, all %d taken later; %d hits, 0 doubled, 0 lost", n, refused, n, n/6)
}

// underWay gives a run on ten agents: five have run their query and keep what they found, five were not heard of since they were
// let go.
func underWay(t *testing.T, n int) (*rig, string) {
	r := newRig(t, n, remote.Limits{})
	run := r.request(r.spec(r.digest))
	r.turn(time.Second)
	for i := range n {
		r.with[i], r.hold[i] = i == 0 || i == n-1, i < n/2
	}
	r.steps(0, n/2)
	clear(r.hold)
	return r, run
}

func clockForward(t *testing.T, by time.Duration) string {
	const n = 10
	r, run := underWay(t, n)
	r.turn(by)
	r.turn(time.Second)
	r.wants(run, results.RunRunning, -1, nil) // nobody could poll in an hour that there was not
	sum := r.until(run, 5, func() { r.steps(0, n) })
	r.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 2, ledger.Absent: n - 2})
	if sum.HitsTotal != 2 || r.doubled(run) != 0 {
		t.Errorf("%d hits", sum.HitsTotal)
	}
	return fmt.Sprintf("%d targets: %d answered, %d hits; none given up for the jump", n, n, sum.HitsTotal)
}

// clockBack sets the clock back in the middle of a run, with one agent that falls silent for good right then.
func clockBack(t *testing.T, by time.Duration) string {
	const n = 10
	r, run := underWay(t, n)
	r.turn(-by)
	minutes := 0
	sum := r.until(run, 30, func() { minutes++; r.steps(0, n-2) })
	r.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 1, ledger.Absent: n - 3, ledger.Asleep: 2})
	if sum.HitsTotal != 1 {
		t.Errorf("%d hits", sum.HitsTotal)
	}
	for i := range n - 2 {
		if n, known, err := r.store.NodeByKey(t.Context(), keyHash(r.agents[i].Key())); err != nil || !known || n.LastSeen.After(r.clock.time()) {
			t.Errorf("node %d was seen last at %s, and it is %s; %v", i, n.LastSeen, r.clock.time(), err)
		}
	}
	next := r.request(r.spec(unknown)) // who is silent is known to be
	r.turn(time.Second)
	r.steps(0, n-2)
	r.turn(time.Second)
	r.wants(next, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: n - 2, ledger.Asleep: 2})
	r.steps(n-2, n) // they come back while late endpoints are asked
	r.turn(time.Minute)
	r.steps(n-2, n)
	r.steps(n-2, n)
	r.turn(time.Second)
	r.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 2, ledger.Absent: n - 2})
	return fmt.Sprintf("%d targets: %d answered, 2 silent told asleep after %d min, then taken late", n, n-2, minutes)
}

// clockPastTheEnd sets the clock past the time that a run may be under way.
func clockPastTheEnd(t *testing.T) string {
	const n = 10
	r, run := underWay(t, n)
	r.turn(20 * 24 * time.Hour)
	r.wants(run, results.RunStopped, campaign.ExitUnproven, nil)
	if e := r.summary(run).Error; !strings.Contains(e, "expired") {
		t.Errorf("%q", e)
	}
	r.steps(0, n) // what had been given out comes all the same
	r.turn(time.Second)
	r.wants(run, results.RunStopped, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 1, ledger.Absent: n/2 - 1, ledger.Unasked: n / 2})
	for i := n / 2; i < n; i++ {
		if c := r.target(run, i).Coverage; !strings.Contains(c.Reason, "expired") {
			t.Errorf("%+v", c)
		}
	}
	return fmt.Sprintf("%d targets: the run expired and says so, %d late answers taken, %d unasked with the reason", n, n/2, n/2)
}

// serverAway has the server die and come back an hour later: agents could not poll, and nothing is held against them.
func serverAway(t *testing.T) string {
	const n = 10
	r, run := underWay(t, n)
	r.clock.pass(time.Hour)
	r.again()
	r.turn(time.Second)
	r.wants(run, results.RunRunning, -1, nil)
	sum := r.until(run, 5, func() { r.steps(0, n) })
	r.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 2, ledger.Absent: n - 2})
	enrolled := 0
	for _, a := range r.agents {
		enrolled += a.Enrolments
	}
	if sum.HitsTotal != 2 || enrolled != n {
		t.Errorf("%d hits, %d enrolments", sum.HitsTotal, enrolled)
	}
	return fmt.Sprintf("%d targets: all answered after the return, %d hits, 0 enrolled anew", n, sum.HitsTotal)
}

// deadWorkers has agents whose worker dies in the query; the next run of the same words spares them.
func deadWorkers(t *testing.T) string {
	const n, dying = 8, 3
	killed := ""
	r := newRig(t, n, remote.Limits{}, func(_ *rig, i int, o *remotetest.Options) {
		if i < dying {
			o.Faults.Kill = func(_, text string) bool {
				if killed == "" {
					killed = text
				}
				return text == killed
			}
		}
	})
	deaths := func() (out int) {
		for _, a := range r.agents {
			out += a.Deaths
		}
		return out
	}
	s := r.spec(unknown)
	s.Fleet = campaign.DefaultFleet()
	s.Fleet.StopIf.Denylisted = 1
	run := r.request(s)
	r.turn(time.Second)
	r.until(run, 15, func() { r.steps(0, n) })
	r.wants(run, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: n})
	refused := r.count(`SELECT count(*) FROM denylisted`)
	if deaths() != dying || refused != dying {
		t.Errorf("%d deaths, %d remembered", deaths(), refused)
	}
	next := r.request(s)
	r.turn(time.Second)
	minutes := 0
	r.until(next, 5, func() { minutes++; r.steps(0, n) })
	r.wants(next, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: n})
	if deaths() != dying || r.count(`SELECT count(*) FROM handout h JOIN question q ON q.digest = h.question JOIN denylisted d ON d.node = h.node AND d.text = q.text WHERE h.run = ?`, next) != 0 {
		t.Errorf("%d deaths; a text that is refused was handed out again", deaths())
	}
	return fmt.Sprintf("%d workers died once each, %d texts remembered; the next run: 0 deaths, %d of %d proven in %d min", dying, refused, n, n, minutes)
}

// lateHit lets a run finish while one host is away, which then has the file.
func lateHit(t *testing.T) string {
	const n = 4
	r := newRig(t, n, remote.Limits{})
	run := r.request(r.spec(r.digest))
	r.turn(time.Second)
	r.until(run, 10, func() { r.steps(0, n-1) })
	r.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: n - 1, ledger.Asleep: 1})
	r.with[n-1] = true
	r.clock.pass(3 * 24 * time.Hour)
	r.steps(n-1, n)
	r.turn(time.Second)
	r.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Absent: n - 1, ledger.Hit: 1})
	told := r.events(run, results.EventLate)
	if len(told) != 1 || !strings.Contains(told[0].Detail, `"exit_code":1`) || !strings.Contains(told[0].Detail, `"was":3`) {
		t.Errorf("%+v", told)
	}
	return "exit code 3 became 1, 1 event says so"
}
