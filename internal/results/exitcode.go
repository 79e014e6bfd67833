package results

import (
	"context"
	"database/sql"

	"github.com/hunter-project/hunter/internal/diag"
)

// Unjudged is a run whose exit code does not know of all its answers.
type Unjudged struct {
	Run  string
	Late int // how many answers came after its end, so far
}

// Unjudged gives runs that got answers after their end which their exit codes do not know of.
func (s *Store) Unjudged(ctx context.Context, limit int) ([]Unjudged, error) {
	var out []Unjudged
	err := s.query(ctx, "look for late answers", func(rows *sql.Rows) error {
		var u Unjudged
		err := rows.Scan(&u.Run, &u.Late)
		out = append(out, u)
		return err
	}, `SELECT id, late_answers FROM run WHERE late_answers > judged ORDER BY id LIMIT ?`, limit)
	return out, err
}

// Judged stores that the exit code of a run knows of so many late answers.
func (s *Store) Judged(ctx context.Context, u Unjudged) error {
	return s.tx(ctx, "store that late answers were judged", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE run SET judged = max(judged, ?) WHERE id = ?`, u.Late, u.Run)
		return err
	})
}

// SetExitCode stores another exit code for a run that is over, since a late answer changed what it proved. The same code again
// changes nothing.
func (s *Store) SetExitCode(ctx context.Context, run string, code int, reason string) error {
	return s.tx(ctx, "store the run's exit code", func(tx *sql.Tx) error {
		if err := runThere(ctx, tx, run); err != nil {
			return err
		}
		var was sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT exit_code FROM run WHERE id = ?`, run).Scan(&was); err != nil || (was.Valid && was.Int64 == int64(code)) {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE run SET exit_code = ? WHERE id = ?`, code, run); err != nil {
			return err
		}
		_, err := s.event(ctx, tx, Event{Run: run, Kind: EventLate, Detail: detail("exit_code", code, "was", was.Int64, "reason", diag.Escape(reason))})
		return err
	})
}
