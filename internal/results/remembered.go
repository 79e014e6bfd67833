package results

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"

	"github.com/hunter-project/hunter/internal/httpx"
)

// Remembered is the store as the memory of HTTP clients.
type Remembered struct{ s *Store }

var _ httpx.Cache = Remembered{}

// Remembered gives the memory of HTTP clients.
func (s *Store) Remembered() Remembered { return Remembered{s} }

// Get gives the answer to a question, nil when there is none.
func (r Remembered) Get(ctx context.Context, key string) (*httpx.Cached, error) {
	const what = "look for a remembered answer"
	var out httpx.Cached
	var digest string
	var at sql.NullString
	err := r.s.r.QueryRowContext(ctx, `SELECT status, type, digest, at FROM remembered WHERE question = ?`, key).Scan(&out.Status, &out.Type, &digest, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fail(what, err)
	}
	var body bytes.Buffer
	if err := r.s.CopyRaw(ctx, &body, digest); err != nil {
		return nil, err
	}
	out.Body, out.At = body.Bytes(), unstamp(at)
	return &out, nil
}

// Put remembers an answer in place of an older one.
func (r Remembered) Put(ctx context.Context, key string, c httpx.Cached) error {
	const what = "remember an answer"
	sum := sha256.Sum256(c.Body)
	p, err := r.s.packRaw(Raw{Digest: hex.EncodeToString(sum[:]), Body: c.Body})
	if err != nil {
		return fail(what, err)
	}
	return r.s.tx(ctx, what, func(tx *sql.Tx) error {
		if err := r.s.keep(ctx, tx, p); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO remembered (question, status, type, digest, at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (question) DO UPDATE SET status = excluded.status, type = excluded.type, digest = excluded.digest, at = excluded.at`,
			key, c.Status, c.Type, p.digest, stamp(c.At))
		return err
	})
}
