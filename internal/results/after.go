package results

import (
	"context"
	"database/sql"
	"strings"
)

// hitTests are the tests of a filter of hits, without its cursor.
func (s *Store) hitTests(ctx context.Context, f Filter) (w where, err error) {
	if err := s.inRun(ctx, &w, "h.run = ?", f.Run); err != nil {
		return w, err
	}
	w.text("r.hunt = ?", f.Hunt)
	w.text("(h.endpoint = ? OR lower(t.hostname) = lower(?))", f.Host)
	w.text("(h.matched_value = ? OR h.sha256 = ? OR h.sha1 = ? OR h.md5 = ?)", strings.ToLower(f.Hash))
	w.since("h.observed_at >= ?", f.Since)
	return w, nil
}

// HitsAfter gives a page of the hits that Hits lists: those behind After, at most Limit. It does not count them.
func (s *Store) HitsAfter(ctx context.Context, f Filter) ([]StoredHit, error) {
	w, err := s.hitTests(ctx, f)
	if err != nil {
		return nil, err
	}
	return s.hitsAfter(ctx, w, f)
}

func (s *Store) hitsAfter(ctx context.Context, w where, f Filter) (hits []StoredHit, err error) {
	if f.After > 0 {
		w.add("h.id > ?", f.After)
	}
	err = s.query(ctx, "list the hits", func(rows *sql.Rows) error {
		h, err := scanHit(rows)
		hits = append(hits, h)
		return err
	}, hitColumns+w.String()+` ORDER BY h.id LIMIT ?`, w.page(f.Limit)...)
	return hits, err
}

// FindingsAfter gives a page of the findings that Findings lists, by their number: those behind After, at most Limit.
func (s *Store) FindingsAfter(ctx context.Context, f Filter) ([]Finding, error) {
	w, err := s.findingTests(ctx, f)
	if err != nil {
		return nil, err
	}
	w.add("finding > ?", f.After)
	return s.findings(ctx, w, "finding", f.Limit)
}

// RunsAfter gives a page of the runs that Runs lists, the one that was stored first before the others: those stored after the
// run with the id last, all when it is "", at most Limit.
func (s *Store) RunsAfter(ctx context.Context, f Filter, last string) ([]RunSummary, error) {
	w, err := s.runTests(ctx, f)
	if err != nil {
		return nil, err
	}
	w.text("rowid > (SELECT rowid FROM run WHERE id = ?)", last)
	return s.runs(ctx, w, "", f.Limit)
}
