//go:build !windows

package app_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/pivot/files"
	"github.com/hunter-project/hunter/internal/results"
)

// withIntel opens a database with its intelligence store for some work.
func withIntel(db string, work func(s *files.Store, w *results.Store) error) (err error) {
	store, err := results.Open(context.Background(), db, results.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	w, r := store.DB()
	return work(files.NewStore(files.DB{W: w, R: r}, time.Now), store)
}

// importInto imports a file into a database that is made where there is none.
func importInto(db, path string, want int) error {
	return withIntel(db, func(s *files.Store, _ *results.Store) error {
		ctx, cancel := context.WithCancel(context.Background()) // as a command's, which can be interrupted
		defer cancel()
		sum, err := s.ImportPaths(ctx, []string{path}, nil, files.ImportOptions{})
		if err != nil {
			return err
		}
		if f := sum.Files[0]; f.Error != "" || f.Indicators != want || f.Refused > 0 {
			return fmt.Errorf("the import gives %d indicators instead of %d; refused %d: %s", f.Indicators, want, f.Refused, f.Error)
		}
		return nil
	})
}

// bareImport inserts digests into an indexed table, a row at a time in one transaction, and each into a list: what somebody
// would write who only wants them in SQLite.
func bareImport(db string, n int) error {
	return withIntel(db, func(_ *files.Store, store *results.Store) error {
		ctx := context.Background()
		w, _ := store.DB()
		for _, text := range []string{
			`CREATE TABLE bare_indicator (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (value, kind)) STRICT`,
			`CREATE TABLE bare_member (report INTEGER NOT NULL, indicator INTEGER NOT NULL, PRIMARY KEY (report, indicator)) STRICT, WITHOUT ROWID`,
		} {
			if _, err := w.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		tx, err := w.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // after a commit it does nothing
		indicator, err := tx.PrepareContext(ctx, `INSERT INTO bare_indicator (kind, value) VALUES (?, ?) ON CONFLICT DO NOTHING`)
		if err != nil {
			return err
		}
		defer indicator.Close()
		member, err := tx.PrepareContext(ctx, `INSERT INTO bare_member VALUES (1, (SELECT id FROM bare_indicator WHERE value = ? AND kind = ?))`)
		if err != nil {
			return err
		}
		defer member.Close()
		for i := range n {
			value := digestHex(i, 64)
			if _, err := indicator.ExecContext(ctx, "sha256", value); err != nil {
				return err
			}
			if _, err := member.ExecContext(ctx, value, "sha256"); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
}

// cpu is what this process has used of its cores.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkImport imports files of each kind on one core, beside bare inserts of as many digests. The rate by processor time is
// that of a core which does nothing else.
func BenchmarkImport(b *testing.B) {
	n := sizesOf().indicators
	for _, c := range []struct {
		name  string
		write func(path string, n int) error
	}{{"list", writeList}, {"csv", writeCSV}, {"misp", writeMISP}, {"stix", writeSTIX}} {
		b.Run(c.name, func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			dir := b.TempDir()
			db, path, big := filepath.Join(dir, "hunter.db"), filepath.Join(dir, "intel"), filepath.Join(dir, "big")
			if err := errors.Join(c.write(path, n), c.write(big, 4*n)); err != nil {
				b.Fatal(err)
			}
			var used time.Duration
			rounds := 0
			rate(b, func() error {
				start := cpu()
				err := errors.Join(forget(db), importInto(db, path, n))
				used += cpu() - start
				rounds++
				return err
			}, func() error { return errors.Join(forget(db), bareImport(db, n)) }, "bare")
			b.ReportMetric(float64(rounds*n)/used.Seconds(), "indicators/cpu-s")
			b.ReportMetric(peakOf(b, "import", fmt.Sprintf("%d:%s", n, path)), "MiB-peak")
			b.ReportMetric(peakOf(b, "import", fmt.Sprintf("%d:%s", 4*n, big)), "MiB-peak-of-4x")
		})
	}
}

// forget removes a database.
func forget(db string) error {
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(db + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
