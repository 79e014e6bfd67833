package results_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// TestFullDisk records until there is no room. What was acknowledged stays, the rest leaves no trace, and with room the
// store goes on.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	first := open(t, path, results.Options{})
	resultstest.Start(t, first, resultstest.RunOne, "sweep", resultstest.At(0), resultstest.Plan([]string{"h1"}, nil))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, path, results.Options{MaxPages: int(info.Size()/4096) + 40})
	ctx := t.Context()
	record := func(i int) error {
		var rows []ledger.HitRow
		for j := range 50 {
			rows = append(rows, resultstest.Row(fmt.Sprintf("/tmp/%d/%d", i, j)))
		}
		return s.RecordAnswer(ctx, resultstest.Answered(resultstest.RunOne, "h1", "fleet", resultstest.At(i), ledger.Hit, true, rows...))
	}
	acknowledged, full := 0, error(nil)
	for full == nil && acknowledged < 1000 {
		if full = record(acknowledged); full == nil {
			acknowledged++
		}
	}
	wantErr(t, full, results.ErrFull, "free some space")
	if acknowledged == 0 {
		t.Fatal("nothing was recorded before the disk was full")
	}
	wantErr(t, record(acknowledged), results.ErrFull)
	check := func(s *results.Store, n int) {
		t.Helper()
		_, total, err := s.Hits(ctx, results.Filter{})
		if err != nil || total != n*50 {
			t.Errorf("%d hits, want %d (%v)", total, n*50, err)
		}
		answers, err := s.Answers(ctx, resultstest.RunOne, "", "", "")
		if err != nil || len(answers) != n {
			t.Errorf("%d answers, want %d (%v)", len(answers), n, err)
		}
	}
	check(s, acknowledged)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, results.Options{})
	check(s, acknowledged)
	if err := record(acknowledged); err != nil {
		t.Fatal(err)
	}
	check(s, acknowledged+1)
}

func TestFullWhileMaking(t *testing.T) {
	_, err := results.Open(t.Context(), filepath.Join(t.TempDir(), "hunter.db"), results.Options{MaxPages: 5, Busy: 100 * time.Millisecond})
	wantErr(t, err, results.ErrFull)
}

// TestLocked has another connection hold the write lock: writes fail after the wait, reads go on, and afterwards all is well.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	s := open(t, path, results.Options{Busy: 50 * time.Millisecond})
	resultstest.Start(t, s, resultstest.RunOne, "sweep", resultstest.At(0), resultstest.Plan([]string{"h1"}, nil))
	other := raw(t, path)
	execAll(t, other, "BEGIN IMMEDIATE")
	a := resultstest.Answered(resultstest.RunOne, "h1", "fleet", resultstest.At(1), ledger.Hit, true, resultstest.Row("/tmp/x"))
	wantErr(t, s.RecordAnswer(t.Context(), a), results.ErrLocked, "another process")
	if r, err := s.Run(t.Context(), "last"); err != nil || r.HitsTotal != 0 {
		t.Errorf("reading beside a writer: %+v, %v", r, err)
	}
	execAll(t, other, "COMMIT")
	if err := s.RecordAnswer(t.Context(), a); err != nil {
		t.Error(err)
	}
}

// TestLockedWhileOpening has another connection hold the whole of a new database.
func TestLockedWhileOpening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	execAll(t, raw(t, path), "CREATE TABLE x (y)", "DROP TABLE x", "BEGIN EXCLUSIVE")
	_, err := results.Open(t.Context(), path, results.Options{Busy: 50 * time.Millisecond})
	wantErr(t, err, results.ErrLocked, path)
}

// filled makes a closed database with two runs, all of it in the main file.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hunter.db")
	s := open(t, path, results.Options{})
	resultstest.Fill(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDamaged(t *testing.T) {
	for name, harm := range map[string]func(b []byte) []byte{
		"header":         func(b []byte) []byte { copy(b, "not SQLite any more"); return b },
		"page size":      func(b []byte) []byte { b[16], b[17] = 0, 3; return b },
		"schema page":    func(b []byte) []byte { copy(b[100:], strings.Repeat("\xff", 900)); return b },
		"a page within":  func(b []byte) []byte { copy(b[len(b)/2/4096*4096:], strings.Repeat("\xa5", 4096)); return b },
		"cut off":        func(b []byte) []byte { return b[:len(b)/2/4096*4096] },
		"cut in a page":  func(b []byte) []byte { return b[:len(b)/2/4096*4096+100] },
		"only a header":  func(b []byte) []byte { return b[:100] },
		"zeros all over": func(b []byte) []byte { clear(b[4096:]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, harm(b), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = results.Open(t.Context(), path, results.Options{})
			if !errors.Is(err, results.ErrDamaged) && !errors.Is(err, results.ErrNotADatabase) {
				t.Fatalf("error %v", err)
			}
			if want := name == "header" || name == "page size"; want != errors.Is(err, results.ErrNotADatabase) {
				t.Errorf("error %v", err)
			}
			if !strings.Contains(err.Error(), path) {
				t.Errorf("error %q names no file", err)
			}
		})
	}
}

// TestDamagedWhileReading harms pages under an open store, and kept bodies.
func TestDamagedWhileReading(t *testing.T) {
	path := filled(t)
	execAll(t, raw(t, path), `UPDATE raw_chunk SET data = x'0102'`, `UPDATE answer SET verdict = x'0102'`)
	s := open(t, path, results.Options{})
	_, err := s.Answers(t.Context(), resultstest.RunOne, "", "", "")
	wantErr(t, err, results.ErrDamaged)
	_, err = s.Verdicts(t.Context(), resultstest.RunOne)
	wantErr(t, err, results.ErrDamaged)
	_, err = s.Queries(t.Context(), resultstest.RunOne)
	wantErr(t, err, results.ErrDamaged)
}

// TestSwappedBody changes a kept body for another, well packed one.
func TestSwappedBody(t *testing.T) {
	path := filled(t)
	s := open(t, path, results.Options{})
	a, b := resultstest.Raw("one"), resultstest.Raw("two")
	for _, r := range []results.Raw{a, b} {
		if err := s.SaveRaw(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	execAll(t, raw(t, path), `UPDATE raw_chunk SET data = (SELECT data FROM raw_chunk WHERE digest = '`+b.Digest+`') WHERE digest = '`+a.Digest+`'`)
	wantErr(t, s.CopyRaw(t.Context(), &strings.Builder{}, a.Digest), results.ErrDamaged)
}
