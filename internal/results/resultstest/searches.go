package resultstest

import (
	"testing"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// searchPlan is a plan with one search over the recorded tool's endpoints.
func searchPlan() results.SavedPlan {
	plan := Plan(nil, []string{"s1", "s2"})
	q := Query("search-0")
	q.Stage, q.Window = ledger.Telemetry, ledger.Window{From: At(-60), To: At(0)}
	plan.Queries = append(plan.Queries, results.StoredQuery{Tool: "edr", Query: q, State: results.QueryPlanned})
	return plan
}

// searched is the answer to it: hits on a target and on an endpoint that is none.
func searched() results.SearchRecord {
	hit := Row(HostilePath)
	hit.FoundIn = ledger.Telemetry
	cov := ledger.Coverage{State: ledger.Hit, Hits: 1, Reason: "1 of 2 questions have no answer"}
	return results.SearchRecord{
		Run: RunOne, Hunt: "sweep", Tool: "edr", Query: ledger.Query{ID: "search-0"},
		Answer: ledger.Answer{Rows: []ledger.Row{{"kind": "hit", "endpoint": "s1", "path": HostilePath}}, StartedAt: At(1), FinishedAt: At(2)},
		Search: ledger.Search{
			Verdict: ledger.Verdict{State: ledger.NotSeen},
			HitsOn:  map[string][]ledger.HitRow{"s1": {hit}, "s9": {hit}},
			GapsOn:  map[string][]string{"s2": {"a gap of its own"}},
		},
		Standings: []results.Standing{{Endpoint: "s1", Tool: "edr", Coverage: cov}, {Endpoint: "s9", Tool: "edr", Coverage: cov}},
		Extra: []results.Target{
			{Endpoint: "s9", Hostname: "extra", Tool: "edr", Mode: ledger.Recorded, Coverage: cov},
			{Endpoint: "s1", Hostname: "another name", Tool: "edr", Mode: ledger.Recorded, Coverage: cov},
		},
	}
}

func searchRoundTrip(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), searchPlan())
	queries, err := s.Queries(ctx, RunOne)
	ok(t, err)
	if len(queries) != 3 || !queries[0].IsSearch() || queries[0].Search != nil || queries[1].IsSearch() {
		t.Fatalf("queries %+v", queries)
	}
	same(t, "search", searchPlan().Queries[2].Query, queries[0].Query)
	ok(t, s.MarkAsked(ctx, RunOne, "", "edr", "search-0"))
	want := searched()
	for range 2 { // delivered again it doubles nothing
		ok(t, s.RecordSearch(ctx, want))
	}
	queries, err = s.Queries(ctx, RunOne)
	ok(t, err)
	if q := queries[0]; q.State != results.QueryAnswered || q.Attempts != 1 || q.Search == nil {
		t.Fatalf("query %+v", q)
	}
	same(t, "search", want.Search, *queries[0].Search)
	hits, total, err := s.Hits(ctx, results.Filter{Run: RunOne})
	ok(t, err)
	if total != 2 || hits[0].Endpoint != "s1" || hits[0].Hostname != Hostname("s1") || hits[1].Hostname != "extra" || hits[0].Row.Path != HostilePath {
		t.Errorf("%d hits: %+v", total, hits)
	}
	targets, err := s.Targets(ctx, RunOne)
	ok(t, err)
	if len(targets) != 3 || targets[2].Endpoint != "s9" || targets[0].Coverage.State != ledger.Hit || targets[0].Hostname != Hostname("s1") {
		t.Errorf("targets %+v", targets)
	}
	ok(t, s.SetCoverages(ctx, RunOne, []results.Standing{{Endpoint: "s2", Tool: "edr", Coverage: ledger.Coverage{State: ledger.NotSeen}}}))
	sum, err := s.Run(ctx, RunOne)
	ok(t, err)
	if sum.Recorded != 3 || sum.NotSeen != 1 || sum.HitsTotal != 2 {
		t.Errorf("run %+v", sum)
	}
	is(t, s.SavePlan(ctx, RunOne, results.SavedPlan{}), results.ErrAnswered)
	answers, err := s.Answers(ctx, RunOne, "", "edr", "search-0")
	ok(t, err)
	if len(answers) != 1 || answers[0].Answer.Rows[0]["path"] != HostilePath {
		t.Errorf("answers %+v", answers)
	}
}

func searchUnplanned(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), searchPlan())
	other := searched()
	other.Query.ID = "search-9"
	is(t, s.RecordSearch(ctx, other), results.ErrNotPlanned)
	is(t, s.MarkAsked(ctx, RunOne, "", "edr", "search-9"), results.ErrNotPlanned)
	stray := searched()
	stray.Extra = nil
	is(t, s.RecordSearch(ctx, stray), results.ErrNotPlanned)
	is(t, s.SetCoverages(ctx, RunOne, []results.Standing{{Endpoint: "s1", Tool: "edr"}, {Endpoint: "s8", Tool: "edr"}}), results.ErrNotPlanned)
	targets, err := s.Targets(ctx, RunOne)
	ok(t, err)
	_, total, err := s.Hits(ctx, results.Filter{Run: RunOne})
	ok(t, err)
	if total != 0 || len(targets) != 2 || targets[0].Coverage.State != ledger.Unasked {
		t.Errorf("a refused search left %d hits and %+v", total, targets)
	}
}
