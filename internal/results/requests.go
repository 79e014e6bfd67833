package results

import (
	"context"
	"database/sql"
)

// RequestRun stores a run that a server is to carry, with the body that its seed was read from, if any, in one short transaction.
// enqueue stores the job in the same one, so that neither is there without the other.
func (s *Store) RequestRun(ctx context.Context, r Run, raw *Raw, enqueue func(ctx context.Context, tx *sql.Tx) error) error {
	const what = "ask a server for the run"
	var packed packedRaw
	if raw != nil {
		var err error
		if packed, err = s.packRaw(*raw); err != nil {
			return fail(what, err)
		}
	}
	r.Served = true
	return s.tx(ctx, what, func(tx *sql.Tx) error {
		if err := s.insertRun(ctx, tx, r); err != nil {
			return err
		}
		if raw != nil {
			if err := s.keep(ctx, tx, packed); err != nil {
				return err
			}
		}
		return enqueue(ctx, tx)
	})
}

// Enrolled counts the agents that have enrolled.
func (s *Store) Enrolled(ctx context.Context) (n int, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT count(*) FROM node`).Scan(&n)
	return n, fail("count the agents that enrolled", err)
}
