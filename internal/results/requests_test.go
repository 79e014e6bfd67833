package results_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/results"
)

func openNew(t *testing.T) (s *results.Store, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "hunter.db")
	return openAt(t, path), path
}

func openAt(t *testing.T, path string) *results.Store {
	t.Helper()
	s, err := results.Open(t.Context(), path, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func aRun(id string) results.Run {
	return results.Run{ID: id, Hunt: "sweep", State: results.RunPlanned, StartedAt: time.Now(), DoneWhen: 1, Definition: []byte("{}")}
}

func TestRequestIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	s, _ := openNew(t)
	body := []byte("an alert")
	sum := sha256.Sum256(body)
	raw := &results.Raw{Digest: hex.EncodeToString(sum[:]), Body: body}
	fault := errors.New("no queue")
	err := s.RequestRun(t.Context(), aRun("0190aaaa-0000-7000-8000-000000000001"), raw, func(context.Context, *sql.Tx) error { return fault })
	if !errors.Is(err, fault) {
		t.Error(err)
	}
	if runs, err := s.Runs(t.Context(), results.Filter{}); err != nil || len(runs) != 0 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
	queued := 0
	err = s.RequestRun(t.Context(), aRun("0190aaaa-0000-7000-8000-000000000002"), raw, func(context.Context, *sql.Tx) error {
		queued++
		return nil
	})
	if err != nil || queued != 1 {
		t.Fatal(queued, err)
	}
	run, err := s.Run(t.Context(), "last")
	if err != nil || !run.Served || run.State != results.RunPlanned {
		t.Errorf("%+v, %v", run.Run, err)
	}
}

func TestWatchSeesOthers(t *testing.T) {
	t.Parallel()
	s, path := openNew(t)
	other := openAt(t, path)
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, id := range []string{"0190aaaa-0000-7000-8000-000000000001", "0190aaaa-0000-7000-8000-000000000002"} {
		if changed, err := w.Changed(t.Context()); err != nil || changed {
			t.Errorf("%d: changed %v, %v", i, changed, err)
		}
		by := []*results.Store{s, other}[i] // its own writer is another connection, too
		if err := by.CreateRun(t.Context(), aRun(id)); err != nil {
			t.Fatal(err)
		}
		if err := w.Wait(t.Context(), time.Millisecond, time.Minute); err != nil {
			t.Error(err)
		}
	}
	if err := w.Wait(t.Context(), time.Millisecond, time.Millisecond); err != nil {
		t.Errorf("nothing came, which is no error: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Wait(ctx, time.Millisecond, time.Minute); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
