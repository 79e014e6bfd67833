package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// How many digests were remembered is one sentence over all queries, whatever each said.
func TestNotes(t *testing.T) {
	t.Parallel()
	queries := []results.StoredQuery{
		{Verdict: &ledger.Verdict{Notes: []string{"x"}, Remembered: 2, Counts: ledger.Counts{FilesHashed: 5}}},
		{},
		{Verdict: &ledger.Verdict{Notes: []string{"x"}, Remembered: 3, Counts: ledger.Counts{FilesHashed: 4}}},
	}
	want := []string{"x", "5 of 9 digests are remembered from an earlier reading: these files have not changed since"}
	if diff := cmp.Diff(want, notes(queries)); diff != "" {
		t.Error(diff)
	}
	if got := notes(queries[1:2]); len(got) > 0 {
		t.Errorf("nothing remembered: %q", got)
	}
}
