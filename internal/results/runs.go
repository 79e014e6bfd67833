package results

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// CreateRun stores a new run.
func (s *Store) CreateRun(ctx context.Context, r Run) error {
	return s.tx(ctx, "store the run", func(tx *sql.Tx) error { return s.insertRun(ctx, tx, r) })
}

func (s *Store) insertRun(ctx context.Context, tx *sql.Tx, r Run) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO run (id, hunt, title, state, started_at, tlp, case_id, scope, done_when, definition, pivot_complete, served)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Hunt, r.Title, string(r.State), stamp(r.StartedAt), string(r.TLP), r.Case, r.Scope, r.DoneWhen, string(r.Definition), flag(r.PivotComplete),
		flag(r.Served))
	if err != nil {
		return err
	}
	_, err = s.event(ctx, tx, Event{Run: r.ID, Kind: EventCreated})
	return err
}

// SetRunState stores where a run stands, and why. A run that goes on again has no end and no exit code any more.
func (s *Store) SetRunState(ctx context.Context, run string, state RunState, reason string) error {
	return s.tx(ctx, "store the run's state", func(tx *sql.Tx) error {
		var old string
		err := tx.QueryRowContext(ctx, `SELECT state FROM run WHERE id = ?`, run).Scan(&old)
		if errors.Is(err, sql.ErrNoRows) {
			return noRun(run)
		}
		if err != nil {
			return err
		}
		text, kind := `UPDATE run SET state = ? WHERE id = ?`, string(state)
		if state == RunRunning {
			text = `UPDATE run SET state = ?, finished_at = NULL, exit_code = NULL, error = '', closed = 0 WHERE id = ?`
			if RunState(old) != RunPlanned {
				kind = EventResumed
			}
		}
		if _, err := tx.ExecContext(ctx, text, string(state), run); err != nil {
			return err
		}
		_, err = s.event(ctx, tx, Event{Run: run, Kind: kind, Detail: detail("reason", reason)})
		return err
	})
}

// FinishRun ends a run with its exit code; reason says why it failed. Called again it replaces the exit code, as a late
// answer may.
func (s *Store) FinishRun(ctx context.Context, run string, state RunState, exitCode int, reason string) error {
	return s.tx(ctx, "finish the run", func(tx *sql.Tx) error {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE run SET state = ?, exit_code = ?, error = ?, finished_at = ? WHERE id = ?`,
			string(state), exitCode, diag.Escape(reason), stamp(s.now()), run))
		if err != nil {
			return err
		}
		if !ok {
			return noRun(run)
		}
		_, err = s.event(ctx, tx, Event{Run: run, Kind: string(state), Detail: detail("exit_code", exitCode, "reason", reason)})
		return err
	})
}

func noRun(run string) error { return fmt.Errorf("run %s: %w", diag.Escape(run), ErrNoRun) }

const runColumns = `SELECT v.run, v.hunt, v.title, v.state, v.started_at, v.finished_at, v.exit_code, r.tlp, r.case_id, v.scope, r.done_when,
	r.definition, v.pivot_complete, r.error, r.served, v.hunted, v.refused, v.narrowed, v.unaskable, v.endpoints, v.not_seen, v.proven, v.verified_ratio,
	(SELECT count(*) FROM target t WHERE t.run = v.run AND t.mode = 'recorded' AND t.state <> 'excluded'),
	(SELECT count(*) FROM target t WHERE t.run = v.run AND t.carried IS NOT NULL),
	(SELECT count(*) FROM hit h WHERE h.run = v.run), v.hit, v.denylisted, v.unsupported, v.error, v.timeout, v.unverified, v.partial, v.absent,
	v.unasked, v.asleep, v.excluded
	FROM report_runs v JOIN run r ON r.id = v.run`

// liveStates are the states that a live tool can give, in the order of runColumns.
func liveStates() []ledger.State {
	return slices.DeleteFunc(ledger.States(), func(s ledger.State) bool { return s == ledger.NotSeen })
}

func scanRun(rows *sql.Rows) (RunSummary, error) {
	var r RunSummary
	var started, finished sql.NullString
	var exit sql.NullInt64
	var definition string
	states := liveStates()
	n := make([]int, len(states))
	to := []any{
		&r.ID, &r.Hunt, &r.Title, &r.State, &started, &finished, &exit, &r.TLP, &r.Case, &r.Scope, &r.DoneWhen,
		&definition, &r.PivotComplete, &r.Error, &r.Served, &r.Hunted, &r.Refused, &r.Narrowed, &r.Unaskable, &r.Endpoints, &r.NotSeen, &r.Proven,
		&r.VerifiedRatio, &r.Recorded, &r.Carried, &r.HitsTotal,
	}
	for i := range n {
		to = append(to, &n[i])
	}
	if err := rows.Scan(to...); err != nil {
		return r, err
	}
	r.Definition, r.StartedAt, r.FinishedAt = []byte(definition), unstamp(started), unstamp(finished)
	if exit.Valid {
		code := int(exit.Int64)
		r.ExitCode = &code
	}
	r.States = map[ledger.State]int{}
	for i, state := range states {
		if n[i] > 0 {
			r.States[state] = n[i]
		}
	}
	return r, nil
}

// Runs lists runs, the one that was stored last first, whatever the clock said. Of the filter it takes Run, Hunt, State, Since (of the start) and Limit.
func (s *Store) Runs(ctx context.Context, f Filter) ([]RunSummary, error) {
	w, err := s.runTests(ctx, f)
	if err != nil {
		return nil, err
	}
	return s.runs(ctx, w, " DESC", f.Limit)
}

func (s *Store) runTests(ctx context.Context, f Filter) (w where, err error) {
	if err := s.inRun(ctx, &w, "id = ?", f.Run); err != nil {
		return w, err
	}
	w.text("hunt = ?", f.Hunt)
	w.text("state = ?", f.State)
	w.since("started_at >= ?", f.Since)
	return w, nil
}

func (s *Store) runs(ctx context.Context, w where, direction string, limit int) (out []RunSummary, err error) {
	err = s.query(ctx, "list the runs", func(rows *sql.Rows) error {
		r, err := scanRun(rows)
		out = append(out, r)
		return err
	}, runColumns+` WHERE v.run IN (SELECT id FROM run`+w.String()+` ORDER BY rowid`+direction+` LIMIT ?) ORDER BY r.rowid`+direction,
		w.page(limit)...)
	return out, err
}

// Run gives one run by its id, a unique prefix of at least four characters, or "last". Errors are ErrNoRun and
// ErrAmbiguous.
func (s *Store) Run(ctx context.Context, run string) (RunSummary, error) {
	id, err := s.resolve(ctx, run)
	if err != nil {
		return RunSummary{}, err
	}
	var out RunSummary
	err = s.query(ctx, "read the run", func(rows *sql.Rows) (err error) {
		out, err = scanRun(rows)
		return err
	}, runColumns+` WHERE v.run = ?`, id)
	if err == nil && out.ID == "" {
		err = noRun(run)
	}
	return out, err
}

// resolve gives the id of a run that is named by its id, a prefix or "last".
func (s *Store) resolve(ctx context.Context, run string) (string, error) {
	text, args := `SELECT id FROM run WHERE id = ? OR (length(?) >= 4 AND substr(id, 1, length(?)) = ?) ORDER BY CASE WHEN id = ? THEN 0 ELSE 1 END LIMIT 2`,
		[]any{run, run, run, run, run}
	if run == "last" {
		text, args = `SELECT id FROM run ORDER BY rowid DESC LIMIT 1`, nil
	}
	var ids []string
	err := s.query(ctx, "look for the run", func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, text, args...)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", noRun(run)
	case len(ids) > 1 && ids[0] != run:
		return "", fmt.Errorf("run %s: %w", diag.Escape(run), ErrAmbiguous)
	}
	return ids[0], nil
}

// inRun adds the test of a filter's run, resolved; no run is no test.
func (s *Store) inRun(ctx context.Context, w *where, test, run string) error {
	if run == "" {
		return nil
	}
	id, err := s.resolve(ctx, run)
	if err != nil {
		return err
	}
	w.text(test, id)
	return nil
}

// RunsKnowing lists the runs whose seed, pivot, plan or hits know a value, the one that was stored last first.
func (s *Store) RunsKnowing(ctx context.Context, value string) ([]string, error) {
	var out []string
	err := s.query(ctx, "look for the indicator", func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	}, `SELECT id FROM run WHERE id IN (SELECT run FROM run_edge WHERE to_value = ? UNION SELECT run FROM run_indicator WHERE value = ?
		UNION SELECT run FROM hit WHERE matched_value = ? OR sha256 = ? OR md5 = ? OR sha1 = ?) ORDER BY rowid DESC`,
		value, value, value, value, value, value)
	return out, err
}
