package results

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// denylistLasts is how long an agent refuses a text in which its worker died.
const denylistLasts = 24 * time.Hour

// Statements here cast what they are given where they join tables: else SQLite compiles them anew for each binding.

// runActive tests whether a run r hands anything out at a moment, its one argument.
const runActive = `((r.state = 'running' AND (r.late_until IS NULL OR r.late_until > CAST(?1 AS TEXT))) OR (r.state = 'finished' AND r.late_until > CAST(?1 AS TEXT)))`

// posted is a row of the outbox.
type posted struct {
	node, name, run, tool, query, question string
	attempt                                int
	post                                   ledger.Post
	active                                 bool // its run hands things out; true without a run
}

// current gives what lies in the outbox for a node; without a row its state is PostNone.
func current(ctx context.Context, tx *sql.Tx, node string, at time.Time) (posted, error) {
	p := posted{node: node}
	var handed, polled sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT o.name, o.run, o.tool, o.query, o.question, o.attempt, o.state, o.handed_at, o.hands, o.polled_at, o.clean, o.wrote,
		o.run = '' OR coalesce(`+runActive+`, 0) FROM outbox o LEFT JOIN run r ON r.id = o.run WHERE o.node = CAST(?2 AS TEXT)`, stampText(at), node).Scan(
		&p.name, &p.run, &p.tool, &p.query, &p.question, &p.attempt, &p.post.State, &handed, &p.post.Hands, &polled, &p.post.Clean, &p.post.Wrote, &p.active)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	p.post.HandedAt, p.post.PolledAt = unstamp(handed), unstamp(polled)
	return p, err
}

// put stores a post as the one of its node, in place of any other. A text that the node refuses is held.
func put(ctx context.Context, tx *sql.Tx, p posted, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO outbox (node, name, run, tool, query, attempt, question, state, due_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, CASE WHEN ?8 = 'due' AND EXISTS (SELECT 1 FROM question u JOIN denylisted d ON d.text = u.text
			WHERE u.digest = CAST(?7 AS TEXT) AND d.node = CAST(?1 AS TEXT) AND d.at > ?9) THEN 'held' ELSE ?8 END, ?10)
		ON CONFLICT (node) DO UPDATE SET name = excluded.name, run = excluded.run, tool = excluded.tool, query = excluded.query, attempt = excluded.attempt,
		question = excluded.question, state = excluded.state, due_at = excluded.due_at, handed_at = NULL, hands = 0, polled_at = NULL, clean = 0, wrote = 0`,
		p.node, p.name, p.run, p.tool, p.query, p.attempt, p.question, string(p.post.State), stampText(at.Add(-denylistLasts)), stampText(at))
	return err
}

// goOn puts what a node is to be asked next in place of what lies in the outbox for it, and says whether there is anything. The
// queries of runs go before errands: people wait for them.
func goOn(ctx context.Context, tx *sql.Tx, node string, at time.Time) (bool, error) {
	for _, next := range []func(context.Context, *sql.Tx, string, time.Time) (posted, bool, error){nextQuery, nextErrand} {
		p, ok, err := next(ctx, tx, node, at)
		if err != nil {
			return false, err
		}
		if ok {
			return true, put(ctx, tx, p, at)
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE node = ?`, node)
	return false, err
}

// nextErrand takes the oldest errand.
func nextErrand(ctx context.Context, tx *sql.Tx, node string, _ time.Time) (posted, bool, error) {
	p := posted{node: node, attempt: 1, post: ledger.Post{State: ledger.PostDue}}
	err := tx.QueryRowContext(ctx, `SELECT name, question FROM errand WHERE node = ? ORDER BY due_at, name LIMIT 1`, node).Scan(&p.name, &p.question)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM errand WHERE node = ? AND name = ?`, node, p.name)
	return p, true, err
}

// nextQuery finds the cheapest open query of the run for which the node was asked least recently.
func nextQuery(ctx context.Context, tx *sql.Tx, node string, at time.Time) (posted, bool, error) {
	targets, err := openTargets(ctx, tx, node, at)
	if err != nil {
		return posted{}, false, err
	}
	for _, t := range targets {
		p, ok, err := nextOf(ctx, tx, posted{node: node, run: t[0], tool: t[1]})
		if err != nil || ok {
			return p, ok, err
		}
	}
	return posted{}, false, nil
}

// openTargets gives run and tool of all that a node may be asked for, the one asked for least recently first.
func openTargets(ctx context.Context, tx *sql.Tx, node string, at time.Time) (out [][2]string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT t.run, t.tool FROM target t JOIN run r ON r.id = t.run WHERE t.endpoint = CAST(?2 AS TEXT) AND t.open = 1 AND `+runActive+`
		ORDER BY coalesce(t.handed_at, ''), t.run, t.tool`, stampText(at), node)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read to its end, or failed
	for rows.Next() {
		var t [2]string
		if err := rows.Scan(&t[0], &t[1]); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// nextOf gives the next post of one run for a node: one that was shelved, or else its cheapest query without an answer.
func nextOf(ctx context.Context, tx *sql.Tx, p posted) (posted, bool, error) {
	err := tx.QueryRowContext(ctx, `SELECT name, query, attempt, question, state FROM shelf WHERE node = ? AND run = ? AND tool = ?`, p.node, p.run, p.tool).Scan(
		&p.name, &p.query, &p.attempt, &p.question, &p.post.State)
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM shelf WHERE node = ? AND run = ? AND tool = ?`, p.node, p.run, p.tool)
		return p, true, err
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, `SELECT id, attempts + 1, question FROM query WHERE run = CAST(? AS TEXT) AND endpoint = CAST(? AS TEXT) AND tool = CAST(? AS TEXT) AND state <> 'answered'
			ORDER BY seq, id LIMIT 1`, p.run, p.node, p.tool).Scan(&p.query, &p.attempt, &p.question)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	p.name, p.post.State = ledger.PostName(p.run, p.query, p.attempt), ledger.PostDue
	return p, true, err
}

// shelve keeps a post of a run that pauses, out of the way of other runs. A first attempt is no loss: the plan has it.
func shelve(ctx context.Context, tx *sql.Tx, p posted) error {
	if p.run == "" || (p.attempt == 1 && p.post.State == ledger.PostDue) {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO shelf (node, run, tool, name, query, attempt, question, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET name = excluded.name, query = excluded.query, attempt = excluded.attempt, question = excluded.question, state = excluded.state`,
		p.node, p.run, p.tool, p.name, p.query, p.attempt, p.question, string(p.post.State))
	return err
}
