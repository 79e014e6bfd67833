package results

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Watch tells when another connection, of whatever process, has committed something: SQLite counts that, and to ask for it costs
// microseconds. It keeps one connection of the read pool until it is closed.
type Watch struct {
	conn *sql.Conn
	last int64
}

// Watch begins to watch. What is read after it returns is not older than what it will tell of.
func (s *Store) Watch(ctx context.Context) (*Watch, error) {
	const what = "watch the results database"
	conn, err := s.r.Conn(ctx)
	if err != nil {
		return nil, fail(what, err)
	}
	w := &Watch{conn: conn}
	if _, err := w.Changed(ctx); err != nil {
		return nil, errors.Join(fail(what, err), conn.Close())
	}
	return w, nil
}

// Changed reports whether anything was committed since it was asked last.
func (w *Watch) Changed(ctx context.Context) (bool, error) {
	var now int64
	if err := w.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&now); err != nil {
		return false, fail("watch the results database", err)
	}
	changed := now != w.last
	w.last = now
	return changed, nil
}

// Wait waits until something was committed, or for so long; it looks every few milliseconds. It gives ctx's error when that ends first.
func (w *Watch) Wait(ctx context.Context, every, most time.Duration) error {
	end := time.NewTimer(most)
	defer end.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if changed, err := w.Changed(ctx); err != nil || changed {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case <-tick.C:
		}
	}
}

// Close ends the watching.
func (w *Watch) Close() error { return fail("end the watch of the results database", w.conn.Close()) }
