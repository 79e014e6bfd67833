package results

import (
	"context"
	"database/sql"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// Unsettled is a target of a fleet run that was let go and has something left to answer.
type Unsettled struct {
	Endpoint   string
	Hostname   string
	Tool       string
	State      ledger.State // of its coverage
	ReleasedAt time.Time
	LastSeen   time.Time // of its node
	HandedAt   time.Time // of the query that it was given and has not answered; zero: none
	Silent     bool      // it has not polled since then
	Answered   bool      // at least one answer came
	Forgotten  bool      // its node was removed: it never comes again
}

// Unsettled gives the targets of a run that were let go and have something left to answer, in the plan's order.
func (s *Store) Unsettled(ctx context.Context, run string) ([]Unsettled, error) {
	var out []Unsettled
	err := s.query(ctx, "read who has not answered", func(rows *sql.Rows) error {
		var u Unsettled
		var released, seen, handed sql.NullString
		err := rows.Scan(&u.Endpoint, &u.Hostname, &u.Tool, &u.State, &released, &seen, &handed, &u.Silent, &u.Answered, &u.Forgotten)
		u.ReleasedAt, u.LastSeen, u.HandedAt = unstamp(released), unstamp(seen), unstamp(handed)
		out = append(out, u)
		return err
	}, `SELECT t.endpoint, t.hostname, t.tool, t.state, t.released_at, n.last_seen, o.handed_at, o.handed_at IS NOT NULL AND o.polled_at IS NULL, t.answered_at IS NOT NULL,
		n.id IS NULL FROM target t LEFT JOIN node n ON n.id = t.endpoint
		LEFT JOIN outbox o ON o.node = t.endpoint AND o.run = t.run AND o.tool = t.tool AND o.state = 'handed'
		WHERE t.run = ? AND t.open = 1 ORDER BY t.seq`, run)
	return out, err
}
