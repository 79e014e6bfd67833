package results

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
)

// rawChunk is how many bytes of a body one row holds, before compression.
const rawChunk = 1 << 20

// packedRaw is a body ready to be stored.
type packedRaw struct {
	digest string
	size   int
	chunks [][]byte
}

// packRaw compresses a body and checks its digest.
func (s *Store) packRaw(raw Raw) (packedRaw, error) {
	sum := sha256.Sum256(raw.Body)
	if hex.EncodeToString(sum[:]) != raw.Digest {
		return packedRaw{}, fmt.Errorf("the sha256 of the body is not %s", diag.Escape(raw.Digest))
	}
	out := packedRaw{digest: raw.Digest, size: len(raw.Body)}
	for part := range slices.Chunk(raw.Body, rawChunk) {
		b, err := s.squeeze(part)
		if err != nil {
			return packedRaw{}, err
		}
		out.chunks = append(out.chunks, b)
	}
	return out, nil
}

// keep stores a body, unless it is there.
func (s *Store) keep(ctx context.Context, tx *sql.Tx, p packedRaw) error {
	fresh, err := changed(tx.ExecContext(ctx, `INSERT INTO raw_body (digest, size, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		p.digest, p.size, stamp(s.now())))
	if err != nil || !fresh {
		return err
	}
	for i, b := range p.chunks {
		if _, err := tx.ExecContext(ctx, `INSERT INTO raw_chunk (digest, seq, data) VALUES (?, ?, ?)`, p.digest, i, b); err != nil {
			return err
		}
	}
	return nil
}

// SaveRaw keeps a body as received, once and compressed. The digest must be the body's own.
func (s *Store) SaveRaw(ctx context.Context, raw Raw) error {
	const what = "keep the raw answer"
	p, err := s.packRaw(raw)
	if err != nil {
		return fail(what, err)
	}
	return s.tx(ctx, what, func(tx *sql.Tx) error { return s.keep(ctx, tx, p) })
}

// OpenRaw gives a kept body as it was received, for reading and closing. A digest that is not kept is ErrNoRaw. The last
// read is ErrDamaged when the bytes are not those of the digest.
func (s *Store) OpenRaw(ctx context.Context, digest string) (io.ReadCloser, error) {
	const what = "read the raw answer"
	var size int64
	err := s.r.QueryRowContext(ctx, `SELECT size FROM raw_body WHERE digest = ?`, digest).Scan(&size)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%s %s: %w", what, diag.Escape(digest), ErrNoRaw)
	}
	if err != nil {
		return nil, fail(what, err)
	}
	rows, err := s.r.QueryContext(ctx, `SELECT data FROM raw_chunk WHERE digest = ? ORDER BY seq`, digest) //nolint:rowserrcheck // the reader checks it at the end
	if err != nil {
		return nil, fail(what, err)
	}
	return &rawReader{rows: rows, digest: digest, sum: sha256.New()}, nil
}

// RawSince says when a body was kept first; zero when it is not kept. An answer may be older than the run that rests on it.
func (s *Store) RawSince(ctx context.Context, digest string) (time.Time, error) {
	var at sql.NullString
	err := s.r.QueryRowContext(ctx, `SELECT created_at FROM raw_body WHERE digest = ?`, digest).Scan(&at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fail("look for the raw answer", err)
	}
	return unstamp(at), nil
}

// CopyRaw writes a kept body to w, as it was received.
func (s *Store) CopyRaw(ctx context.Context, w io.Writer, digest string) error {
	r, err := s.OpenRaw(ctx, digest)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close())
}

// rawReader unpacks a body chunk by chunk and proves its digest at the end.
type rawReader struct {
	rows   *sql.Rows
	chunk  io.Reader // nil between chunks
	digest string
	sum    hash.Hash
	err    error // how it ended
}

// Read implements io.Reader.
func (r *rawReader) Read(p []byte) (int, error) {
	for r.err == nil {
		if r.chunk == nil && !r.next() {
			break
		}
		n, err := r.chunk.Read(p)
		r.sum.Write(p[:n])
		switch {
		case errors.Is(err, io.EOF):
			r.chunk = nil
		case err != nil:
			r.err = fail("read the raw answer", fmt.Errorf("%w: %w", ErrDamaged, err))
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, r.err
}

// next goes to the next chunk; without one it says how the body ended.
func (r *rawReader) next() bool {
	if !r.rows.Next() {
		r.err = fail("read the raw answer", r.rows.Err())
		if r.err == nil && hex.EncodeToString(r.sum.Sum(nil)) != r.digest {
			r.err = fail("read the raw answer", ErrDamaged)
		}
		if r.err == nil {
			r.err = io.EOF
		}
		return false
	}
	var data []byte
	err := r.rows.Scan(&data)
	if err == nil {
		if r.chunk, err = gzip.NewReader(bytes.NewReader(data)); err != nil {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	r.err = fail("read the raw answer", err)
	return r.err == nil
}

// Close ends the reading.
func (r *rawReader) Close() error { return fail("read the raw answer", r.rows.Close()) }
