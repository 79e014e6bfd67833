package results

import (
	"context"
	"database/sql"
	"slices"

	"github.com/hunter-project/hunter/internal/diag"
)

// EventReplanned is the event of targets that are asked something else than was planned before they were let go.
const EventReplanned = "replanned"

// Replan stores other questions for targets of a fleet run that were not let go yet, in one transaction; one that was is left as it
// is. Of targets Endpoint, Tool, Scope, Hashset and Proof are taken. It gives how many have other questions now.
func (s *Store) Replan(ctx context.Context, run string, targets []Target, queries []StoredQuery, why string) (n int, err error) {
	type pair struct{ endpoint, tool string }
	err = s.tx(ctx, "store the new plan", func(tx *sql.Tx) error {
		n = 0
		moved := map[pair]bool{}
		for _, t := range targets {
			ok, err := changed(tx.ExecContext(ctx, `UPDATE target SET scope = ?, hashset = ?, proof = ? WHERE run = ? AND endpoint = ? AND tool = ? AND released_at IS NULL`,
				diag.Escape(t.Scope), t.Hashset, t.Proof, run, t.Endpoint, t.Tool))
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM query WHERE run = ? AND endpoint = ? AND tool = ?`, run, t.Endpoint, t.Tool); err != nil {
				return err
			}
			moved[pair{t.Endpoint, t.Tool}] = true
		}
		var fresh []StoredQuery
		for _, q := range queries {
			if moved[pair{q.Endpoint, q.Tool}] {
				fresh = append(fresh, q)
			}
		}
		if _, err := insertQueries(ctx, tx, run, slices.Values(fresh)); err != nil {
			return err
		}
		n = len(moved)
		_, err := s.event(ctx, tx, Event{Run: run, Kind: EventReplanned, Detail: detail("targets", n, "reason", diag.Escape(why))})
		return err
	})
	return n, err
}
