package results

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"reflect"
	"slices"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// SavePlan stores everything that a run will ask, in one transaction, before anything is asked. Called again it replaces
// what was there; once there are answers it is ErrAnswered.
func (s *Store) SavePlan(ctx context.Context, run string, p SavedPlan) error {
	return s.tx(ctx, "store the plan", func(tx *sql.Tx) error {
		if err := clearPlan(ctx, tx, run, p.Scope); err != nil {
			return err
		}
		if err := insertIndicators(ctx, tx, run, p.Indicators); err != nil {
			return err
		}
		if err := insertTargets(ctx, tx, run, 0, p.Targets); err != nil {
			return err
		}
		queries, err := insertQueries(ctx, tx, run, p.all())
		if err != nil {
			return err
		}
		_, err = s.event(ctx, tx, Event{
			Run: run, Kind: EventPlanned,
			Detail: detail("indicators", len(p.Indicators), "targets", len(p.Targets), "queries", queries),
		})
		return err
	})
}

func clearPlan(ctx context.Context, tx *sql.Tx, run, scope string) error {
	ok, err := changed(tx.ExecContext(ctx, `UPDATE run SET scope = ? WHERE id = ?`, scope, run))
	if err != nil {
		return err
	}
	if !ok {
		return noRun(run)
	}
	var answers int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM answer WHERE run = ?`, run).Scan(&answers); err != nil {
		return err
	}
	if answers > 0 {
		return fmt.Errorf("run %s: %w", run, ErrAnswered)
	}
	for _, table := range []string{"query", "search", "target", "run_indicator"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE run = ?`, run); err != nil {
			return err
		}
	}
	return nil
}

func insertIndicators(ctx context.Context, tx *sql.Tx, run string, inds []RunIndicator) error {
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO run_indicator (run, seq, tool, kind, value, status, reason, relation, provider, report,
		confidence, sibling) VALUES (?, ?, nullif(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close() // ends with the transaction
	for i, x := range inds {
		if _, err := stmt.ExecContext(ctx, run, i, x.Tool, string(x.Indicator.Kind), diag.Escape(x.Indicator.Value), string(x.Status),
			diag.Escape(x.Reason), string(x.Relation), x.Provider, diag.Escape(x.Report), x.Confidence, x.Sibling); err != nil {
			return err
		}
	}
	return nil
}

func insertTargets(ctx context.Context, tx *sql.Tx, run string, first int, targets []Target) error {
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO target (run, seq, endpoint, hostname, tool, mode, platform, scope, hashset, window_from, window_to,
		state, proven, reason, answered_at, proof, carried) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, ''))`)
	if err != nil {
		return err
	}
	defer stmt.Close() // ends with the transaction
	for i, t := range targets {
		if _, err := stmt.ExecContext(ctx, run, first+i, t.Endpoint, diag.Escape(t.Hostname), t.Tool, string(t.Mode), t.Platform, diag.Escape(t.Scope), t.Hashset,
			stamp(t.WindowFrom), stamp(t.WindowTo), string(t.Coverage.State), flag(t.Coverage.Proven), diag.Escape(t.Coverage.Reason), stamp(t.AnsweredAt),
			t.Proof, t.Carried); err != nil {
			return err
		}
	}
	return nil
}

// insertQueries stores which endpoint is asked what, and the searches; a text that many are asked is stored once. It gives
// how many there were.
func insertQueries(ctx context.Context, tx *sql.Tx, run string, queries iter.Seq[StoredQuery]) (n int, err error) {
	question, err := tx.PrepareContext(ctx, upsertQuestion)
	if err != nil {
		return n, err
	}
	defer question.Close() // ends with the transaction
	query, err := tx.PrepareContext(ctx, `INSERT INTO query (run, endpoint, tool, id, seq, question, state, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return n, err
	}
	defer query.Close() // ends with the transaction
	search, err := tx.PrepareContext(ctx, `INSERT INTO search (run, tool, id, seq, question, state, attempts) VALUES (?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return n, err
	}
	defer search.Close() // ends with the transaction
	known := map[string][]knownQuestion{}
	for q := range queries {
		n++
		digest := lookUp(known, q.Query)
		if digest == "" {
			var body []byte
			if digest, body, err = digestOf(q.Query); err != nil {
				return n, err
			}
			if _, err := question.ExecContext(ctx, digest, string(body), textDigest(q.Query)); err != nil {
				return n, err
			}
			known[q.Query.ID] = append(known[q.Query.ID], knownQuestion{q.Query, digest})
		}
		state := q.State
		if state == "" {
			state = QueryPlanned
		}
		stmt, args := query, []any{run, q.Endpoint, q.Tool, q.Query.ID, q.Seq, digest, string(state), q.Attempts}
		if q.IsSearch() {
			stmt, args = search, slices.Delete(args, 1, 2)
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return n, fmt.Errorf("query %s of %s for %s: %w", q.Query.ID, q.Tool, diag.Escape(q.Endpoint), err)
		}
	}
	return n, nil
}

// knownQuestion is a question that the same plan has stored.
type knownQuestion struct {
	query  ledger.Query
	digest string
}

// lookUp gives the digest of a question that is the same, or "". Endpoints that are asked the same share the parts of it, which
// makes it far cheaper than to word it again.
func lookUp(known map[string][]knownQuestion, q ledger.Query) string {
	for _, k := range known[q.ID] {
		if k.query.Text == q.Text && reflect.DeepEqual(k.query, q) {
			return k.digest
		}
	}
	return ""
}

// MarkAsked stores that a query is about to be asked; a search has the endpoint "". A query that is answered stays so.
func (s *Store) MarkAsked(ctx context.Context, run, endpoint, tool, query string) error {
	return s.tx(ctx, "store what is asked", func(tx *sql.Tx) error {
		table, which, args := "query", "run = ? AND endpoint = ? AND tool = ? AND id = ?", []any{run, endpoint, tool, query}
		if endpoint == "" {
			table, which, args = "search", "run = ? AND tool = ? AND id = ?", []any{run, tool, query}
		}
		ok, err := changed(tx.ExecContext(ctx, `UPDATE `+table+` SET attempts = attempts + 1, state = CASE WHEN state = ? THEN state ELSE ? END
			WHERE `+which, append([]any{string(QueryAnswered), string(QueryAsked)}, args...)...))
		if err != nil {
			return err
		}
		if !ok {
			return notPlanned(run, endpoint, tool, query)
		}
		_, err = s.event(ctx, tx, Event{Run: run, Kind: EventAsked, Endpoint: endpoint, Tool: tool, Query: query})
		return err
	})
}

func notPlanned(run, endpoint, tool, query string) error {
	return fmt.Errorf("run %s, endpoint %s, tool %s, query %q: %w", diag.Escape(run), diag.Escape(endpoint), diag.Escape(tool), query, ErrNotPlanned)
}

// SetCoverage stores the standing of one (endpoint, tool).
func (s *Store) SetCoverage(ctx context.Context, run, endpoint, tool string, c ledger.Coverage) error {
	return s.tx(ctx, "store the coverage", func(tx *sql.Tx) error {
		if err := cover(ctx, tx, run, endpoint, tool, c, nil); err != nil {
			return err
		}
		_, err := s.event(ctx, tx, Event{Run: run, Kind: EventCovered, Endpoint: endpoint, Tool: tool, Detail: coverageDetail(c)})
		return err
	})
}

// SetCoverages stores the standings of many (endpoint, tool) pairs in one transaction, which it
// may share with other writes.
func (s *Store) SetCoverages(ctx context.Context, run string, standings []Standing) error {
	return s.together(ctx, "store the coverage", func(ctx context.Context, tx *sql.Tx) error {
		for _, c := range standings {
			if err := cover(ctx, tx, run, c.Endpoint, c.Tool, c.Coverage, nil); err != nil {
				return err
			}
			if _, err := s.event(ctx, tx, Event{Run: run, Kind: EventCovered, Endpoint: c.Endpoint, Tool: c.Tool, Detail: coverageDetail(c.Coverage)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// coverageDetail tells a standing in the ledger, so that a report can be made as of that event.
func coverageDetail(c ledger.Coverage) string {
	return detail("state", c.State, "proven", c.Proven, "reason", c.Reason, "counts", c.Counts)
}

func cover(ctx context.Context, tx *sql.Tx, run, endpoint, tool string, c ledger.Coverage, answered any) error {
	ok, err := changed(tx.ExecContext(ctx, `UPDATE target SET state = ?, proven = ?, reason = ?, files_seen = ?, files_hashed = ?, bytes_hashed = ?,
		files_unread = ?, answered_at = coalesce(?, answered_at) WHERE run = ? AND endpoint = ? AND tool = ?`,
		string(c.State), flag(c.Proven), diag.Escape(c.Reason), c.Counts.FilesSeen, c.Counts.FilesHashed, c.Counts.BytesHashed,
		c.Counts.FilesUnread, answered, run, endpoint, tool))
	if err == nil && !ok {
		err = notPlanned(run, endpoint, tool, "")
	}
	return err
}

// Indicators gives what a run did with every indicator, in the plan's order.
func (s *Store) Indicators(ctx context.Context, run string) ([]RunIndicator, error) {
	var out []RunIndicator
	err := s.query(ctx, "read the indicators", func(rows *sql.Rows) error {
		var x RunIndicator
		err := rows.Scan(&x.Tool, &x.Indicator.Kind, &x.Indicator.Value, &x.Status, &x.Reason, &x.Relation, &x.Provider, &x.Report, &x.Confidence, &x.Sibling)
		out = append(out, x)
		return err
	}, `SELECT coalesce(tool, ''), kind, value, status, reason, relation, provider, report, confidence, sibling FROM run_indicator WHERE run = ? ORDER BY seq`, run)
	return out, err
}

// Queries gives every query of a run, in the order in which they are asked, searches first, each with its newest verdict:
// all that is needed to go on with the run. Queries of one text share their slices and maps: do not change them.
func (s *Store) Queries(ctx context.Context, run string) ([]StoredQuery, error) {
	const what = "read the queries"
	questions := map[string]ledger.Query{}
	err := s.query(ctx, what, func(rows *sql.Rows) error {
		var digest string
		var body []byte
		if err := rows.Scan(&digest, &body); err != nil {
			return err
		}
		var q ledger.Query
		err := unpack(body, &q)
		questions[digest] = q
		return err
	}, `SELECT digest, body FROM question WHERE digest IN (SELECT question FROM query WHERE run = ? UNION SELECT question FROM search WHERE run = ?)`, run, run)
	if err != nil {
		return nil, err
	}
	var out []StoredQuery
	err = s.query(ctx, what, func(rows *sql.Rows) error {
		var q StoredQuery
		var digest string
		var verdict []byte
		if err := rows.Scan(&q.Endpoint, &q.Tool, &q.Seq, &digest, &q.State, &q.Attempts, &verdict); err != nil {
			return err
		}
		q.Query = questions[digest]
		err := q.judged(verdict)
		out = append(out, q)
		return err
	}, `SELECT q.endpoint, q.tool, q.seq, q.question, q.state, q.attempts,
		(SELECT a.verdict FROM answer a WHERE a.run = q.run AND a.endpoint = q.endpoint AND a.tool = q.tool AND a.query = q.id ORDER BY a.id DESC LIMIT 1)
		FROM (SELECT run, endpoint, tool, id, seq, question, state, attempts FROM query WHERE run = ?
			UNION ALL SELECT run, '', tool, id, seq, question, state, attempts FROM search WHERE run = ?) q
		LEFT JOIN target t ON t.run = q.run AND t.endpoint = q.endpoint AND t.tool = q.tool
		ORDER BY coalesce(t.seq, -1), q.seq, q.tool, q.id`, run, run)
	return out, err
}

// judged reads the newest verdict on a query; nil is none yet.
func (q *StoredQuery) judged(data []byte) error {
	switch {
	case data == nil:
		return nil
	case q.IsSearch():
		q.Search = &ledger.Search{}
		return unpackVerdict(data, q.Search)
	default:
		q.Verdict = &ledger.Verdict{}
		return unpackVerdict(data, q.Verdict)
	}
}
