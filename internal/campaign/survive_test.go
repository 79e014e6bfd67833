package campaign_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

func (f *fleet) wish(run, wish string) {
	f.t.Helper()
	if err := f.store.SetWish(f.t.Context(), run, wish); err != nil {
		f.t.Fatal(err)
	}
}

// A host that a person removes in mid-run does not keep the run, and says why nothing came of it.
func TestForgottenHostKeepsNoRun(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	run := f.request(f.spec(unknown))
	f.turn(time.Second)
	f.poll(1)
	if _, err := f.store.Forget(t.Context(), []string{f.nodes[1].ID}); err != nil {
		t.Fatal(err)
	}
	f.work(0, false)
	f.turn(10 * time.Second)
	f.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 1, ledger.Timeout: 1})
	if c := f.target(run, 1).Coverage; !strings.Contains(c.Reason, "forgotten") {
		t.Errorf("%+v", c)
	}
}

// A pause that is wished while a run is planned holds before anything is handed out.
func TestPauseWhilePlanned(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	run := f.request(f.spec(unknown))
	f.wish(run, results.WishPause)
	f.turn(time.Second)
	if h := f.poll(0); h != nil || f.summary(run).State != results.RunPaused {
		t.Fatalf("%+v is handed out, %s", h, f.summary(run).State)
	}
	f.wish(run, results.WishResume)
	f.turn(time.Second)
	f.work(0, false)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitProven, nil)
}

// A late answer changes the exit code though the server that took it died before it looked.
func TestLateAnswerOutlivesItsServer(t *testing.T) {
	t.Parallel()
	f, run, h := asked(t)
	f.wish(run, results.WishStop)
	f.turn(time.Second)
	f.wants(run, results.RunStopped, campaign.ExitUnproven, nil)
	f.deliver(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, true)})
	f.serve()
	f.wants(run, results.RunStopped, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 1})
	if left, err := f.store.Unjudged(t.Context(), 9); len(left) > 0 || err != nil {
		t.Errorf("%+v, %v", left, err)
	}
}

// A server dies right after it stopped a run: the next one tells the targets why they were not asked.
func TestStopOutlivesItsServer(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	s := f.spec(unknown)
	s.Fleet = campaign.DefaultFleet()
	s.Fleet.Rate = campaign.Rate{Count: 1, Per: time.Hour}
	run := f.request(s)
	f.turn(time.Second)
	f.all(0, 2)
	const why = "stopped: a rule said so"
	if err := f.store.FinishRun(t.Context(), run, results.RunStopped, campaign.ExitUnproven, why); err != nil {
		t.Fatal(err)
	}
	f.serve()
	if c := f.target(run, 1).Coverage; c.State != ledger.Unasked || c.Reason != why {
		t.Errorf("%+v", c)
	}
	if c := f.target(run, 0).Coverage; c.State != ledger.Absent {
		t.Errorf("%+v", c)
	}
	if over, err := f.store.Expired(t.Context(), f.clock.time()); len(over) > 0 || err != nil {
		t.Errorf("%v is looked at for ever, %v", over, err)
	}
}

// A run that has finished and waits for late endpoints can be stopped: they are asked nothing more.
func TestStopOfLateEndpoints(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.clock.pass(time.Hour)
	f.poll(0)
	run := f.request(f.spec(unknown))
	f.turn(time.Second)
	f.work(0, false)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 1, ledger.Asleep: 1})
	f.wish(run, results.WishStop)
	f.turn(10 * time.Second)
	f.poll(1)
	f.turn(10 * time.Second)
	if h := f.poll(1); h != nil {
		t.Errorf("%s is handed out", h.Name)
	}
	f.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 1, ledger.Asleep: 1})
	if err := f.store.SetWish(t.Context(), run, results.WishPause); err == nil {
		t.Error("a run that is over is to pause")
	}
}

// The first attempt says that it is refused when the probe is out already: the lighter form still gets its turn.
func TestRefusalThatCameLate(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	run := f.request(f.spec(unknown))
	f.turn(time.Second)
	first := f.poll(0)
	for range 2 {
		f.turn(time.Minute)
		f.poll(0)
	}
	f.turn(time.Second)
	probe := f.poll(0)
	refused := func(name string) {
		f.deliver(0, ledger.Delivery{Name: name, Status: 1, Message: "distributed query is denylisted"})
	}
	refused(first.Name)
	refused(probe.Name)
	lighter := f.poll(0)
	if lighter == nil || !strings.HasSuffix(lighter.Name, "-a3") {
		t.Fatalf("then %+v", lighter)
	}
	f.deliver(0, ledger.Delivery{Name: lighter.Name, Rows: f.run(lighter.Text, false)})
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 1})
}

// The server's clock is set back by a day in mid-run: what is waited for is waited for no longer than without that.
func TestClockIsSetBackUnderAFleet(t *testing.T) {
	t.Parallel()
	for name, handed := range map[string]bool{"not heard of": false, "at work for ever": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 2)
			s := f.spec(unknown)
			s.Fleet = campaign.DefaultFleet()
			s.Fleet.Canary = 1
			run := f.request(s)
			f.turn(time.Second)
			if handed {
				f.poll(0)
			}
			f.turn(-24 * time.Hour)
			for range 3 {
				f.turn(time.Minute)
			}
			if n := f.work(1, false); n == 0 {
				t.Fatal("the others wait for the canary")
			}
			for range 20 {
				f.turn(time.Minute)
			}
			if sum := f.summary(run); sum.State != results.RunFinished || sum.States[ledger.Absent] != 1 {
				t.Errorf("%s, %v", sum.State, sum.States)
			}
		})
	}
}
