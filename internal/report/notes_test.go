package report

import (
	"strings"
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
	got, remarks := notes(queries)
	if diff := cmp.Diff([]string{"x"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"5 of 9 digests are remembered from an earlier reading: these files have not changed since"}, remarks); diff != "" {
		t.Error(diff)
	}
	if got, remarks := notes(queries[1:2]); len(got)+len(remarks) > 0 {
		t.Errorf("nothing remembered: %q %q", got, remarks)
	}
	queries[0].Verdict.Remembered, queries[2].Verdict.Remembered = 0, 1
	if _, remarks := notes(queries); remarks[0] != "1 of 9 digests is remembered from an earlier reading: this file has not changed since" {
		t.Errorf("%q", remarks)
	}
	v := View{Notes: []string{"left out: x"}, Remarks: remarks}
	if diff := cmp.Diff([]string{"left out: x", remarks[0]}, v.told()); diff != "" {
		t.Error(diff)
	}
	if text := Sentence(v); !strings.Contains(text, "left out: x. Note: 5 of 9 digests are remembered") { // it is no gap
		t.Error(text)
	}
}
