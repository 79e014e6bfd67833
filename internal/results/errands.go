package results

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
)

// errandsPerNode is how many errands wait for a node at most: one that never comes must not gather them without end.
const errandsPerNode = 16

// beforeErrands lets a post take the place of an errand that was not handed out yet: hunts do not wait for hunter's own questions.
const beforeErrands = `ON CONFLICT (node) DO UPDATE SET name = excluded.name, run = excluded.run, tool = excluded.tool, query = excluded.query,
	attempt = excluded.attempt, question = excluded.question, state = excluded.state, due_at = excluded.due_at WHERE outbox.run = '' AND outbox.state = 'due'`

// aside keeps the errands whose place the posts of a run take: they come again behind the run.
func aside(ctx context.Context, tx *sql.Tx, run string, post func() error) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO errand (node, name, question, due_at) SELECT o.node, o.name, o.question, o.due_at FROM outbox o
		WHERE o.run = '' AND o.state = 'due' AND EXISTS (SELECT 1 FROM target t WHERE t.endpoint = o.node AND t.run = ?) ON CONFLICT DO NOTHING`, run); err != nil {
		return err
	}
	if err := post(); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM errand WHERE (node, name) IN (SELECT node, name FROM outbox WHERE run = '' AND state = 'due')`)
	return err
}

// Send puts errands in the way of their nodes: each is asked at a poll at which no run has anything for the node. An errand of a
// node that is not there, or for which too many wait, is left out. It gives how many were taken.
func (s *Store) Send(ctx context.Context, errands []Errand, at time.Time) (n int, err error) {
	err = s.tx(ctx, "send what nodes are asked for hunter itself", func(tx *sql.Tx) error {
		for _, e := range errands {
			digest, err := insertQuestion(ctx, tx, e.Query)
			if err != nil {
				return err
			}
			ok, err := changed(tx.ExecContext(ctx, `INSERT INTO errand (node, name, question, due_at) SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM node WHERE id = ?1)
				AND (SELECT count(*) FROM errand WHERE node = ?1) < ?5 AND NOT EXISTS (SELECT 1 FROM handout WHERE node = ?1 AND name = ?2) ON CONFLICT DO NOTHING`,
				e.Node, e.Name, digest, stampText(at), errandsPerNode))
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			n++
			now, err := current(ctx, tx, e.Node, at)
			if err == nil && now.name == "" {
				_, err = goOn(ctx, tx, e.Node, at)
			}
			if err != nil {
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

// Done stores that an errand was answered, and what the node is asked next. It is false when it was answered before. A name that
// is no errand of the node's is ErrNotPosted.
func (s *Store) Done(ctx context.Context, node, name string, at time.Time) (first bool, err error) {
	err = s.together(ctx, "store that a node has answered", func(ctx context.Context, tx *sql.Tx) error {
		var there bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM handout WHERE node = ? AND name = ? AND run = '')`, node, name).Scan(&there); err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("node %s, name %q: %w", diag.Escape(node), name, ErrNotPosted)
		}
		first, err = changed(tx.ExecContext(ctx, `UPDATE handout SET answered_at = ?, answers = answers + 1 WHERE node = ? AND name = ? AND answered_at IS NULL`, stamp(at), node, name))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE node SET refused = 0 WHERE id = ? AND refused <> 0`, node); err != nil {
			return err
		}
		now, err := current(ctx, tx, node, at)
		if err == nil && (now.name == name || now.name == "") {
			_, err = goOn(ctx, tx, node, at)
			return err
		}
		if err != nil {
			return err
		}
		return wrote(ctx, tx, node, at)
	})
	return first, err
}
