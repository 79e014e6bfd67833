package results_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// fleetOf makes a store with enrolled nodes and a run that has let all of them go.
func fleetOf(t testing.TB, n int, opt results.Options) (*results.Store, []string) {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "hunter.db"), opt)
	nodes := make([]string, n)
	for i := range nodes {
		nodes[i] = fmt.Sprintf("n%05d", i)
	}
	enrolAll(t, s, nodes)
	resultstest.StartFleet(t, s, resultstest.RunOne, resultstest.At(0), resultstest.FleetPlan(nodes))
	if got, err := s.Release(t.Context(), resultstest.RunOne, "fleet", nodes, 0, resultstest.At(0)); err != nil || got != n {
		t.Fatalf("%d let go, %v", got, err)
	}
	return s, nodes
}

func enrolAll(t testing.TB, s *results.Store, nodes []string) {
	t.Helper()
	w, _ := s.DB()
	execAll(t, w, `PRAGMA synchronous = OFF`)
	for _, n := range nodes {
		resultstest.Enrol(t, s, n)
	}
	execAll(t, w, `PRAGMA synchronous = FULL`)
}

// TestManyPollAndDeliver has 64 agents at once poll, answer everything they get, some of it twice and some wrongly.
func TestManyPollAndDeliver(t *testing.T) {
	s, nodes := fleetOf(t, 64, results.Options{})
	var all sync.WaitGroup
	for i, node := range nodes {
		all.Go(func() {
			if err := agentLives(t.Context(), s, node, i); err != nil {
				t.Error(node, err)
			}
		})
	}
	all.Wait()
	c, err := s.FleetCounts(t.Context(), resultstest.RunOne)
	if err != nil || c.Settled != 64 || c.Answered != 64 || c.States[ledger.Hit] != 32 || c.States[ledger.Absent] != 32 || c.Posts != (results.PostCounts{}) {
		t.Errorf("counts %+v, %v", c, err)
	}
	if len(c.Prevalence) != 1 || c.Prevalence[0].Endpoints != 32 {
		t.Errorf("prevalence %+v", c.Prevalence)
	}
	answers, err := s.Answers(t.Context(), resultstest.RunOne, "", "", "")
	if err != nil || len(answers) != 128 {
		t.Errorf("%d answers, %v", len(answers), err)
	}
	_, hits, err := s.Hits(t.Context(), results.Filter{})
	if err != nil || hits != 64 {
		t.Errorf("%d hits, %v", hits, err)
	}
}

// agentLives polls until nothing is due and delivers each answer twice; each delivery goes out beside one that must be refused.
func agentLives(ctx context.Context, s *results.Store, node string, i int) error {
	for at := resultstest.At(1); ; at = at.Add(time.Minute) {
		p, _, err := s.Poll(ctx, resultstest.KeyOf(node), at)
		if err != nil || p.Handout == nil {
			return err
		}
		posted, there, err := s.Posted(ctx, node, p.Handout.Name)
		if err != nil || !there {
			return fmt.Errorf("posted: %t, %w", there, err)
		}
		d := resultstest.Delivered(posted.Run, node, posted.ID, posted.Attempt, at, ledger.Absent, true)
		if i%2 == 0 {
			d = resultstest.Delivered(posted.Run, node, posted.ID, posted.Attempt, at, ledger.Hit, true, resultstest.Row("/tmp/"+posted.ID))
		}
		wrong := d
		wrong.Name = "hunter-made-up"
		unplanned := d
		unplanned.Query.ID = "nobody planned this"
		for _, x := range []struct {
			d    results.DeliveryRecord
			want error
		}{{wrong, results.ErrNotPosted}, {d, nil}, {unplanned, results.ErrNotPlanned}, {d, nil}} {
			if _, err := s.RecordDelivery(ctx, x.d); !errors.Is(err, x.want) {
				return fmt.Errorf("%s is %w, want %w", x.d.Name, err, x.want)
			}
		}
	}
}

// TestDeliveriesOnAFullDisk gives a database no more room at some point: what was acknowledged is there, nothing else, and no half.
func TestDeliveriesOnAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	const n = 64
	s := open(t, path, results.Options{})
	var nodes []string
	for i := range n {
		nodes = append(nodes, fmt.Sprintf("n%02d", i))
	}
	enrolAll(t, s, nodes)
	resultstest.StartFleet(t, s, resultstest.RunOne, resultstest.At(0), resultstest.FleetPlan(nodes))
	if _, err := s.Release(t.Context(), resultstest.RunOne, "fleet", nodes, 0, resultstest.At(0)); err != nil {
		t.Fatal(err)
	}
	for _, node := range nodes {
		if _, _, err := s.Poll(t.Context(), resultstest.KeyOf(node), resultstest.At(1)); err != nil {
			t.Fatal(err)
		}
	}
	var pages int
	w, _ := s.DB()
	if err := w.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, results.Options{MaxPages: pages + 60})
	acknowledged := make([]bool, n)
	deliver := func(i int) error {
		var rows []ledger.HitRow
		for k := range 20 {
			rows = append(rows, resultstest.Row(fmt.Sprintf("/tmp/%s/%d", strings.Repeat("x", 200), k)))
		}
		_, err := s.RecordDelivery(t.Context(), resultstest.Delivered(resultstest.RunOne, nodes[i], "running-1", 1, resultstest.At(2), ledger.Hit, true, rows...))
		return err
	}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			err := deliver(i)
			acknowledged[i] = err == nil
			if err != nil && !errors.Is(err, results.ErrFull) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	check := func(s *results.Store) (there int) {
		t.Helper()
		for i, node := range nodes {
			queries, err := s.EndpointQueries(t.Context(), resultstest.RunOne, node, "fleet")
			if err != nil {
				t.Fatal(err)
			}
			_, hits, err := s.Hits(t.Context(), results.Filter{Host: node})
			if err != nil {
				t.Fatal(err)
			}
			posted, _, err := s.Posted(t.Context(), node, ledger.PostName(resultstest.RunOne, "running-1", 1))
			if err != nil {
				t.Fatal(err)
			}
			got := len(queries[0].Verdicts) == 1
			if got != acknowledged[i] || got != (hits == 20) || got != (queries[0].State == results.QueryAnswered) || got == posted.AnsweredAt.IsZero() {
				t.Errorf("%s: acknowledged %t, %d verdicts, %d hits, %s, answered at %s", node, acknowledged[i], len(queries[0].Verdicts), hits, queries[0].State, posted.AnsweredAt)
			}
			if got {
				there++
			}
		}
		return there
	}
	if there := check(s); there == n {
		t.Fatal("the disk was not full")
	}
	if err := s.Refused(t.Context(), nodes[0], resultstest.At(2)); err != nil && !errors.Is(err, results.ErrFull) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, results.Options{}) // there is room again, and the agents deliver what they kept
	check(s)
	for i := range n {
		if err := deliver(i); err != nil {
			t.Fatal(err)
		}
		acknowledged[i] = true
	}
	check(s)
}

// TestACallerThatEnds takes its write back, or has it done; others are not concerned.
func TestACallerThatEnds(t *testing.T) {
	s, nodes := fleetOf(t, 32, results.Options{})
	gone, cancel := cancelled(t)
	defer cancel()
	if err := s.Refused(gone, nodes[0], resultstest.At(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that had ended: %v", err)
	}
	var all sync.WaitGroup
	for i, node := range nodes {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			if i%2 == 0 {
				all.Go(cancel)
			}
			defer cancel()
			err := s.Refused(ctx, node, resultstest.At(1))
			if i%2 == 1 && err != nil || err != nil && !errors.Is(err, context.Canceled) {
				t.Error(node, err)
			}
		})
	}
	all.Wait()
	_, r := s.DB()
	var refused int
	if err := r.QueryRowContext(t.Context(), `SELECT sum(refused) FROM node`).Scan(&refused); err != nil || refused < 16 || refused > 32 {
		t.Errorf("%d refusals, %v", refused, err)
	}
}

// TestAServerHoldsItsSchema has a database of an older version with a server that lives, and one whose server has ended.
func TestAServerHoldsItsSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	clock := resultstest.At(0)
	opt := results.Options{Now: func() time.Time { return clock }}
	_, err := results.Open(t.Context(), path, results.Options{NoMigrate: true})
	if err == nil {
		t.Fatal("a database was made by a command that only asks a server")
	}
	s := open(t, path, opt)
	info := results.ServerInfo{ID: "s1", Host: "hq", PID: 77, Address: "https://hq:8443", Version: "0.6.0", StartedAt: clock}
	if err := s.RegisterServer(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	older := func(name string, opt results.Options) error {
		t.Helper()
		copied := filepath.Join(t.TempDir(), name)
		execAll(t, raw(t, path), fmt.Sprintf(`VACUUM INTO '%s'`, copied))
		if name == "killed" {
			hold, err := results.HoldDatabase(t.Context(), copied)
			if err != nil {
				t.Fatal(err)
			}
			if err := hold.Close(); err != nil {
				t.Fatal(err)
			}
		}
		execAll(t, raw(t, copied), `UPDATE goose_db_version SET version_id = 3 WHERE version_id > 3`) // of some version before
		o, err := results.Open(t.Context(), copied, opt)
		if err == nil {
			err = o.Close()
		}
		return err
	}
	clock = clock.Add(14 * time.Second)
	for _, o := range []results.Options{{}, {NoMigrate: true}, {ReadOnly: true}} {
		o.Now = opt.Now
		wantErr(t, older(fmt.Sprintf("live-%t-%t", o.NoMigrate, o.ReadOnly), o), results.ErrOlder, "version 3", "https://hq:8443", "0.6.0", "77", "hq")
	}
	if err := older("killed", results.Options{Now: opt.Now}); errors.Is(err, results.ErrOlder) {
		t.Errorf("its lock is free, so it has died, and it is not migrated: %v", err)
	}
	if err := older("mine", results.Options{Now: opt.Now, Holder: true}); errors.Is(err, results.ErrOlder) {
		t.Errorf("its holder may not migrate it: %v", err)
	}
	clock = clock.Add(2 * time.Second)
	wantErr(t, older("dead", results.Options{NoMigrate: true, Now: opt.Now}), results.ErrOlder, "version 3")
	if err := older("migrated", opt); errors.Is(err, results.ErrOlder) {
		t.Errorf("nobody holds it, and it is not migrated: %v", err)
	}
	if o, err := results.Open(t.Context(), path, results.Options{NoMigrate: true}); err != nil {
		t.Error(err)
	} else if err := o.Close(); err != nil {
		t.Error(err)
	}
}

// A reply that got lost is given again, but not once its run wants nothing asked any more, or its node may not be told.
func TestLostReplyIsNotGivenAgainForEver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(ctx context.Context, s *results.Store) error
		want bool
	}{
		"nothing": {func(context.Context, *results.Store) error { return nil }, true},
		"a pause": {func(ctx context.Context, s *results.Store) error {
			return s.SetRunState(ctx, resultstest.RunOne, results.RunPaused, "")
		}, false},
		"a stop": {func(ctx context.Context, s *results.Store) error {
			return s.FinishRun(ctx, resultstest.RunOne, results.RunStopped, 3, "")
		}, false},
		"no trust": {func(ctx context.Context, s *results.Store) error {
			_, err := s.Unapprove(ctx, []string{"n00000"})
			return err
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := fleetOf(t, 1, results.Options{})
			poll := func() bool {
				p, _, err := s.Poll(t.Context(), resultstest.KeyOf("n00000"), resultstest.At(1))
				if err != nil {
					t.Fatal(err)
				}
				return p.Handout != nil
			}
			if !poll() {
				t.Fatal("nothing is due")
			}
			if err := c.end(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if got := poll(); got != c.want {
				t.Errorf("given again: %t", got)
			}
		})
	}
}

// A wish that was obeyed is taken back; another that came meanwhile stays.
func TestWishThatCameMeanwhile(t *testing.T) {
	t.Parallel()
	s, _ := fleetOf(t, 1, results.Options{})
	for _, c := range []struct{ obeyed, left string }{{results.WishPause, results.WishStop}, {results.WishStop, ""}} {
		if err := s.SetWish(t.Context(), resultstest.RunOne, results.WishStop); err != nil {
			t.Fatal(err)
		}
		if err := s.Obeyed(t.Context(), resultstest.RunOne, c.obeyed); err != nil {
			t.Fatal(err)
		}
		if left, err := s.Wish(t.Context(), resultstest.RunOne); left != c.left || err != nil {
			t.Errorf("%s was obeyed: %q is left, %v", c.obeyed, left, err)
		}
	}
}
