package results

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// When hunter looks at a node: once it has enrolled, again each day, and again after an hour when no answer came.
const (
	lookEvery = 24 * time.Hour
	lookAgain = time.Hour
	lookAwake = time.Hour // a node that has not polled for so long is not sent anything
)

// DueLooks gives nodes that are to be looked at, those that never were first. Nodes that are asleep wait until they come.
func (s *Store) DueLooks(ctx context.Context, at time.Time, limit int) ([]ledger.Node, error) {
	var out []ledger.Node
	err := s.query(ctx, "look for nodes to look at", func(rows *sql.Rows) error {
		var n ledger.Node
		err := rows.Scan(&n.ID, &n.Hostname, &n.Platform, &n.Agent, &n.Version)
		out = append(out, n)
		return err
	}, `SELECT n.id, n.hostname, n.platform, n.agent, n.version FROM node n
		WHERE n.last_seen >= ?1 AND (n.look_sent IS NULL OR n.look_sent < n.enrolled_at OR n.look_sent <= ?2
			OR (n.look_sent <= ?3 AND (n.look_at IS NULL OR n.look_at < n.look_sent)))
		AND NOT EXISTS (SELECT 1 FROM errand e WHERE e.node = n.id) ORDER BY n.look_sent IS NOT NULL, n.look_sent, n.id LIMIT ?4`,
		stampText(at.Add(-lookAwake)), stampText(at.Add(-lookEvery)), stampText(at.Add(-lookAgain)), limit)
	return out, err
}

// LookSent stores that nodes were sent what hunter asks for itself.
func (s *Store) LookSent(ctx context.Context, nodes []string, at time.Time) error {
	return s.tx(ctx, "store which nodes are looked at", func(tx *sql.Tx) error {
		for _, id := range nodes {
			if _, err := tx.ExecContext(ctx, `UPDATE node SET look_sent = ? WHERE id = ?`, stampText(at), id); err != nil {
				return err
			}
		}
		return nil
	})
}

// TakeLook stores what an answer says of its node, and what its labels make of its approval, in one transaction. A node that
// is not there any more is no error.
func (s *Store) TakeLook(ctx context.Context, node string, l ledger.Look, at time.Time) error {
	return s.tx(ctx, "store what a node says of itself", func(tx *sql.Tx) error {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE node SET look_at = ?1, version = CASE ?2 WHEN '' THEN version ELSE ?2 END,
			cannot = CASE ?3 WHEN 1 THEN ?4 ELSE cannot END, look_note = CASE WHEN ?3 = 1 OR ?5 <> '' THEN ?5 ELSE look_note END WHERE id = ?6`,
			stampText(at), diag.Escape(l.Version), flag(l.Able), diag.Escape(l.Cannot), diag.Escape(l.Note), node))
		if err != nil || !ok || l.Labels == nil {
			return err
		}
		if err := setLabels(ctx, tx, node, l, at); err != nil {
			return err
		}
		return s.approveByLabels(ctx, tx, node)
	})
}

func setLabels(ctx context.Context, tx *sql.Tx, node string, l ledger.Look, at time.Time) error {
	if l.All {
		if _, err := tx.ExecContext(ctx, `DELETE FROM node_label WHERE node = ? AND label NOT IN (SELECT value FROM json_each(?))`, node, jsonList(slices.Sorted(maps.Keys(l.Labels)))); err != nil {
			return err
		}
	}
	for _, label := range slices.Sorted(maps.Keys(l.Labels)) {
		text, args := `DELETE FROM node_label WHERE node = ? AND label = ?`, []any{node, label}
		if l.Labels[label] {
			text, args = `INSERT INTO node_label (node, label, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, append(args, stampText(at))
		}
		if _, err := tx.ExecContext(ctx, text, args...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) approveByLabels(ctx context.Context, tx *sql.Tx, node string) error {
	var approved bool
	var by string
	var labels []byte
	if err := tx.QueryRowContext(ctx, `SELECT approved, approved_by, (SELECT json_group_array(label) FROM node_label WHERE node = n.id) FROM node n WHERE n.id = ?`, node).
		Scan(&approved, &by, &labels); err != nil {
		return err
	}
	var list []string
	if err := unpack(labels, &list); err != nil {
		return err
	}
	now, who := s.approval.byLabels(approved, by, list)
	if now == approved && who == by {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE node SET approved = ?, approved_by = ? WHERE id = ?`, flag(now), who, node)
	return err
}
