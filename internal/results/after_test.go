package results_test

import (
	"cmp"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// Page by page, whatever the filter, all is given that the list gives, each once, by the order in which it was stored.
func TestPagesAfter(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := results.Open(ctx, filepath.Join(t.TempDir(), "h.db"), results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	resultstest.Fill(t, s)
	for _, f := range []results.Filter{{}, {Run: "last"}, {Hunt: "siem-ransomware"}, {Host: "host-01"}, {Since: resultstest.At(20)}} {
		hits, _, err := s.Hits(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.Findings(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(found, func(a, b results.Finding) int { return cmp.Compare(a.ID, b.ID) })
		runs, err := s.Runs(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(runs)
		if len(hits) == 0 || len(found) == 0 || len(runs) == 0 {
			t.Fatalf("%+v: %d hits, %d findings, %d runs", f, len(hits), len(found), len(runs))
		}
		page := f
		page.Limit = 1
		all(t, hits, func(last results.StoredHit) ([]results.StoredHit, error) {
			page.After = last.ID
			return s.HitsAfter(ctx, page)
		})
		all(t, found, func(last results.Finding) ([]results.Finding, error) {
			page.After = last.ID
			return s.FindingsAfter(ctx, page)
		})
		all(t, runs, func(last results.RunSummary) ([]results.RunSummary, error) { return s.RunsAfter(ctx, page, last.ID) })
	}
}

// all turns the pages, each behind the last row of the one before; there is one page more than rows, and it is empty.
func all[T any](t *testing.T, want []T, next func(last T) ([]T, error)) {
	t.Helper()
	var got []T
	for range len(want) + 1 {
		var last T
		if len(got) > 0 {
			last = got[len(got)-1]
		}
		rows, err := next(last)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rows...)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
