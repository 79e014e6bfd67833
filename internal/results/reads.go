package results

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// query runs a read and hands each row to scan.
func (s *Store) query(ctx context.Context, what string, scan func(rows *sql.Rows) error, text string, args ...any) error {
	rows, err := s.r.QueryContext(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, explain(err))
	}
	defer rows.Close() //nolint:errcheck // read-only
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", what, explain(err))
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, explain(err))
	}
	return nil
}

const runColumns = `SELECT v.run, v.hunt, v.title, v.state, v.started_at, v.finished_at, v.exit_code, v.tlp, v.case_id, v.scope, r.done_when,
	r.definition, v.pivot_complete, r.error, v.hunted, v.refused, v.narrowed, v.unaskable, v.endpoints, v.hit, v.absent, v.partial,
	v.unverified, v.error, v.denylisted, v.unsupported, v.timeout, v.unasked, v.asleep, v.excluded, v.not_seen, v.proven, v.verified_ratio,
	(SELECT count(*) FROM hit h WHERE h.run = v.run) FROM report_runs v JOIN run r ON r.id = v.run`

func scanRun(rows *sql.Rows) (RunSummary, error) {
	var r RunSummary
	var started, finished, definition sql.NullString
	var exit sql.NullInt64
	var state, tlp string
	n := make([]int, 12)
	err := rows.Scan(&r.ID, &r.Hunt, &r.Title, &state, &started, &finished, &exit, &tlp, &r.Case, &r.Scope, &r.DoneWhen,
		&definition, &r.PivotComplete, &r.Error, &r.Hunted, &r.Refused, &r.Narrowed, &r.Unaskable, &r.Endpoints, &n[0], &n[1], &n[2], &n[3], &n[4],
		&n[5], &n[6], &n[7], &n[8], &n[9], &n[10], &r.NotSeen, &r.Proven, &r.VerifiedRatio, &r.HitsTotal)
	if err != nil {
		return r, err
	}
	r.State, r.TLP, r.Definition = RunState(state), indicator.TLP(tlp), []byte(definition.String)
	r.StartedAt, r.FinishedAt = unstamp(started), unstamp(finished)
	if exit.Valid {
		code := int(exit.Int64)
		r.ExitCode = &code
	}
	r.States = map[ledger.State]int{}
	for i, st := range []ledger.State{ledger.Hit, ledger.Absent, ledger.Partial, ledger.Unverified, ledger.Error, ledger.Denylisted, ledger.Unsupported, ledger.Timeout, ledger.Unasked, ledger.Asleep, ledger.Excluded} {
		if n[i] > 0 {
			r.States[st] = n[i]
		}
	}
	return r, nil
}

// Runs lists runs, newest first.
func (s *Store) Runs(ctx context.Context, f Filter) ([]RunSummary, error) {
	where, args := conditions(cond{"v.hunt = ?", f.Hunt}, cond{"v.state = ?", f.State}, cond{"v.run LIKE ? || '%'", f.Run})
	if !f.Since.IsZero() {
		where, args = and(where, "v.started_at >= ?"), append(args, stamp(f.Since))
	}
	var out []RunSummary
	err := s.query(ctx, "list the runs", func(rows *sql.Rows) error {
		r, err := scanRun(rows)
		out = append(out, r)
		return err
	}, runColumns+where+` ORDER BY v.started_at DESC, v.run DESC LIMIT ?`, append(args, limit(f.Limit))...)
	return out, err
}

// Run gives one run by its id, a unique prefix of at least four characters, or "last".
func (s *Store) Run(ctx context.Context, run string) (RunSummary, error) {
	text, args := ` WHERE v.run = ? OR (length(?) >= 4 AND substr(v.run, 1, length(?)) = ?) ORDER BY v.run = ? DESC LIMIT 2`, []any{run, run, run, run, run}
	if run == "last" {
		text, args = ` ORDER BY v.started_at DESC, v.run DESC LIMIT 1`, nil
	}
	var out []RunSummary
	err := s.query(ctx, "read the run", func(rows *sql.Rows) error {
		r, err := scanRun(rows)
		out = append(out, r)
		return err
	}, runColumns+text, args...)
	switch {
	case err != nil:
		return RunSummary{}, err
	case len(out) == 0:
		return RunSummary{}, fmt.Errorf("%s: %w", diag.Escape(run), ErrNoRun)
	case len(out) > 1 && out[0].ID != run:
		return RunSummary{}, fmt.Errorf("%s: %w", diag.Escape(run), ErrAmbiguous)
	}
	return out[0], nil
}

type cond struct {
	text  string
	value string
}

// conditions joins the tests whose value is not empty.
func conditions(cs ...cond) (where string, args []any) {
	for _, c := range cs {
		if c.value != "" {
			where = and(where, c.text)
			for range strings.Count(c.text, "?") {
				args = append(args, c.value)
			}
		}
	}
	return where, args
}

func and(where, text string) string {
	if where == "" {
		return " WHERE " + text
	}
	return where + " AND " + text
}

func limit(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}

// doc reads one JSON column of a run's pivot; a run without one gives nothing.
func doc[T any](ctx context.Context, s *Store, run, column string) (T, error) {
	var out T
	err := s.query(ctx, "read the pivot", func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		return json.Unmarshal([]byte(text), &out)
	}, `SELECT `+column+` FROM run_pivot WHERE run = ?`, run)
	return out, err
}

// Seeds gives what a run started from.
func (s *Store) Seeds(ctx context.Context, run string) ([]indicator.Ref, error) {
	return doc[[]indicator.Ref](ctx, s, run, "seeds")
}

// Files gives the file objects that a run's pivot knows.
func (s *Store) Files(ctx context.Context, run string) ([]indicator.File, error) {
	return doc[[]indicator.File](ctx, s, run, "files")
}

// Reports gives the reports that a run's pivot followed.
func (s *Store) Reports(ctx context.Context, run string) ([]indicator.Report, error) {
	return doc[[]indicator.Report](ctx, s, run, "reports")
}

// Skipped gives what intelligence was not asked or did not answer.
func (s *Store) Skipped(ctx context.Context, run string) ([]Skipped, error) {
	return doc[[]Skipped](ctx, s, run, "skipped")
}

// Cuts gives what the pivot's limits left out.
func (s *Store) Cuts(ctx context.Context, run string) ([]Cut, error) {
	return doc[[]Cut](ctx, s, run, "cut")
}

// Edges gives the edges of a run's pivot, in order.
func (s *Store) Edges(ctx context.Context, run string) ([]indicator.Edge, error) {
	var out []indicator.Edge
	err := s.query(ctx, "read the pivot", func(rows *sql.Rows) error {
		var e indicator.Edge
		var rel, tlp string
		var at sql.NullString
		err := rows.Scan(&e.From.Kind, &e.From.Value, &e.To.Kind, &e.To.Value, &rel, &e.Provider, &e.Report, &e.Confidence, &at, &e.Raw, &tlp)
		e.Relation, e.TLP, e.Time = indicator.Relation(rel), indicator.TLP(tlp), unstamp(at)
		out = append(out, e)
		return err
	}, `SELECT from_kind, from_value, to_kind, to_value, relation, provider, report, confidence, time, raw, tlp FROM run_edge WHERE run = ? ORDER BY seq`, run)
	return out, err
}

// RunsKnowing lists the runs whose pivot or hunt knows a value, newest first.
func (s *Store) RunsKnowing(ctx context.Context, value string) ([]string, error) {
	var out []string
	err := s.query(ctx, "look for the indicator", func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	}, `SELECT id FROM run WHERE id IN (SELECT run FROM run_edge WHERE to_value = ? UNION SELECT run FROM run_indicator WHERE value = ?
		UNION SELECT run FROM hit WHERE matched_value = ? OR sha256 = ? OR md5 = ? OR sha1 = ?) ORDER BY started_at DESC, id DESC`,
		value, value, value, value, value, value)
	return out, err
}

// Indicators gives what a run did with every indicator.
func (s *Store) Indicators(ctx context.Context, run string) ([]RunIndicator, error) {
	var out []RunIndicator
	err := s.query(ctx, "read the indicators", func(rows *sql.Rows) error {
		var x RunIndicator
		var kind, status, rel string
		err := rows.Scan(&x.Tool, &kind, &x.Indicator.Value, &status, &x.Reason, &rel, &x.Provider, &x.Report, &x.Confidence, &x.Sibling)
		x.Indicator.Kind, x.Status, x.Relation = indicator.Kind(kind), IndicatorStatus(status), indicator.Relation(rel)
		out = append(out, x)
		return err
	}, `SELECT coalesce(tool, ''), kind, value, status, reason, relation, provider, report, confidence, sibling FROM run_indicator WHERE run = ? ORDER BY seq`, run)
	return out, err
}

const targetColumns = `SELECT run, endpoint, hostname, tool, mode, platform, scope, hashset, window_from, window_to, state, proven, reason, files_seen,
	files_hashed, bytes_hashed, files_unread, answered_at FROM target`

func scanTarget(rows *sql.Rows) (run string, t Target, err error) {
	var mode, state string
	var from, to, answered sql.NullString
	c := &t.Coverage
	err = rows.Scan(&run, &t.Endpoint, &t.Hostname, &t.Tool, &mode, &t.Platform, &t.Scope, &t.Hashset, &from, &to, &state, &c.Proven, &c.Reason,
		&c.Counts.FilesSeen, &c.Counts.FilesHashed, &c.Counts.BytesHashed, &c.Counts.FilesUnread, &answered)
	t.Mode, c.State, c.Scope = ledger.Mode(mode), ledger.State(state), t.Scope
	t.WindowFrom, t.WindowTo, t.AnsweredAt = unstamp(from), unstamp(to), unstamp(answered)
	return run, t, err
}

// Targets gives the (endpoint, tool) pairs of a run, in the plan's order.
func (s *Store) Targets(ctx context.Context, run string) ([]Target, error) {
	var out []Target
	err := s.query(ctx, "read the coverage", func(rows *sql.Rows) error {
		_, t, err := scanTarget(rows)
		out = append(out, t)
		return err
	}, targetColumns+` WHERE run = ? ORDER BY seq`, run)
	return out, err
}

// HostRow is the standing of one (endpoint, tool) in one run.
type HostRow struct {
	Run string
	Target
}

// Hosts lists endpoints with their standing, newest run first; without a run in the filter, that of each one's newest run.
func (s *Store) Hosts(ctx context.Context, f Filter) ([]HostRow, error) {
	where, args := conditions(cond{"run = ?", f.Run}, cond{"state = ?", f.State}, cond{"(endpoint = ? OR lower(hostname) = lower(?))", f.Host})
	if f.Run == "" {
		where = and(where, `run = (SELECT t.run FROM target t JOIN run r ON r.id = t.run WHERE t.endpoint = target.endpoint AND t.tool = target.tool
			ORDER BY r.started_at DESC, r.id DESC LIMIT 1)`)
	}
	var out []HostRow
	err := s.query(ctx, "list the hosts", func(rows *sql.Rows) error {
		run, t, err := scanTarget(rows)
		out = append(out, HostRow{Run: run, Target: t})
		return err
	}, targetColumns+where+` ORDER BY hostname, tool, run DESC LIMIT ?`, append(args, limit(f.Limit))...)
	return out, err
}

// Queries gives every query of a run with its verdict, in the order in which they are asked.
func (s *Store) Queries(ctx context.Context, run string) ([]StoredQuery, error) {
	var out []StoredQuery
	err := s.query(ctx, "read the queries", func(rows *sql.Rows) error {
		var q StoredQuery
		var body, state string
		var verdict sql.NullString
		if err := rows.Scan(&q.Endpoint, &q.Tool, &q.Seq, &body, &state, &q.Attempts, &verdict); err != nil {
			return err
		}
		q.State = QueryState(state)
		if err := json.Unmarshal([]byte(body), &q.Query); err != nil {
			return err
		}
		if verdict.Valid {
			q.Verdict = &ledger.Verdict{}
			if err := json.Unmarshal([]byte(verdict.String), q.Verdict); err != nil {
				return err
			}
		}
		out = append(out, q)
		return nil
	}, `SELECT q.endpoint, q.tool, q.seq, q.body, q.state, q.attempts, q.verdict FROM query q
		JOIN target t ON t.run = q.run AND t.endpoint = q.endpoint AND t.tool = q.tool WHERE q.run = ? ORDER BY t.seq, q.seq`, run)
	return out, err
}

// Hits lists hits, oldest first, with how many there are without the limit.
func (s *Store) Hits(ctx context.Context, f Filter) (hits []StoredHit, total int, err error) {
	where, args := conditions(cond{"h.run = ?", f.Run}, cond{"r.hunt = ?", f.Hunt}, cond{"(h.endpoint = ? OR lower(t.hostname) = lower(?))", f.Host},
		cond{"(h.matched_value = ? OR h.sha256 = ? OR h.sha1 = ? OR h.md5 = ?)", f.Hash})
	if !f.Since.IsZero() {
		where, args = and(where, "h.observed_at >= ?"), append(args, stamp(f.Since))
	}
	from := ` FROM hit h JOIN run r ON r.id = h.run LEFT JOIN target t ON t.run = h.run AND t.endpoint = h.endpoint AND t.tool = h.tool` + where
	if err := s.r.QueryRowContext(ctx, `SELECT count(*)`+from, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("list the hits: %w", explain(err))
	}
	if f.After > 0 {
		from, args = from+and(where, "h.id > ?")[len(where):], append(args, f.After)
	}
	err = s.query(ctx, "list the hits", func(rows *sql.Rows) error {
		h, err := scanHit(rows)
		hits = append(hits, h)
		return err
	}, `SELECT h.id, h.run, r.hunt, h.endpoint, coalesce(t.hostname, ''), h.tool, h.found_in, h.path, h.path_raw, h.name, h.size, h.md5, h.sha1,
		h.sha256, h.matched_kind, h.matched_value, h.conflict, h.owner, h.mtime, h.pid, h.cmdline, h.started_at, h.observed_at`+
		from+` ORDER BY h.id LIMIT ?`, append(args, limit(f.Limit))...)
	return hits, total, err
}

func scanHit(rows *sql.Rows) (StoredHit, error) {
	var h StoredHit
	var found, kind string
	var raw []byte
	var size sql.NullInt64
	var mtime, started, observed sql.NullString
	row := &h.Row
	err := rows.Scan(&h.ID, &h.Run, &h.Hunt, &h.Endpoint, &h.Hostname, &h.Tool, &found, &h.PathText, &raw, &row.Name, &size, &row.MD5, &row.SHA1,
		&row.SHA256, &kind, &row.Matched.Value, &row.Conflict, &row.Owner, &mtime, &row.PID, &row.Cmdline, &started, &observed)
	row.FoundIn, row.Matched.Kind, row.Path = ledger.Stage(found), indicator.Kind(kind), string(raw)
	row.Size = -1
	if size.Valid {
		row.Size = size.Int64
	}
	row.MTime, row.StartedAt, h.ObservedAt = unstamp(mtime), unstamp(started), unstamp(observed)
	return h, err
}

// Findings lists findings, newest first.
func (s *Store) Findings(ctx context.Context, f Filter) ([]Finding, error) {
	where, args := conditions(cond{"(endpoint = ? OR lower(hostname) = lower(?))", f.Host}, cond{"verdict = ?", f.State},
		cond{"(sha256 = ? OR matched_value = ?)", f.Hash})
	var out []Finding
	err := s.query(ctx, "list the findings", func(rows *sql.Rows) error {
		var x Finding
		var first, last sql.NullString
		err := rows.Scan(&x.ID, &x.Endpoint, &x.Hostname, &x.Path, &x.SHA256, &x.Matched, &first, &last, &x.Runs, &x.Verdict, &x.Owner, &x.Note)
		x.FirstSeen, x.LastSeen = unstamp(first), unstamp(last)
		out = append(out, x)
		return err
	}, `SELECT finding, endpoint, hostname, path, coalesce(sha256, ''), matched_value, first_seen, last_seen, runs, verdict, coalesce(owner, ''),
		coalesce(note, '') FROM report_findings`+where+` ORDER BY last_seen DESC, finding LIMIT ?`, append(args, limit(f.Limit))...)
	return out, err
}

// SeenBefore says what earlier runs know of a set of hashes.
func (s *Store) SeenBefore(ctx context.Context, hashset string) (absent int, last string, err error) {
	var at sql.NullString
	err = s.r.QueryRowContext(ctx, `SELECT count(DISTINCT endpoint), max(answered_at) FROM target WHERE hashset = ? AND state = 'absent'`, hashset).Scan(&absent, &at)
	if err != nil {
		return 0, "", fmt.Errorf("look for earlier runs: %w", explain(err))
	}
	return absent, at.String, nil
}
