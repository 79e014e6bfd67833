package campaign_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// What a hunt says of a fleet is in the run's definition; what it does not say is the default, and so is a definition without.
func TestFleetSettings(t *testing.T) {
	t.Parallel()
	spec, err := campaign.FromHunt(&hunts.Set{}, hunts.Hunt{}, true)
	if err != nil || spec.Fleet != campaign.DefaultFleet() {
		t.Errorf("%+v, %v", spec.Fleet, err)
	}
	if got := (campaign.Fleet{}).Settled(); got != campaign.DefaultFleet() {
		t.Errorf("%+v", got)
	}
	h := hunts.Hunt{}
	canary, timeout, late := 7, hunts.Percent(30), hunts.Duration(time.Hour)
	h.Run.Canary, h.Run.Rate, h.Run.Late, h.Run.StopIf.Timeout = &canary, &hunts.Rate{Count: 2, Per: time.Second}, &late, &timeout
	spec, err = campaign.FromHunt(&hunts.Set{}, h, true)
	want := campaign.DefaultFleet()
	want.Canary, want.Rate, want.Late, want.StopIf.Timeout = 7, campaign.Rate{Count: 2, Per: time.Second}, time.Hour, 0.3
	if err != nil || spec.Fleet != want {
		t.Errorf("%+v, %v", spec.Fleet, err)
	}
}

// A run on this machine and a fleet asks both side by side, and ends when both have answered. A process that is no server asks
// the fleet nothing.
func TestFleetBesideThisMachine(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	here := local.New("this-machine", local.Options{})
	t.Cleanup(func() { _ = here.Close() })
	f.serveTool(f.tool, here)
	s := f.spec(unknown)
	s.Tools = nil
	run := f.request(s)
	f.turn(time.Second)
	f.turn(time.Second)
	f.wants(run, results.RunRunning, -1, map[ledger.State]int{ledger.Absent: 1, ledger.Unasked: 2})

	c := newCampaign(f.store, here)
	c.Tools = []edr.Tool{here, f.tool}
	out, err := c.Resume(t.Context(), run)
	if err != nil || !out.Detached || out.Summary.State != results.RunRunning || out.ExitCode != campaign.ExitUnproven {
		t.Fatalf("%+v, %v", out, err)
	}
	f.all(0, 2)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 3})
}

// A steward ends with its context, whatever it has begun, and its runs are anybody's at once.
func TestStewardEnds(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	run := f.request(f.spec(unknown))
	ctx, cancel := context.WithCancel(t.Context())
	ticks, ended := make(chan time.Time), make(chan struct{})
	s := f.steward
	go func() {
		defer close(ended)
		s.Run(ctx, ticks)
	}()
	s.Wake()
	for range 3 {
		ticks <- f.clock.time()
	}
	cancel()
	<-ended
	f.serve()
	f.turn(time.Second)
	f.all(0, 3)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 3})
}

// A run that can't be planned fails with its reason, and no other run minds.
func TestFleetRunThatFails(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	bad := f.spec(unknown)
	bad.Tools = []string{"fleet", "nobody"}
	lost, good := f.request(bad), f.request(f.spec(unknown))
	f.turn(time.Second)
	f.all(0, 1)
	f.turn(time.Second)
	f.wants(lost, results.RunFailed, campaign.ExitError, nil)
	if e := f.summary(lost).Error; !strings.Contains(e, `no tool named "nobody"`) {
		t.Errorf("%q", e)
	}
	f.wants(good, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 1})
}

// Two runs share a node: each is asked in its turn, one question at a time.
func TestTwoRunsShareANode(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	s := f.spec(unknown)
	s.Search.Where = []ledger.Stage{ledger.Autoruns, ledger.Files}
	a, b := f.request(s), f.request(s)
	f.turn(time.Second)
	var order []string
	for h := f.poll(0); h != nil; h = f.poll(0) {
		f.clock.pass(time.Second)
		order = append(order, map[bool]string{true: "a", false: "b"}[strings.Contains(h.Name, a)])
		f.deliver(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, false)})
	}
	if got := strings.Join(order, ""); got != "abab" && got != "baba" {
		t.Errorf("asked in the order %s", got)
	}
	f.turn(time.Second)
	for _, run := range []string{a, b} {
		f.wants(run, results.RunFinished, campaign.ExitProven, map[ledger.State]int{ledger.Absent: 1})
	}
}

// A run that takes no late answers goes to its end all the same; one that never ends expires, and says so.
func TestLateIsNotTheEnd(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.clock.pass(time.Hour)
	f.poll(0)
	s := f.spec(unknown)
	s.Fleet = campaign.DefaultFleet()
	s.Fleet.Late = 0
	run := f.request(s)
	f.turn(time.Second)
	f.all(0, 1)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 1, ledger.Asleep: 2})
	f.poll(1)
	f.turn(time.Second)
	if h := f.poll(1); h != nil {
		t.Errorf("it is asked %s after the end", h.Name)
	}

	f.poll(2)
	s.Fleet.Canary, s.Fleet.Rate = 0, campaign.Rate{Count: 1, Per: 1000 * time.Hour}
	slow := f.request(s)
	f.turn(time.Second)
	f.turn(14 * 24 * time.Hour)
	f.wants(slow, results.RunStopped, campaign.ExitUnproven, map[ledger.State]int{ledger.Asleep: 1, ledger.Unasked: 2}) // the one that was let go did not come
	if e := f.summary(slow).Error; !strings.Contains(e, "expired") {
		t.Errorf("%q", e)
	}
}
