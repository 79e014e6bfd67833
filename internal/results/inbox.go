package results

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Bounds of what a node can make grow.
const (
	answersPerName = 4   // differing answers under one name that are kept; a name is handed out more than once when replies get lost
	foreignEvents  = 100 // events about answers of one node that nobody asked for
)

// Posted gives what a node was handed under a name. It is false for a name that this node was never given.
func (s *Store) Posted(ctx context.Context, node, name string) (PostedQuery, bool, error) {
	const what = "look for what was asked"
	p := PostedQuery{Node: node, Name: name}
	var digest string
	var handed, answered sql.NullString
	err := s.r.QueryRowContext(context.WithoutCancel(ctx), `SELECT h.run, h.tool, h.query, h.attempt, h.question, h.handed_at, h.answered_at,
		coalesce(r.state, ''), coalesce(r.hunt, ''), coalesce(t.hostname, n.hostname)
		FROM handout h JOIN node n ON n.id = h.node LEFT JOIN run r ON r.id = h.run LEFT JOIN target t ON t.run = h.run AND t.endpoint = h.node AND t.tool = h.tool
		WHERE h.node = CAST(? AS TEXT) AND h.name = CAST(? AS TEXT)`, node, name).Scan(
		&p.Run, &p.Tool, &p.ID, &p.Attempt, &digest, &handed, &answered, &p.RunState, &p.Hunt, &p.Hostname)
	if errors.Is(err, sql.ErrNoRows) {
		return PostedQuery{}, false, nil
	}
	if err != nil {
		return PostedQuery{}, false, fail(what, err)
	}
	p.HandedAt, p.AnsweredAt = unstamp(handed), unstamp(answered)
	p.Query, err = s.question(ctx, digest)
	return p, err == nil, err
}

// EndpointQueries gives all that a run asks one endpoint, in the order in which it is asked, each query with all verdicts on it
// so far. Queries of one text share their slices and maps: do not change them.
func (s *Store) EndpointQueries(ctx context.Context, run, endpoint, tool string) ([]StoredQuery, error) {
	const what = "read the endpoint's queries"
	var out []StoredQuery
	var digests []string
	at := map[string]int{}
	err := s.query(context.WithoutCancel(ctx), what, func(rows *sql.Rows) error {
		q := StoredQuery{Endpoint: endpoint, Tool: tool}
		var id, digest string
		err := rows.Scan(&id, &q.Seq, &digest, &q.State, &q.Attempts)
		at[id] = len(out)
		out, digests = append(out, q), append(digests, digest)
		return err
	}, `SELECT id, seq, question, state, attempts FROM query WHERE run = ? AND endpoint = ? AND tool = ? ORDER BY seq, id`, run, endpoint, tool)
	if err != nil {
		return nil, err
	}
	for i, digest := range digests {
		if out[i].Query, err = s.question(ctx, digest); err != nil {
			return nil, err
		}
	}
	err = s.query(context.WithoutCancel(ctx), what, func(rows *sql.Rows) error {
		var id string
		var data []byte
		if err := rows.Scan(&id, &data); err != nil {
			return err
		}
		i, there := at[id]
		if !there {
			return nil
		}
		var v ledger.Verdict
		err := unpackVerdict(data, &v)
		out[i].Verdicts = append(out[i].Verdicts, v)
		return err
	}, `SELECT query, verdict FROM answer WHERE run = ? AND endpoint = ? AND tool = ? ORDER BY id`, run, endpoint, tool)
	for i := range out {
		if n := len(out[i].Verdicts); n > 0 {
			out[i].Verdict = &out[i].Verdicts[n-1]
		}
	}
	return out, err
}

// packedDelivery is a delivery ready to be stored.
type packedDelivery struct {
	DeliveryRecord
	packedAnswer
	content []byte // sha256 of the answer without its times
}

func (s *Store) packDelivery(d DeliveryRecord) (packedDelivery, error) {
	bare := d.Answer
	bare.StartedAt, bare.FinishedAt = time.Time{}, time.Time{}
	content, err := pack(bare)
	if err != nil {
		return packedDelivery{}, err
	}
	sum := sha256.Sum256(content)
	p, err := s.packAnswer(d.Answer, d.Verdict)
	return packedDelivery{DeliveryRecord: d, packedAnswer: p, content: sum[:]}, err
}

// RecordDelivery stores an answer that came under a name, with its verdict, its hits and findings, the endpoint's coverage and
// what the node is asked next, in one durable transaction, which deliveries that come at the same time share. Each fails for
// itself. The same answer under the same name changes nothing, after a re-enrolment too. A name that the node was never given
// is ErrNotPosted, a query that was not planned ErrNotPlanned; then nothing is stored.
func (s *Store) RecordDelivery(ctx context.Context, d DeliveryRecord) (Recorded, error) {
	const what = "store the answer"
	if d.At.IsZero() {
		d.At = s.now()
	}
	p, err := s.packDelivery(d)
	if err != nil {
		return Recorded{}, fail(what, err)
	}
	var out Recorded
	err = s.together(ctx, what, func(ctx context.Context, tx *sql.Tx) (err error) {
		out, err = s.deliver(ctx, tx, p)
		return err
	})
	if err != nil {
		return Recorded{}, err
	}
	return out, nil
}

func (s *Store) deliver(ctx context.Context, tx *sql.Tx, d packedDelivery) (out Recorded, err error) {
	now, err := current(ctx, tx, d.Endpoint, d.At)
	if err != nil {
		return out, err
	}
	if d.GivenUp && now.name != d.Name { // the answer came in the meantime
		return out, nil
	}
	out.RunState, out.Fresh, err = s.accept(ctx, tx, d, now)
	if err != nil {
		return out, err
	}
	out.Late = out.RunState.Over()
	if !out.Fresh {
		return out, wrote(ctx, tx, d.Endpoint, d.At)
	}
	if err := s.storeAnswer(ctx, tx, d, out.Late); err != nil {
		return out, err
	}
	if d.Denylisted {
		if _, err := tx.ExecContext(ctx, `INSERT INTO denylisted (node, text, at) SELECT ?1, u.text, ?3 FROM question u WHERE u.text IS NOT NULL
			AND u.digest = coalesce((SELECT question FROM handout WHERE node = ?1 AND name = ?2), (SELECT question FROM outbox WHERE node = ?1 AND name = ?2))
			ON CONFLICT DO UPDATE SET at = excluded.at`, d.Endpoint, d.Name, stamp(d.At)); err != nil {
			return out, err
		}
	}
	if err := settle(ctx, tx, d, &out); err != nil {
		return out, err
	}
	if out.Late {
		if _, err := tx.ExecContext(ctx, `UPDATE run SET late_answers = late_answers + 1 WHERE id = ?`, d.Run); err != nil {
			return out, err
		}
	}
	out.Next, err = s.afterAnswer(ctx, tx, d, now)
	return out, err
}

// accept checks an answer against what was handed out under its name, and notes it there. fresh is false for one that is there
// already.
func (s *Store) accept(ctx context.Context, tx *sql.Tx, d packedDelivery, now posted) (state RunState, fresh bool, err error) {
	var run, tool, query string
	var answers int
	var same bool
	err = tx.QueryRowContext(ctx, `SELECT h.run, h.tool, h.query, h.answers, coalesce(h.content = ?, 0), coalesce(r.state, '')
		FROM handout h LEFT JOIN run r ON r.id = h.run WHERE h.node = CAST(? AS TEXT) AND h.name = CAST(? AS TEXT)`, d.content, d.Endpoint, d.Name).Scan(&run, &tool, &query, &answers, &same, &state)
	if errors.Is(err, sql.ErrNoRows) && d.GivenUp { // held: given up before it was ever handed out
		run, tool, query = now.run, now.tool, now.query
		err = tx.QueryRowContext(ctx, `SELECT state FROM run WHERE id = ?`, run).Scan(&state)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, fmt.Errorf("node %s, name %q: %w", diag.Escape(d.Endpoint), d.Name, ErrNotPosted)
	case err != nil:
		return "", false, err
	case run != d.Run || tool != d.Tool || query != d.Query.ID:
		return "", false, notPlanned(d.Run, d.Endpoint, d.Tool, d.Query.ID)
	case d.GivenUp:
		return state, true, nil
	case same:
		return state, false, nil
	case answers >= answersPerName:
		return state, false, s.foreign(ctx, tx, d.Endpoint, []string{d.Name}, fmt.Sprintf("more than %d differing answers", answersPerName))
	}
	_, err = tx.ExecContext(ctx, `UPDATE handout SET answered_at = ?, answers = answers + 1, content = ? WHERE node = ? AND name = ?`, stamp(d.At), d.content, d.Endpoint, d.Name)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE node SET refused = 0 WHERE id = ? AND refused <> 0`, d.Endpoint)
	}
	return state, true, err
}

// storeAnswer stores the answer itself and what it says.
func (s *Store) storeAnswer(ctx context.Context, tx *sql.Tx, d packedDelivery, late bool) error {
	state := QueryAnswered
	if d.Repost != nil || d.Open {
		state = QueryAsked
	}
	ok, err := changed(tx.ExecContext(ctx, `UPDATE query SET state = CASE state WHEN 'answered' THEN state ELSE ? END WHERE run = ? AND endpoint = ? AND tool = ? AND id = ?`,
		string(state), d.Run, d.Endpoint, d.Tool, d.Query.ID))
	if err == nil && !ok {
		err = notPlanned(d.Run, d.Endpoint, d.Tool, d.Query.ID)
	}
	if err != nil {
		return err
	}
	var answered any
	if !d.GivenUp {
		answered = stamp(s.answeredAt(d.Answer))
	}
	if _, err := s.keepAnswer(ctx, tx, d.AnswerRecord, d.packedAnswer, answered); err != nil {
		return err
	}
	if err := insertMore(ctx, tx, d.Run, d.More); err != nil {
		return err
	}
	pairs := []any{"name", d.Name}
	for word, so := range map[string]bool{"late": late, "given_up": d.GivenUp, "denylisted": d.Denylisted} {
		if so {
			pairs = append(pairs, word, true)
		}
	}
	return s.tellAnswer(ctx, tx, d.AnswerRecord, d.packedAnswer, pairs...)
}

// insertMore stores queries that ask on; another answer to the same query may have brought them already.
func insertMore(ctx context.Context, tx *sql.Tx, run string, more []StoredQuery) error {
	for _, q := range more {
		var there bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM query WHERE run = ? AND endpoint = ? AND tool = ? AND id = ?)`, run, q.Endpoint, q.Tool, q.Query.ID).Scan(&there)
		if err == nil && !there {
			_, err = insertQueries(ctx, tx, run, slices.Values([]StoredQuery{q}))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settle stores whether the endpoint has anything left to answer in its run.
func settle(ctx context.Context, tx *sql.Tx, d packedDelivery, out *Recorded) error {
	var open, closed bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM query WHERE run = ?1 AND endpoint = ?2 AND tool = ?3 AND state <> 'answered'), (SELECT closed FROM run WHERE id = ?1)`,
		d.Run, d.Endpoint, d.Tool).Scan(&open, &closed); err != nil {
		return err
	}
	out.Settled = !open
	_, err := tx.ExecContext(ctx, `UPDATE target SET open = ?1 WHERE run = ?2 AND endpoint = ?3 AND tool = ?4 AND open <> ?1 AND (?1 = 0 OR released_at IS NOT NULL)`,
		flag(open && !closed && !stopped(out.RunState)), d.Run, d.Endpoint, d.Tool)
	return err
}

// stopped says of a run that it will ask nothing any more.
func stopped(s RunState) bool { return s == RunStopped || s == RunFailed }

// afterAnswer brings the node's post up to date: now is what lay in the outbox before. The query that was answered is done
// under all its names, unless it is asked again in other words.
func (s *Store) afterAnswer(ctx context.Context, tx *sql.Tx, d packedDelivery, now posted) (next bool, err error) {
	sameQuery := now.run == d.Run && now.tool == d.Tool && now.query == d.Query.ID
	mine := now.name == d.Name || now.post.State == ledger.PostNone || (sameQuery && now.post.State != ledger.PostHanded)
	if d.Repost != nil {
		p, err := repost(ctx, tx, posted{node: d.Endpoint, run: d.Run, tool: d.Tool, query: d.Query.ID}, *d.Repost)
		if err == nil && p.name != "" {
			return s.putOrShelve(ctx, tx, p, mine, d.At)
		}
		if err != nil {
			return false, err
		}
	}
	if mine {
		return goOn(ctx, tx, d.Endpoint, d.At)
	}
	return now.post.State == ledger.PostDue, wrote(ctx, tx, d.Endpoint, d.At)
}

// repost makes a new attempt at a query ready to be put into the outbox; without a name it is answered, or was asked so
// already.
func repost(ctx context.Context, tx *sql.Tx, p posted, next Post) (posted, error) {
	var asked int
	var state QueryState
	err := tx.QueryRowContext(ctx, `SELECT attempts, state FROM query WHERE run = ? AND endpoint = ? AND tool = ? AND id = ?`, p.run, p.node, p.tool, p.query).Scan(&asked, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return p, notPlanned(p.run, p.node, p.tool, p.query)
	}
	if err != nil || state == QueryAnswered || next.Attempt <= asked {
		return p, err
	}
	if p.question, err = insertQuestion(ctx, tx, next.Query); err != nil {
		return p, err
	}
	p.attempt, p.name = next.Attempt, ledger.PostName(p.run, p.query, next.Attempt)
	p.post = ledger.Post{State: ledger.PostDue}
	return p, nil
}

// putOrShelve puts a new attempt into the outbox when it may take the place there and its run hands things out, and else keeps
// it until its turn comes.
func (s *Store) putOrShelve(ctx context.Context, tx *sql.Tx, p posted, free bool, at time.Time) (next bool, err error) {
	if !free {
		return true, shelve(ctx, tx, p)
	}
	if err := tx.QueryRowContext(ctx, `SELECT `+runActive+` FROM run r WHERE r.id = ?2`, stampText(at), p.run).Scan(&p.active); err != nil {
		return false, err
	}
	if p.active {
		return true, put(ctx, tx, p, at)
	}
	if err := shelve(ctx, tx, p); err != nil {
		return false, err
	}
	return goOn(ctx, tx, p.node, at)
}

// Foreign counts answers that the node was never asked for, and tells each in the run that its name names, if there is one. why says
// what is wrong with them. The caller acknowledges such answers, so that the agent lets them go.
func (s *Store) Foreign(ctx context.Context, node string, names []string, why string, at time.Time) error {
	return s.together(ctx, "count answers that nobody asked for", func(ctx context.Context, tx *sql.Tx) error {
		if err := s.foreign(ctx, tx, node, names, why); err != nil {
			return err
		}
		return wrote(ctx, tx, node, at)
	})
}

func (s *Store) foreign(ctx context.Context, tx *sql.Tx, node string, names []string, why string) error {
	var n int
	err := tx.QueryRowContext(ctx, `UPDATE node SET foreigners = foreigners + ? WHERE id = ? RETURNING foreigners`, len(names), node).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	room := max(foreignEvents-(n-len(names)), 0)
	for _, name := range names[:min(room, len(names))] {
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO event (run, at, kind, endpoint, detail) SELECT r.id, ?, ?, ?, ? FROM run r WHERE r.id = ?`,
				stamp(s.now()), EventForeign, node, detail("name", diag.Escape(name), "why", diag.Escape(why)), runOfName(name))
		}
	}
	return err
}

// runOfName gives the run that a post's name names; its form is that of ledger.PostName.
func runOfName(name string) string {
	const lead, id = len("hunter-"), 36
	if len(name) < lead+id {
		return ""
	}
	return name[lead : lead+id]
}
