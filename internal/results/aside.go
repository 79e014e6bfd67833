package results

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/hunter-project/hunter/internal/indicator"
)

// Aside is a hash that was set aside for a person. Its run goes on, and goes on asking for it: hosts that lie can not make a hunt drop
// a hash.
type Aside struct {
	Kind      indicator.Kind `json:"kind"`
	Value     string         `json:"value"`
	Endpoints int            `json:"endpoints"` // on so many it was found
	Answered  int            `json:"answered"`  // of so many that had answered by then
}

// Text says it for people.
func (a Aside) Text() string {
	return fmt.Sprintf("%s %s is on %d of %d endpoints that had answered: it may be no threat at all; a person is to judge it. It is asked for all the same",
		a.Kind, a.Value, a.Endpoints, a.Answered)
}

// SetAside stores that hashes are set aside in a run, in one transaction.
func (s *Store) SetAside(ctx context.Context, run string, list []Aside) error {
	return s.tx(ctx, "set a hash aside", func(tx *sql.Tx) error {
		if err := runThere(ctx, tx, run); err != nil {
			return err
		}
		for _, a := range list {
			detail, err := json.Marshal(a)
			if err != nil {
				return err
			}
			if _, err := s.event(ctx, tx, Event{Run: run, Kind: EventAside, Detail: string(detail)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Asides gives the hashes that were set aside in a run, in that order.
func (s *Store) Asides(ctx context.Context, run string) ([]Aside, error) {
	var out []Aside
	err := s.query(ctx, "read what was set aside", func(rows *sql.Rows) error {
		var a Aside
		var detail []byte
		if err := rows.Scan(&detail); err != nil {
			return err
		}
		err := unpack(detail, &a)
		out = append(out, a)
		return err
	}, `SELECT detail FROM event WHERE run = ? AND kind = ? ORDER BY seq`, run, EventAside)
	return out, err
}
