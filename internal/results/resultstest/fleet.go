package resultstest

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// Enrol stores a node without the room that enrols them, and gives the hash of its key.
func Enrol(t testing.TB, s *results.Store, id string) ledger.KeyHash {
	t.Helper()
	key := KeyOf(id)
	w, _ := s.DB()
	_, err := w.ExecContext(t.Context(), `INSERT INTO node (id, key_hash, identifier, hostname, platform, host, agent, version, instance, secret, address, approved, enrolled_at, last_seen)
		VALUES (?, ?, ?, ?, 'linux', '{}', 'osquery', '5.23.0', ?, 'main', '192.0.2.7', 1, ?, ?)`, id, key[:], "id of "+id, Hostname(id), "instance of "+id,
		stamp(At(-60)), stamp(At(-60)))
	ok(t, err)
	return key
}

// KeyOf gives the hash of the key that Enrol gives a node.
func KeyOf(id string) ledger.KeyHash { return sha256.Sum256([]byte("key of " + id)) }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// FleetPlan makes a plan that asks endpoints of the tool "fleet" two queries each, the cheap one first.
func FleetPlan(endpoints []string) results.SavedPlan {
	p := Plan(endpoints, nil)
	p.Queries = nil
	for _, e := range endpoints {
		for i, id := range []string{"running-1", "files-1"} {
			p.Queries = append(p.Queries, results.StoredQuery{Endpoint: e, Tool: "fleet", Seq: i, Query: Query(id)})
		}
	}
	return p
}

// StartFleet stores a run for a server, with a plan.
func StartFleet(t testing.TB, s *results.Store, id string, at time.Time, plan results.SavedPlan) {
	t.Helper()
	ctx := t.Context()
	ok(t, s.CreateRun(ctx, results.Run{ID: id, Hunt: "sweep", State: results.RunPlanned, StartedAt: at, DoneWhen: 1, Definition: []byte(`{}`), Served: true}))
	ok(t, s.SavePlan(ctx, id, plan))
	ok(t, s.SetRunState(ctx, id, results.RunRunning, "planned"))
}

// Delivered makes what a node answers under a name: of a query of FleetPlan, with the endpoint's coverage after it.
func Delivered(run, node, query string, attempt int, at time.Time, state ledger.State, proven bool, hits ...ledger.HitRow) results.DeliveryRecord {
	a := Answered(run, node, "fleet", at, state, proven, hits...)
	a.Query = Query(query)
	if state == ledger.Denylisted || state == ledger.Timeout {
		a.Answer = ledger.Answer{Failure: &ledger.Failure{State: state, Message: string(state)}, StartedAt: at, FinishedAt: at}
	}
	return results.DeliveryRecord{AnswerRecord: a, Name: ledger.PostName(run, query, attempt), At: at}
}

// fleetRun is a run on enrolled nodes, all of them let go.
func fleetRun(t *testing.T, s *results.Store, run string, at time.Time, nodes ...string) {
	t.Helper()
	StartFleet(t, s, run, at, FleetPlan(nodes))
	n, err := s.Release(t.Context(), run, "fleet", nodes, 0, at)
	ok(t, err)
	same(t, "let go", len(nodes), n)
}

// polls makes a node poll and checks what it gets; "" is nothing.
func polls(t *testing.T, s *results.Store, node string, at time.Time, want string) ledger.Polled {
	t.Helper()
	p, known, err := s.Poll(t.Context(), KeyOf(node), at)
	ok(t, err)
	if !known || p.Node.ID != node || (p.Handout != nil && p.Node.Agent != ledger.AgentOsquery) {
		t.Fatalf("node %s is %+v, known %t", node, p.Node, known)
	}
	got := ""
	if p.Handout != nil {
		got = p.Handout.Name
	}
	if got != want {
		t.Fatalf("node %s got %q at %s, want %q", node, got, at.Format(time.TimeOnly), want)
	}
	return p
}

func delivers(t *testing.T, s *results.Store, d results.DeliveryRecord) results.Recorded {
	t.Helper()
	r, err := s.RecordDelivery(t.Context(), d)
	ok(t, err)
	return r
}

func fleetLives(t *testing.T, s *results.Store) {
	ctx := t.Context()
	if _, known, err := s.Poll(ctx, ledger.KeyHash{7}, At(0)); known || err != nil {
		t.Fatalf("an unknown key: %t, %v", known, err)
	}
	Enrol(t, s, "n1")
	Enrol(t, s, "n2")
	polls(t, s, "n1", At(0), "")
	StartFleet(t, s, RunOne, At(0), FleetPlan([]string{"n1", "n2", "gone"}))
	polls(t, s, "n1", At(1), "") // its wave has not come
	todo, err := s.Unreleased(ctx, RunOne, 0)
	ok(t, err)
	same(t, "not let go", 3, len(todo))
	n, err := s.Release(ctx, RunOne, "fleet", []string{"n1"}, 1, At(1))
	ok(t, err)
	same(t, "let go", 1, n)
	n, err = s.Release(ctx, RunOne, "fleet", []string{"n1", "n2", "gone", "no target"}, 2, At(2))
	ok(t, err)
	same(t, "let go later", 2, n)

	first, second := ledger.PostName(RunOne, "running-1", 1), ledger.PostName(RunOne, "files-1", 1)
	got := polls(t, s, "n1", At(2), first)
	if got.Handout.Text != Query("running-1").Text || !got.Soon {
		t.Errorf("handed out %+v, soon %t", got.Handout, got.Soon)
	}
	polls(t, s, "n1", At(2).Add(5*time.Second), first) // the reply was lost
	posted, there, err := s.Posted(ctx, "n1", first)
	ok(t, err)
	same(t, "posted", results.PostedQuery{
		Node: "n1", Name: first, Run: RunOne, RunState: results.RunRunning, Hunt: "sweep", Tool: "fleet", Hostname: Hostname("n1"),
		ID: "running-1", Query: Query("running-1"), Attempt: 1, HandedAt: At(2),
	}, posted)
	if _, other, err := s.Posted(ctx, "n2", first); !there || other || err != nil {
		t.Errorf("another node's name: %t, %v", other, err)
	}
	same(t, "recorded", results.Recorded{Fresh: true, RunState: results.RunRunning, Next: true},
		delivers(t, s, Delivered(RunOne, "n1", "running-1", 1, At(3), ledger.Absent, true)))
	if got = polls(t, s, "n1", At(3), second); got.Soon {
		t.Error("the last query says that more is to come")
	}
	queries, err := s.EndpointQueries(ctx, RunOne, "n1", "fleet")
	ok(t, err)
	if len(queries) != 2 || len(queries[0].Verdicts) != 1 || queries[0].State != results.QueryAnswered || queries[1].State != results.QueryAsked || queries[1].Attempts != 1 {
		t.Errorf("the endpoint's queries: %+v", queries)
	}
	same(t, "recorded last", results.Recorded{Fresh: true, RunState: results.RunRunning, Settled: true},
		delivers(t, s, Delivered(RunOne, "n1", "files-1", 1, At(4), ledger.Hit, true, Row("/tmp/x"))))
	polls(t, s, "n1", At(5), "")
	counts, err := s.FleetCounts(ctx, RunOne)
	ok(t, err)
	same(t, "counts", results.FleetCounts{
		WaveCounts: results.WaveCounts{Targets: 3, Released: 3, Settled: 1, Answered: 1, States: map[ledger.State]int{ledger.Hit: 1, ledger.Unasked: 2}},
		Waves: []results.WaveCounts{
			{Wave: 1, Targets: 1, Released: 1, Settled: 1, Answered: 1, States: map[ledger.State]int{ledger.Hit: 1}},
			{Wave: 2, Targets: 2, Released: 2, States: map[ledger.State]int{ledger.Unasked: 2}},
		},
		Posts:      results.PostCounts{Due: 1}, // none for a target that never enrolled
		Prevalence: []results.Prevalence{{Indicator: Row("").Matched, Endpoints: 1}},
	}, counts)
	if r, err := s.Run(ctx, RunOne); err != nil || !r.Served {
		t.Errorf("the run: %+v, %v", r, err)
	}
}

func deliveredTwice(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Enrol(t, s, "n1")
	Enrol(t, s, "n2")
	fleetRun(t, s, RunOne, At(0), "n1", "n2")
	polls(t, s, "n1", At(1), ledger.PostName(RunOne, "running-1", 1))
	d := Delivered(RunOne, "n1", "running-1", 1, At(2), ledger.Hit, true, Row("/tmp/x"))
	for i := range 3 {
		d.At = At(2 + i)
		d.Answer.FinishedAt = d.At // the same rows come at another time
		same(t, "fresh", i == 0, delivers(t, s, d).Fresh)
	}
	for i := range 5 {
		other := Delivered(RunOne, "n1", "running-1", 1, At(10+i), ledger.Hit, true, Row(fmt.Sprintf("/tmp/y%d", i)))
		same(t, "another answer under the name is kept", i < 3, delivers(t, s, other).Fresh)
	}
	for what, change := range map[string]func(*results.DeliveryRecord){
		"another node's name": func(d *results.DeliveryRecord) { d.Endpoint = "n2" },
		"a name not handed":   func(d *results.DeliveryRecord) { d.Name = ledger.PostName(RunOne, "files-1", 1) },
		"an attempt not made": func(d *results.DeliveryRecord) { d.Name = ledger.PostName(RunOne, "running-1", 2) },
	} {
		wrong := d
		change(&wrong)
		_, err := s.RecordDelivery(ctx, wrong)
		t.Log(what)
		is(t, err, results.ErrNotPosted)
	}
	for what, change := range map[string]func(*results.DeliveryRecord){
		"another query": func(d *results.DeliveryRecord) { d.Query.ID = "files-1" },
		"another run":   func(d *results.DeliveryRecord) { d.Run = RunTwo },
		"another tool":  func(d *results.DeliveryRecord) { d.Tool = "edr" },
	} {
		wrong := d
		change(&wrong)
		_, err := s.RecordDelivery(ctx, wrong)
		t.Log(what)
		is(t, err, results.ErrNotPlanned)
	}
	answers, err := s.Answers(ctx, RunOne, "", "", "")
	ok(t, err)
	_, hits, err := s.Hits(ctx, results.Filter{})
	ok(t, err)
	same(t, "answers and hits", []int{4, 4}, []int{len(answers), hits})
	ok(t, s.Foreign(ctx, "n2", []string{ledger.PostName(RunOne, "files-9", 1)}, "it was never asked", At(20)))
	ok(t, s.Foreign(ctx, "n2", []string{"hunter-made-up\x1b"}, "it was never asked", At(20)))
	events, err := s.Events(ctx, RunOne, 0, 0)
	ok(t, err)
	n := map[string]int{}
	for _, e := range events {
		n[e.Kind]++
	}
	same(t, "events", map[string]int{"created": 1, "planned": 1, "running": 1, "released": 1, "answered": 4, "foreign": 3}, n)
	polls(t, s, "n1", At(30), ledger.PostName(RunOne, "files-1", 1))
}

func lostIsAskedAgain(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Enrol(t, s, "n1")
	fleetRun(t, s, RunOne, At(0), "n1")
	first := ledger.PostName(RunOne, "running-1", 1)
	polls(t, s, "n1", At(1), first)
	open, err := s.Open(ctx, RunOne, At(1))
	ok(t, err)
	same(t, "open at once", 0, len(open))
	open, err = s.Open(ctx, RunOne, At(2))
	ok(t, err)
	want := results.OpenPost{
		Node: "n1", Hostname: Hostname("n1"), Tool: "fleet", Name: first, ID: "running-1", Query: Query("running-1"), Attempt: 1,
		State: ledger.PostHanded, HandedAt: At(1), Hands: 1, Silent: true,
	}
	same(t, "handed long ago", []results.OpenPost{want}, open)
	polls(t, s, "n1", At(2), "")
	ok(t, s.Refused(ctx, "n1", At(2)))
	polls(t, s, "n1", At(3), "")
	ok(t, s.Foreign(ctx, "n1", []string{"hunter-x"}, "never asked", At(3)))
	polls(t, s, "n1", At(4), "")
	open, err = s.Open(ctx, RunOne, At(0))
	ok(t, err)
	same(t, "lost too early", 0, len(open))
	polls(t, s, "n1", At(5), "")
	open, err = s.Open(ctx, RunOne, At(0))
	ok(t, err)
	want.State, want.Silent = ledger.PostLost, false
	same(t, "lost", []results.OpenPost{want}, open)
	polls(t, s, "n1", At(6), "")

	ok(t, s.Repost(ctx, "n1", "not this", results.Post{Query: Query("running-1"), Attempt: 2}))
	ok(t, s.Repost(ctx, "n1", first, results.Post{Query: Query("running-1"), Attempt: 2}))
	ok(t, s.Repost(ctx, "n1", first, results.Post{Query: Query("running-1"), Attempt: 3})) // it is not lost any more
	second := ledger.PostName(RunOne, "running-1", 2)
	polls(t, s, "n1", At(7), second)
	// The first answer comes late, while the second attempt is on its way: both count, and nothing is asked a third time.
	same(t, "late", results.Recorded{Fresh: true, RunState: results.RunRunning}, delivers(t, s, Delivered(RunOne, "n1", "running-1", 1, At(8), ledger.Absent, true)))
	polls(t, s, "n1", At(9), "")
	next := ledger.PostName(RunOne, "files-1", 1)
	polls(t, s, "n1", At(10), next) // lost, and answered by then: the node goes on
	same(t, "on its way", results.Recorded{Fresh: true, RunState: results.RunRunning}, delivers(t, s, Delivered(RunOne, "n1", "running-1", 2, At(11), ledger.Absent, true)))
	// Nothing comes for the last one: hunter gives it up, and a later answer counts all the same.
	up := Delivered(RunOne, "n1", "files-1", 1, At(40), ledger.Timeout, false)
	up.GivenUp = true
	same(t, "given up", results.Recorded{Fresh: true, RunState: results.RunRunning, Settled: true}, delivers(t, s, up))
	same(t, "given up twice", results.Recorded{}, delivers(t, s, up))
	polls(t, s, "n1", At(41), "")
	posted, _, err := s.Posted(ctx, "n1", next)
	ok(t, err)
	if !posted.AnsweredAt.IsZero() {
		t.Error("given up is answered")
	}
	same(t, "after all", results.Recorded{Fresh: true, RunState: results.RunRunning, Settled: true}, delivers(t, s, Delivered(RunOne, "n1", "files-1", 1, At(50), ledger.Hit, true, Row("/tmp/x"))))
}

func lostByAnswer(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Enrol(t, s, "n1")
	fleetRun(t, s, RunOne, At(0), "n1")
	first := ledger.PostName(RunOne, "running-1", 1)
	polls(t, s, "n1", At(1), first)
	polls(t, s, "n1", At(2), "")
	polls(t, s, "n1", At(3), "")
	ok(t, s.Repost(ctx, "n1", first, results.Post{Query: Query("running-1"), Attempt: 2}))
	delivers(t, s, Delivered(RunOne, "n1", "running-1", 1, At(4), ledger.Absent, true)) // before the second is handed out
	polls(t, s, "n1", At(5), ledger.PostName(RunOne, "files-1", 1))
}
