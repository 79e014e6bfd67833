package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// asked gives a fleet of two with a run whose first question node 0 has.
func asked(t *testing.T) (f *fleet, run string, h *ledger.Handout) {
	t.Helper()
	f = newFleet(t, 2)
	run = f.request(f.spec(f.digest))
	f.turn(time.Second)
	if h = f.poll(0); h == nil {
		t.Fatal("nothing is asked")
	}
	return f, run, h
}

// copied gives rows that may be changed.
func copied(rows []ledger.Row) []ledger.Row {
	out := make([]ledger.Row, len(rows))
	for i, r := range rows {
		out[i] = maps.Clone(r)
	}
	return out
}

// Whatever an agent sends, it is acknowledged, has its place, and proves no more than it can.
func TestAnswersOfAllSorts(t *testing.T) {
	t.Parallel()
	hit := ledger.Row{"kind": "hit", "path": "/x"}
	for name, c := range map[string]struct {
		change func(f *fleet, h *ledger.Handout, rows []ledger.Row) ledger.Delivery
		with   bool
		state  ledger.State
		reason string
		hits   int
	}{
		"good": {func(_ *fleet, h *ledger.Handout, rows []ledger.Row) ledger.Delivery {
			return ledger.Delivery{Name: h.Name, Rows: rows}
		}, false, ledger.Absent, "", 0},
		"cut, with a hit": {func(_ *fleet, h *ledger.Handout, rows []ledger.Row) ledger.Delivery {
			return ledger.Delivery{Name: h.Name, Rows: rows, Cut: "answer too large: 1.2 GiB"}
		}, true, ledger.Hit, "answer too large", 1},
		"cut": {func(_ *fleet, h *ledger.Handout, rows []ledger.Row) ledger.Delivery {
			return ledger.Delivery{Name: h.Name, Rows: rows[:3], Cut: "answer too large: 1.2 GiB"}
		}, false, ledger.Error, "answer too large", 0},
		"a row is missing": {func(_ *fleet, h *ledger.Handout, rows []ledger.Row) ledger.Delivery {
			return ledger.Delivery{Name: h.Name, Rows: rows[:len(rows)-1]}
		}, false, ledger.Unverified, "control", 0},
		"more rows than an answer has": {func(_ *fleet, h *ledger.Handout, rows []ledger.Row) ledger.Delivery {
			for i := range ledger.ListMax + 1 {
				rows = append(rows, ledger.Row{"kind": "unhashed", "path": fmt.Sprint("/", i)})
			}
			return ledger.Delivery{Name: h.Name, Rows: rows}
		}, false, ledger.Unverified, "unhashed files are listed instead of", 0},
		"other columns": {func(_ *fleet, h *ledger.Handout, _ []ledger.Row) ledger.Delivery {
			return ledger.Delivery{Name: h.Name, Rows: []ledger.Row{{"pid": "1", "name": "init"}}}
		}, false, ledger.Unverified, "a row of unknown kind", 0},
		"nothing": {func(_ *fleet, h *ledger.Handout, _ []ledger.Row) ledger.Delivery {
			return ledger.Delivery{Name: h.Name}
		}, false, ledger.Unverified, "0 meta rows", 0},
		"hits that nobody asked for": {func(_ *fleet, h *ledger.Handout, rows []ledger.Row) ledger.Delivery {
			lie := maps.Clone(hit)
			lie["sha256"] = unknown
			return ledger.Delivery{Name: h.Name, Rows: append(rows, lie, lie)}
		}, false, ledger.Unverified, "2 hit rows carry no digest that was asked for", 0},
		"no such table": {func(_ *fleet, h *ledger.Handout, _ []ledger.Row) ledger.Delivery {
			return ledger.Delivery{Name: h.Name, Status: 1, Message: "no such table: hash"}
		}, false, ledger.Unsupported, "no such table", 0},
		"of another instance, with a hit": {func(f *fleet, h *ledger.Handout, rows []ledger.Row) ledger.Delivery {
			f.nodes[0].Instance = "another"
			rows[slices.IndexFunc(rows, func(r ledger.Row) bool { return r["kind"] == "meta" })]["owner"] = "one"
			return ledger.Delivery{Name: h.Name, Rows: rows}
		}, true, ledger.Hit, ledger.TwoMachines, 1},
		"of a twin": {func(f *fleet, h *ledger.Handout, rows []ledger.Row) ledger.Delivery {
			f.nodes[0].Twin = ledger.TwoMachines + ": node x"
			return ledger.Delivery{Name: h.Name, Rows: rows}
		}, false, ledger.Unverified, ledger.TwoMachines + ": node x", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, run, h := asked(t)
			f.deliver(0, c.change(f, h, copied(f.run(h.Text, c.with))))
			got := f.target(run, 0).Coverage
			if got.State != c.state || !strings.Contains(got.Reason, c.reason) || (got.Proven && c.state != ledger.Absent) || f.summary(run).HitsTotal != c.hits {
				t.Errorf("%+v, %d hits", got, f.summary(run).HitsTotal)
			}
			if next := f.poll(0); next != nil {
				t.Errorf("it is asked %s next", next.Name)
			}
		})
	}
}

// An answer under a name that the node was never given is acknowledged, counted and told; it changes nothing.
func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	f, run, h := asked(t)
	rows := f.run(h.Text, true)
	other := f.poll(1)
	f.deliver(1, ledger.Delivery{Name: ledger.PostName(run, "00-files-any-07", 1), Rows: rows})
	f.deliver(1, ledger.Delivery{Name: "hunter-nonsense", Rows: rows})
	f.deliver(1, ledger.Delivery{Name: "", Rows: rows})
	if n := len(f.events(run, results.EventForeign)); n != 1 {
		t.Errorf("%d events of this run", n)
	}
	if sum := f.summary(run); sum.HitsTotal != 0 || sum.States[ledger.Unasked] != 2 {
		t.Errorf("%+v", sum)
	}
	f.deliver(1, ledger.Delivery{Name: other.Name, Rows: f.run(other.Text, false)})
	if c := f.target(run, 1).Coverage; c.State != ledger.Absent {
		t.Errorf("%+v", c)
	}
}

// The same answer twice, or merged with others, doubles nothing; a different one under the same name adds its hits.
func TestAnswerTwice(t *testing.T) {
	t.Parallel()
	f, run, h := asked(t)
	for range 3 {
		f.deliver(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, false)})
		f.clock.pass(time.Second)
	}
	if n := len(f.events(run, results.EventAnswered)); n != 1 {
		t.Errorf("%d answers are recorded", n)
	}
	for range 2 {
		f.deliver(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, true)})
	}
	if sum := f.summary(run); sum.HitsTotal != 1 || sum.States[ledger.Hit] != 1 {
		t.Errorf("%+v", sum)
	}
}

// An answer after the run was stopped is kept and told as late, and its hit counts.
func TestAnswerAfterTheEnd(t *testing.T) {
	t.Parallel()
	f, run, h := asked(t)
	if err := f.store.SetWish(t.Context(), run, results.WishStop); err != nil {
		t.Fatal(err)
	}
	f.turn(time.Second)
	f.deliver(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, true)})
	f.turn(time.Second)
	f.wants(run, results.RunStopped, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 1})
	answered := f.events(run, results.EventAnswered)
	if len(answered) != 1 || !strings.Contains(answered[0].Detail, `"late":true`) {
		t.Errorf("%+v", answered)
	}
}

// Many deliveries of one endpoint at once give the standing that they give one after another.
func TestDeliveriesAtOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	s := f.spec(unknown)
	s.Search.Where = []ledger.Stage{ledger.Autoruns, ledger.Files}
	run := f.request(s)
	f.turn(time.Second)
	first := f.poll(0)
	f.deliver(0, ledger.Delivery{Name: first.Name, Rows: f.run(first.Text, false)})
	second := f.poll(0)
	var wg sync.WaitGroup
	errs := make(chan error, 20)
	for i := range 20 {
		h := []*ledger.Handout{first, second}[i%2]
		rows := f.run(h.Text, false)
		wg.Go(func() { errs <- f.try(0, ledger.Delivery{Name: h.Name, Rows: rows}) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if c := f.target(run, 0).Coverage; c.State != ledger.Absent || !c.Proven {
		t.Errorf("%+v", c)
	}
}

// What hunter asked for itself goes to whom it is for; an error there makes the agent deliver again.
func TestFaultOfTheStoreIsToldToTheAgent(t *testing.T) {
	t.Parallel()
	f, _, h := asked(t)
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.try(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, false)}); err == nil || errors.Is(err, results.ErrNotPosted) {
		t.Errorf("an answer that is not stored is acknowledged: %v", err)
	}
}

// What had vanished while it was looked at is asked once more, as a question of its own, and then proven.
func TestVanishedIsAskedAgain(t *testing.T) {
	t.Parallel()
	f, run, h := asked(t)
	rows := copied(f.run(h.Text, false))
	gone := f.root + "/a.txt"
	for _, r := range rows {
		switch {
		case r["kind"] == "count" && r["name"] == "missing":
			r["n"] = "1"
		case r["kind"] == "count" && r["name"] == "hashed":
			r["n"] = "2"
		}
	}
	rows = append(rows, ledger.Row{"kind": "missing", "path": gone, "size": "1", "pid": "0"})
	f.deliver(0, ledger.Delivery{Name: h.Name, Rows: rows})
	if c := f.target(run, 0).Coverage; c.State != ledger.Partial || !strings.Contains(c.Reason, "listed and then without a digest") {
		t.Fatalf("%+v", c)
	}
	f.turn(time.Second)
	f.wants(run, results.RunRunning, -1, nil)
	again := f.poll(0)
	if again == nil || !strings.Contains(again.Text, gone) || !strings.Contains(again.Name, "#recheck") {
		t.Fatalf("then %+v", again)
	}
	f.deliver(0, ledger.Delivery{Name: again.Name, Rows: f.run(again.Text, false)})
	if c := f.target(run, 0).Coverage; c.State != ledger.Absent || !c.Proven {
		t.Errorf("%+v", c)
	}
	if h := f.poll(0); h != nil {
		t.Errorf("it is asked %s next", h.Name)
	}
}

// strangers counts how often answers are counted that nobody asked for.
type strangers struct {
	campaign.Inbox
	calls, names int
}

func (s *strangers) Foreign(ctx context.Context, node string, names []string, why string, at time.Time) error {
	s.calls, s.names = s.calls+1, s.names+len(names)
	return s.Inbox.Foreign(ctx, node, names, why, at)
}

// An agent that makes up thousands of names in one write costs one commit, and few events.
func TestManyForeignAnswers(t *testing.T) {
	t.Parallel()
	f, run, _ := asked(t)
	s := &strangers{Inbox: f.store}
	r := campaign.NewReceiver(s, campaign.ReceiverOptions{})
	var got []ledger.Delivery
	for i := range 3000 {
		got = append(got, ledger.Delivery{Name: ledger.PostName(run, fmt.Sprint("made-up-", i), 1), ReceivedAt: f.clock.time()})
	}
	for range 2 {
		if err := r.Deliver(t.Context(), f.nodes[0], got); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.events(run, results.EventForeign)); s.calls != 2 || s.names != 6000 || n != 100 {
		t.Errorf("%d calls for %d names, %d events", s.calls, s.names, n)
	}
}
