package resultstest

import (
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// Moments long before and after any clock that a test may run by.
func longAgo() time.Time   { return time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC) }
func farFuture() time.Time { return time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC) }

func denylistedIsRemembered(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Enrol(t, s, "n1")
	fleetRun(t, s, RunOne, At(0), "n1")
	polls(t, s, "n1", At(1), ledger.PostName(RunOne, "running-1", 1))
	d := Delivered(RunOne, "n1", "running-1", 1, At(2), ledger.Denylisted, false)
	lighter := Query("running-1")
	lighter.Text += " /* attempt 3 */"
	d.Denylisted, d.Repost = true, &results.Post{Query: lighter, Attempt: 3}
	same(t, "recorded", results.Recorded{Fresh: true, RunState: results.RunRunning, Next: true}, delivers(t, s, d))
	same(t, "twice", results.Recorded{RunState: results.RunRunning}, delivers(t, s, d))
	third := ledger.PostName(RunOne, "running-1", 3)
	if got := polls(t, s, "n1", At(3), third); got.Handout.Text != lighter.Text {
		t.Errorf("asked again: %q", got.Handout.Text)
	}
	delivers(t, s, Delivered(RunOne, "n1", "running-1", 3, At(4), ledger.Absent, true))
	polls(t, s, "n1", At(5), ledger.PostName(RunOne, "files-1", 1))
	delivers(t, s, Delivered(RunOne, "n1", "files-1", 1, At(6), ledger.Absent, true))

	// Another run asks the same text: it is held, until it has other words. A day later it would not be.
	fleetRun(t, s, RunTwo, At(10), "n1")
	polls(t, s, "n1", At(11), "")
	open, err := s.Open(ctx, RunTwo, At(0))
	ok(t, err)
	name := ledger.PostName(RunTwo, "running-1", 1)
	same(t, "held", []results.OpenPost{{
		Node: "n1", Hostname: Hostname("n1"), Tool: "fleet", Name: name, ID: "running-1", Query: Query("running-1"), Attempt: 1, State: ledger.PostHeld, Silent: true,
	}}, open)
	ok(t, s.Repost(ctx, "n1", name, results.Post{Query: lighter, Attempt: 3}))
	polls(t, s, "n1", At(12), ledger.PostName(RunTwo, "running-1", 3))
	delivers(t, s, Delivered(RunTwo, "n1", "running-1", 3, At(13), ledger.Absent, true))
	polls(t, s, "n1", At(14), ledger.PostName(RunTwo, "files-1", 1))
	delivers(t, s, Delivered(RunTwo, "n1", "files-1", 1, At(15), ledger.Absent, true))
	later := "0193c000-0000-7000-8000-000000000003"
	fleetRun(t, s, later, At(25*60), "n1")
	polls(t, s, "n1", At(25*60), ledger.PostName(later, "running-1", 1))
}

// heldGivenUp: nothing lighter is left, and the query never went out.
func heldGivenUp(t *testing.T, s *results.Store) {
	Enrol(t, s, "n1")
	fleetRun(t, s, RunOne, At(0), "n1")
	polls(t, s, "n1", At(1), ledger.PostName(RunOne, "running-1", 1))
	d := Delivered(RunOne, "n1", "running-1", 1, At(2), ledger.Denylisted, false)
	d.Denylisted = true
	delivers(t, s, d)
	fleetRun(t, s, RunTwo, At(3), "n1")
	delivers(t, s, func() results.DeliveryRecord {
		polls(t, s, "n1", At(4), ledger.PostName(RunOne, "files-1", 1))
		return Delivered(RunOne, "n1", "files-1", 1, At(5), ledger.Absent, true)
	}())
	polls(t, s, "n1", At(6), "")
	up := Delivered(RunTwo, "n1", "running-1", 1, At(7), ledger.Denylisted, false)
	up.GivenUp = true
	same(t, "given up", results.Recorded{Fresh: true, RunState: results.RunRunning, Next: true}, delivers(t, s, up))
	polls(t, s, "n1", At(8), ledger.PostName(RunTwo, "files-1", 1))
}

func fleetIsShared(t *testing.T, s *results.Store) {
	Enrol(t, s, "n1")
	fleetRun(t, s, RunOne, At(0), "n1")
	fleetRun(t, s, RunTwo, At(0), "n1")
	var got []string
	for i := range 4 {
		p, _, err := s.Poll(t.Context(), KeyOf("n1"), At(1+i))
		ok(t, err)
		if p.Handout == nil {
			t.Fatalf("nothing at poll %d", i)
		}
		got = append(got, p.Handout.Name)
		posted, _, err := s.Posted(t.Context(), "n1", p.Handout.Name)
		ok(t, err)
		delivers(t, s, Delivered(posted.Run, "n1", posted.ID, 1, At(1+i), ledger.Absent, true))
	}
	same(t, "asked in turn", []string{
		ledger.PostName(RunOne, "running-1", 1), ledger.PostName(RunTwo, "running-1", 1), ledger.PostName(RunOne, "files-1", 1), ledger.PostName(RunTwo, "files-1", 1),
	}, got)
}

func fleetPauses(t *testing.T, s *results.Store) {
	ctx := t.Context()
	for _, n := range []string{"n1", "n2", "n3"} {
		Enrol(t, s, n)
	}
	fleetRun(t, s, RunOne, At(0), "n1", "n2", "n3")
	first := ledger.PostName(RunOne, "running-1", 1)
	polls(t, s, "n1", At(1), first)
	polls(t, s, "n1", At(2), "")
	polls(t, s, "n1", At(3), "")
	ok(t, s.Repost(ctx, "n1", first, results.Post{Query: Query("running-1"), Attempt: 2}))
	polls(t, s, "n3", At(3), first)
	fleetRun(t, s, RunTwo, At(4), "n1", "n2", "n3")
	if _, err := s.Park(ctx, RunOne); err == nil {
		t.Error("a run that goes on is parked")
	}
	ok(t, s.SetRunState(ctx, RunOne, results.RunPaused, "by a person"))
	polls(t, s, "n2", At(5), ledger.PostName(RunTwo, "running-1", 1)) // not parked yet, and not handed out all the same
	n, err := s.Park(ctx, RunOne)
	ok(t, err)
	same(t, "parked", 1, n) // n2 has gone on, n3 has it in hand
	polls(t, s, "n1", At(6), ledger.PostName(RunTwo, "running-1", 1))
	delivers(t, s, Delivered(RunTwo, "n1", "running-1", 1, At(7), ledger.Absent, true))
	polls(t, s, "n1", At(8), ledger.PostName(RunTwo, "files-1", 1))
	// An answer to a paused run counts; what its node is asked next is of the other run.
	same(t, "while paused", results.Recorded{Fresh: true, RunState: results.RunPaused, Next: true}, delivers(t, s, Delivered(RunOne, "n3", "running-1", 1, At(8), ledger.Absent, true)))
	polls(t, s, "n3", At(9), ledger.PostName(RunTwo, "running-1", 1))

	ok(t, s.SetRunState(ctx, RunOne, results.RunRunning, "by a person"))
	ok(t, s.Unpark(ctx, RunOne, At(10)))
	delivers(t, s, Delivered(RunTwo, "n1", "files-1", 1, At(11), ledger.Absent, true))
	polls(t, s, "n1", At(12), ledger.PostName(RunOne, "running-1", 2)) // the attempt that was parked
}

func fleetParksLost(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Enrol(t, s, "n1")
	fleetRun(t, s, RunOne, At(0), "n1")
	first := ledger.PostName(RunOne, "running-1", 1)
	polls(t, s, "n1", At(1), first)
	ok(t, s.SetRunState(ctx, RunOne, results.RunPaused, ""))
	_, err := s.Park(ctx, RunOne)
	ok(t, err)
	polls(t, s, "n1", At(2), "")
	polls(t, s, "n1", At(3), "") // lost while paused
	open, err := s.Open(ctx, RunOne, At(0))
	ok(t, err)
	same(t, "a paused run decides nothing", 0, len(open))
	ok(t, s.SetRunState(ctx, RunOne, results.RunRunning, ""))
	ok(t, s.Unpark(ctx, RunOne, At(4)))
	open, err = s.Open(ctx, RunOne, At(0))
	ok(t, err)
	if len(open) != 1 || open[0].Name != first || open[0].State != ledger.PostLost {
		t.Errorf("after the pause: %+v", open)
	}
}

func fleetStops(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Enrol(t, s, "n1")
	Enrol(t, s, "n2")
	fleetRun(t, s, RunOne, At(0), "n1", "n2")
	polls(t, s, "n1", At(1), ledger.PostName(RunOne, "running-1", 1))
	ok(t, s.FinishRun(ctx, RunOne, results.RunStopped, 3, "by a person"))
	n, err := s.Drop(ctx, RunOne)
	ok(t, err)
	same(t, "dropped", 1, n)
	polls(t, s, "n2", At(2), "")
	same(t, "after the end", results.Recorded{Fresh: true, Late: true, RunState: results.RunStopped},
		delivers(t, s, Delivered(RunOne, "n1", "running-1", 1, At(3), ledger.Hit, true, Row("/tmp/x"))))
	polls(t, s, "n1", At(4), "")
	r, err := s.Run(ctx, RunOne)
	ok(t, err)
	same(t, "hits, and hosts with them", []int{1, 1}, []int{r.HitsTotal, r.States[ledger.Hit]})
	for range 2 {
		ok(t, s.SetExitCode(ctx, RunOne, 1, "a late hit on n1"))
	}
	is(t, s.SetExitCode(ctx, "nothing", 1, ""), results.ErrNoRun)
	r, err = s.Run(ctx, RunOne)
	ok(t, err)
	events, err := s.Events(ctx, RunOne, 0, 0)
	ok(t, err)
	last := events[len(events)-1]
	if *r.ExitCode != 1 || last.Kind != results.EventLate || last.Detail != `{"exit_code":1,"reason":"a late hit on n1","was":3}` || events[len(events)-2].Kind == results.EventLate {
		t.Errorf("exit code %d, events %+v", *r.ExitCode, events)
	}
}

func fleetAsksLate(t *testing.T, s *results.Store) {
	ctx := t.Context()
	w, _ := s.DB()
	for _, n := range []string{"n1", "n2", "n3"} {
		Enrol(t, s, n)
	}
	plan := FleetPlan([]string{"n1", "n2", "n3"})
	for i := range 2 {
		plan.Targets[i].Coverage = ledger.Coverage{State: ledger.Asleep, Reason: "last seen yesterday"}
	}
	StartFleet(t, s, RunOne, At(0), plan)
	until := At(60)
	ok(t, s.SetLate(ctx, RunOne, until))
	is(t, s.SetLate(ctx, "nothing", until), results.ErrNoRun)
	todo, err := s.Unreleased(ctx, RunOne, 1)
	ok(t, err)
	if len(todo) != 1 || todo[0].Endpoint != "n3" {
		t.Errorf("the first to go: %+v", todo)
	}
	back, err := s.Returned(ctx, RunOne)
	ok(t, err)
	same(t, "none is back", 0, len(back))
	_, err = w.ExecContext(ctx, `UPDATE node SET last_seen = ? WHERE id <> 'n2'`, stamp(At(5)))
	ok(t, err)
	back, err = s.Returned(ctx, RunOne)
	ok(t, err)
	if len(back) != 1 || back[0].Endpoint != "n1" {
		t.Errorf("back: %+v", back)
	}
	ok(t, s.FinishRun(ctx, RunOne, results.RunFinished, 3, ""))
	_, err = s.Release(ctx, RunOne, "fleet", []string{"n1", "n2"}, 9, At(6))
	ok(t, err)
	polls(t, s, "n1", At(6), ledger.PostName(RunOne, "running-1", 1))
	same(t, "late", results.Recorded{Fresh: true, Late: true, Next: true, RunState: results.RunFinished},
		delivers(t, s, Delivered(RunOne, "n1", "running-1", 1, At(7), ledger.Absent, true)))
	polls(t, s, "n1", At(8), ledger.PostName(RunOne, "files-1", 1))
	polls(t, s, "n2", until, "") // too late
	counts, err := s.FleetCounts(ctx, RunOne)
	ok(t, err)
	same(t, "late until", until, counts.Late)
}

func servers(t *testing.T, s *results.Store) {
	ctx := t.Context()
	if _, there, err := s.LastServer(ctx); there || err != nil {
		t.Fatalf("a server before any: %v", err)
	}
	one := results.ServerInfo{ID: "s1", Host: "hq", PID: 77, Address: "https://127.0.0.1:8443", Version: "0.6.0", StartedAt: At(0)}
	ok(t, s.RegisterServer(ctx, one))
	live := func(at time.Time, want string) {
		t.Helper()
		i, there, err := s.LiveServer(ctx, at)
		ok(t, err)
		if there != (want != "") || i.ID != want {
			t.Errorf("alive at %s: %q, %t", at, i.ID, there)
		}
	}
	live(At(0).Add(14*time.Second), "s1")
	live(At(0).Add(16*time.Second), "")
	ok(t, s.BeatServer(ctx, "s1", At(1)))
	is(t, s.BeatServer(ctx, "s9", At(1)), results.ErrNoServer)
	live(At(1).Add(14*time.Second), "s1")
	last, _, err := s.LastServer(ctx)
	ok(t, err)
	one.BeatAt = At(1)
	same(t, "last", one, last)

	StartFleet(t, s, RunOne, At(0), FleetPlan([]string{"n1"}))
	Start(t, s, RunTwo, "local", At(1), Plan([]string{"h1"}, nil))
	claim := func(server string, until time.Time, want bool) {
		t.Helper()
		got, err := s.ClaimRun(ctx, RunOne, server, until)
		ok(t, err)
		same(t, "claimed by "+server, want, got)
	}
	claimable := func(want ...string) {
		t.Helper()
		got, err := s.Claimable(ctx, farFuture().Add(-time.Hour))
		ok(t, err)
		same(t, "to be claimed", want, got)
	}
	claimable(RunOne)
	claim("s1", farFuture(), true)
	claim("s2", farFuture(), false)
	claimable()
	claim("s1", longAgo(), true) // prolonged to a moment that is over
	claimable(RunOne)
	claim("s2", farFuture(), true)
	renewed, err := s.RenewRun(ctx, RunOne, "s1", farFuture())
	ok(t, err)
	same(t, "renewed by one that lost it", false, renewed)
	ok(t, s.ReleaseRun(ctx, RunOne, "s1")) // not its own
	claim("s1", farFuture(), false)
	ok(t, s.ReleaseRun(ctx, RunOne, "s2"))
	claim("s1", farFuture(), true)
	ok(t, s.StopServer(ctx, "s1", At(2)))
	live(At(2), "")
	claimable(RunOne)
	if got, err := s.ClaimRun(ctx, RunTwo, "s1", farFuture()); got || err != nil {
		t.Errorf("a local run is claimed: %v", err)
	}
}

func wishes(t *testing.T, s *results.Store) {
	ctx := t.Context()
	StartFleet(t, s, RunOne, At(0), FleetPlan([]string{"n1"}))
	Start(t, s, RunTwo, "local", At(1), Plan([]string{"h1"}, nil))
	for _, wish := range []string{results.WishPause, results.WishPause, results.WishStop, ""} {
		ok(t, s.SetWish(ctx, RunOne, wish))
		got, err := s.Wish(ctx, RunOne)
		ok(t, err)
		same(t, "wish", wish, got)
	}
	if err := s.SetWish(ctx, RunOne, "explode"); err == nil {
		t.Error("any word is a wish")
	}
	is(t, s.SetWish(ctx, "nothing", results.WishStop), results.ErrNoRun)
	is(t, s.SetWish(ctx, RunTwo, results.WishStop), results.ErrNotServed)
	_, err := s.Wish(ctx, "nothing")
	is(t, err, results.ErrNoRun)
	ok(t, s.FinishRun(ctx, RunOne, results.RunFinished, 0, ""))
	is(t, s.SetWish(ctx, RunOne, results.WishStop), results.ErrRunOver)
	ok(t, s.SetLate(ctx, RunOne, farFuture())) // as long as it asks late endpoints it can be stopped
	ok(t, s.SetWish(ctx, RunOne, results.WishStop))
	lists := func(late, expired int) {
		t.Helper()
		a, err := s.Late(ctx, At(0))
		ok(t, err)
		b, err := s.Expired(ctx, At(0))
		ok(t, err)
		same(t, "late and expired runs", []int{late, expired}, []int{len(a), len(b)})
	}
	lists(1, 0)
	_, err = s.Release(ctx, RunOne, "fleet", []string{"n1"}, 0, At(0))
	ok(t, err)
	ok(t, s.SetLate(ctx, RunOne, longAgo()))
	lists(0, 1)
	_, err = s.Drop(ctx, RunOne)
	ok(t, err)
	lists(0, 0)
}

func errands(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Enrol(t, s, "n1")
	fleetRun(t, s, RunOne, At(0), "n1")
	errand := func(name string) results.Errand {
		return results.Errand{Node: "n1", Name: name, Query: ledger.Query{Text: "SELECT '" + name + "'"}}
	}
	nobody := errand("a")
	nobody.Node = "nobody"
	n, err := s.Send(ctx, []results.Errand{errand("b"), errand("a"), nobody, errand("a")}, At(1))
	ok(t, err)
	same(t, "taken", 2, n)
	polls(t, s, "n1", At(2), ledger.PostName(RunOne, "running-1", 1)) // it lay there before
	delivers(t, s, Delivered(RunOne, "n1", "running-1", 1, At(3), ledger.Absent, true))
	polls(t, s, "n1", At(3), ledger.PostName(RunOne, "files-1", 1)) // a run goes first
	delivers(t, s, Delivered(RunOne, "n1", "files-1", 1, At(4), ledger.Absent, true))
	if got := polls(t, s, "n1", At(4), "a"); got.Handout.Text != "SELECT 'a'" {
		t.Errorf("handed out %+v", got.Handout)
	}
	posted, _, err := s.Posted(ctx, "n1", "a")
	ok(t, err)
	if posted.Run != "" || posted.Query.Text != "SELECT 'a'" || posted.Hostname != Hostname("n1") {
		t.Errorf("posted: %+v", posted)
	}
	for _, want := range []bool{true, false} {
		first, err := s.Done(ctx, "n1", "a", At(5))
		ok(t, err)
		same(t, "first", want, first)
	}
	_, err = s.Done(ctx, "n1", ledger.PostName(RunOne, "running-1", 1), At(5))
	is(t, err, results.ErrNotPosted)
	polls(t, s, "n1", At(6), "b")
	polls(t, s, "n1", At(7), "")
	polls(t, s, "n1", At(8), "")                               // the errand is lost; who sent it sends another
	n, err = s.Send(ctx, []results.Errand{errand("b")}, At(9)) // never under a name that was used
	ok(t, err)
	same(t, "taken again", 0, n)
	var many []results.Errand
	for _, c := range "cdefghijklmnopqrstuvwxyz" {
		many = append(many, errand(string(c)))
	}
	n, err = s.Send(ctx, many, At(10))
	ok(t, err)
	same(t, "one lies ready, and most that wait", 17, n)
}

// errandsStepAside: a run that comes, or goes on, takes the place of an errand that nobody has fetched yet, and none is lost.
func errandsStepAside(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Enrol(t, s, "n1")
	Enrol(t, s, "n2")
	errand := func(node, name string) results.Errand {
		return results.Errand{Node: node, Name: name, Query: ledger.Query{Text: "SELECT '" + name + "'"}}
	}
	_, err := s.Send(ctx, []results.Errand{errand("n1", "a"), errand("n1", "b"), errand("n2", "c")}, At(1))
	ok(t, err)
	polls(t, s, "n2", At(2), "c")
	fleetRun(t, s, RunOne, At(3), "n1", "n2")
	polls(t, s, "n2", At(4), "") // what was fetched is awaited
	polls(t, s, "n1", At(4), ledger.PostName(RunOne, "running-1", 1))
	delivers(t, s, Delivered(RunOne, "n1", "running-1", 1, At(5), ledger.Absent, true))
	ok(t, s.SetRunState(ctx, RunOne, results.RunPaused, "by a person"))
	_, err = s.Park(ctx, RunOne)
	ok(t, err)
	ok(t, s.SetRunState(ctx, RunOne, results.RunRunning, "by a person"))
	ok(t, s.Unpark(ctx, RunOne, At(6)))
	polls(t, s, "n1", At(7), ledger.PostName(RunOne, "files-1", 1))
	delivers(t, s, Delivered(RunOne, "n1", "files-1", 1, At(8), ledger.Absent, true))
	for i, name := range []string{"b", "a", ""} { // the one that stepped aside last comes last
		polls(t, s, "n1", At(9+i), name)
		if name != "" {
			_, err := s.Done(ctx, "n1", name, At(9+i))
			ok(t, err)
		}
	}
}
