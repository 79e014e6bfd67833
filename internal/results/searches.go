package results

import (
	"context"
	"database/sql"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
)

// RecordSearch stores the answer to a search, its hits with their findings, the endpoints that it brought to light, and
// the coverage that it changes, in one durable transaction. The same answer delivered again doubles nothing. A search
// that was not planned is ErrNotPlanned, and nothing is stored.
func (s *Store) RecordSearch(ctx context.Context, a SearchRecord) error {
	const what = "store the search"
	p, err := s.packAnswer(a.Answer, a.Search)
	if err != nil {
		return fail(what, err)
	}
	at := s.answeredAt(a.Answer)
	return s.tx(ctx, what, func(tx *sql.Tx) error {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE search SET state = ? WHERE run = ? AND tool = ? AND id = ?`,
			string(QueryAnswered), a.Run, a.Tool, a.Query.ID))
		if err != nil {
			return err
		}
		if !ok {
			return notPlanned(a.Run, "", a.Tool, a.Query.ID)
		}
		if err := insertExtra(ctx, tx, a.Run, a.Extra); err != nil {
			return err
		}
		for _, c := range a.Standings {
			if err := cover(ctx, tx, a.Run, c.Endpoint, c.Tool, c.Coverage, stamp(at)); err != nil {
				return err
			}
		}
		fresh, err := s.insertAnswer(ctx, tx, answerKey{a.Run, "", a.Tool, a.Query.ID}, a.Answer, p)
		if err != nil {
			return err
		}
		total, err := insertSearchHits(ctx, tx, a, at)
		if err != nil || !fresh {
			return err
		}
		_, err = s.event(ctx, tx, Event{
			Run: a.Run, Kind: EventAnswered, Tool: a.Tool, Query: a.Query.ID,
			Detail: detail("verdict", a.Search.State, "hits", total, "answer", p.raw.digest, "reason", diag.Escape(a.Search.Reason)),
		})
		return err
	})
}

// insertSearchHits stores the hits of every endpoint whose standing is told, and counts them.
func insertSearchHits(ctx context.Context, tx *sql.Tx, a SearchRecord, at time.Time) (total int, err error) {
	for _, c := range a.Standings {
		hits := a.Search.HitsOn[c.Endpoint]
		var host string
		if err := tx.QueryRowContext(ctx, `SELECT hostname FROM target WHERE run = ? AND endpoint = ? AND tool = ?`, a.Run, c.Endpoint, a.Tool).Scan(&host); err != nil {
			return total, err
		}
		total += len(hits)
		if err := insertHits(ctx, tx, hitsOf{a.Run, c.Endpoint, host, a.Tool}, hits, at); err != nil {
			return total, err
		}
	}
	return total, nil
}

// insertExtra adds endpoints to a run's targets; those that are there already stay as they are.
func insertExtra(ctx context.Context, tx *sql.Tx, run string, extra []Target) error {
	if len(extra) == 0 {
		return nil
	}
	var next int
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq) + 1, 0) FROM target WHERE run = ?`, run).Scan(&next); err != nil {
		return err
	}
	var fresh []Target
	for _, t := range extra {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM target WHERE run = ? AND endpoint = ? AND tool = ?`, run, t.Endpoint, t.Tool).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			fresh = append(fresh, t)
		}
	}
	return insertTargets(ctx, tx, run, next, fresh)
}
