package files

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// sink takes what a parser reads into the tables, in the transaction of one source.
type sink struct {
	ctx     context.Context //nolint:containedctx // of one import
	tx      *sql.Tx
	source  int64
	stmts   map[string]*sql.Stmt
	batch   batch
	reports map[string]int64 // ids of the last ones
	refused []Refusal
	nRefuse int
}

// Refusal is one value of a file that was not taken, and why.
type Refusal struct {
	Line   int    `json:"line,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason"`
}

// String gives "line N: value: reason", as far as it is known.
func (r Refusal) String() string {
	out := r.Reason
	if r.Value != "" {
		out = r.Value + ": " + out
	}
	if r.Line > 0 {
		out = fmt.Sprintf("line %d: %s", r.Line, out)
	}
	return out
}

// maxRefusals is how many refusals are listed; the count is true.
const maxRefusals = 100

func (k *sink) refuse(line int, value, reason string) {
	k.nRefuse++
	if len(k.refused) < maxRefusals {
		k.refused = append(k.refused, Refusal{Line: line, Value: value[:min(len(value), 200)], Reason: reason})
	}
}

func (k *sink) stmt(text string) (*sql.Stmt, error) {
	if s, ok := k.stmts[text]; ok {
		return s, nil
	}
	s, err := k.tx.PrepareContext(k.ctx, text)
	if err != nil {
		return nil, err
	}
	k.stmts[text] = s
	return s, nil
}

func (k *sink) exec(text string, args ...any) error {
	s, err := k.stmt(text) //nolint:sqlclosecheck // kept for the whole import; the transaction closes it
	if err != nil {
		return err
	}
	_, err = s.ExecContext(k.ctx, args...)
	return err
}

func (k *sink) id(text string, args ...any) (id int64, err error) {
	s, err := k.stmt(text) //nolint:sqlclosecheck // kept for the whole import; the transaction closes it
	if err != nil {
		return 0, err
	}
	err = s.QueryRowContext(k.ctx, args...).Scan(&id)
	return id, err
}

// mention keeps an indicator, though no report names it.
func (k *sink) mention(ind indicator.Indicator) error {
	k.batch.mentioned = append(k.batch.mentioned, ind)
	return k.hold()
}

// reportsMax bounds the ids of reports held in memory.
const reportsMax = 10_000

// report opens a report of the source; what is known of it later is set by describe, and its id, if that comes late, by name.
func (k *sink) report(uid string) (int64, error) {
	if id, ok := k.reports[uid]; ok {
		return id, nil
	}
	id, err := k.id(`INSERT INTO intel_report (source, uid) VALUES (?, ?) ON CONFLICT (source, uid) DO UPDATE SET uid = uid RETURNING id`, k.source, uid)
	if err != nil {
		return 0, err
	}
	if len(k.reports) >= reportsMax {
		clear(k.reports)
	}
	k.reports[uid] = id
	return id, nil
}

// name gives a report its id. One that the source gave before under the same id is one with it: that one goes on, with the
// members of both, and its label is told.
func (k *sink) name(report int64, uid string) (id int64, label indicator.TLP, err error) {
	err = k.tx.QueryRowContext(k.ctx, `SELECT id, tlp FROM intel_report WHERE source = ? AND uid = ? AND id <> ?`, k.source, uid, report).Scan(&id, &label)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return report, "", k.exec(`UPDATE intel_report SET uid = ? WHERE id = ?`, uid, report)
	case err != nil:
		return 0, "", err
	}
	return id, label, k.unite(report, id)
}

func (k *sink) describe(id int64, r indicator.Report) error {
	slices.Sort(r.Tags)
	tags, err := json.Marshal(slices.Compact(r.Tags))
	if err != nil {
		return err
	}
	return k.exec(`UPDATE intel_report SET title = ?, tlp = ?, tlp_assumed = ?, published = ?, tags = ? WHERE id = ?`,
		r.Title, string(r.TLP), r.Assumed, stamp(r.Published), string(tags), id)
}

// unite gives the members of a report to its twin.
func (k *sink) unite(id, twin int64) error {
	if err := k.flush(); err != nil { // they may still be held
		return err
	}
	if err := k.exec(`INSERT INTO intel_member (report, indicator, confidence, time, tlp) SELECT ?, indicator, confidence, time, tlp FROM intel_member
		WHERE report = ? ON CONFLICT (report, indicator) DO UPDATE SET confidence = max(confidence, excluded.confidence)`, twin, id); err != nil {
		return err
	}
	clear(k.reports)
	return k.exec(`DELETE FROM intel_report WHERE id = ?`, id)
}

// member is one indicator of a report.
type member struct {
	ind        indicator.Indicator
	confidence int
	time       time.Time
	tlp        indicator.TLP
}

func (k *sink) member(report int64, m member) error {
	k.batch.members = append(k.batch.members, batchMember{report, m})
	return k.hold()
}

// object stores a file object. One without a size, a name or a second digest says nothing more than its digest.
func (k *sink) object(f indicator.File) error {
	digests := f.Digests()
	if len(digests) == 0 || (len(digests) == 1 && f.Size <= 0 && len(f.Names) == 0) {
		return nil
	}
	if f.Names == nil {
		f.Names = []string{}
	}
	names, err := json.Marshal(f.Names)
	if err != nil {
		return err
	}
	k.batch.objects = append(k.batch.objects, batchObject{size: max(f.Size, 0), names: string(names), digests: digests})
	return k.hold()
}

// edge stores a direct relation.
func (k *sink) edge(from, to indicator.Indicator, rel indicator.Relation, confidence int, report string, at time.Time, tlp indicator.TLP) error {
	k.batch.edges = append(k.batch.edges, batchEdge{from, to, []any{string(rel), confidence, report, stamp(at), string(tlp)}})
	return k.hold()
}

func (k *sink) link(from, to string) error {
	return k.exec(`INSERT INTO intel_report_link (source, from_uid, to_uid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, k.source, from, to)
}

// close writes what is still held, and counts the members of every report.
func (k *sink) close() error {
	if err := k.flush(); err != nil {
		return err
	}
	err := k.exec(`UPDATE intel_report SET members = (SELECT count(*) FROM intel_member m WHERE m.report = intel_report.id) WHERE source = ?`, k.source)
	for _, s := range k.stmts {
		err = errors.Join(err, s.Close())
	}
	if err != nil {
		return fmt.Errorf("close the import: %w", err)
	}
	return nil
}
