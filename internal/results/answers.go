package results

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// packedAnswer is an answer ready to be stored.
type packedAnswer struct {
	raw     packedRaw
	verdict []byte
}

// packAnswer packs an answer and its verdict, a ledger.Verdict or ledger.Search.
func (s *Store) packAnswer(answer ledger.Answer, judged any) (packedAnswer, error) {
	body, err := pack(answer)
	if err != nil {
		return packedAnswer{}, err
	}
	sum := sha256.Sum256(body)
	raw, err := s.packRaw(Raw{Digest: hex.EncodeToString(sum[:]), Body: body})
	if err != nil {
		return packedAnswer{}, err
	}
	verdict, err := pack(judged)
	if err != nil {
		return packedAnswer{}, err
	}
	verdict, err = s.squeeze(verdict)
	return packedAnswer{raw: raw, verdict: verdict}, err
}

func unpackVerdict(data []byte, v any) error {
	plain, err := expand(data)
	if err != nil {
		return err
	}
	return unpack(plain, v)
}

// RecordAnswer stores an answer, its verdict, its hits with their findings and the endpoint's coverage, in one durable
// transaction, with the queries that ask on where it was over its budget. The same answer delivered again doubles nothing. A query or endpoint that was not planned is
// ErrNotPlanned, and nothing is stored.
func (s *Store) RecordAnswer(ctx context.Context, a AnswerRecord) error {
	const what = "store the answer"
	p, err := s.packAnswer(a.Answer, a.Verdict)
	if err != nil {
		return fail(what, err)
	}
	return s.tx(ctx, what, func(tx *sql.Tx) error {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE query SET state = ? WHERE run = ? AND endpoint = ? AND tool = ? AND id = ?`,
			string(QueryAnswered), a.Run, a.Endpoint, a.Tool, a.Query.ID))
		if err != nil {
			return err
		}
		if !ok {
			return notPlanned(a.Run, a.Endpoint, a.Tool, a.Query.ID)
		}
		fresh, err := s.keepAnswer(ctx, tx, a, p, stamp(s.answeredAt(a.Answer)))
		if err != nil || !fresh {
			return err
		}
		if _, err := insertQueries(ctx, tx, a.Run, slices.Values(a.More)); err != nil {
			return err
		}
		return s.tellAnswer(ctx, tx, a, p)
	})
}

// keepAnswer stores the answer itself, its hits and the endpoint's coverage. fresh says whether the answer is a new one; answered
// is when it came, nil when it did not.
func (s *Store) keepAnswer(ctx context.Context, tx *sql.Tx, a AnswerRecord, p packedAnswer, answered any) (fresh bool, err error) {
	if err := cover(ctx, tx, a.Run, a.Endpoint, a.Tool, a.Coverage, answered); err != nil {
		return false, err
	}
	fresh, err = s.insertAnswer(ctx, tx, answerKey{a.Run, a.Endpoint, a.Tool, a.Query.ID}, a.Answer, p)
	if err != nil {
		return false, err
	}
	return fresh, insertHits(ctx, tx, hitsOf{a.Run, a.Endpoint, a.Hostname, a.Tool}, a.Verdict.Hits, s.answeredAt(a.Answer))
}

// tellAnswer tells the ledger of an answer and what it makes of the endpoint, so that a report can be made as of that event; more
// are further names and values.
func (s *Store) tellAnswer(ctx context.Context, tx *sql.Tx, a AnswerRecord, p packedAnswer, more ...any) error {
	_, err := s.event(ctx, tx, Event{
		Run: a.Run, Kind: EventAnswered, Endpoint: a.Endpoint, Tool: a.Tool, Query: a.Query.ID,
		Detail: detail(append([]any{
			"verdict", a.Verdict.State, "hits", len(a.Verdict.Hits), "parts", len(a.More), "answer", p.raw.digest,
			"state", a.Coverage.State, "proven", a.Coverage.Proven, "reason", a.Coverage.Reason, "counts", a.Coverage.Counts,
		}, more...)...),
	})
	return err
}

// answeredAt is when an answer came, by the tool's word or else by our clock.
func (s *Store) answeredAt(a ledger.Answer) time.Time {
	if a.FinishedAt.IsZero() {
		return s.now()
	}
	return a.FinishedAt
}

// answerKey says what an answer answers; a search has no endpoint.
type answerKey struct{ run, endpoint, tool, query string }

// insertAnswer says whether the answer is a new one.
func (s *Store) insertAnswer(ctx context.Context, tx *sql.Tx, k answerKey, a ledger.Answer, p packedAnswer) (fresh bool, err error) {
	fresh, err = changed(tx.ExecContext(ctx, `INSERT INTO answer (run, endpoint, tool, query, digest, started_at, finished_at, recorded_at, verdict)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, k.run, k.endpoint, k.tool, k.query, p.raw.digest,
		stamp(a.StartedAt), stamp(a.FinishedAt), stamp(s.now()), p.verdict))
	if err != nil || !fresh {
		return false, err
	}
	return true, s.keep(ctx, tx, p.raw)
}

// StoredAnswer is one answer as the tool gave it. Its JSON is kept under Digest: CopyRaw writes it.
type StoredAnswer struct {
	ID       int64
	Endpoint string
	Tool     string
	Query    string
	Digest   string
	Answer   ledger.Answer
}

// Answers gives the answers of an endpoint to a query, all attempts, oldest first. An empty endpoint, tool or query is
// any.
func (s *Store) Answers(ctx context.Context, run, endpoint, tool, query string) ([]StoredAnswer, error) {
	var w where
	w.add("run = ?", run)
	w.text("endpoint = ?", endpoint)
	w.text("tool = ?", tool)
	w.text("query = ?", query)
	var out []StoredAnswer
	err := s.query(ctx, "read the answers", func(rows *sql.Rows) error {
		var a StoredAnswer
		err := rows.Scan(&a.ID, &a.Endpoint, &a.Tool, &a.Query, &a.Digest)
		out = append(out, a)
		return err
	}, `SELECT id, endpoint, tool, query, digest FROM answer`+w.String()+` ORDER BY id`, w.args...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		var b bytes.Buffer
		if err := s.CopyRaw(ctx, &b, out[i].Digest); err != nil {
			return nil, err
		}
		if err := unpack(b.Bytes(), &out[i].Answer); err != nil {
			return nil, fail("read the answers", err)
		}
	}
	return out, nil
}

// StoredVerdict is what one answer proved.
type StoredVerdict struct {
	Answer   int64
	Endpoint string
	Tool     string
	Query    string
	At       time.Time
	Verdict  ledger.Verdict
}

// Verdicts gives the verdicts on all answers of a run, all attempts, in the order in which they were recorded.
func (s *Store) Verdicts(ctx context.Context, run string) ([]StoredVerdict, error) {
	var out []StoredVerdict
	err := s.query(ctx, "read the verdicts", func(rows *sql.Rows) error {
		var v StoredVerdict
		var at sql.NullString
		var data []byte
		if err := rows.Scan(&v.Answer, &v.Endpoint, &v.Tool, &v.Query, &at, &data); err != nil {
			return err
		}
		v.At = unstamp(at)
		err := unpackVerdict(data, &v.Verdict)
		out = append(out, v)
		return err
	}, `SELECT id, endpoint, tool, query, recorded_at, verdict FROM answer WHERE run = ? ORDER BY id`, run)
	return out, err
}
