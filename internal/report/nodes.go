package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/results"
)

// NodeJSON is an agent that enrolled, as part of a HostJSON.
type NodeJSON struct {
	Agent      string         `json:"agent"` // osquery, hunter
	Version    string         `json:"version"`
	OS         *string        `json:"os"`
	Arch       *string        `json:"arch"`
	Labels     []string       `json:"labels"`
	Approved   bool           `json:"approved"`
	ApprovedBy *string        `json:"approved_by"`
	Cannot     *string        `json:"cannot"`
	Twin       *string        `json:"twin"`
	Refused    int            `json:"refused"`
	Note       *string        `json:"note"`
	EnrolledAt *string        `json:"enrolled_at"`
	LastSeen   *string        `json:"last_seen"`
	LookedAt   *string        `json:"looked_at"`
	Names      []NodeNameJSON `json:"names"`
}

// NodeNameJSON is one name under which an agent was ever known.
type NodeNameJSON struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// nodeOf gives the JSON form of a node; nil when there is none.
func nodeOf(n *results.NodeRow) *NodeJSON {
	if n == nil {
		return nil
	}
	out := &NodeJSON{
		Agent: n.Agent, Version: diag.Escape(n.Version), OS: optional(diag.Escape(n.OS)), Arch: optional(diag.Escape(n.Arch)), Labels: orEmpty(n.Labels), Approved: n.Approved,
		ApprovedBy: optional(n.ApprovedBy), Cannot: optional(diag.Escape(n.Cannot)), Twin: optional(diag.Escape(n.Twin)), Refused: n.Refused, Note: optional(diag.Escape(n.LookNote)),
		EnrolledAt: Stamp(n.EnrolledAt), LastSeen: Stamp(n.LastSeen), LookedAt: Stamp(n.LookedAt), Names: []NodeNameJSON{},
	}
	for _, name := range n.Names {
		out.Names = append(out.Names, NodeNameJSON{name.Kind, diag.Escape(name.Value)})
	}
	return out
}

// nodeColumns are the columns of a node in a table of hosts.
func nodeColumns() []string {
	return []string{"agent", "version", "os", "labels", "approved", "approved_by", "cannot", "twin", "refused", "note", "enrolled_at", "last_seen", "names"}
}

// nodeCells are the cells under nodeColumns; they are empty where there is no node.
func nodeCells(n *NodeJSON) []string {
	if n == nil {
		return make([]string, len(nodeColumns()))
	}
	names := make([]string, len(n.Names))
	for i, x := range n.Names {
		names[i] = x.Kind + "=" + x.Value
	}
	return []string{
		n.Agent, n.Version, text(n.OS), strings.Join(n.Labels, " "), strconv.FormatBool(n.Approved), text(n.ApprovedBy), text(n.Cannot), text(n.Twin), strconv.Itoa(n.Refused), text(n.Note),
		text(n.EnrolledAt), text(n.LastSeen), strings.Join(names, " "),
	}
}

// HostsTable gives the head and the rows of a table of hosts for a terminal. Where there are nodes it tells of them too.
func HostsTable(hosts []results.HostRow) (head []string, rows [][]string) {
	head = []string{"HOST", "TOOL", "PLATFORM", "STATE", "PROVEN", "ANSWERED", "REASON"}
	nodes := slices.ContainsFunc(hosts, func(h results.HostRow) bool { return h.Node != nil })
	if nodes {
		head = slices.Insert(head, 3, "AGENT", "SEEN", "LABELS")
	}
	for _, h := range hosts {
		c := h.Coverage
		reason, proven := c.Reason, "no"
		if c.Proven {
			proven = "yes"
		}
		if h.Run == "" {
			proven = "-"
		}
		row := []string{diag.Escape(h.Hostname), dash(h.Tool), dash(diag.Escape(h.Platform)), dash(string(c.State)), proven, shortTime(h.AnsweredAt)}
		if nodes {
			row = slices.Insert(row, 3, "-", "-", "-")
		}
		if n := h.Node; n != nil {
			row[3], row[4], row[5] = diag.Escape(strings.TrimSpace(n.Agent+" "+n.Version)), shortTime(n.LastSeen), dash(diag.Escape(strings.Join(n.Labels, " ")))
			reason = nodeReason(*n, reason)
		}
		rows = append(rows, append(row, diag.Escape(reason)))
	}
	return head, rows
}

// nodeReason says what stands in the way of asking a node, before what a run said, and each once.
func nodeReason(n results.NodeRow, reason string) string {
	var out []string
	if n.Cannot != "" {
		out = append(out, "can't be asked: "+n.Cannot)
		reason = strings.TrimPrefix(reason, n.Cannot)
	}
	if n.Twin != "" && !strings.Contains(reason, n.Twin) {
		out = append(out, n.Twin)
	}
	if !n.Approved {
		out = append(out, "not approved: asked without a digest")
	}
	return strings.Join(slices.DeleteFunc(append(out, n.LookNote, reason), func(s string) bool { return s == "" }), "; ")
}

// shortTime writes a time for a terminal.
func shortTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func dash(s string) string { return cmp.Or(s, "-") }
