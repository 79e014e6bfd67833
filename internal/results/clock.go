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

// SetBack brings moments that lie in the future to now, since the clock was set back: when nodes were seen and enrolled, when posts
// were handed out and targets let go that are open still, and since when a text is refused. What is over stays as it was told.
func (s *Store) SetBack(ctx context.Context, now time.Time) error {
	return s.tx(ctx, "follow a clock that was set back", func(tx *sql.Tx) error {
		for _, text := range []string{
			`UPDATE node SET last_seen = min(last_seen, ?1), enrolled_at = min(enrolled_at, ?1) WHERE last_seen > ?1 OR enrolled_at > ?1`,
			`UPDATE outbox SET handed_at = ?1 WHERE handed_at > ?1`,
			`UPDATE target SET released_at = ?1 WHERE open = 1 AND released_at > ?1`,
			`UPDATE denylisted SET at = ?1 WHERE at > ?1`,
		} {
			if _, err := tx.ExecContext(ctx, text, stampText(now)); err != nil {
				return err
			}
		}
		return nil
	})
}
