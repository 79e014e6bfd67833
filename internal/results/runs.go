package results

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// timeText is how times are stored: RFC 3339 in UTC with milliseconds, so that they sort as text.
const timeText = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(timeText)
}

func unstamp(s sql.NullString) time.Time {
	t, err := time.Parse(timeText, s.String)
	if err != nil {
		return time.Time{}
	}
	return t
}

// tx does work in one durable transaction.
func (s *Store) tx(ctx context.Context, what string, work func(tx *sql.Tx) error) error {
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, explain(err))
	}
	if err := work(tx); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", what, explain(err)), ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, explain(err))
	}
	return nil
}

// ignoreDone drops the error of ending a transaction that SQLite ended itself.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return nil //nolint:nilerr // the first error is what matters; a full disk rolls back by itself
}

func (s *Store) event(ctx context.Context, tx *sql.Tx, run, kind, endpoint, tool, query, detail string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO event (run, at, kind, endpoint, tool, query, detail) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		run, stamp(s.now()), kind, endpoint, tool, query, detail)
	return err
}

// CreateRun stores a new run.
func (s *Store) CreateRun(ctx context.Context, r Run) error {
	return s.tx(ctx, "store the run", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO run (id, hunt, title, state, started_at, tlp, case_id, scope, done_when, definition, pivot_complete)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.ID, r.Hunt, r.Title, string(r.State), stamp(r.StartedAt), string(r.TLP), r.Case, r.Scope, r.DoneWhen, string(r.Definition), r.PivotComplete)
		if err != nil {
			return err
		}
		return s.event(ctx, tx, r.ID, "created", "", "", "", "")
	})
}

// SetRunState stores where a run stands, and why.
func (s *Store) SetRunState(ctx context.Context, run string, state RunState, detail string) error {
	return s.tx(ctx, "store the run's state", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE run SET state = ? WHERE id = ?`, string(state), run); err != nil {
			return err
		}
		return s.event(ctx, tx, run, string(state), "", "", "", detail)
	})
}

// FinishRun ends a run with its exit code.
func (s *Store) FinishRun(ctx context.Context, run string, state RunState, exitCode int, reason string) error {
	return s.tx(ctx, "finish the run", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE run SET state = ?, exit_code = ?, error = ?, finished_at = ? WHERE id = ?`,
			string(state), exitCode, reason, stamp(s.now()), run); err != nil {
			return err
		}
		return s.event(ctx, tx, run, string(state), "", "", "", reason)
	})
}

// SavePivot stores what the pivot of a run found; called again it replaces what was there.
func (s *Store) SavePivot(ctx context.Context, run string, p Pivoted) error {
	for _, r := range p.Raw {
		if err := s.SaveRaw(ctx, r); err != nil {
			return err
		}
	}
	docs := make([]any, 0, 6)
	docs = append(docs, run)
	for _, v := range []any{p.Seeds, p.Files, p.Reports, p.Skipped, p.Cut} {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("store the pivot: %w", err)
		}
		docs = append(docs, string(b))
	}
	return s.tx(ctx, "store the pivot", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM run_edge WHERE run = ?`, run); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO run_pivot (run, seeds, files, reports, skipped, cut) VALUES (?, ?, ?, ?, ?, ?)`, docs...); err != nil {
			return err
		}
		if err := insertEdges(ctx, tx, run, p.Edges); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE run SET pivot_complete = ? WHERE id = ?`, p.Complete, run); err != nil {
			return err
		}
		return s.event(ctx, tx, run, "pivoted", "", "", "", fmt.Sprintf(`{"edges":%d,"files":%d}`, len(p.Edges), len(p.Files)))
	})
}

func insertEdges(ctx context.Context, tx *sql.Tx, run string, edges []indicator.Edge) error {
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO run_edge (run, seq, from_kind, from_value, to_kind, to_value, relation, provider, report,
		confidence, time, raw, tlp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close() //nolint:errcheck // ends with the transaction
	for i, e := range edges {
		if _, err := stmt.ExecContext(ctx, run, i, e.From.Kind, e.From.Value, e.To.Kind, e.To.Value, string(e.Relation), e.Provider, e.Report,
			e.Confidence, stamp(e.Time), e.Raw, string(e.TLP)); err != nil {
			return err
		}
	}
	return nil
}

// SavePlan stores everything that a run will ask, in one transaction, before anything is asked.
func (s *Store) SavePlan(ctx context.Context, run string, p SavedPlan) error {
	return s.tx(ctx, "store the plan", func(tx *sql.Tx) error {
		for _, table := range []string{"run_indicator", "target", "query"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE run = ?`, run); err != nil {
				return err
			}
		}
		if err := insertIndicators(ctx, tx, run, p.Indicators); err != nil {
			return err
		}
		for i, t := range p.Targets {
			if err := insertTarget(ctx, tx, run, i, t); err != nil {
				return err
			}
		}
		for _, q := range p.Queries {
			body, err := json.Marshal(storedQuery(q.Query))
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO query (run, endpoint, tool, id, seq, body, state) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				run, q.Endpoint, q.Tool, q.Query.ID, q.Seq, string(body), string(q.State)); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE run SET scope = ? WHERE id = ?`, p.Scope, run); err != nil {
			return err
		}
		return s.event(ctx, tx, run, "planned", "", "", "", fmt.Sprintf(`{"targets":%d,"queries":%d}`, len(p.Targets), len(p.Queries)))
	})
}

func insertIndicators(ctx context.Context, tx *sql.Tx, run string, inds []RunIndicator) error {
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO run_indicator (run, seq, tool, kind, value, status, reason, relation, provider, report,
		confidence, sibling) VALUES (?, ?, nullif(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close() //nolint:errcheck // ends with the transaction
	for i, x := range inds {
		if _, err := stmt.ExecContext(ctx, run, i, x.Tool, string(x.Indicator.Kind), x.Indicator.Value, string(x.Status), x.Reason,
			string(x.Relation), x.Provider, x.Report, x.Confidence, x.Sibling); err != nil {
			return err
		}
	}
	return nil
}

func insertTarget(ctx context.Context, tx *sql.Tx, run string, seq int, t Target) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO target (run, seq, endpoint, hostname, tool, mode, platform, scope, hashset, window_from, window_to,
		state, proven, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		run, seq, t.Endpoint, t.Hostname, t.Tool, string(t.Mode), t.Platform, t.Scope, t.Hashset, stamp(t.WindowFrom), stamp(t.WindowTo),
		string(t.Coverage.State), t.Coverage.Proven, t.Coverage.Reason)
	return err
}

// MarkAsked stores that a query is about to be asked.
func (s *Store) MarkAsked(ctx context.Context, run, endpoint, tool, query string) error {
	return s.tx(ctx, "store what is asked", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE query SET state = ?, attempts = attempts + 1 WHERE run = ? AND endpoint = ? AND tool = ? AND id = ?
			AND state <> 'answered'`, string(QueryAsked), run, endpoint, tool, query); err != nil {
			return err
		}
		return s.event(ctx, tx, run, "asked", endpoint, tool, query, "")
	})
}

// SetCoverage stores the standing of one (endpoint, tool).
func (s *Store) SetCoverage(ctx context.Context, run, endpoint, tool string, c ledger.Coverage) error {
	return s.tx(ctx, "store the coverage", func(tx *sql.Tx) error { return s.cover(ctx, tx, run, endpoint, tool, c, nil) })
}

func (s *Store) cover(ctx context.Context, tx *sql.Tx, run, endpoint, tool string, c ledger.Coverage, answered any) error {
	_, err := tx.ExecContext(ctx, `UPDATE target SET state = ?, proven = ?, reason = ?, files_seen = ?, files_hashed = ?, bytes_hashed = ?,
		files_unread = ?, answered_at = coalesce(?, answered_at) WHERE run = ? AND endpoint = ? AND tool = ?`,
		string(c.State), c.Proven, c.Reason, c.Counts.FilesSeen, c.Counts.FilesHashed, c.Counts.BytesHashed, c.Counts.FilesUnread, answered,
		run, endpoint, tool)
	return err
}
