package resultstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// partsComeWithTheirAnswer: what is asked on is stored with the answer that called for it, once, or not at all.
func partsComeWithTheirAnswer(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	before, err := s.Queries(ctx, RunOne)
	ok(t, err)
	a := Answered(RunOne, "h1", "fleet", At(1), ledger.Partial, false)
	part := Query("files-1.01")
	part.Splits, part.Part = true, ledger.Part{Of: "files-1", Level: 1, Found: true, Only: []string{"/home/a", "/home/\xff"}}
	a.More = []results.StoredQuery{{Endpoint: "h1", Tool: "fleet", Seq: 9, Query: part}}
	lost := a
	lost.Endpoint = "nobody"
	if err := s.RecordAnswer(ctx, lost); err == nil {
		t.Error("an answer that nobody planned is recorded")
	}
	for range 2 {
		ok(t, s.RecordAnswer(ctx, a))
	}
	after, err := s.Queries(ctx, RunOne)
	ok(t, err)
	if len(after) != len(before)+1 {
		t.Fatalf("%d questions instead of %d", len(after), len(before)+1)
	}
	last := after[len(after)-1]
	same(t, "part", part, last.Query)
	if last.State != results.QueryPlanned || last.Seq != 9 {
		t.Errorf("the part is %+v", last)
	}
	ok(t, s.MarkAsked(ctx, RunOne, "h1", "fleet", part.ID))
}

// speed is told from answers that read something, and by runs that were as gentle.
func speed(t *testing.T, s *results.Store) {
	ctx := t.Context()
	want := func(gentle bool, bytes int64) {
		t.Helper()
		got, err := s.ReadSpeed(ctx, "h1", "fleet", gentle)
		ok(t, err)
		same(t, fmt.Sprintf("speed, gentle %t", gentle), bytes, got)
	}
	want(false, 0)
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	answer := func(run string, second int, bytes, remembered int64, took time.Duration) {
		t.Helper()
		a := Answered(run, "h1", "fleet", At(second), ledger.Absent, true)
		a.Answer.StartedAt = a.Answer.FinishedAt.Add(-took)
		a.Verdict.Counts.BytesHashed, a.Verdict.Remembered = bytes, remembered
		ok(t, s.RecordAnswer(ctx, a))
	}
	answer(RunOne, 1, 1000, 0, time.Second)
	answer(RunOne, 2, 1<<30, 1, time.Millisecond)
	answer(RunOne, 3, 1<<30, 0, 0)
	want(false, 0)
	answer(RunOne, 4, 30<<20, 0, time.Second)
	answer(RunOne, 5, 10<<20, 0, time.Second)
	want(false, 20<<20)
	want(true, 0)
	gentle(t, s, RunTwo)
	answer(RunTwo, 6, 10<<20, 0, 2*time.Second)
	want(false, 20<<20)
	want(true, 5<<20)
	for i := range 5 { // the newest count
		answer(RunOne, 7+i, 7<<20, 0, time.Second)
	}
	want(false, 7<<20)
}

// gentle starts a run that is gentle.
func gentle(t *testing.T, s *results.Store, id string) {
	t.Helper()
	ctx := t.Context()
	ok(t, s.CreateRun(ctx, results.Run{ID: id, Hunt: "sweep", State: results.RunPlanned, StartedAt: At(0), Definition: []byte(`{"gentle":true}`)}))
	ok(t, s.SavePlan(ctx, id, Plan([]string{"h1"}, nil)))
}
