package results

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// pollText is all that a poll reads as long as nothing is due: one node by its key, with its row of the outbox. Without its cast
// SQLite would compile the statement anew for each binding, which takes six times as long as the rest.
const pollText = `SELECT n.id, o.state, o.handed_at, o.hands, o.clean, o.wrote
	FROM node n INDEXED BY node_poll LEFT JOIN outbox o ON o.node = n.id WHERE n.key_hash = CAST(? AS BLOB)`

// Poll says what the node with a key is to be asked now. known is false when no node has that key. What is handed out, and
// what the poll says about a query that was handed out before, is committed before Poll returns; else nothing is written, the
// time of the poll neither. Of the node it gives the ID, and with a hand-out Agent.
func (s *Store) Poll(ctx context.Context, key ledger.KeyHash, at time.Time) (p ledger.Polled, known bool, err error) {
	const what = "look for what the node is to be asked"
	n := &p.Node
	var state, handed sql.NullString
	var hands, clean sql.NullInt64
	var wrote sql.NullBool
	err = s.poll.QueryRowContext(context.WithoutCancel(ctx), key[:]).Scan( // a context that can end costs mattn a goroutine
		&n.ID, &state, &handed, &hands, &clean, &wrote)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Polled{}, false, nil
	}
	if err != nil {
		return ledger.Polled{}, false, fail(what, err)
	}
	post := ledger.Post{State: ledger.PostState(state.String), Hands: int(hands.Int64), Clean: int(clean.Int64), Wrote: wrote.Bool}
	if post.State == ledger.PostHanded {
		post.HandedAt = unstamp(handed)
	}
	if _, act := post.Poll(at); act == ledger.ActNothing {
		return p, true, nil
	}
	p.Handout, p.Soon, err = s.handOut(ctx, n.ID, at)
	if err == nil && p.Handout != nil {
		err = fail(what, s.r.QueryRowContext(context.WithoutCancel(ctx), `SELECT agent FROM node WHERE id = ?`, n.ID).Scan(&n.Agent))
	}
	return p, true, err
}

// handOut looks again in a transaction, and stores what the poll leads to. The text is read once that is committed: nothing
// but a post's name is needed to store it.
func (s *Store) handOut(ctx context.Context, node string, at time.Time) (h *ledger.Handout, soon bool, err error) {
	var p posted
	err = s.together(ctx, "hand a query out", func(ctx context.Context, tx *sql.Tx) (err error) {
		p, soon, err = handOutTx(ctx, tx, node, at)
		return err
	})
	if err != nil || p.name == "" {
		return nil, false, err
	}
	q, err := s.question(ctx, p.question)
	if err != nil {
		return nil, false, err
	}
	return &ledger.Handout{Name: p.name, Text: q.Text, MaxSize: q.MaxSize}, soon, nil
}

// handOutTx gives the post that is handed out; without a name there is none. What its run does not want asked any more makes
// room for the next one, which the same poll gets.
func handOutTx(ctx context.Context, tx *sql.Tx, node string, at time.Time) (posted, bool, error) {
	for {
		p, err := current(ctx, tx, node, at)
		if err != nil {
			return posted{}, false, err
		}
		post, act := p.post.Poll(at)
		switch {
		case act == ledger.ActNothing:
			return posted{}, false, nil
		case act == ledger.ActHand && p.active:
			if hold, err := untold(ctx, tx, p); err != nil || hold {
				return posted{}, false, err
			}
			soon, err := keepHandout(ctx, tx, p, post, at)
			return p, soon, err
		case act == ledger.ActHand && p.post.State == ledger.PostHanded: // the reply got lost, and its run wants nothing asked any more
			return posted{}, false, nil
		case act == ledger.ActKeep && post.State != ledger.PostLost:
			return posted{}, false, keepPost(ctx, tx, node, post)
		}
		stays, err := lost(ctx, tx, p, post)
		if err != nil || stays {
			return posted{}, false, err
		}
		if _, err := goOn(ctx, tx, node, at); err != nil {
			return posted{}, false, err
		}
	}
}

func keepPost(ctx context.Context, tx *sql.Tx, node string, p ledger.Post) error {
	_, err := tx.ExecContext(ctx, `UPDATE outbox SET state = ?, handed_at = ?, hands = ?, polled_at = ?, clean = ?, wrote = ? WHERE node = ?`,
		string(p.State), stamp(p.HandedAt), p.Hands, stamp(p.PolledAt), p.Clean, flag(p.Wrote), node)
	return err
}

// keepHandout stores that a post is handed out, for the first time or again. soon says whether its run has more for the node.
func keepHandout(ctx context.Context, tx *sql.Tx, p posted, post ledger.Post, at time.Time) (soon bool, err error) {
	if err := keepPost(ctx, tx, p.node, post); err != nil {
		return false, err
	}
	if post.Hands == 1 {
		if _, err := tx.ExecContext(ctx, `INSERT INTO handout (node, name, run, tool, query, attempt, question, handed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, p.node, p.name, p.run, p.tool, p.query, p.attempt, p.question, stamp(at)); err != nil {
			return false, err
		}
		if p.run == "" {
			return false, nil
		}
		if _, err := tx.ExecContext(ctx, `UPDATE query SET attempts = max(attempts, ?), state = CASE state WHEN 'planned' THEN 'asked' ELSE state END
			WHERE run = ? AND endpoint = ? AND tool = ? AND id = ?`, p.attempt, p.run, p.node, p.tool, p.query); err != nil {
			return false, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE target SET handed_at = ? WHERE run = ? AND endpoint = ? AND tool = ?`, stamp(at), p.run, p.node, p.tool); err != nil {
			return false, err
		}
	}
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM query WHERE run = ? AND endpoint = ? AND tool = ? AND state <> 'answered' AND id <> ?)`,
		p.run, p.node, p.tool, p.query).Scan(&soon)
	return soon, err
}

// lost deals with a post that is lost, or due though its run hands out nothing. stays says that it waits for its run to decide.
func lost(ctx context.Context, tx *sql.Tx, p posted, post ledger.Post) (stays bool, err error) {
	if p.run == "" {
		return false, nil
	}
	var run, query sql.NullString
	if err := tx.QueryRowContext(ctx, `SELECT (SELECT state FROM run WHERE id = ?1), (SELECT state FROM query WHERE run = ?1 AND endpoint = ?2 AND tool = ?3 AND id = ?4)`,
		p.run, p.node, p.tool, p.query).Scan(&run, &query); err != nil {
		return false, err
	}
	switch {
	case QueryState(query.String) != QueryPlanned && QueryState(query.String) != QueryAsked: // answered under another name
		return false, nil
	case post.State == ledger.PostLost && p.active:
		return true, keepPost(ctx, tx, p.node, post)
	case RunState(run.String) == RunPaused:
		if p.post.State != ledger.PostDue {
			p.post = post
		}
		return false, shelve(ctx, tx, p)
	}
	return false, nil
}

// Refused stores that a write of a node was refused, so that what it could not deliver is not taken for lost.
func (s *Store) Refused(ctx context.Context, node string, at time.Time) error {
	return s.together(ctx, "store that a write was refused", func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE node SET refused = refused + 1 WHERE id = ?`, node); err != nil {
			return err
		}
		return wrote(ctx, tx, node, at)
	})
}

// wrote stores that a node wrote something that does not answer what it was handed last.
func wrote(ctx context.Context, tx *sql.Tx, node string, at time.Time) error {
	p, err := current(ctx, tx, node, at)
	if err != nil || p.post == p.post.Written() {
		return err
	}
	return keepPost(ctx, tx, node, p.post.Written())
}
