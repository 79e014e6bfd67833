package results

import (
	"context"
	"database/sql"
	"time"
)

const targetColumns = `t.run, t.endpoint, t.hostname, t.tool, t.mode, t.platform, t.scope, t.hashset, t.window_from, t.window_to, t.state, t.proven,
	t.reason, t.files_seen, t.files_hashed, t.bytes_hashed, t.files_unread, t.answered_at, t.proof, coalesce(t.carried, ''),
	(SELECT count(*) FROM hit h WHERE h.run = t.run AND h.endpoint = t.endpoint AND h.tool = t.tool)`

// scanTarget reads targetColumns, and what follows them into more.
func scanTarget(rows *sql.Rows, more ...any) (run string, t Target, err error) {
	var from, to, answered sql.NullString
	c := &t.Coverage
	err = rows.Scan(append([]any{
		&run, &t.Endpoint, &t.Hostname, &t.Tool, &t.Mode, &t.Platform, &t.Scope, &t.Hashset, &from, &to, &c.State, &c.Proven,
		&c.Reason, &c.Counts.FilesSeen, &c.Counts.FilesHashed, &c.Counts.BytesHashed, &c.Counts.FilesUnread, &answered, &t.Proof, &t.Carried, &c.Hits,
	}, more...)...)
	c.Scope, t.WindowFrom, t.WindowTo, t.AnsweredAt = t.Scope, unstamp(from), unstamp(to), unstamp(answered)
	return run, t, err
}

// Targets gives the (endpoint, tool) pairs of a run with their coverage, in the plan's order.
func (s *Store) Targets(ctx context.Context, run string) ([]Target, error) {
	var out []Target
	err := s.query(ctx, "read the coverage", func(rows *sql.Rows) error {
		_, t, err := scanTarget(rows)
		out = append(out, t)
		return err
	}, `SELECT `+targetColumns+` FROM target t WHERE t.run = ? ORDER BY t.seq`, run)
	return out, err
}

// HostRow is the standing of one (endpoint, tool) in one run.
type HostRow struct {
	Run          string
	Hunt         string
	LastAnswered time.Time // in any run that the filter lets through
	Node         *NodeRow  // the agent that enrolled for the endpoint; nil: none did, or it was not looked for
	Target
}

// Hosts lists each (endpoint, tool) with its standing in its newest run, by host name. Of the filter it takes Run, Hunt,
// Host and Since (of the run's start), which narrow the runs that are looked at, State, which narrows the standings, and
// Limit.
func (s *Store) Hosts(ctx context.Context, f Filter) ([]HostRow, error) {
	var w where
	if err := s.inRun(ctx, &w, "r.id = ?", f.Run); err != nil {
		return nil, err
	}
	w.text("r.hunt = ?", f.Hunt)
	w.text("(x.endpoint = ? OR lower(x.hostname) = lower(?))", f.Host)
	w.since("r.started_at >= ?", f.Since)
	inner := `SELECT x.run AS run, x.endpoint AS endpoint, x.tool AS tool, r.hunt AS hunt,
		max(x.answered_at) OVER (PARTITION BY x.endpoint, x.tool) AS answered,
		row_number() OVER (PARTITION BY x.endpoint, x.tool ORDER BY r.rowid DESC) AS place
		FROM target x JOIN run r ON r.id = x.run` + w.String()
	last := where{args: w.args}
	last.add("n.place = 1")
	last.text("t.state = ?", f.State)
	var out []HostRow
	err := s.query(ctx, "list the hosts", func(rows *sql.Rows) error {
		var h HostRow
		var answered sql.NullString
		var err error
		h.Run, h.Target, err = scanTarget(rows, &h.Hunt, &answered)
		h.LastAnswered = unstamp(answered)
		out = append(out, h)
		return err
	}, `SELECT `+targetColumns+`, n.hunt, n.answered FROM (`+inner+`) n
		JOIN target t ON t.run = n.run AND t.endpoint = n.endpoint AND t.tool = n.tool`+last.String()+` ORDER BY t.hostname, t.endpoint, t.tool LIMIT ?`,
		last.page(f.Limit)...)
	return out, err
}
