package results

import (
	"context"
	"database/sql"

	"github.com/hunter-project/hunter/internal/indicator"
)

// SavePivot stores what the pivot of a run found, with the raw answers it rests on, in one transaction. Called again it
// replaces what was there.
func (s *Store) SavePivot(ctx context.Context, run string, p Pivoted) error {
	const what = "store the pivot"
	docs := []any{run}
	for _, v := range []any{p.Seeds, p.Files, p.Reports, p.Skipped, p.Cut} {
		b, err := pack(v)
		if err != nil {
			return fail(what, err)
		}
		docs = append(docs, string(b))
	}
	raws := make([]packedRaw, len(p.Raw))
	for i, r := range p.Raw {
		var err error
		if raws[i], err = s.packRaw(r); err != nil {
			return fail(what, err)
		}
	}
	return s.tx(ctx, what, func(tx *sql.Tx) error {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE run SET pivot_complete = ? WHERE id = ?`, flag(p.Complete), run))
		if err != nil {
			return err
		}
		if !ok {
			return noRun(run)
		}
		for _, r := range raws {
			if err := s.keep(ctx, tx, r); err != nil {
				return err
			}
		}
		for _, text := range []string{`DELETE FROM run_edge WHERE run = ?`, `DELETE FROM run_pivot WHERE run = ?`} {
			if _, err := tx.ExecContext(ctx, text, run); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO run_pivot (run, seeds, files, reports, skipped, cut) VALUES (?, ?, ?, ?, ?, ?)`, docs...); err != nil {
			return err
		}
		if err := insertEdges(ctx, tx, run, p.Edges); err != nil {
			return err
		}
		_, err = s.event(ctx, tx, Event{Run: run, Kind: EventPivoted, Detail: detail("edges", len(p.Edges), "files", len(p.Files), "complete", p.Complete)})
		return err
	})
}

func insertEdges(ctx context.Context, tx *sql.Tx, run string, edges []indicator.Edge) error {
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO run_edge (run, seq, from_kind, from_value, to_kind, to_value, relation, provider, report,
		confidence, time, raw, tlp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close() // ends with the transaction
	for i, e := range edges {
		if _, err := stmt.ExecContext(ctx, run, i, e.From.Kind, protect(e.From.Value), e.To.Kind, protect(e.To.Value), string(e.Relation),
			e.Provider, protect(e.Report), e.Confidence, stamp(e.Time), e.Raw, string(e.TLP)); err != nil {
			return err
		}
	}
	return nil
}

const edgeColumns = `SELECT e.run, e.from_kind, e.from_value, e.to_kind, e.to_value, e.relation, e.provider, e.report, e.confidence, e.time, e.raw, e.tlp
	FROM run_edge e`

// RunEdge is an edge with the run whose pivot found it.
type RunEdge struct {
	Run string
	indicator.Edge
}

func (s *Store) edges(ctx context.Context, text string, args ...any) ([]RunEdge, error) {
	var out []RunEdge
	err := s.query(ctx, "read the pivot", func(rows *sql.Rows) error {
		var e RunEdge
		var at sql.NullString
		err := rows.Scan(&e.Run, &e.From.Kind, &e.From.Value, &e.To.Kind, &e.To.Value, &e.Relation, &e.Provider, &e.Report, &e.Confidence, &at, &e.Raw, &e.TLP)
		e.From.Value, e.To.Value, e.Report, e.Time = restore(e.From.Value), restore(e.To.Value), restore(e.Report), unstamp(at)
		out = append(out, e)
		return err
	}, edgeColumns+text, args...)
	return out, err
}

// Edges gives the edges of a run's pivot, in order.
func (s *Store) Edges(ctx context.Context, run string) ([]indicator.Edge, error) {
	found, err := s.edges(ctx, ` WHERE e.run = ? ORDER BY e.seq`, run)
	var out []indicator.Edge
	for _, e := range found {
		out = append(out, e.Edge)
	}
	return out, err
}

// EdgesTo gives the edges that lead to an indicator in any run, those of the latest run first.
func (s *Store) EdgesTo(ctx context.Context, ind indicator.Indicator) ([]RunEdge, error) {
	return s.edges(ctx, ` JOIN run r ON r.id = e.run WHERE e.to_value = ? AND e.to_kind = ? ORDER BY r.rowid DESC, e.seq`,
		protect(ind.Value), string(ind.Kind))
}

// doc reads one JSON column of a run's pivot; a run without one gives nothing.
func doc[T any](ctx context.Context, s *Store, run, column string) (T, error) {
	var out T
	err := s.query(ctx, "read the pivot", func(rows *sql.Rows) error {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return err
		}
		return unpack(text, &out)
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
