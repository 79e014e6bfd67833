package results

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// hitsPart is how many hits one statement stores.
const hitsPart = 50

// upsertFindings takes endpoint, host name and time, and for each hit the path, its digest, the path as text and what matched.
func upsertFindings(n int) string {
	return `INSERT INTO finding (endpoint, hostname, first_seen, last_seen, path_raw, sha256, path, matched_value) VALUES ` +
		valuesOf(n, 3, 4, `?1, ?2, ?3, ?3, %[1]d, %[2]d, %[3]d, %[4]d`) + `
	ON CONFLICT (endpoint, path_raw, sha256) DO UPDATE SET
		hostname = CASE WHEN excluded.hostname = '' THEN finding.hostname ELSE excluded.hostname END,
		first_seen = CASE WHEN excluded.first_seen < finding.first_seen THEN excluded.first_seen ELSE finding.first_seen END,
		last_seen = CASE WHEN excluded.last_seen > finding.last_seen THEN excluded.last_seen ELSE finding.last_seen END`
}

// insertHitRows takes run, endpoint, tool and time, and the fields of each hit. Without its casts SQLite would compile the
// statement anew for each binding.
func insertHitRows(n int) string {
	return `INSERT INTO hit (run, endpoint, tool, observed_at, finding, path_raw, sha256, path, found_in, name, size, md5, sha1, matched_kind,
	matched_value, conflict, owner, mtime, pid, cmdline, started_at) VALUES ` +
		valuesOf(n, 4, 16, `?1, ?2, ?3, ?4, (SELECT f.id FROM finding f WHERE f.endpoint = CAST(?2 AS TEXT)
		AND f.path_raw = CAST(%[1]d AS BLOB) AND f.sha256 = CAST(%[2]d AS TEXT)),
		%[1]d, %[2]d, %[3]d, %[4]d, %[5]d, %[6]d, %[7]d, %[8]d, %[9]d, %[10]d, %[11]d, %[12]d, %[13]d, %[14]d, %[15]d, %[16]d`) + ` ON CONFLICT DO NOTHING`
}

// valuesOf words n rows; each has fields of its own, numbered behind the shared ones.
func valuesOf(n, shared, own int, row string) string {
	row = "(" + strings.ReplaceAll(row, "%[", "?%[") + ")"
	rows := make([]string, n)
	for i := range rows {
		at := make([]any, own)
		for j := range at {
			at[j] = shared + i*own + j + 1
		}
		rows[i] = fmt.Sprintf(row, at...)
	}
	return strings.Join(rows, ", ")
}

// hitsOf says whose hits they are.
type hitsOf struct{ run, endpoint, hostname, tool string }

// insertHits stores the hits of an answer, each with its finding. A hit that is there already stays as it is.
func insertHits(ctx context.Context, tx *sql.Tx, a hitsOf, hits []ledger.HitRow, at time.Time) error {
	seen, host := stamp(at), diag.Escape(a.hostname)
	findingText, hitText := upsertFindings(min(hitsPart, len(hits))), insertHitRows(min(hitsPart, len(hits)))
	whole := context.WithoutCancel(ctx) // a context that can end costs mattn a goroutine for every statement
	for part := range slices.Chunk(hits, hitsPart) {
		if err := ctx.Err(); err != nil {
			return err
		}
		findings, rows := []any{a.endpoint, host, seen}, []any{a.run, a.endpoint, a.tool, seen}
		for _, h := range part {
			raw, sha256, path := []byte(h.Path), digestText(h.SHA256), diag.Escape(h.Path)
			var size any
			if h.Size >= 0 {
				size = h.Size
			}
			findings = append(findings, raw, sha256, path, h.Matched.Value)
			rows = append(rows, raw, sha256, path, string(h.FoundIn), diag.Escape(h.Name), size, digestText(h.MD5), digestText(h.SHA1),
				string(h.Matched.Kind), h.Matched.Value, flag(h.Conflict), diag.Escape(h.Owner), stamp(h.MTime), h.PID, diag.Escape(h.Cmdline),
				stampText(h.StartedAt))
		}
		if len(part) != min(hitsPart, len(hits)) { // the last ones
			findingText, hitText = upsertFindings(len(part)), insertHitRows(len(part))
		}
		if _, err := tx.ExecContext(whole, findingText, findings...); err != nil {
			return err
		}
		if _, err := tx.ExecContext(whole, hitText, rows...); err != nil {
			return err
		}
	}
	return nil
}

// digestText is the stored form of a digest that an endpoint gave.
func digestText(s string) string { return strings.ToLower(diag.Escape(s)) }

const hitTables = ` FROM hit h JOIN run r ON r.id = h.run JOIN target t ON t.run = h.run AND t.endpoint = h.endpoint AND t.tool = h.tool`

const hitColumns = `SELECT h.id, h.run, r.hunt, h.endpoint, t.hostname, h.tool, h.found_in, h.finding, h.path, h.path_raw, h.name, h.size, h.md5, h.sha1,
	h.sha256, h.matched_kind, h.matched_value, h.conflict, h.owner, h.mtime, h.pid, h.cmdline, h.started_at, h.observed_at` + hitTables

func scanHit(rows *sql.Rows) (StoredHit, error) {
	var h StoredHit
	var raw []byte
	var size sql.NullInt64
	var mtime, started, observed sql.NullString
	row := &h.Row
	err := rows.Scan(&h.ID, &h.Run, &h.Hunt, &h.Endpoint, &h.Hostname, &h.Tool, &row.FoundIn, &h.Finding, &h.PathText, &raw, &row.Name, &size, &row.MD5,
		&row.SHA1, &row.SHA256, &row.Matched.Kind, &row.Matched.Value, &row.Conflict, &row.Owner, &mtime, &row.PID, &row.Cmdline, &started, &observed)
	row.Path, row.Size = string(raw), -1
	if size.Valid {
		row.Size = size.Int64
	}
	row.MTime, row.StartedAt, h.ObservedAt = unstamp(mtime), unstamp(started), unstamp(observed)
	return h, err
}

// Hits lists hits, oldest first, and how many there are without Limit and After. Of the filter it takes everything but
// State; Since is of the observation.
func (s *Store) Hits(ctx context.Context, f Filter) (hits []StoredHit, total int, err error) {
	w, err := s.hitTests(ctx, f)
	if err != nil {
		return nil, 0, err
	}
	if err := s.r.QueryRowContext(ctx, `SELECT count(*)`+hitTables+w.String(), w.args...).Scan(&total); err != nil {
		return nil, 0, fail("count the hits", err)
	}
	hits, err = s.hitsAfter(ctx, w, f)
	return hits, total, err
}

// Hit gives one hit by its number, or ErrNoHit.
func (s *Store) Hit(ctx context.Context, id int64) (StoredHit, error) {
	var out StoredHit
	err := s.query(ctx, "read the hit", func(rows *sql.Rows) (err error) {
		out, err = scanHit(rows)
		return err
	}, hitColumns+` WHERE h.id = ?`, id)
	if err == nil && out.ID == 0 {
		err = fmt.Errorf("hit %d: %w", id, ErrNoHit)
	}
	return out, err
}

// Findings lists findings, the last seen first. Of the filter it takes Run and Hunt (that saw it), Host, Hash, State
// (the verdict), Since (last seen) and Limit.
func (s *Store) Findings(ctx context.Context, f Filter) ([]Finding, error) {
	w, err := s.findingTests(ctx, f)
	if err != nil {
		return nil, err
	}
	return s.findings(ctx, w, "last_seen DESC, finding", f.Limit)
}

func (s *Store) findingTests(ctx context.Context, f Filter) (w where, err error) {
	if err := s.inRun(ctx, &w, "finding IN (SELECT h.finding FROM hit h WHERE h.run = ?)", f.Run); err != nil {
		return w, err
	}
	w.text("finding IN (SELECT h.finding FROM hit h JOIN run r ON r.id = h.run WHERE r.hunt = ?)", f.Hunt)
	w.text("(endpoint = ? OR lower(hostname) = lower(?))", f.Host)
	w.text("(sha256 = ? OR matched_value = ? OR finding IN (SELECT h.finding FROM hit h WHERE h.matched_value = ? OR h.sha1 = ? OR h.md5 = ?))", strings.ToLower(f.Hash))
	w.text("verdict = ?", f.State)
	w.since("last_seen >= ?", f.Since)
	return w, nil
}

func (s *Store) findings(ctx context.Context, w where, order string, limit int) (out []Finding, err error) {
	err = s.query(ctx, "list the findings", func(rows *sql.Rows) error {
		var x Finding
		var first, last sql.NullString
		err := rows.Scan(&x.ID, &x.Endpoint, &x.Hostname, &x.Path, &x.SHA256, &x.Matched, &first, &last, &x.Runs, &x.Verdict, &x.Owner, &x.Note)
		x.FirstSeen, x.LastSeen = unstamp(first), unstamp(last)
		out = append(out, x)
		return err
	}, `SELECT finding, endpoint, hostname, path, coalesce(sha256, ''), matched_value, first_seen, last_seen, runs, verdict, coalesce(owner, ''),
		coalesce(note, '') FROM report_findings`+w.String()+` ORDER BY `+order+` LIMIT ?`, w.page(limit)...)
	return out, err
}

// The verdicts on a finding.
const (
	FindingNew       = "new"
	FindingConfirmed = "confirmed"
	FindingBenign    = "benign"
)

// Triage stores a person's verdict on a finding, with its owner and a note. Hits that come later never change it.
func (s *Store) Triage(ctx context.Context, finding int64, verdict, owner, note string) error {
	if verdict != FindingNew && verdict != FindingConfirmed && verdict != FindingBenign {
		return errors.New("the verdict on a finding is new, confirmed or benign")
	}
	return s.tx(ctx, "store the verdict", func(tx *sql.Tx) error {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE finding SET verdict = ?, owner = ?, note = ? WHERE id = ?`,
			append(append([]any{verdict}, escapeAll(owner, note)...), finding)...))
		if err == nil && !ok {
			err = fmt.Errorf("finding %d: %w", finding, ErrNoFinding)
		}
		return err
	})
}
