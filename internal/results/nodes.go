package results

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// nodeColumns are what scanNode reads, from node n. The last is another node of the same identifier: two machines use it when both
// were seen since the later one got its key, and the other one not long before this one was. Three hours are three polls at the longest
// interval: after that the other one has fallen silent, and this one speaks for itself again. For the later one's first three
// minutes it is enough that the other's key was live then: when nodes were seen is stored seconds later, and an answer that was
// believed stays so.
const nodeColumns = `n.id, n.identifier, n.hostname, n.platform, n.host, n.agent, n.version, n.instance, n.approved, n.cannot, n.enrolled_at, n.last_seen,
	coalesce((SELECT o.id FROM node o WHERE o.identifier = n.identifier AND o.id <> n.id
		AND (min(n.last_seen, o.last_seen) >= max(n.enrolled_at, o.enrolled_at) AND o.last_seen >= strftime('%Y-%m-%dT%H:%M:%fZ', n.last_seen, '-3 hours')
		OR CASE WHEN n.enrolled_at > o.enrolled_at THEN o.last_seen >= strftime('%Y-%m-%dT%H:%M:%fZ', n.enrolled_at, '-3 minutes') AND n.last_seen < strftime('%Y-%m-%dT%H:%M:%fZ', n.enrolled_at, '+3 minutes')
			ELSE n.last_seen >= strftime('%Y-%m-%dT%H:%M:%fZ', o.enrolled_at, '-3 minutes') AND o.last_seen < strftime('%Y-%m-%dT%H:%M:%fZ', o.enrolled_at, '+3 minutes') END)
		ORDER BY o.id LIMIT 1), '')`

// scanNode reads nodeColumns. Labels are apart.
func scanNode(scan func(to ...any) error, more ...any) (ledger.Node, error) {
	var n ledger.Node
	var identifier, hostname, platform, host, twin string
	var enrolled, seen sql.NullString
	err := scan(append([]any{&n.ID, &identifier, &hostname, &platform, &host, &n.Agent, &n.Version, &n.Instance, &n.Approved, &n.Cannot, &enrolled, &seen, &twin}, more...)...)
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal([]byte(host), &n.Host); err != nil {
		return n, fmt.Errorf("the stored host of node %s: %w", n.ID, err)
	}
	n.Identifier, n.Hostname, n.Platform = identifier, hostname, platform // with bytes that JSON can not hold
	n.EnrolledAt, n.LastSeen = unstamp(enrolled), unstamp(seen)
	if twin != "" {
		n.Twin = fmt.Sprintf("two machines with one identity: node %s has the host identifier %s too", twin, diag.Escape(n.Identifier))
	}
	return n, nil
}

// Enroll gives the node that an agent is, with the key that it was given. Of the nodes with its identifier it takes the place of one
// whose key fell silent (e.Silent, at least 3 minutes), or was never used by the same installation, as an agent whose
// enrolment was answered on a broken line enrols again. Then id, history and every name stay, and approval too if it is the
// same installation. Otherwise it is a new node, and inherits nothing.
func (s *Store) Enroll(ctx context.Context, e ledger.Enrolment) (ledger.Node, error) {
	const what = "store the enrolment"
	id, err := uuid.NewV7()
	if err != nil {
		return ledger.Node{}, fail(what, err)
	}
	host, err := json.Marshal(e.Host)
	if err != nil {
		return ledger.Node{}, fail(what, err)
	}
	var out ledger.Node
	err = s.together(ctx, what, func(ctx context.Context, tx *sql.Tx) error { // thousands may enrol in the same minute
		node, approved, same, err := replaced(ctx, tx, e)
		if err != nil {
			return err
		}
		if node == "" {
			node, approved = id.String(), e.Approved
			_, err = tx.ExecContext(ctx, `INSERT INTO node (id, key_hash, identifier, hostname, platform, host, agent, version, instance, secret, address, approved, approved_by,
				enrolled_at, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				node, e.Key[:], e.Host.Identifier, e.Host.Hostname, e.Host.Platform, string(host), e.Agent, e.Version, e.Instance, e.Secret, e.Address,
				flag(approved), approvedBy(approved), stampText(e.At), stampText(e.At))
		} else {
			_, err = tx.ExecContext(ctx, `UPDATE node SET key_hash = ?, hostname = ?, platform = ?, host = ?, agent = ?, version = ?, instance = ?, secret = ?, address = ?,
				approved = ?, approved_by = CASE WHEN ? THEN approved_by ELSE ? END, refused = 0, enrolled_at = ?, last_seen = max(last_seen, ?) WHERE id = ?`,
				e.Key[:], e.Host.Hostname, e.Host.Platform, string(host), e.Agent, e.Version, e.Instance, e.Secret, e.Address,
				flag(approved), flag(same), approvedBy(approved), stampText(e.At), stampText(e.At), node)
		}
		if err != nil {
			return err
		}
		if err := keepNames(ctx, tx, node, e); err != nil {
			return err
		}
		if out, err = scanNode(tx.QueryRowContext(ctx, `SELECT `+nodeColumns+` FROM node n WHERE n.id = ?`, node).Scan); err != nil {
			return err
		}
		out.Labels, err = labelsOf(ctx, tx, node)
		return err
	})
	return out, err
}

// approvedBy says who approved a node that enrols: nobody but the rule can have.
func approvedBy(approved bool) string {
	if approved {
		return ApprovedAtEnrolment
	}
	return ""
}

// replaced finds the node whose place an agent takes, "" when there is none, and whether it is approved then. The same
// installation keeps its approval; another one in its place is asked for anew.
func replaced(ctx context.Context, tx *sql.Tx, e ledger.Enrolment) (node string, approved, same bool, err error) {
	silent := e.At.Add(-max(e.Silent, ledger.SilentLeast))
	// The same installation first, then the one that was heard of last.
	err = tx.QueryRowContext(ctx, `SELECT id, approved, instance = ?2 AND ?2 <> '' FROM node
		WHERE identifier = ?1 AND (last_seen < ?3 OR (last_seen = enrolled_at AND instance = ?2 AND ?2 <> ''))
		ORDER BY instance = ?2 AND ?2 <> '' DESC, last_seen DESC, id LIMIT 1`, e.Host.Identifier, e.Instance, stampText(silent)).Scan(&node, &approved, &same)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, false, nil
	case err != nil:
		return "", false, false, err
	case !same:
		approved = e.Approved
	}
	return node, approved, same, nil
}

// keepNames adds to the names under which a node was ever known.
func keepNames(ctx context.Context, tx *sql.Tx, node string, e ledger.Enrolment) error {
	names := map[string]string{
		"identifier": e.Host.Identifier, "hostname": e.Host.Hostname, "computer": e.Host.Computer, "uuid": e.Host.UUID, "serial": e.Host.Serial,
		"instance": e.Instance, "address": e.Address,
	}
	for _, kind := range slices.Sorted(maps.Keys(names)) {
		if names[kind] == "" {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO node_name (node, kind, value, first_seen) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, node, kind, names[kind], stampText(e.At))
		if err != nil {
			return err
		}
	}
	return nil
}

// queryer is a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

func labelsOf(ctx context.Context, q queryer, node string) ([]string, error) {
	return texts(ctx, q, `SELECT label FROM node_label WHERE node = ? ORDER BY label`, node)
}

// NodeByKey gives the node that has a key now; known is false when none has.
func (s *Store) NodeByKey(ctx context.Context, key ledger.KeyHash) (n ledger.Node, known bool, err error) {
	const what = "look up the node"
	n, err = scanNode(s.r.QueryRowContext(ctx, `SELECT `+nodeColumns+` FROM node n WHERE n.key_hash = ?`, key[:]).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Node{}, false, nil
	}
	if err == nil {
		n.Labels, err = labelsOf(ctx, s.r, n.ID)
	}
	if err != nil {
		return ledger.Node{}, false, fail(what, err)
	}
	return n, true, nil
}

// Nodes lists all nodes, by id: in the order in which they first enrolled.
func (s *Store) Nodes(ctx context.Context) ([]ledger.Node, error) {
	labels := map[string][]string{}
	err := s.query(ctx, "read the labels of nodes", func(rows *sql.Rows) error {
		var node, label string
		err := rows.Scan(&node, &label)
		labels[node] = append(labels[node], label)
		return err
	}, `SELECT node, label FROM node_label ORDER BY node, label`)
	if err != nil {
		return nil, err
	}
	var out []ledger.Node
	err = s.query(ctx, "list the nodes", func(rows *sql.Rows) error {
		n, err := scanNode(rows.Scan)
		n.Labels = labels[n.ID]
		out = append(out, n)
		return err
	}, `SELECT `+nodeColumns+` FROM node n ORDER BY n.id`)
	return out, err
}

// Seen stores when nodes, by id, were seen. An earlier time changes nothing; a node that is not there is passed over.
func (s *Store) Seen(ctx context.Context, seen map[string]time.Time) error {
	return s.tx(ctx, "store when nodes were seen", func(tx *sql.Tx) error {
		stmt, err := tx.PrepareContext(ctx, `UPDATE node SET last_seen = ?1 WHERE id = ?2 AND last_seen < ?1`)
		if err != nil {
			return err
		}
		defer stmt.Close() // ends with the transaction too
		for _, id := range slices.Sorted(maps.Keys(seen)) {
			if _, err := stmt.ExecContext(ctx, stampText(seen[id]), id); err != nil {
				return err
			}
		}
		return nil
	})
}
