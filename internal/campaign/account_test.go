package campaign

import (
	"testing"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// A second look takes the place of what first looks proved; a hit that any of them saw stays, also of one that it is not about.
func TestSecondLookHidesNoHit(t *testing.T) {
	t.Parallel()
	hit := ledger.HitRow{FoundIn: ledger.Files, Path: "/x"}
	first := results.StoredQuery{Query: ledger.Query{ID: "q", Stage: ledger.Files}, Verdicts: []ledger.Verdict{
		{State: ledger.Partial, Recheck: []string{"/a"}},
		{State: ledger.Hit, Hits: []ledger.HitRow{hit}, Recheck: []string{"/b"}},
	}}
	again := results.StoredQuery{Query: ledger.Query{ID: "q" + recheckSuffix, Stage: ledger.Files, Recheck: []string{"/a"}}}
	acc := account{queries: []results.StoredQuery{first, again}}
	cov := acc.cover(again.Query.ID, ledger.Verdict{State: ledger.Absent, Proven: true}, nil, "")
	if cov.State != ledger.Hit || cov.Hits != 1 {
		t.Errorf("%+v", cov)
	}
	if n := len(acc.queries[0].Verdicts[1].Hits); n != 1 {
		t.Errorf("the stored verdict has %d hits", n)
	}
}
