package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// reasonStopped is what a target's coverage says when the run ended before its turn.
const reasonStopped = "the run was interrupted before its turn"

// inFlightMax bounds how many queries wait for an answer at once, over all endpoints.
const inFlightMax = 64

// answered is what a worker brings back: an answer or, of a search, a search.
type answered struct {
	action Action
	record results.AnswerRecord
	search results.SearchRecord
	subs   []ledger.Sub // over budget: by what it may be split
	down   string       // why its tool can not go on at all
	err    error
}

// board is the in-memory copy of a run's ledger while it is carried: one goroutine owns it.
type board struct {
	run      string
	spec     Spec
	queries  []results.StoredQuery
	at       map[Pair][]int // where the queries of a pair stand in queries; searches are a pair without an endpoint
	verdicts map[Pair]map[string][]ledger.Verdict
	targets  map[Pair]results.Target
	tools    map[string]edr.Tool
	ends     map[Pair]edr.Endpoint
	searched map[string]map[string]*ledger.Search // by tool and query id: recorded tools
	down     map[string]string                    // by tool: why it is asked nothing more
	posted   bool                                 // the run has endpoints that come and ask: nothing of theirs is here
	done     int
}

// ask puts every query that has no answer yet, and finishes the run.
func (c *Campaign) ask(ctx context.Context, id string, spec Spec) (Outcome, error) {
	b, err := c.load(ctx, id, spec)
	if err != nil {
		return c.stop(ctx, id, err)
	}
	if err := c.loop(ctx, b); err != nil {
		if detached(ctx, err) {
			return c.leave(ctx, b)
		}
		return c.fail(ctx, id, err)
	}
	if b.posted {
		return c.handOver(ctx, b)
	}
	return c.finish(ctx, b)
}

// askBeside puts the queries of the tools that are no fleet, and leaves the run's end to who carries it.
func (c *Campaign) askBeside(ctx context.Context, id string, spec Spec) error {
	b, err := c.load(ctx, id, spec)
	if err != nil {
		return err
	}
	if err := c.loop(ctx, b); err != nil {
		return err
	}
	return c.settleRecorded(ctx, b)
}

// handOver gives where a run stands whose other endpoints a server asks: it goes on there.
func (c *Campaign) handOver(ctx context.Context, b *board) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := c.settleRecorded(ctx, b); err != nil {
		return c.fail(ctx, b.run, err)
	}
	sum, err := c.Store.Run(ctx, b.run)
	if err != nil {
		return Outcome{Run: b.run, ExitCode: ExitError}, err
	}
	return Outcome{Run: b.run, Summary: sum, ExitCode: ExitCode(sum, b.spec.DoneWhen), Detached: true}, nil
}

// load reads the ledger of a run and the endpoints of its tools.
func (c *Campaign) load(ctx context.Context, id string, spec Spec) (*board, error) {
	b := &board{
		run: id, spec: spec, at: map[Pair][]int{}, verdicts: map[Pair]map[string][]ledger.Verdict{}, targets: map[Pair]results.Target{},
		tools: map[string]edr.Tool{}, ends: map[Pair]edr.Endpoint{}, searched: map[string]map[string]*ledger.Search{}, down: map[string]string{},
	}
	tools, err := c.tools(spec)
	if err != nil {
		return nil, err
	}
	posted := map[string]bool{}
	for _, t := range tools {
		_, posted[t.Describe().Name] = t.(edr.Posted)
	}
	if b.queries, err = c.Store.Queries(ctx, id); err != nil {
		return nil, err
	}
	b.queries = slices.DeleteFunc(b.queries, func(q results.StoredQuery) bool { return posted[q.Tool] })
	targets, err := c.Store.Targets(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		if posted[t.Tool] {
			b.posted = true
			continue
		}
		b.targets[Pair{t.Endpoint, t.Tool}] = t
	}
	for i, q := range b.queries {
		pair := Pair{q.Endpoint, q.Tool}
		b.at[pair] = append(b.at[pair], i)
		b.remember(q)
	}
	return b, b.loadTools(ctx, slices.DeleteFunc(slices.Clone(tools), func(t edr.Tool) bool { return posted[t.Describe().Name] }))
}

// remember takes in what is recorded of a query.
func (b *board) remember(q results.StoredQuery) {
	pair := Pair{q.Endpoint, q.Tool}
	if q.IsSearch() && b.searched[q.Tool] == nil {
		b.searched[q.Tool] = map[string]*ledger.Search{}
	}
	if b.verdicts[pair] == nil && !q.IsSearch() {
		b.verdicts[pair] = map[string][]ledger.Verdict{}
	}
	switch {
	case q.State != results.QueryAnswered:
	case q.Search != nil:
		b.searched[q.Tool][q.Query.ID] = q.Search
		b.done++
	case q.Verdict != nil:
		b.verdicts[pair][q.Query.ID] = append(b.verdicts[pair][q.Query.ID], *q.Verdict)
		b.done++
	}
}

// loadTools finds the endpoints again. A tool that can't list them is asked nothing.
func (b *board) loadTools(ctx context.Context, tools []edr.Tool) error {
	for _, t := range tools {
		name := t.Describe().Name
		b.tools[name] = t
		eps, err := t.Endpoints(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			b.down[name] = "its endpoints can not be listed: " + err.Error()
		}
		for _, ep := range eps {
			b.ends[Pair{ep.ID, name}] = ep
		}
	}
	return nil
}

// loop asks until Step has nothing more. It owns its workers and waits for all of them.
func (c *Campaign) loop(ctx context.Context, b *board) error {
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan answered)
	inFlight := map[Pair]bool{}
	defer func() {
		cancel()
		c.late(ctx, b, answers, len(inFlight))
	}()
	for {
		if ctx.Err() == nil {
			for _, a := range Step(b.queries, inFlight, inFlightMax-len(inFlight)) {
				if err := c.Store.MarkAsked(ctx, b.run, a.Endpoint, a.Tool, a.Query.ID); err != nil {
					return err
				}
				c.Progress(Event{Kind: EventAsking, Run: b.run, Endpoint: a.Endpoint, Tool: a.Tool, Query: a.Query, Done: b.done, Total: len(b.queries)})
				inFlight[Pair{a.Endpoint, a.Tool}] = true
				t := turn{Action: a, hostname: b.targets[Pair{a.Endpoint, a.Tool}].Hostname, down: b.down[a.Tool]}
				go func() { answers <- c.put(ctx, b, t) }()
			}
		}
		if len(inFlight) == 0 {
			if b.done == len(b.queries) { // an end that comes with the last answer leaves nothing open
				return nil
			}
			return ctx.Err()
		}
		got := <-answers
		delete(inFlight, Pair{got.action.Endpoint, got.action.Tool})
		if got.err != nil {
			if ctx.Err() != nil {
				continue // interrupted: not an answer; it is asked again on resume
			}
			return got.err
		}
		if got.down != "" {
			b.down[got.action.Tool] = got.down
		}
		if err := c.record(ctx, b, got); err != nil {
			return err
		}
	}
}

// late waits for the n workers of a run that has failed, and stores what they bring: whatever stopped it may have passed.
// When it has not, the rest is asked again on resume.
func (c *Campaign) late(ctx context.Context, b *board, answers <-chan answered, n int) {
	stored := true
	for range n {
		if got := <-answers; got.err == nil && stored {
			stored = c.record(ctx, b, got) == nil
		}
	}
}

// turn is an action with what its worker needs of the board.
type turn struct {
	Action
	hostname string
	down     string // why its tool is asked nothing more
}

// put asks one query, judges the answer and asks once more for what had vanished. It reads what of b does not change.
func (c *Campaign) put(ctx context.Context, b *board, t turn) answered {
	a := t.Action
	pair := Pair{a.Endpoint, a.Tool}
	answer, fault, err := c.putOnce(ctx, b, a.Query, pair, t.down)
	if err != nil {
		return answered{action: a, err: err}
	}
	if a.IsSearch() {
		return answered{action: a, down: fault, search: results.SearchRecord{
			Run: b.run, Hunt: b.spec.Hunt, Tool: a.Tool, Query: a.Query, Answer: answer, Search: ledger.JudgeSearch(a.Query, answer),
		}}
	}
	verdict := ledger.Judge(a.Query, answer)
	if again, ok := b.tools[a.Tool].(edr.Rechecker); ok && len(verdict.Recheck) > 0 {
		q2, ok := again.Recheck(a.Query, verdict.Recheck)
		if ok {
			second, _, err := c.putOnce(ctx, b, q2, pair, "")
			if err != nil {
				return answered{action: a, err: err}
			}
			verdict = ledger.Rejudge(a.Query, answer, q2, second)
			answer = ledger.Join(answer, second)
		}
	}
	return answered{action: a, down: fault, subs: verdict.Subs, record: results.AnswerRecord{
		Run: b.run, Hunt: b.spec.Hunt, Endpoint: a.Endpoint, Hostname: t.hostname, Tool: a.Tool,
		Query: a.Query, Answer: answer, Verdict: verdict,
	}}
}

// putOnce asks a tool with the run's timeout. A timeout is an answer of its own, and so is a tool that can't go on at all,
// which fault says; the caller's end is an error.
func (c *Campaign) putOnce(ctx context.Context, b *board, q ledger.Query, pair Pair, down string) (answer ledger.Answer, fault string, err error) {
	started := c.Now()
	asking, cancel := ctx, context.CancelFunc(func() {})
	if b.spec.Timeout > 0 {
		asking, cancel = context.WithTimeout(ctx, b.spec.Timeout)
	}
	defer cancel()
	if down != "" {
		return failed(started, started, ledger.Error, "not asked: "+down), down, nil
	}
	answer, err = b.dispatch(asking, q, pair, started)
	switch {
	case err == nil:
		return answer, "", nil
	case ctx.Err() != nil:
		return ledger.Answer{}, "", ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return failed(started, c.Now(), ledger.Timeout, fmt.Sprintf("no answer within %s", b.spec.Timeout)), "", nil
	default:
		return failed(started, c.Now(), ledger.Error, err.Error()), err.Error(), nil
	}
}

// dispatch hands a query to its tool.
func (b *board) dispatch(ctx context.Context, q ledger.Query, pair Pair, now time.Time) (ledger.Answer, error) {
	tool, ok := b.tools[pair.Tool]
	if searcher, recorded := tool.(edr.Searcher); recorded && pair.Endpoint == "" {
		return searcher.Search(ctx, q)
	}
	ep, known := b.ends[pair]
	if !ok || !known {
		return failed(now, now, ledger.Error, fmt.Sprintf("the tool %s no longer knows this endpoint", pair.Tool)), nil
	}
	return tool.Ask(ctx, ep, q)
}

func failed(started, now time.Time, state ledger.State, message string) ledger.Answer {
	return ledger.Answer{StartedAt: started, FinishedAt: now, Failure: &ledger.Failure{State: state, Message: message}}
}

// record stores an answer with what it does to the coverage of its endpoint, or of those that a search hit. An answer
// that is in hand is stored even when the run is being interrupted.
func (c *Campaign) record(ctx context.Context, b *board, got answered) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	a := got.action
	verdict := got.record.Verdict
	if a.IsSearch() {
		verdict = got.search.Search.Verdict
		b.searched[a.Tool][a.Query.ID] = &got.search.Search
		b.settle(&got.search)
		if err := c.Store.RecordSearch(ctx, got.search); err != nil {
			return fmt.Errorf("record a search of %s: %w", a.Tool, err)
		}
	} else {
		pair := Pair{a.Endpoint, a.Tool}
		more, err := b.split(pair, a.Query, got.subs)
		if err != nil {
			return fmt.Errorf("split a query of %s: %w", got.record.Hostname, err)
		}
		got.record.More = more
		b.verdicts[pair][a.Query.ID] = append(b.verdicts[pair][a.Query.ID], verdict)
		got.record.Coverage = b.cover(pair, reasonNotReached)
		if err := c.Store.RecordAnswer(ctx, got.record); err != nil {
			return fmt.Errorf("record the answer of %s: %w", got.record.Hostname, err)
		}
	}
	for _, i := range b.at[Pair{a.Endpoint, a.Tool}] {
		if q := &b.queries[i]; q.Query.ID == a.Query.ID {
			q.State = results.QueryAnswered
		}
	}
	b.done++
	c.Progress(Event{
		Kind: EventAnswered, Run: b.run, Endpoint: a.Endpoint, Tool: a.Tool, Query: a.Query,
		Verdict: verdict, Done: b.done, Total: len(b.queries),
	})
	return nil
}

// split words the parts of a query that was over its budget, and takes them up. They are stored with its answer, so that
// a run that dies between the two asks neither again nor less.
func (b *board) split(pair Pair, q ledger.Query, subs []ledger.Sub) ([]results.StoredQuery, error) {
	tool, can := b.tools[pair.Tool].(edr.Splitter)
	if !can || len(subs) == 0 {
		return nil, nil
	}
	seq := 0
	var planned []ledger.Query
	for _, i := range b.at[pair] {
		planned = append(planned, b.queries[i].Query)
		seq = max(seq, b.queries[i].Seq+1)
	}
	if slices.ContainsFunc(planned, func(p ledger.Query) bool { return p.Part.Of == q.ID }) {
		return nil, nil
	}
	parts, err := tool.Split(q, subs, ledger.PartsLeft(planned, q))
	if err != nil {
		return nil, err
	}
	var out []results.StoredQuery
	for i, p := range parts {
		s := results.StoredQuery{Endpoint: pair.Endpoint, Tool: pair.Tool, Seq: seq + i, Query: p, State: results.QueryPlanned}
		b.at[pair] = append(b.at[pair], len(b.queries))
		b.queries = append(b.queries, s)
		out = append(out, s)
	}
	return out, nil
}

// cover gives the standing of one (endpoint, tool) from all its verdicts.
func (b *board) cover(pair Pair, unasked string) ledger.Coverage {
	target := b.targets[pair]
	var planned []ledger.Query
	for _, i := range b.at[pair] {
		planned = append(planned, b.queries[i].Query)
	}
	var cov ledger.Coverage
	if target.Mode == ledger.Recorded {
		cov = b.coverRecorded(pair, planned, unasked)
	} else {
		cov = ledger.Cover(planned, b.verdicts[pair], unasked)
	}
	cov.Scope = target.Scope
	return cov
}

// leave stores why the remaining targets were not asked, and detaches.
func (c *Campaign) leave(ctx context.Context, b *board) (Outcome, error) {
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := c.Store.SetCoverages(storing, b.run, b.standings(reasonStopped, ledger.Live, ledger.Recorded)); err != nil {
		return Outcome{Run: b.run, ExitCode: ExitError}, err
	}
	return c.detach(ctx, b.run)
}

// standings gives the coverage of every pair of these modes that is asked anything.
func (b *board) standings(unasked string, modes ...ledger.Mode) []results.Standing {
	var out []results.Standing
	for pair := range b.verdicts {
		if !slices.Contains(modes, b.targets[pair].Mode) {
			continue
		}
		out = append(out, results.Standing{Endpoint: pair.Endpoint, Tool: pair.Tool, Coverage: b.cover(pair, unasked)})
	}
	slices.SortFunc(out, func(x, y results.Standing) int {
		return cmp.Or(cmp.Compare(x.Tool, y.Tool), cmp.Compare(x.Endpoint, y.Endpoint))
	})
	return out
}

// finish closes a run whose questions are all answered, also when ctx ends just then: nothing is left to resume.
func (c *Campaign) finish(ctx context.Context, b *board) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := c.settleRecorded(ctx, b); err != nil {
		return c.fail(ctx, b.run, err)
	}
	sum, err := c.Store.Run(ctx, b.run)
	if err != nil {
		return c.fail(ctx, b.run, err)
	}
	code := ExitCode(sum, b.spec.DoneWhen)
	if err := c.Store.FinishRun(ctx, b.run, results.RunFinished, code, ""); err != nil {
		return c.fail(ctx, b.run, err)
	}
	sum, err = c.Store.Run(ctx, b.run)
	if err != nil {
		return Outcome{Run: b.run, ExitCode: ExitError}, err
	}
	return Outcome{Run: b.run, Summary: sum, ExitCode: code}, nil
}

// settleRecorded stores the standings of recorded tools: a search speaks for every endpoint, and its answer is stored once.
func (c *Campaign) settleRecorded(ctx context.Context, b *board) error {
	if len(b.searched) == 0 {
		return nil
	}
	return c.Store.SetCoverages(ctx, b.run, b.standings(reasonNotReached, ledger.Recorded))
}
