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
	Forgotten  bool      // its node was removed: it does not come any more
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
	}, `SELECT t.endpoint, t.hostname, t.tool, t.state, t.released_at, n.last_seen, o.handed_at, o.handed_at IS NOT NULL AND o.polled_at IS NULL, t.answered_at IS NOT NULL, n.id IS NULL
		FROM target t LEFT JOIN node n ON n.id = t.endpoint
		LEFT JOIN outbox o ON o.node = t.endpoint AND o.run = t.run AND o.tool = t.tool AND o.state = 'handed'
		WHERE t.run = ? AND t.open = 1 ORDER BY t.seq`, run)
	return out, err
}

// Doze brings the standings of a run's targets in line with whether their nodes come: one that was let go before a moment, was given
// nothing and is not heard of since before the run is asleep; one that came meanwhile and was given something is not. What was
// answered stands. It gives how many it changed.
func (s *Store) Doze(ctx context.Context, run string, before time.Time) (int, error) {
	const what = "store which endpoints are asleep"
	var standings []Standing
	err := s.query(ctx, what, func(rows *sql.Rows) error {
		var x Standing
		var seen sql.NullString
		err := rows.Scan(&x.Endpoint, &x.Tool, &x.Coverage.State, &x.Coverage.Scope, &seen)
		switch {
		case x.Coverage.State == ledger.Asleep:
			x.Coverage.State, x.Coverage.Reason = ledger.Unasked, reasonNotYet
		default:
			x.Coverage.State, x.Coverage.Reason = ledger.Asleep, LastSeen(unstamp(seen))
		}
		standings = append(standings, x)
		return err
	}, `SELECT t.endpoint, t.tool, t.state, t.scope, n.last_seen FROM target t JOIN run r ON r.id = t.run JOIN node n ON n.id = t.endpoint
		WHERE t.run = ? AND t.open = 1 AND t.answered_at IS NULL AND ((t.state = 'unasked' AND t.handed_at IS NULL AND t.released_at <= ? AND coalesce(n.last_seen, '') < r.started_at)
			OR (t.state = 'asleep' AND t.handed_at IS NOT NULL)) ORDER BY t.seq`, run, stampText(before))
	if err != nil || len(standings) == 0 {
		return 0, err
	}
	n := 0
	err = s.tx(ctx, what, func(tx *sql.Tx) error {
		n = 0
		for _, x := range standings {
			ok, err := changed(tx.ExecContext(ctx, `UPDATE target SET state = ?1, reason = ?2 WHERE run = ?3 AND endpoint = ?4 AND tool = ?5 AND answered_at IS NULL
				AND CASE ?1 WHEN 'asleep' THEN state = 'unasked' AND handed_at IS NULL ELSE state = 'asleep' END`,
				string(x.Coverage.State), x.Coverage.Reason, run, x.Endpoint, x.Tool))
			if err != nil {
				return err
			}
			if !ok { // it came in the meantime
				continue
			}
			n++
			if _, err := s.event(ctx, tx, Event{Run: run, Kind: EventCovered, Endpoint: x.Endpoint, Tool: x.Tool, Detail: coverageDetail(x.Coverage)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// reasonNotYet is why a target that was let go has no answer while its run goes on.
const reasonNotYet = "not answered yet"

// LastSeen says since when a node has not come.
func LastSeen(at time.Time) string {
	if at.IsZero() {
		return "never seen since it enrolled"
	}
	return "last seen " + at.UTC().Format(time.RFC3339)
}
