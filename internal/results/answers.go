package results

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// RecordAnswer stores an answer, its verdict, its hits with their findings and the endpoint's coverage, in one durable
// transaction. The same answer delivered again doubles nothing.
func (s *Store) RecordAnswer(ctx context.Context, a AnswerRecord) error {
	body, err := packJSON(a.Answer)
	if err != nil {
		return fmt.Errorf("store the answer: %w", err)
	}
	verdict, err := json.Marshal(a.Verdict)
	if err != nil {
		return fmt.Errorf("store the answer: %w", err)
	}
	return s.tx(ctx, "store the answer", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO answer (run, endpoint, tool, query, started_at, finished_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			a.Run, a.Endpoint, a.Tool, a.Query.ID, stamp(a.Answer.StartedAt), stamp(a.Answer.FinishedAt), body); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE query SET state = ?, verdict = ? WHERE run = ? AND endpoint = ? AND tool = ? AND id = ?`,
			string(QueryAnswered), string(verdict), a.Run, a.Endpoint, a.Tool, a.Query.ID); err != nil {
			return err
		}
		if err := s.insertHits(ctx, tx, a); err != nil {
			return err
		}
		if err := s.cover(ctx, tx, a.Run, a.Endpoint, a.Tool, a.Coverage, stamp(a.Answer.FinishedAt)); err != nil {
			return err
		}
		return s.event(ctx, tx, a.Run, "answered", a.Endpoint, a.Tool, a.Query.ID, string(a.Verdict.State))
	})
}

const insertHit = `INSERT INTO hit (run, endpoint, tool, found_in, path, path_raw, name, size, md5, sha1, sha256, matched_kind, matched_value,
	conflict, owner, mtime, pid, cmdline, started_at, observed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT DO NOTHING`

const upsertFinding = `INSERT INTO finding (endpoint, hostname, path, path_raw, sha256, matched_value, first_seen, last_seen)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (endpoint, path_raw, sha256) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen), hostname = excluded.hostname
	RETURNING id`

func (s *Store) insertHits(ctx context.Context, tx *sql.Tx, a AnswerRecord) error {
	if len(a.Verdict.Hits) == 0 {
		return nil
	}
	hit, err := tx.PrepareContext(ctx, insertHit)
	if err != nil {
		return err
	}
	defer hit.Close() //nolint:errcheck // ends with the transaction
	finding, err := tx.PrepareContext(ctx, upsertFinding)
	if err != nil {
		return err
	}
	defer finding.Close() //nolint:errcheck // ends with the transaction
	link, err := tx.PrepareContext(ctx, `INSERT INTO finding_run (finding, run) VALUES (?, ?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	defer link.Close() //nolint:errcheck // ends with the transaction
	seen := a.Answer.FinishedAt
	if seen.IsZero() {
		seen = s.now()
	}
	for _, h := range a.Verdict.Hits {
		var size any
		if h.Size >= 0 {
			size = h.Size
		}
		path := diag.Escape(h.Path)
		if _, err := hit.ExecContext(ctx, a.Run, a.Endpoint, a.Tool, string(h.FoundIn), path, []byte(h.Path), diag.Escape(h.Name), size,
			h.MD5, h.SHA1, h.SHA256, string(h.Matched.Kind), h.Matched.Value, h.Conflict, diag.Escape(h.Owner), stamp(h.MTime), h.PID,
			diag.Escape(h.Cmdline), stamp(h.StartedAt), stamp(seen)); err != nil {
			return err
		}
		var id int64
		if err := finding.QueryRowContext(ctx, a.Endpoint, a.Hostname, path, []byte(h.Path), h.SHA256, h.Matched.Value, stamp(seen), stamp(seen)).Scan(&id); err != nil {
			return err
		}
		if _, err := link.ExecContext(ctx, id, a.Run); err != nil {
			return err
		}
	}
	return nil
}

// storedQuery leaves out of a query's JSON what its text says already.
func storedQuery(q ledger.Query) ledger.Query { return q }

// packJSON writes v as compressed JSON. Bytes that are no UTF-8 become U+FFFD there; hits keep raw paths beside.
func packJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.NewEncoder(z).Encode(v), z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Answer gives back the newest stored answer of a query.
func (s *Store) Answer(ctx context.Context, run, endpoint, tool, query string) (ledger.Answer, error) {
	var body []byte
	err := s.r.QueryRowContext(ctx, `SELECT body FROM answer WHERE run = ? AND endpoint = ? AND tool = ? AND query = ? ORDER BY id DESC LIMIT 1`,
		run, endpoint, tool, query).Scan(&body)
	if err != nil {
		return ledger.Answer{}, fmt.Errorf("read the answer: %w", explain(err))
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return ledger.Answer{}, fmt.Errorf("read the answer: %w", err)
	}
	var a ledger.Answer
	if err := json.NewDecoder(z).Decode(&a); err != nil {
		return ledger.Answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return a, nil
}

// rawChunk is how much of a raw body one row holds before compression.
const rawChunk = 1 << 20

// SaveRaw keeps a body as received, once and compressed. The digest must be the body's own.
func (s *Store) SaveRaw(ctx context.Context, raw Raw) error {
	sum := sha256.Sum256(raw.Body)
	if hex.EncodeToString(sum[:]) != raw.Digest {
		return fmt.Errorf("keep the raw answer: its sha256 is not %s", raw.Digest)
	}
	return s.tx(ctx, "keep the raw answer", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO raw_body (digest, size, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			raw.Digest, len(raw.Body), stamp(s.now()))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		for seq, rest := 0, raw.Body; seq == 0 || len(rest) > 0; seq++ {
			part := rest[:min(len(rest), rawChunk)]
			rest = rest[len(part):]
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			if _, err := z.Write(part); err != nil {
				return err
			}
			if err := z.Close(); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO raw_chunk (digest, seq, data) VALUES (?, ?, ?)`, raw.Digest, seq, b.Bytes()); err != nil {
				return err
			}
		}
		return nil
	})
}

// CopyRaw writes a kept body to w, as it was received.
func (s *Store) CopyRaw(ctx context.Context, w io.Writer, digest string) error {
	rows, err := s.r.QueryContext(ctx, `SELECT data FROM raw_chunk WHERE digest = ? ORDER BY seq`, digest)
	if err != nil {
		return fmt.Errorf("read the raw answer: %w", explain(err))
	}
	defer rows.Close() //nolint:errcheck // read-only
	found := false
	for rows.Next() {
		found = true
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return fmt.Errorf("read the raw answer: %w", explain(err))
		}
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return fmt.Errorf("read the raw answer: %w", err)
		}
		if _, err := io.Copy(w, io.LimitReader(z, rawChunk)); err != nil {
			return fmt.Errorf("read the raw answer: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the raw answer: %w", explain(err))
	}
	if !found {
		return fmt.Errorf("no raw answer with digest %s is kept", digest)
	}
	return nil
}
