//go:build !windows

package app_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

const benchEndpoints = 100

// hitRows are the hits of one endpoint.
func hitRows(i, n int) []ledger.HitRow {
	rows := make([]ledger.HitRow, n)
	for j := range rows {
		rows[j] = resultstest.Row(fmt.Sprintf("/home/user-%d/some/folder/file-%d.bin", i, j))
	}
	return rows
}

// recording measures one way to store the hits of 100 endpoints, each endpoint durably before the next; making the database
// is not counted, as a run has one.
func recording(b *testing.B, work func(s *results.Store) error) (took time.Duration) {
	b.Helper()
	s, err := results.Open(b.Context(), filepath.Join(b.TempDir(), "hunter.db"), results.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var live []string
	for i := range benchEndpoints {
		live = append(live, fmt.Sprintf("h%03d", i))
	}
	resultstest.Start(b, s, resultstest.RunOne, "sweep", resultstest.At(0), resultstest.Plan(live, nil))
	w, _ := s.DB()
	for _, text := range []string{
		`CREATE TABLE bare_finding (id INTEGER PRIMARY KEY, endpoint TEXT, path_raw BLOB, sha256 TEXT, hostname TEXT, path TEXT, matched_value TEXT,
			first_seen TEXT, last_seen TEXT) STRICT`,
		`CREATE TABLE bare_hit (id INTEGER PRIMARY KEY, run TEXT, endpoint TEXT, tool TEXT, found_in TEXT, finding INTEGER, path TEXT, path_raw BLOB, name TEXT,
			size INTEGER, md5 TEXT, sha1 TEXT, sha256 TEXT, matched_kind TEXT, matched_value TEXT, conflict INTEGER, owner TEXT, mtime TEXT, pid INTEGER,
			cmdline TEXT, started_at TEXT, observed_at TEXT) STRICT`,
	} {
		if _, err := w.ExecContext(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
	start := time.Now()
	err = work(s)
	took = time.Since(start)
	if err := errors.Join(err, s.Close()); err != nil {
		b.Fatal(err)
	}
	return took
}

func recordHits(ctx context.Context, s *results.Store, answers []results.AnswerRecord) error {
	for _, a := range answers {
		if err := s.RecordAnswer(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// bareHits inserts the same rows, hits and findings, through the same connection into tables without an index.
func bareHits(ctx context.Context, s *results.Store, answers []results.AnswerRecord) error {
	w, _ := s.DB()
	finding := 0
	for _, a := range answers {
		tx, err := w.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		err = bareRows(ctx, tx, a, &finding)
		if err == nil {
			err = tx.Commit()
		}
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return nil
}

func bareRows(ctx context.Context, tx *sql.Tx, a results.AnswerRecord, finding *int) error {
	const then = "2026-11-20T10:01:00.123Z"
	findings, err := tx.PrepareContext(ctx, `INSERT INTO bare_finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer findings.Close()
	hits, err := tx.PrepareContext(ctx, `INSERT INTO bare_hit VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer hits.Close()
	for _, h := range a.Verdict.Hits {
		*finding++
		if _, err := findings.ExecContext(ctx, *finding, a.Endpoint, []byte(h.Path), h.SHA256, a.Hostname, h.Path, h.Matched.Value, then, then); err != nil {
			return err
		}
		if _, err := hits.ExecContext(ctx, a.Run, a.Endpoint, a.Tool, string(h.FoundIn), *finding, h.Path, []byte(h.Path), h.Name, h.Size, h.MD5, h.SHA1, h.SHA256,
			string(h.Matched.Kind), h.Matched.Value, h.Conflict, h.Owner, then, h.PID, h.Cmdline, "", then); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkRecordHits records 100,000 hits of 100 endpoints, with answers, verdicts, findings, coverage and events, beside bare
// inserts of the same rows in as many transactions.
func BenchmarkRecordHits(b *testing.B) {
	n := sizesOf().hits
	var answers []results.AnswerRecord
	for i := range benchEndpoints {
		answers = append(answers, resultstest.Answered(resultstest.RunOne, fmt.Sprintf("h%03d", i), "fleet", resultstest.At(1), ledger.Hit, true, hitRows(i, n)...))
	}
	s, o := pairTimed(b, func() time.Duration {
		ctx, cancel := context.WithCancel(context.Background()) // as a command's, which can be interrupted
		defer cancel()
		return recording(b, func(s *results.Store) error { return recordHits(ctx, s, answers) })
	}, func() time.Duration {
		return recording(b, func(s *results.Store) error { return bareHits(context.Background(), s, answers) })
	})
	report(b, o, s, "rate-of-bare")
	b.ReportMetric(s[len(s)/2].Seconds()*1000, "ms")
}

// BenchmarkVersion starts hunter and waits for its end, beside a program that does nothing.
func BenchmarkVersion(b *testing.B) {
	exe := filepath.Join(b.TempDir(), "hunter")
	if out, err := exec.Command("go", "build", "-tags", "sqlite_vtable", "-o", exe, "github.com/hunter-project/hunter/cmd/hunter").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	times(b, func() error { return exec.Command(exe, "version").Run() }, func() error { return exec.Command("true").Run() }, "true")
}
