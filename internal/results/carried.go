package results

import (
	"context"
	"database/sql"
	"time"
)

// Proof is that an endpoint was without what it was asked for.
type Proof struct {
	Run string
	At  time.Time
}

// LatestProof gives the newest proof between two moments that an endpoint was without anything that was asked, when it was
// asked word for word what proof names; nil when there is none. A proof that was carried itself does not count, nor does one
// of unknown age: until is now, and the clock was set back when the proof or a run behind it is of later.
func (s *Store) LatestProof(ctx context.Context, endpoint, tool, proof string, since, until time.Time) (*Proof, error) {
	if proof == "" {
		return nil, nil //nolint:nilnil // none
	}
	var out *Proof
	err := s.query(ctx, "look for an earlier proof", func(rows *sql.Rows) error {
		var run string
		var at sql.NullString
		err := rows.Scan(&run, &at)
		out = &Proof{Run: run, At: unstamp(at)}
		return err
	}, `SELECT run, answered_at FROM target t WHERE proof = ? AND endpoint = ? AND tool = ? AND mode = 'live' AND state = 'absent' AND proven = 1
		AND carried IS NULL AND answered_at BETWEEN ? AND ?
		AND NOT EXISTS (SELECT 1 FROM run r WHERE r.started_at > ? AND r.rowid > (SELECT o.rowid FROM run o WHERE o.id = t.run))
		ORDER BY answered_at DESC, run LIMIT 1`, proof, endpoint, tool, stampText(since), stampText(until), stampText(until))
	return out, err
}
