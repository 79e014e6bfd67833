package results

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// NodeRow is an agent that has enrolled, with all that is known of it.
type NodeRow struct {
	ledger.Node
	Names      []NodeName // every name under which it was ever known
	ApprovedBy string     // enrolment, label, person; "" when it is not approved
	Refused    int        // writes that were refused since the last one that was taken
	LookedAt   time.Time  // when it last said what it can
	LookNote   string     // what of that could not be learned, and why
	Address    string     // from which it enrolled
	Secret     string     // with which enrol secret, by name
}

// NodeName is one name of a node.
type NodeName struct {
	Kind  string    `json:"kind"` // identifier, hostname, computer, uuid, serial, instance, address
	Value string    `json:"value"`
	First time.Time `json:"first_seen"`
}

// NodeFilter narrows the nodes; zero fields do not.
type NodeFilter struct {
	Host        string // id, or any name it ever had, without case
	Platforms   []string
	Labels      []string // one of them
	Versions    []string // the version, or its beginning up to a dot
	Agent       string
	SeenSince   time.Time
	UnseenSince time.Time // not heard of since
	CannotAlone bool
	Unapproved  bool
}

// OfNodes reports whether only nodes can pass.
func (f NodeFilter) OfNodes() bool {
	return len(f.Labels)+len(f.Versions) > 0 || f.Agent != "" || !f.SeenSince.IsZero() || !f.UnseenSince.IsZero() || f.CannotAlone || f.Unapproved
}

// Inventory lists the nodes by host name.
func (s *Store) Inventory(ctx context.Context, f NodeFilter) ([]NodeRow, error) {
	var w where
	w.text(`(n.id = ? OR n.id IN (SELECT m.node FROM node_name m WHERE lower(m.value) = lower(?)) OR lower(n.hostname) = lower(?) OR n.identifier = ?)`, f.Host)
	w.among("n.platform", f.Platforms)
	if len(f.Labels) > 0 {
		w.add(`EXISTS (SELECT 1 FROM node_label l WHERE l.node = n.id AND l.label IN (SELECT value FROM json_each(?)))`, jsonList(f.Labels))
	}
	if len(f.Versions) > 0 {
		w.add(`EXISTS (SELECT 1 FROM json_each(?) v WHERE n.version = v.value OR substr(n.version, 1, length(v.value) + 1) = v.value || '.')`, jsonList(f.Versions))
	}
	w.text(`n.agent = ?`, f.Agent)
	w.since(`n.last_seen >= ?`, f.SeenSince)
	w.since(`n.last_seen < ?`, f.UnseenSince)
	if f.CannotAlone {
		w.add(`n.cannot <> ''`)
	}
	if f.Unapproved {
		w.add(`n.approved = 0`)
	}
	var out []NodeRow
	at := map[string]int{}
	err := s.query(ctx, "list the nodes", func(rows *sql.Rows) error {
		n, err := scanNodeRow(rows)
		at[n.ID] = len(out)
		out = append(out, n)
		return err
	}, `SELECT `+nodeColumns+`, n.secret, n.address, n.approved_by, n.refused, n.look_at, n.look_note FROM node n`+w.String()+` ORDER BY n.hostname, n.id`, w.args...)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	if err := s.query(ctx, "read the labels of nodes", func(rows *sql.Rows) error {
		var node, label string
		err := rows.Scan(&node, &label)
		if i, ok := at[node]; ok {
			out[i].Labels = append(out[i].Labels, label)
		}
		return err
	}, `SELECT node, label FROM node_label ORDER BY node, label`); err != nil {
		return nil, err
	}
	err = s.query(ctx, "read the names of nodes", func(rows *sql.Rows) error {
		var node string
		var name NodeName
		var first sql.NullString
		err := rows.Scan(&node, &name.Kind, &name.Value, &first)
		name.First = unstamp(first)
		if i, ok := at[node]; ok {
			out[i].Names = append(out[i].Names, name)
		}
		return err
	}, `SELECT node, kind, value, first_seen FROM node_name ORDER BY node, kind, first_seen, value`)
	return out, err
}

func scanNodeRow(rows *sql.Rows) (NodeRow, error) {
	var n NodeRow
	var looked sql.NullString
	var err error
	n.Node, err = scanNode(rows.Scan, &n.Secret, &n.Address, &n.ApprovedBy, &n.Refused, &looked, &n.LookNote)
	n.LookedAt = unstamp(looked)
	switch {
	case !n.Approved:
		n.ApprovedBy = ""
	case n.ApprovedBy == "":
		n.ApprovedBy = ApprovedAtEnrolment
	}
	return n, err
}

// HostsAndNodes lists, beside the standings of Hosts, the nodes that no run ever asked; each row of a node has it. Nodes come in
// without a run only where f names none, nor a hunt, state or time.
func (s *Store) HostsAndNodes(ctx context.Context, f Filter, nf NodeFilter) ([]HostRow, error) {
	standings := f
	standings.Limit, standings.Host, nf.Host = 0, "", f.Host // a node is found by any of its names
	hosts, err := s.Hosts(ctx, standings)
	if err != nil {
		return nil, err
	}
	nodes, err := s.Inventory(ctx, nf)
	if err != nil {
		return nil, err
	}
	at := make(map[string]*NodeRow, len(nodes))
	for i := range nodes {
		at[nodes[i].ID] = &nodes[i]
	}
	var out []HostRow
	asked := map[string]bool{}
	for _, h := range hosts {
		h.Node = at[h.Endpoint]
		asked[h.Endpoint] = true
		if f.Host != "" && h.Node == nil && h.Endpoint != f.Host && !strings.EqualFold(h.Hostname, f.Host) {
			continue
		}
		if h.Node == nil && (nf.OfNodes() || (len(nf.Platforms) > 0 && !slices.Contains(nf.Platforms, h.Platform))) {
			continue
		}
		out = append(out, h)
	}
	if f.Run == "" && f.Hunt == "" && f.State == "" && f.Since.IsZero() {
		for i := range nodes {
			if n := &nodes[i]; !asked[n.ID] {
				out = append(out, HostRow{Node: n, Target: Target{Endpoint: n.ID, Hostname: n.Hostname, Platform: n.Platform}})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b HostRow) int { return strings.Compare(a.Hostname, b.Hostname) })
	if f.Limit > 0 {
		out = out[:min(len(out), f.Limit)]
	}
	return out, nil
}

// among tests a column for one of some values; none do not narrow.
func (w *where) among(column string, values []string) {
	if len(values) > 0 {
		w.add(column+` IN (SELECT value FROM json_each(?))`, jsonList(values))
	}
}

// jsonList writes texts for json_each.
func jsonList(values []string) string {
	b, _ := json.Marshal(values) // texts have a JSON form
	return string(b)
}
