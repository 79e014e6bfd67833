package results_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

func provider(t testing.TB, db *sql.DB) *goose.Provider {
	t.Helper()
	p, err := goose.NewProvider(database.DialectSQLite3, db, os.DirFS("migrations"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestUpgradeFromEveryVersion builds a database of each older version, with a run in it, and opens it.
func TestUpgradeFromEveryVersion(t *testing.T) {
	sources := provider(t, raw(t, filepath.Join(t.TempDir(), "x.db"))).ListSources()
	latest := sources[len(sources)-1].Version
	for version := int64(1); version < latest; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "old.db")
			db := raw(t, path)
			execAll(t, db, "PRAGMA application_id = 1752526452")
			if _, err := provider(t, db).UpTo(t.Context(), version); err != nil {
				t.Fatal(err)
			}
			execAll(t, db, `INSERT INTO run (id, hunt, state, started_at, definition) VALUES ('`+resultstest.RunTwo+`', 'old', 'finished', '2026-11-01T00:00:00.000Z', '{}')`,
				`INSERT INTO target (run, endpoint, tool, seq, hostname, mode, platform, scope, hashset, state, proven, reason)
				VALUES ('`+resultstest.RunTwo+`', 'h1', 'fleet', 0, 'h1', 'live', 'linux', 'files', '', 'absent', 1, '')`)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			_, err := results.Open(t.Context(), path, results.Options{ReadOnly: true})
			wantErr(t, err, results.ErrOlder, fmt.Sprintf("version %d", version), fmt.Sprintf("needs %d", latest))

			s := open(t, path, results.Options{})
			r, err := s.Run(t.Context(), resultstest.RunTwo)
			if err != nil || r.Hunt != "old" || r.VerifiedRatio != 1 {
				t.Fatalf("the old run: %+v, %v", r, err)
			}
			resultstest.Start(t, s, resultstest.RunOne, "sweep", resultstest.At(0), resultstest.Plan([]string{"h1"}, nil))
		})
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	if err := open(t, path, results.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	execAll(t, raw(t, path), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (900, 1)`)
	for _, ro := range []bool{false, true} {
		_, err := results.Open(t.Context(), path, results.Options{ReadOnly: ro})
		wantErr(t, err, results.ErrNewer, path, "version 900", "knows ")
	}
}

// TestMigrationsAreNumbered holds the numbers without gaps, and forward only.
func TestMigrationsAreNumbered(t *testing.T) {
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	for i, f := range files {
		n, err := goose.NumericComponent(f)
		if err != nil || n != int64(i+1) {
			t.Errorf("%s has number %d, want %d (%v)", f, n, i+1, err)
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "+goose Down") {
			t.Errorf("%s goes back", f)
		}
	}
}
