package results

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"
)

// timeText is how times are stored: RFC 3339 in UTC with milliseconds, so that they sort as text.
const timeText = "2006-01-02T15:04:05.000Z"

// stamp gives the stored form of a time; a zero one is null.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stampText(t)
}

// stampText gives the stored form of a time; a zero one is "".
func stampText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeText)
}

// unstamp reads a stored time; null and "" are zero.
func unstamp(s sql.NullString) time.Time {
	t, err := time.Parse(timeText, s.String)
	if err != nil {
		return time.Time{}
	}
	return t
}

// flag gives the stored form of a boolean.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// tx does work in one durable transaction.
func (s *Store) tx(ctx context.Context, what string, work func(tx *sql.Tx) error) error {
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return fail(what, err)
	}
	if err := work(tx); err != nil {
		_ = tx.Rollback() // the first error is what matters; on a full disk SQLite has rolled back by itself
		return fail(what, callersEnd(ctx, err))
	}
	return fail(what, callersEnd(ctx, tx.Commit()))
}

// callersEnd tells a transaction that was rolled back because its caller's context ended from one that failed.
func callersEnd(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// query runs a read and hands each row to scan.
func (s *Store) query(ctx context.Context, what string, scan func(rows *sql.Rows) error, text string, args ...any) error {
	rows, err := s.r.QueryContext(ctx, text, args...)
	if err != nil {
		return fail(what, err)
	}
	defer rows.Close() // read-only
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fail(what, err)
		}
	}
	return fail(what, rows.Err())
}

// changed says whether a statement changed a row.
func changed(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// where collects the tests of a filter.
type where struct {
	tests []string
	args  []any
}

func (w *where) add(test string, args ...any) {
	w.tests = append(w.tests, test)
	w.args = append(w.args, args...)
}

// text adds a test of a value that is not empty, for each place in the test.
func (w *where) text(test, value string) {
	if value == "" {
		return
	}
	args := make([]any, strings.Count(test, "?"))
	for i := range args {
		args[i] = value
	}
	w.add(test, args...)
}

func (w *where) since(test string, t time.Time) {
	if !t.IsZero() {
		w.add(test, stamp(t))
	}
}

func (w *where) String() string {
	if len(w.tests) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.tests, " AND ")
}

// page gives the arguments with a limit behind them; 0 is none.
func (w *where) page(limit int) []any {
	if limit <= 0 {
		limit = 1<<31 - 1
	}
	return append(slices.Clip(w.args), limit)
}

// places gives n places for values, and the values.
func places(values []string) (string, []any) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", "), args
}
