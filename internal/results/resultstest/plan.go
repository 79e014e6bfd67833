package resultstest

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// loaded reads back a run's pivot.
func loaded(t *testing.T, s *results.Store, run string) results.Pivoted {
	t.Helper()
	ctx := t.Context()
	var p results.Pivoted
	var err error
	p.Seeds, err = s.Seeds(ctx, run)
	ok(t, err)
	p.Edges, err = s.Edges(ctx, run)
	ok(t, err)
	p.Files, err = s.Files(ctx, run)
	ok(t, err)
	p.Reports, err = s.Reports(ctx, run)
	ok(t, err)
	p.Skipped, err = s.Skipped(ctx, run)
	ok(t, err)
	p.Cut, err = s.Cuts(ctx, run)
	ok(t, err)
	r, err := s.Run(ctx, run)
	ok(t, err)
	p.Complete = r.PivotComplete
	return p
}

func pivotRoundTrip(t *testing.T, s *results.Store) {
	Start(t, s, RunOne, "sweep", At(0), results.SavedPlan{})
	want := pivoted()
	want.Raw = nil
	same(t, "pivot", want, loaded(t, s, RunOne))
	var b strings.Builder
	ok(t, s.CopyRaw(t.Context(), &b, want.Edges[0].Raw))
	same(t, "raw answer", `{"Event":{"id":"7"}}`, b.String())
}

func pivotReplaced(t *testing.T, s *results.Store) {
	Start(t, s, RunOne, "sweep", At(0), results.SavedPlan{})
	ok(t, s.SavePivot(t.Context(), RunOne, results.Pivoted{}))
	same(t, "pivot", results.Pivoted{}, loaded(t, s, RunOne))
}

func edgesTo(t *testing.T, s *results.Store) {
	Fill(t, s)
	found, err := s.EdgesTo(t.Context(), ind(indicator.SHA256, SHA256B))
	ok(t, err)
	edge := pivoted().Edges[1]
	same(t, "edges", []results.RunEdge{{Run: RunTwo, Edge: edge}, {Run: RunOne, Edge: edge}}, found)
	runs, err := s.RunsKnowing(t.Context(), SHA256B)
	ok(t, err)
	same(t, "runs", []string{RunTwo, RunOne}, runs)
}

func rawOnce(t *testing.T, s *results.Store) {
	ctx := t.Context()
	_, err := s.OpenRaw(ctx, strings.Repeat("0", 64))
	is(t, err, results.ErrNoRaw)
	for _, text := range []string{"", "short", strings.Repeat("0123456789abcdef", 300_000)} {
		raw := Raw(text)
		ok(t, s.SaveRaw(ctx, raw))
		ok(t, s.SaveRaw(ctx, raw))
		r, err := s.OpenRaw(ctx, raw.Digest)
		ok(t, err)
		got, err := io.ReadAll(r)
		ok(t, err)
		ok(t, r.Close())
		if string(got) != text {
			t.Errorf("a body of %d bytes came back with %d", len(text), len(got))
		}
		if at, err := s.RawSince(ctx, raw.Digest); err != nil || at.IsZero() {
			t.Errorf("a kept body is of no time: %s, %v", at, err)
		}
	}
	if at, err := s.RawSince(ctx, strings.Repeat("0", 64)); err != nil || !at.IsZero() {
		t.Errorf("a body that is not kept is of %s, %v", at, err)
	}
	if err := s.SaveRaw(ctx, results.Raw{Digest: Raw("x").Digest, Body: []byte("y")}); err == nil {
		t.Error("a body was kept under the digest of another")
	}
}

func planRoundTrip(t *testing.T, s *results.Store) {
	ctx := t.Context()
	plan := Plan([]string{"h1", "h2"}, []string{"h1"})
	odd := Query("odd")
	odd.Root, odd.Recheck, odd.Siblings = "/srv/\xfe\x00dir", []string{HostilePath}, map[string]string{MD5A: SHA256A}
	plan.Queries = append(plan.Queries, results.StoredQuery{Endpoint: "h1", Tool: "fleet", Seq: 1, Query: odd})
	Start(t, s, RunOne, "sweep", At(0), plan)
	inds, err := s.Indicators(ctx, RunOne)
	ok(t, err)
	same(t, "indicators", plan.Indicators, inds)
	targets, err := s.Targets(ctx, RunOne)
	ok(t, err)
	same(t, "targets", plan.Targets, targets)
	queries, err := s.Queries(ctx, RunOne)
	ok(t, err)
	want := []results.StoredQuery{plan.Queries[0], plan.Queries[3], plan.Queries[1], plan.Queries[2]}
	want[1].State = results.QueryPlanned
	same(t, "queries", want, queries)

	ok(t, s.SavePlan(ctx, RunOne, Plan([]string{"h9"}, nil)))
	targets, err = s.Targets(ctx, RunOne)
	ok(t, err)
	if len(targets) != 1 || targets[0].Endpoint != "h9" {
		t.Errorf("the plan was not replaced: %+v", targets)
	}
}

func planAtomic(t *testing.T, s *results.Store) {
	ctx := t.Context()
	ok(t, s.CreateRun(ctx, results.Run{ID: RunOne, StartedAt: At(0), State: results.RunPlanned}))
	plan := Plan([]string{"h1"}, nil)
	plan.Queries = append(plan.Queries, results.StoredQuery{Endpoint: "nobody", Tool: "fleet", Query: Query("x")})
	if err := s.SavePlan(ctx, RunOne, plan); err == nil {
		t.Fatal("a query for an endpoint that is no target was stored")
	}
	inds, err := s.Indicators(ctx, RunOne)
	ok(t, err)
	targets, err := s.Targets(ctx, RunOne)
	ok(t, err)
	if len(inds)+len(targets) > 0 {
		t.Errorf("half a plan was stored: %v %v", inds, targets)
	}
}

func planStands(t *testing.T, s *results.Store) {
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	ok(t, s.RecordAnswer(t.Context(), Answered(RunOne, "h1", "fleet", At(1), ledger.Absent, true)))
	is(t, s.SavePlan(t.Context(), RunOne, results.SavedPlan{}), results.ErrAnswered)
	queries, err := s.Queries(t.Context(), RunOne)
	ok(t, err)
	if len(queries) != 1 || queries[0].State != results.QueryAnswered {
		t.Errorf("queries: %+v", queries)
	}
}

func asking(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	for i := range 2 {
		ok(t, s.MarkAsked(ctx, RunOne, "h1", "fleet", "files-1"))
		queries, err := s.Queries(ctx, RunOne)
		ok(t, err)
		if q := queries[0]; q.State != results.QueryAsked || q.Attempts != i+1 || q.Verdict != nil {
			t.Errorf("asked %d times: %+v", i+1, q)
		}
	}
	ok(t, s.RecordAnswer(ctx, Answered(RunOne, "h1", "fleet", At(1), ledger.Absent, true)))
	ok(t, s.MarkAsked(ctx, RunOne, "h1", "fleet", "files-1"))
	queries, err := s.Queries(ctx, RunOne)
	ok(t, err)
	if queries[0].State != results.QueryAnswered {
		t.Errorf("an answered query is %s again", queries[0].State)
	}
	is(t, s.MarkAsked(ctx, RunOne, "h1", "fleet", "files-9"), results.ErrNotPlanned)
	is(t, s.SetCoverage(ctx, RunOne, "h9", "fleet", ledger.Coverage{State: ledger.Absent}), results.ErrNotPlanned)
}

// concurrentWriters is how many endpoints answer at once.
const concurrentWriters = 8

func concurrent(t *testing.T, s *results.Store) {
	ctx := t.Context()
	var live []string
	for i := range concurrentWriters {
		live = append(live, fmt.Sprintf("h%d", i))
	}
	Start(t, s, RunOne, "sweep", At(0), Plan(live, nil))
	done := make(chan error)
	for _, h := range live {
		go func() {
			for i := range 10 {
				if err := s.RecordAnswer(ctx, Answered(RunOne, h, "fleet", At(i), ledger.Hit, true, Row(fmt.Sprintf("/tmp/%d", i)))); err != nil {
					done <- err
					return
				}
				if _, _, err := s.Hits(ctx, results.Filter{Run: RunOne}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range live {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	r, err := s.Run(ctx, RunOne)
	ok(t, err)
	if r.HitsTotal != 10*concurrentWriters || r.States[ledger.Hit] != concurrentWriters {
		t.Errorf("%d hits on %d endpoints", r.HitsTotal, r.States[ledger.Hit])
	}
}
