package results

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/hunter-project/hunter/internal/diag"
)

// The kinds of events; a run's states are kinds as well.
const (
	EventCreated  = "created"
	EventPivoted  = "pivoted"
	EventPlanned  = "planned"
	EventAsked    = "asked"
	EventAnswered = "answered"
	EventCovered  = "covered"
	EventResumed  = "resumed"
	EventReleased = "released" // a wave of a fleet run was let go
	EventReposted = "reposted" // a query that was lost or refused is asked again
	EventForeign  = "foreign"  // an answer that nobody asked for, under a name of this run
	EventLate     = "late"     // an answer after the run's end changed its exit code
	EventWish     = "wish"     // a person wants the run to pause, go on or stop
	// EventAside is of a hash that is on so many endpoints that a person is to judge it. The run goes on, and goes on asking for it:
	// hosts that lie can not make a hunt drop a hash.
	EventAside = "set_aside"
)

// detail gives the JSON of names and values; empty texts are left out.
func detail(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, ok := pairs[i].(string); ok && pairs[i+1] != "" {
			m[name] = pairs[i+1]
		}
	}
	if len(m) == 0 {
		return ""
	}
	b, err := json.Marshal(m)
	if err != nil { // only our own plain values come here
		return ""
	}
	return string(b)
}

func (s *Store) event(ctx context.Context, tx *sql.Tx, e Event) (seq int64, err error) {
	if e.At.IsZero() {
		e.At = s.now()
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO event (run, at, kind, endpoint, tool, query, detail) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
		e.Run, stamp(e.At), e.Kind, e.Endpoint, e.Tool, e.Query, e.Detail).Scan(&seq)
	return seq, err
}

// AppendEvent adds an entry to a run's ledger and gives its number. A zero time is now.
func (s *Store) AppendEvent(ctx context.Context, e Event) (seq int64, err error) {
	err = s.tx(ctx, "store the event", func(tx *sql.Tx) error {
		if err := runThere(ctx, tx, e.Run); err != nil {
			return err
		}
		seq, err = s.event(ctx, tx, e)
		return err
	})
	return seq, err
}

// Events lists the entries of a run's ledger with a greater number than after, in order; limit 0 is all.
func (s *Store) Events(ctx context.Context, run string, after int64, limit int) ([]Event, error) {
	var w where
	w.add("run = ?", run)
	w.add("seq > ?", after)
	var out []Event
	err := s.query(ctx, "read the ledger", func(rows *sql.Rows) error {
		var e Event
		var at sql.NullString
		err := rows.Scan(&e.Seq, &e.Run, &at, &e.Kind, &e.Endpoint, &e.Tool, &e.Query, &e.Detail)
		e.At = unstamp(at)
		out = append(out, e)
		return err
	}, `SELECT seq, run, at, kind, endpoint, tool, query, detail FROM event`+w.String()+` ORDER BY seq LIMIT ?`, w.page(limit)...)
	return out, err
}

// runThere is ErrNoRun when a run is not stored.
func runThere(ctx context.Context, tx *sql.Tx, run string) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM run WHERE id = ?`, run).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return noRun(run)
	}
	return nil
}

// escapeAll makes foreign texts safe to show and to store as text.
func escapeAll(texts ...string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = diag.Escape(t)
	}
	return out
}
