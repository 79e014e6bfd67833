package results_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// raw opens a file with plain SQLite, around the store.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db := sql.OpenDB(dsnConnector{dsn: "file:" + path + "?_busy_timeout=5000"})
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func execAll(t testing.TB, db *sql.DB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func wantErr(t testing.TB, err, want error, words ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func TestOpenMakesPrivateFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes there")
	}
	dir := filepath.Join(t.TempDir(), "new", "deep")
	path := filepath.Join(dir, "hunter.db")
	s := open(t, path, results.Options{})
	resultstest.Start(t, s, resultstest.RunOne, "sweep", resultstest.At(0), results.SavedPlan{})
	for p, want := range map[string]fs.FileMode{
		path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, dir: 0o700 | fs.ModeDir, filepath.Dir(dir): 0o700 | fs.ModeDir,
	} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", p, info.Mode(), want)
		}
	}
}

func TestOpenOddPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a b?c#d%41&mode=memory.db", ":memory:", "file:x.db", "ü\n.db", "plain"} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, ":?\n") {
			continue
		}
		s := open(t, name, results.Options{})
		resultstest.Start(t, s, resultstest.RunOne, "sweep", resultstest.At(0), results.SavedPlan{})
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("%q is not where it should be: %v", name, err)
		}
	}
}

func TestPragmasOfEveryConnection(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "hunter.db"), results.Options{Busy: 1234 * time.Millisecond})
	w, r := s.DB()
	check := func(db *sql.DB, n int, want map[string]string) {
		for range n {
			c, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}()
			for pragma, value := range want {
				var got string
				if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != value {
					t.Errorf("%s is %q, want %q (%v)", pragma, got, value, err)
				}
			}
		}
	}
	check(w, 1, map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "1234", "query_only": "0", "application_id": "1752526452"})
	check(r, 4, map[string]string{"foreign_keys": "1", "busy_timeout": "1234", "query_only": "1"})
	if n := w.Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d writers", n)
	}
}

func TestReadersCanNotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	s := open(t, path, results.Options{})
	_, r := s.DB()
	if _, err := r.ExecContext(t.Context(), "DELETE FROM run"); err == nil {
		t.Error("the read pool wrote")
	}
	ro := open(t, path, results.Options{ReadOnly: true})
	wantErr(t, ro.CreateRun(t.Context(), results.Run{ID: "x", StartedAt: resultstest.At(0)}), results.ErrNoAccess)
	if _, err := ro.Runs(t.Context(), results.Filter{}); err != nil {
		t.Error(err)
	}
}

func TestEveryTableIsStrict(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "hunter.db"), results.Options{})
	_, rows := resultstest.Table(t, s, `SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND schema = 'main'
		AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'`)
	if len(rows) < 15 {
		t.Errorf("only %d tables", len(rows))
	}
	for _, row := range rows {
		if row["strict"] != int64(1) {
			t.Errorf("%v is not STRICT", row["name"])
		}
	}
}

func TestOpenReadOnlyMakesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "hunter.db")
	_, err := results.Open(t.Context(), path, results.Options{ReadOnly: true})
	wantErr(t, err, fs.ErrNotExist, path, "hunter run")
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
}

// TestOpenRefusesAndLeavesAlone gives Open files that are none of its own.
func TestOpenRefusesAndLeavesAlone(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.db")
	db := raw(t, other)
	execAll(t, db, "CREATE TABLE bookmarks (url TEXT)", "INSERT INTO bookmarks VALUES ('x')")
	tagged := filepath.Join(dir, "tagged.db")
	execAll(t, raw(t, tagged), "PRAGMA application_id = 7", "CREATE TABLE x (y)", "DROP TABLE x")
	small := filepath.Join(dir, "small.txt")
	big := filepath.Join(dir, "big.bin")
	for path, text := range map[string]string{small: "hello", big: strings.Repeat("no database at all. ", 1000)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, word := range map[string]string{other: "another program", tagged: "another program", small: "no results database", big: "no results database", dir: "regular"} {
		before, _ := os.ReadFile(path)
		for _, ro := range []bool{false, true} {
			_, err := results.Open(t.Context(), path, results.Options{ReadOnly: ro})
			wantErr(t, err, results.ErrNotADatabase, path, word)
		}
		after, _ := os.ReadFile(path)
		if !bytes.Equal(before, after) {
			t.Errorf("%s was changed", path)
		}
	}
}

func TestOpenEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := results.Open(t.Context(), path, results.Options{ReadOnly: true})
	wantErr(t, err, results.ErrOlder, "version 0")
	open(t, path, results.Options{})
}

func TestOpenWithoutPermission(t *testing.T) {
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("modes do not bind this user")
	}
	path := filepath.Join(t.TempDir(), "hunter.db")
	if err := open(t, path, results.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	_, err := results.Open(t.Context(), path, results.Options{})
	wantErr(t, err, results.ErrNoAccess, path)
}

func TestOpenCancelled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	open(t, path, results.Options{})
	ctx, cancel := cancelled(t)
	defer cancel()
	if _, err := results.Open(ctx, path, results.Options{}); err == nil {
		t.Error("opened for a caller who has gone")
	}
}
