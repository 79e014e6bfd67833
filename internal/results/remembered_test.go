package results_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/results"
)

// Answers are remembered over processes, an answer without a body too, and the newest counts.
func TestRemembered(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "h.db")
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	known := httpx.Cached{Status: 200, Type: "application/json", Body: []byte(`{"a":1}`), At: at}
	unknown := httpx.Cached{Status: 204, Body: nil, At: at.Add(time.Minute)}
	s, err := results.Open(t.Context(), path, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []httpx.Cached{unknown, known} {
		if err := s.Remembered().Put(t.Context(), "q", c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remembered().Put(t.Context(), "none", unknown); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = results.Open(t.Context(), path, results.Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Remembered().Get(t.Context(), "q")
	if diff := cmp.Diff(&known, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if got, err := s.Remembered().Get(t.Context(), "none"); err != nil || got == nil || got.Status != 204 || len(got.Body) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.Remembered().Get(t.Context(), "other"); err != nil || got != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
