package results_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/results"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hunter.db")
	s := open(t, path, results.Options{})
	if got := s.Check(t.Context()); !diag.AllOK(got) || len(got) != 3 || !strings.HasPrefix(got[2].Detail, "version ") {
		t.Errorf("%+v", got)
	}
	var there int
	if err := raw(t, path).QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'doctor%'").Scan(&there); err != nil || there != 0 {
		t.Errorf("a check left %d tables, %v", there, err)
	}
	if got := open(t, path, results.Options{ReadOnly: true}).Check(t.Context()); got[0].State != diag.CheckFail || got[1].State != diag.CheckOK {
		t.Errorf("read alone: %+v", got)
	}
	// Another process writes.
	execAll(t, raw(t, path), "BEGIN IMMEDIATE")
	busy := open(t, path, results.Options{Busy: 1})
	if got := busy.Check(t.Context()); got[0].State != diag.CheckFail || !strings.Contains(got[0].Detail, "locked by another process") {
		t.Errorf("locked: %+v", got)
	}
	// A newer hunter was here in the meantime.
	other := filepath.Join(t.TempDir(), "hunter.db")
	s = open(t, other, results.Options{})
	execAll(t, raw(t, other), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	if got := s.Check(t.Context()); got[2].State != diag.CheckFail || !strings.Contains(got[2].Detail, "version 9999") {
		t.Errorf("newer: %+v", got)
	}
}

func TestRoom(t *testing.T) {
	t.Parallel()
	got := results.Room(filepath.Join(t.TempDir(), "not", "there", "yet", "hunter.db"))
	if got.What != "room" || !strings.Contains(got.Detail, "free at ") || strings.Contains(got.Detail, "yet") {
		t.Errorf("%+v", got)
	}
}
