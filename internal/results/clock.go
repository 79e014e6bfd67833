package results

import (
	"context"
	"database/sql"
	"time"
)

// ClockBack says by how much the clock went back while a run was carried: the widest step between two entries of its
// ledger that follow each other. 0 is none; that it went forward can't be told from a wait.
func (s *Store) ClockBack(ctx context.Context, run string) (time.Duration, error) {
	var back time.Duration
	err := s.query(ctx, "read the ledger", func(rows *sql.Rows) error {
		var before, at sql.NullString
		err := rows.Scan(&before, &at)
		back = max(back, unstamp(before).Sub(unstamp(at)))
		return err
	}, `SELECT before, at FROM (SELECT at, lag(at) OVER (ORDER BY seq) AS before FROM event WHERE run = ?) WHERE before > at`, run)
	return back, err
}
