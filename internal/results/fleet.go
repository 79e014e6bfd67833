package results

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// postOpen puts the next query of a run's open targets into the outbox of those nodes for which nothing but an errand lies there. It
// takes run, tool, the JSON of a list of endpoints or null for all, the moment, and the moment a denylisting lasts from.
const postOpen = `INSERT INTO outbox (node, name, run, tool, query, attempt, question, state, due_at)
	SELECT t.endpoint, 'hunter-' || q.run || '-' || q.id || '-a' || (q.attempts + 1), q.run, q.tool, q.id, q.attempts + 1, q.question,
		CASE WHEN EXISTS (SELECT 1 FROM question u JOIN denylisted d ON d.text = u.text WHERE u.digest = q.question AND d.node = t.endpoint AND d.at > ?5) THEN 'held' ELSE 'due' END, ?4
	FROM target t JOIN node n ON n.id = t.endpoint JOIN query q ON q.rowid = (SELECT x.rowid FROM query x
		WHERE x.run = t.run AND x.endpoint = t.endpoint AND x.tool = t.tool AND x.state <> 'answered' ORDER BY x.seq, x.id LIMIT 1)
	WHERE t.run = ?1 AND t.tool = ?2 AND t.open = 1 AND (?3 IS NULL OR t.endpoint IN (SELECT value FROM json_each(?3)))
	AND NOT EXISTS (SELECT 1 FROM shelf h WHERE h.node = t.endpoint AND h.run = t.run AND h.tool = t.tool)
	` + beforeErrands

// Release lets endpoints of a run go in a wave: from now on they are asked. It gives how many were let go by this call; one that
// was before stays in its wave, and one without queries is none. All that is one transaction.
func (s *Store) Release(ctx context.Context, run, tool string, endpoints []string, wave int, at time.Time) (n int, err error) {
	list, err := json.Marshal(endpoints)
	if err != nil {
		return 0, fail("let the endpoints go", err)
	}
	err = s.tx(ctx, "let the endpoints go", func(tx *sql.Tx) error {
		if err := runThere(ctx, tx, run); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE target SET wave = ?, released_at = ?, open = 1, reason = CASE state WHEN 'unasked' THEN ? ELSE reason END
			WHERE run = ? AND tool = ? AND endpoint IN (SELECT value FROM json_each(?))
			AND released_at IS NULL AND EXISTS (SELECT 1 FROM query q WHERE q.run = target.run AND q.endpoint = target.endpoint AND q.tool = target.tool)`,
			wave, stamp(at), reasonNotYet, run, tool, string(list))
		if err != nil {
			return err
		}
		gone, err := res.RowsAffected()
		if err != nil || gone == 0 {
			return err
		}
		err = aside(ctx, tx, run, func() error {
			_, err := tx.ExecContext(ctx, postOpen, run, tool, string(list), stampText(at), stampText(at.Add(-denylistLasts)))
			return err
		})
		if err != nil {
			return err
		}
		n = int(gone)
		_, err = s.event(ctx, tx, Event{Run: run, Kind: EventReleased, Tool: tool, Detail: detail("wave", wave, "endpoints", gone)})
		return err
	})
	return n, err
}

const mayBeReleased = `t.run = ? AND t.released_at IS NULL AND EXISTS (SELECT 1 FROM query q WHERE q.run = t.run AND q.endpoint = t.endpoint AND q.tool = t.tool)`

// Unreleased gives targets of a run that are to be asked and were not let go yet, in the plan's order, those that sleep last;
// limit 0 is all.
func (s *Store) Unreleased(ctx context.Context, run string, limit int) ([]Target, error) {
	w := where{args: []any{run}}
	return s.targets(ctx, `WHERE `+mayBeReleased+` ORDER BY t.state = 'asleep', t.seq LIMIT ?`, w.page(limit)...)
}

// Returned gives the targets that slept when the run began, were not let go, and whose node has polled since.
func (s *Store) Returned(ctx context.Context, run string) ([]Target, error) {
	return s.targets(ctx, `JOIN node n ON n.id = t.endpoint WHERE `+mayBeReleased+` AND t.state = 'asleep' AND n.last_seen > (SELECT started_at FROM run WHERE id = t.run)
		ORDER BY t.seq`, run)
}

func (s *Store) targets(ctx context.Context, which string, args ...any) ([]Target, error) {
	var out []Target
	err := s.query(ctx, "read the targets", func(rows *sql.Rows) error {
		_, t, err := scanTarget(rows)
		out = append(out, t)
		return err
	}, `SELECT `+targetColumns+` FROM target t `+which, args...)
	return out, err
}

// Open gives the posts of a run that need a decision: those lost, those held, and those handed out before a moment; the oldest
// first.
func (s *Store) Open(ctx context.Context, run string, handedBefore time.Time) ([]OpenPost, error) {
	const what = "read the open posts"
	var out []OpenPost
	var digests []string
	err := s.query(ctx, what, func(rows *sql.Rows) error {
		var p OpenPost
		var digest string
		var handed sql.NullString
		err := rows.Scan(&p.Node, &p.Hostname, &p.Tool, &p.Name, &p.ID, &digest, &p.Attempt, &p.State, &handed, &p.Hands, &p.Silent, &p.Untold)
		p.HandedAt = unstamp(handed)
		out, digests = append(out, p), append(digests, digest)
		return err
	}, `SELECT o.node, t.hostname, o.tool, o.name, o.query, o.question, o.attempt, o.state, o.handed_at, o.hands, o.polled_at IS NULL, n.approved = 0
		FROM outbox o JOIN node n ON n.id = o.node JOIN target t ON t.run = o.run AND t.endpoint = o.node AND t.tool = o.tool
		WHERE o.run = ?1 AND (o.state IN ('lost', 'held') OR (o.state = 'handed' AND o.handed_at < ?2)) ORDER BY o.handed_at, o.node`, run, stampText(handedBefore))
	for i := range out {
		if err == nil {
			out[i].Query, err = s.question(ctx, digests[i])
			out[i].Untold = out[i].Untold && out[i].Query.Tells()
		}
	}
	return out, err
}

// Repost puts a new attempt at a query in place of the post of a name. When that post is not the node's any more, as an answer
// came or another run's turn has, nothing changes: the caller looks again.
func (s *Store) Repost(ctx context.Context, node, name string, next Post) error {
	return s.together(ctx, "ask again", func(ctx context.Context, tx *sql.Tx) error {
		at := s.now()
		now, err := current(ctx, tx, node, at)
		if err != nil || now.name != name || now.run == "" {
			return err
		}
		p, err := repost(ctx, tx, posted{node: node, run: now.run, tool: now.tool, query: now.query}, next)
		if err != nil {
			return err
		}
		if p.name == "" {
			_, err := goOn(ctx, tx, node, at)
			return err
		}
		if _, err := s.putOrShelve(ctx, tx, p, true, at); err != nil {
			return err
		}
		_, err = s.event(ctx, tx, Event{
			Run: now.run, Kind: EventReposted, Endpoint: node, Tool: now.tool, Query: now.query,
			Detail: detail("attempt", p.attempt, "was", now.post.State, "hands", now.post.Hands),
		})
		return err
	})
}

// Park takes the posts of a run that is paused out of the outbox, so that its nodes go on with other runs. What was handed out
// stays: its answer counts. It gives how many it took.
func (s *Store) Park(ctx context.Context, run string) (n int, err error) {
	err = s.tx(ctx, "take the run's posts back", func(tx *sql.Tx) (err error) {
		n, err = s.clearOutbox(ctx, tx, run, func(p posted) error { return shelve(ctx, tx, p) })
		return err
	})
	return n, err
}

// Drop takes the posts of a run that is over out of the outbox, and its targets have nothing open any more, in one transaction. What
// was handed out stays: its answer counts. It gives how many posts it took.
func (s *Store) Drop(ctx context.Context, run string) (n int, err error) {
	err = s.tx(ctx, "end the run's asking", func(tx *sql.Tx) (err error) {
		for _, text := range []string{`UPDATE target SET open = 0 WHERE run = ? AND open = 1`, `DELETE FROM shelf WHERE run = ?`, `UPDATE run SET closed = 1 WHERE id = ?`} {
			if _, err := tx.ExecContext(ctx, text, run); err != nil {
				return err
			}
		}
		n, err = s.clearOutbox(ctx, tx, run, func(posted) error { return nil })
		return err
	})
	return n, err
}

// clearOutbox lets nodes go on with other runs.
func (s *Store) clearOutbox(ctx context.Context, tx *sql.Tx, run string, keep func(posted) error) (int, error) {
	at := s.now()
	nodes, err := texts(ctx, tx, `SELECT node FROM outbox WHERE run = ? AND state <> 'handed'`, run)
	if err != nil {
		return 0, err
	}
	for _, node := range nodes {
		p, err := current(ctx, tx, node, at)
		if err != nil {
			return 0, err
		}
		if p.active {
			return 0, fmt.Errorf("run %s goes on; pause or end it first", diag.Escape(run))
		}
		if err := keep(p); err != nil {
			return 0, err
		}
		if _, err := goOn(ctx, tx, node, at); err != nil {
			return 0, err
		}
	}
	return len(nodes), nil
}

// texts reads one column of text.
func texts(ctx context.Context, q queryer, text string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read to its end, or failed
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// Unpark puts the posts of a run that goes on again into the outbox of those nodes for which nothing but an errand lies there;
// others come to it in their turn.
func (s *Store) Unpark(ctx context.Context, run string, at time.Time) error {
	return s.tx(ctx, "put the run's posts back", func(tx *sql.Tx) error {
		return aside(ctx, tx, run, func() error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO outbox (node, name, run, tool, query, attempt, question, state, due_at)
				SELECT node, name, run, tool, query, attempt, question, state, ? FROM shelf WHERE run = ? `+beforeErrands, stamp(at), run); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM shelf WHERE run = ? AND EXISTS (SELECT 1 FROM outbox o WHERE o.node = shelf.node AND o.name = shelf.name)`, run); err != nil {
				return err
			}
			tools, err := texts(ctx, tx, `SELECT DISTINCT tool FROM target WHERE run = ? AND open = 1`, run)
			for _, tool := range tools {
				if err == nil {
					_, err = tx.ExecContext(ctx, postOpen, run, tool, nil, stampText(at), stampText(at.Add(-denylistLasts)))
				}
			}
			return err
		})
	})
}

// SetLate stores until when the endpoints of a run are asked, after its end too. From then on nothing more is handed out for it.
func (s *Store) SetLate(ctx context.Context, run string, until time.Time) error {
	return s.tx(ctx, "store how long late endpoints are asked", func(tx *sql.Tx) error {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE run SET late_until = ? WHERE id = ?`, stamp(until), run))
		if err == nil && !ok {
			err = noRun(run)
		}
		return err
	})
}

// prevalenceTop is how many of the most common matches are told.
const prevalenceTop = 20

// FleetCounts says where a run on a fleet stands, from its live targets, posts and hits.
func (s *Store) FleetCounts(ctx context.Context, run string) (FleetCounts, error) {
	const what = "count the run's endpoints"
	out := FleetCounts{WaveCounts: WaveCounts{States: map[ledger.State]int{}}}
	err := s.query(ctx, what, func(rows *sql.Rows) error {
		var wave, n, released, open, answered int
		var state ledger.State
		if err := rows.Scan(&wave, &state, &released, &n, &open, &answered); err != nil {
			return err
		}
		out.count(state, n, released*n, released*(n-open), answered)
		if released == 0 {
			return nil
		}
		if k := len(out.Waves); k == 0 || out.Waves[k-1].Wave != wave {
			out.Waves = append(out.Waves, WaveCounts{Wave: wave, States: map[ledger.State]int{}})
		}
		out.Waves[len(out.Waves)-1].count(state, n, n, n-open, answered)
		return nil
	}, `SELECT wave, state, released_at IS NOT NULL AS gone, count(*), sum(open), count(answered_at) FROM target WHERE run = ? AND mode = 'live' GROUP BY wave, state, gone ORDER BY wave`, run)
	if err != nil {
		return FleetCounts{}, err
	}
	err = s.query(ctx, what, func(rows *sql.Rows) error {
		var late sql.NullString
		p := &out.Posts
		err := rows.Scan(&p.Due, &p.Handed, &p.Lost, &p.Held, &late)
		out.Late = unstamp(late)
		return err
	}, `SELECT count(CASE state WHEN 'due' THEN 1 END), count(CASE state WHEN 'handed' THEN 1 END), count(CASE state WHEN 'lost' THEN 1 END), count(CASE state WHEN 'held' THEN 1 END),
		(SELECT late_until FROM run WHERE id = ?1) FROM outbox WHERE run = ?1`, run)
	if err != nil {
		return FleetCounts{}, err
	}
	err = s.query(ctx, what, func(rows *sql.Rows) error {
		var p Prevalence
		err := rows.Scan(&p.Indicator.Kind, &p.Indicator.Value, &p.Endpoints)
		out.Prevalence = append(out.Prevalence, p)
		return err
	}, `SELECT matched_kind, matched_value, count(DISTINCT endpoint) AS n FROM hit WHERE run = ? GROUP BY matched_kind, matched_value ORDER BY n DESC, matched_value LIMIT ?`, run, prevalenceTop)
	return out, err
}

func (w *WaveCounts) count(state ledger.State, n, released, settled, answered int) {
	w.Targets += n
	w.Released += released
	w.Settled += settled
	w.Answered += answered
	w.States[state] += n
}
