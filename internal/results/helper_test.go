package results_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"testing"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// dsnConnector opens plain SQLite connections.
type dsnConnector struct{ dsn string }

func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(c.dsn) }
func (c dsnConnector) Driver() driver.Driver                        { return &sqlite3.SQLiteDriver{} }

func cancelled(t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

// The environment of a test binary that is another process of hunter: what to do, with which database.
const (
	helperDo = "HUNTER_TEST_DO"
	helperDB = "HUNTER_TEST_DB"
)

// helper does what the environment says, instead of the tests.
func helper() bool {
	do := os.Getenv(helperDo)
	if do == "" {
		return false
	}
	work := map[string]func(context.Context, *results.Store) error{"write": helperWrite, "read": helperRead, "open": func(context.Context, *results.Store) error { return nil }}[do]
	ctx := context.Background()
	s, err := results.Open(ctx, os.Getenv(helperDB), results.Options{ReadOnly: do == "read"})
	if err == nil {
		err = work(ctx, s)
	}
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	return true
}

// helperWrite records answers until it is killed, and says after each that it is recorded.
func helperWrite(ctx context.Context, s *results.Store) error {
	for i := 0; ; i++ {
		path := fmt.Sprintf("/tmp/%d", i)
		a := resultstest.Answered(resultstest.RunOne, "h1", "fleet", resultstest.At(1), ledger.Hit, true, resultstest.Row(path))
		if err := s.RecordAnswer(ctx, a); err != nil {
			return err
		}
		fmt.Println(path)
	}
}

// helperRead reads a hundred times; in each look, every hit has its finding and no hit that was seen goes away.
func helperRead(ctx context.Context, s *results.Store) error {
	last := 0
	for range 100 {
		hits, total, err := s.Hits(ctx, results.Filter{Run: resultstest.RunOne})
		if err != nil {
			return err
		}
		found, err := s.Findings(ctx, results.Filter{})
		if err != nil {
			return err
		}
		if len(hits) < last || total < last || len(found) < len(hits) {
			return fmt.Errorf("%d hits of %d, %d findings, after %d hits", len(hits), total, len(found), last)
		}
		last = len(hits)
	}
	fmt.Println("read", last)
	return nil
}
