package results

import (
	"container/list"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/hunter-project/hunter/internal/ledger"
)

// questionsHeld is how many bytes of questions are kept in memory. A question of a thousand hashes takes some 400 KB, and
// a campaign asks a few per platform.
const questionsHeld = 24 << 20

// questions remembers the questions that were used last.
type questions struct {
	mu     sync.Mutex
	held   map[string]*list.Element // of *heldQuestion, by digest
	recent list.List                // newest first
	bytes  int
}

// heldQuestion is a question in memory.
type heldQuestion struct {
	digest string
	query  ledger.Query
	bytes  int
}

// digestOf gives the stored form of a question, and its name.
func digestOf(q ledger.Query) (digest string, body []byte, err error) {
	if body, err = pack(q); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), body, nil
}

// textDigest names a query's text as agents that refuse it do.
func textDigest(q ledger.Query) string {
	sum := sha256.Sum256([]byte(q.Text))
	return hex.EncodeToString(sum[:])
}

// insertQuestion stores a question unless it is there.
func insertQuestion(ctx context.Context, tx *sql.Tx, q ledger.Query) (digest string, err error) {
	digest, body, err := digestOf(q)
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, upsertQuestion, digest, string(body), textDigest(q))
	return digest, err
}

const upsertQuestion = `INSERT INTO question (digest, body, text) VALUES (?, ?, ?)
	ON CONFLICT (digest) DO UPDATE SET text = excluded.text WHERE question.text IS NULL`

// question gives a stored question. Its slices and maps are shared: they are not to be changed.
func (s *Store) question(ctx context.Context, digest string) (ledger.Query, error) {
	if q, ok := s.asked.get(digest); ok {
		return q, nil
	}
	var body []byte
	err := s.r.QueryRowContext(ctx, `SELECT body FROM question WHERE digest = ?`, digest).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Query{}, fmt.Errorf("question %s is not stored: %w", digest, ErrDamaged)
	}
	var q ledger.Query
	if err == nil {
		err = unpack(body, &q)
	}
	if err != nil {
		return ledger.Query{}, fail("read the question", err)
	}
	s.asked.put(digest, q, 2*len(body)) // the text, and the hashes as values
	return q, nil
}

func (c *questions) get(digest string) (ledger.Query, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.held[digest]
	if e == nil {
		return ledger.Query{}, false
	}
	c.recent.MoveToFront(e)
	h, ok := e.Value.(*heldQuestion)
	if !ok {
		return ledger.Query{}, false
	}
	return h.query, true
}

// put remembers a question, and forgets those that were not used for longest to make room.
func (c *questions) put(digest string, q ledger.Query, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[digest] != nil || bytes > questionsHeld {
		return
	}
	if c.held == nil {
		c.held = map[string]*list.Element{}
	}
	c.held[digest] = c.recent.PushFront(&heldQuestion{digest, q, bytes})
	c.bytes += bytes
	for c.bytes > questionsHeld {
		last := c.recent.Back()
		c.recent.Remove(last)
		if h, ok := last.Value.(*heldQuestion); ok {
			delete(c.held, h.digest)
			c.bytes -= h.bytes
		}
	}
}
