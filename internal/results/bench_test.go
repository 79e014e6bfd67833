package results_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

const (
	benchAnswers = 100
	benchHits    = 1000 // in each answer
)

func benchRows(i int) []ledger.HitRow {
	rows := make([]ledger.HitRow, benchHits)
	for j := range rows {
		rows[j] = resultstest.Row(fmt.Sprintf("/home/user-%d/some/folder/file-%d.bin", i, j))
	}
	return rows
}

// BenchmarkRecordHits records 100,000 hits of 100 endpoints, and inserts as many rows into a bare table: x-bare is how
// many times longer the whole of it takes, with answers, verdicts, findings, coverage and events.
func BenchmarkRecordHits(b *testing.B) {
	var recorded, bare time.Duration
	for b.Loop() {
		recorded += benchRecord(b)
		bare += benchBare(b)
	}
	b.ReportMetric(float64(recorded)/float64(bare), "x-bare")
	b.ReportMetric(float64(recorded.Microseconds())/float64(b.N*benchAnswers*benchHits), "µs/hit")
}

func benchRecord(b *testing.B) time.Duration {
	s := open(b, filepath.Join(b.TempDir(), "hunter.db"), results.Options{})
	var live []string
	for i := range benchAnswers {
		live = append(live, fmt.Sprintf("h%03d", i))
	}
	resultstest.Start(b, s, resultstest.RunOne, "sweep", resultstest.At(0), resultstest.Plan(live, nil))
	start := time.Now()
	for i, h := range live {
		if err := s.RecordAnswer(b.Context(), resultstest.Answered(resultstest.RunOne, h, "fleet", resultstest.At(1), ledger.Hit, true, benchRows(i)...)); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

func benchBare(b *testing.B) time.Duration {
	db := raw(b, filepath.Join(b.TempDir(), "bare.db"))
	execAll(b, db, "PRAGMA journal_mode = WAL", `CREATE TABLE hit (run TEXT, endpoint TEXT, tool TEXT, found_in TEXT, path TEXT, size INTEGER, md5 TEXT,
		sha1 TEXT, sha256 TEXT, matched_kind TEXT, matched_value TEXT, owner TEXT, observed_at TEXT) STRICT`)
	start := time.Now()
	for i := range benchAnswers {
		tx, err := db.BeginTx(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		stmt, err := tx.PrepareContext(b.Context(), `INSERT INTO hit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			b.Fatal(err)
		}
		defer stmt.Close()
		for _, h := range benchRows(i) {
			if _, err := stmt.ExecContext(b.Context(), resultstest.RunOne, fmt.Sprintf("h%03d", i), "fleet", string(h.FoundIn), h.Path, h.Size, h.MD5,
				h.SHA1, h.SHA256, string(h.Matched.Kind), h.Matched.Value, h.Owner, "2026-11-20T10:01:00.123Z"); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

// BenchmarkSavePlan stores a plan of 10,000 indicators and 1,000 endpoints.
func BenchmarkSavePlan(b *testing.B) {
	var live []string
	for i := range 1000 {
		live = append(live, fmt.Sprintf("h%04d", i))
	}
	plan := resultstest.Plan(live, nil)
	for i := range 10_000 {
		x := plan.Indicators[1]
		x.Indicator.Value = fmt.Sprintf("%064x", i)
		plan.Indicators = append(plan.Indicators, x)
	}
	s := open(b, filepath.Join(b.TempDir(), "hunter.db"), results.Options{})
	resultstest.Start(b, s, resultstest.RunOne, "sweep", resultstest.At(0), plan)
	for b.Loop() {
		if err := s.SavePlan(b.Context(), resultstest.RunOne, plan); err != nil {
			b.Fatal(err)
		}
	}
}
