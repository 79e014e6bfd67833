package results

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Remarks says in words what of a run's ledger a person is to know beside its figures and Asides: exit codes that late answers
// changed, answers that nobody had asked for.
func (s *Store) Remarks(ctx context.Context, run string) ([]string, error) {
	var out []string
	foreign := 0
	err := s.query(ctx, "read the ledger", func(rows *sql.Rows) error {
		var kind, reason string
		var at sql.NullString
		var code, was int
		if err := rows.Scan(&kind, &at, &reason, &code, &was); err != nil {
			return err
		}
		switch {
		case kind == EventForeign:
			foreign++
		case kind == EventLate:
			out = append(out, fmt.Sprintf("the exit code went from %d to %d at %s: %s", was, code, unstamp(at).UTC().Format(time.RFC3339), reason))
		}
		return nil
	}, `SELECT kind, at, coalesce(detail ->> 'reason', ''), coalesce(detail ->> 'exit_code', 0), coalesce(detail ->> 'was', 0)
		FROM event WHERE run = ? AND kind IN (?, ?) ORDER BY seq`, run, EventLate, EventForeign)
	switch {
	case err != nil:
		return nil, err
	case foreign == 1:
		out = append(out, "1 answer that nobody had asked for was refused")
	case foreign > 1:
		out = append(out, fmt.Sprintf("%d answers that nobody had asked for were refused", foreign))
	}
	return out, nil
}
