package campaign_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// A run on a fleet ends once all that are awake have answered, and says of each host what was proven.
func TestFleetRunToItsEnd(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 5)
	run := f.request(f.spec(f.digest))
	f.turn(time.Second)
	f.work(2, true)
	f.all(0, 5)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 1, ledger.Absent: 4})
	if f.target(run, 2).Coverage.State != ledger.Hit || f.summary(run).HitsTotal != 1 {
		t.Errorf("%+v", f.target(run, 2))
	}
	clean := f.request(f.spec(unknown))
	f.turn(time.Second)
	f.all(0, 5)
	f.turn(time.Second)
	f.wants(clean, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 5})
	if f.summary(clean).VerifiedRatio != 1 {
		t.Errorf("%+v", f.summary(clean))
	}
}

// The canary goes first, and the rest at its rate once it has answered.
func TestFleetGoesInWaves(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 220)
	run := f.request(f.spec(unknown))
	f.turn(time.Second)
	due := func() (n int) {
		c, err := f.store.FleetCounts(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		return c.Released
	}
	if due() != 11 {
		t.Fatalf("a canary of %d", due())
	}
	f.turn(time.Minute)
	if due() != 11 {
		t.Fatalf("%d are let go while the canary is waited for", due())
	}
	f.all(0, 220)
	f.turn(time.Second)
	for last := 11; due() < 220; f.turn(time.Second) {
		if n := due() - last; n < 1 || n > 100 {
			t.Fatalf("%d let go after %d", n, last)
		}
		last = due()
	}
	f.all(0, 220)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 220})
}

// An agent whose worker dies in a query is asked the same once more, says that it refuses it, and gets a lighter form; the
// next run of the same words spares it the first two.
func TestDeadWorker(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	run := f.request(f.spec(unknown))
	f.turn(time.Second)
	first := f.poll(0)
	silent := func() {
		for range 2 {
			f.turn(time.Minute)
			if h := f.poll(0); h != nil {
				t.Fatalf("it is asked %s while the first may be on its way", h.Name)
			}
		}
		f.turn(time.Second)
	}
	silent()
	probe := f.poll(0)
	if probe == nil || probe.Text != first.Text || probe.Name == first.Name || !strings.HasSuffix(probe.Name, "-a2") {
		t.Fatalf("probe %+v after %+v", probe, first)
	}
	f.deliver(0, ledger.Delivery{Name: probe.Name, Status: 1, Message: "distributed query is denylisted"})
	if c := f.target(run, 0).Coverage; c.State != ledger.Denylisted {
		t.Errorf("%+v", c)
	}
	lighter := f.poll(0)
	if lighter == nil || lighter.Text == first.Text || !strings.HasSuffix(lighter.Name, "-a3") || !strings.Contains(lighter.Text, "/* attempt 3 */") {
		t.Fatalf("then %+v", lighter)
	}
	f.deliver(0, ledger.Delivery{Name: lighter.Name, Rows: f.run(lighter.Text, false)})
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 1})

	again := f.request(f.spec(unknown))
	f.turn(time.Second)
	f.turn(time.Second)
	if h := f.poll(0); h == nil || h.Text != lighter.Text {
		t.Fatalf("a text that it refuses is asked again: %+v", h)
	} else {
		f.deliver(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, false)})
	}
	f.turn(time.Second)
	f.wants(again, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 1})
}

// An agent that never answers is given up after its attempts; its answer counts when it comes all the same.
func TestLostForGood(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	run := f.request(f.spec(f.digest))
	f.turn(time.Second)
	var names []string
	texts := map[string]bool{}
	var last *ledger.Handout
	for range 20 {
		if h := f.poll(0); h != nil {
			names, last = append(names, h.Name), h
			texts[h.Text] = true
		}
		f.turn(time.Minute)
	}
	f.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Timeout: 1})
	if len(names) != campaign.MaxAttempts || len(texts) != campaign.MaxAttempts-1 {
		t.Errorf("asked as %q in %d forms", names, len(texts))
	}
	f.deliver(0, ledger.Delivery{Name: last.Name, Rows: f.run(last.Text, true)})
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 1})
	if e := f.events(run, results.EventLate); len(e) != 1 {
		t.Errorf("%d events say that the exit code is another", len(e))
	}
}

// Hosts that sleep do not keep a run; they are asked when they are back, and what they say still counts. Once its late time is
// over, nothing more is asked.
func TestLateEndpoints(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 4)
	f.clock.pass(time.Hour)
	f.poll(0)
	f.poll(1)
	run := f.request(f.spec(f.digest))
	f.turn(time.Second)
	f.all(0, 1)
	f.turn(time.Second)
	f.wants(run, results.RunRunning, -1, map[ledger.State]int{ledger.Asleep: 2})
	for range 5 { // the second one is awake when the run begins, and goes then
		f.turn(time.Minute)
	}
	f.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 1, ledger.Asleep: 3})
	for i := 1; i < 4; i++ {
		if r := f.target(run, i).Coverage.Reason; !strings.Contains(r, "last seen 2026-11-25") {
			t.Errorf("node %d: %q", i, r)
		}
	}
	f.clock.pass(24 * time.Hour)
	f.work(1, false) // its question still waits
	f.poll(2)
	f.turn(time.Second)
	if f.work(2, true) == 0 {
		t.Fatal("a host that is back is not asked")
	}
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 1, ledger.Absent: 2, ledger.Asleep: 1})
	f.clock.pass(14 * 24 * time.Hour)
	f.poll(3)
	f.turn(time.Second)
	if h := f.poll(3); h != nil {
		t.Errorf("it is asked %s after the late time", h.Name)
	}
	f.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Asleep: 1})
}

// While a run goes on it says of a host that has not come since before the run that it sleeps, and no more when it came.
func TestDozing(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	for i := range 3 {
		f.poll(i)
	}
	f.clock.pass(time.Second)
	run := f.request(f.spec(f.digest))
	f.turn(time.Second)
	f.all(0, 1)
	f.turn(time.Minute) // less than a poll interval and a bit
	f.wants(run, results.RunRunning, -1, map[ledger.State]int{ledger.Absent: 1, ledger.Unasked: 2})
	if got := f.target(run, 1).Coverage.Reason; got != "not answered yet" {
		t.Errorf("of a host that was let go: %q", got)
	}
	f.turn(15 * time.Second)
	f.wants(run, results.RunRunning, -1, map[ledger.State]int{ledger.Absent: 1, ledger.Asleep: 2})
	if got := f.target(run, 1).Coverage.Reason; !strings.HasPrefix(got, "last seen 2026-11-25T") {
		t.Errorf("of a host that has not come: %q", got)
	}
	h := f.poll(1)
	f.turn(6 * time.Second)
	f.wants(run, results.RunRunning, -1, map[ledger.State]int{ledger.Absent: 1, ledger.Unasked: 1, ledger.Asleep: 1})
	f.deliver(1, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, true)})
	f.turn(6 * time.Second)
	f.wants(run, results.RunRunning, -1, map[ledger.State]int{ledger.Absent: 1, ledger.Hit: 1, ledger.Asleep: 1})
}

// A host that goes to sleep in the middle of its work leaves what it proved, and why the rest is open.
func TestHostGoesToSleep(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	s := f.spec(unknown)
	s.Search.Where = []ledger.Stage{ledger.Autoruns, ledger.Files}
	run := f.request(s)
	f.turn(time.Second)
	f.all(0, 1)
	h := f.poll(1)
	f.deliver(1, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, false)})
	if h = f.poll(1); h == nil {
		t.Fatal("no second question")
	}
	for range 16 {
		f.turn(time.Minute)
	}
	f.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 1, ledger.Timeout: 1})
	if c := f.target(run, 1).Coverage; !strings.Contains(c.Reason, "1 of 2 questions have no answer: last seen") {
		t.Errorf("%+v", c)
	}
	f.clock.pass(time.Hour) // it wakes, and what it was given runs then
	f.deliver(1, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, false)})
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 2})
}

// Too many errors stop a run: the reason and the hosts are told, and whoever was not reached says why.
func TestErrorsStopARun(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 220)
	run := f.request(f.spec(unknown))
	f.turn(time.Second)
	for i := range 220 {
		if h := f.poll(i); h != nil {
			f.deliver(i, ledger.Delivery{Name: h.Name, Status: 1, Message: "disk I/O error"})
		}
	}
	f.turn(time.Second)
	f.wants(run, results.RunStopped, campaign.ExitUnproven, map[ledger.State]int{ledger.Error: 11, ledger.Unasked: 209})
	sum := f.summary(run)
	for _, want := range []string{"11 of 11 endpoints that answered have errors", "ws-0", "1 more"} {
		if !strings.Contains(sum.Error, want) {
			t.Errorf("%q does not say %q", sum.Error, want)
		}
	}
	for i := range 220 {
		if c := f.target(run, i).Coverage; c.State == ledger.Unasked && !strings.Contains(c.Reason, "stopped: 11 of 11") {
			t.Fatalf("node %d: %+v", i, c)
		}
		if h := f.poll(i); h != nil {
			t.Fatalf("node %d is asked %s after the stop", i, h.Name)
		}
	}
}

// A person pauses a run, lets it go on, and stops it.
func TestWishes(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	run := f.request(f.spec(unknown))
	f.turn(time.Second)
	wish := func(w string) {
		t.Helper()
		if err := f.store.SetWish(t.Context(), run, w); err != nil {
			t.Fatal(err)
		}
		f.turn(time.Second)
	}
	f.work(0, false)
	wish(results.WishPause)
	f.wants(run, results.RunPaused, -1, nil)
	if h := f.poll(1); h != nil {
		t.Fatalf("a paused run asks %s", h.Name)
	}
	wish(results.WishResume)
	f.wants(run, results.RunRunning, -1, nil)
	if f.work(1, false) == 0 {
		t.Fatal("nothing is asked after the pause")
	}
	wish(results.WishStop)
	f.wants(run, results.RunStopped, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 2})
	if c := f.target(run, 2).Coverage; !strings.Contains(c.Reason, "stopped by a person") {
		t.Errorf("%+v", c)
	}
	if h := f.poll(2); h != nil {
		t.Fatalf("a stopped run asks %s", h.Name)
	}
}

// A server that dies at any moment is followed by another one, which goes on with the same targets and asks nothing twice.
func TestAnotherServerGoesOn(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 230)
	run := f.request(f.spec(f.digest))
	asked := map[string]int{}
	var before []results.Target
	for range 20 {
		f.clock.pass(16 * time.Second) // the lease of the dead one is over
		f.serve()
		f.steward.Turn(t.Context())
		targets, err := f.store.Targets(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		if before == nil {
			before = targets
		}
		if len(targets) != len(before) {
			t.Fatalf("%d targets instead of %d", len(targets), len(before))
		}
		for i := range 230 {
			if h := f.poll(i); h != nil {
				asked[fmt.Sprint(i, " ", h.Name)]++
				f.deliver(i, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, i%50 == 0)})
			}
		}
	}
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 5, ledger.Absent: 225})
	for name, n := range asked {
		if n != 1 {
			t.Errorf("%s was handed out %d times", name, n)
		}
	}
	if len(asked) != 230 || f.summary(run).HitsTotal != 5 {
		t.Errorf("%d hand-outs, %d hits", len(asked), f.summary(run).HitsTotal)
	}
}

// A hash on many hosts is set aside for a person, once; the run goes on.
func TestCommonHashIsSetAside(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 60)
	s := f.spec(f.digest)
	run := f.request(s)
	for range 3 {
		f.turn(time.Second)
	}
	for i := range 60 {
		f.work(i, i < 20)
	}
	f.turn(time.Second)
	f.turn(time.Second)
	if e := f.events(run, results.EventAside); len(e) != 0 {
		t.Errorf("the seed is set aside: %+v", e)
	}
	f.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 20, ledger.Absent: 40})
}
