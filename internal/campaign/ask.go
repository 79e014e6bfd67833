package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// reasonStopped is what a target's coverage says when the run ended before its turn.
const reasonStopped = "the run was interrupted before its turn"

// inFlightMax bounds how many queries wait for an answer at once, over all endpoints.
const inFlightMax = 64

// answered is what a worker brings back.
type answered struct {
	action Action
	record results.AnswerRecord
	err    error
}

// board is the in-memory copy of a run's ledger while it is carried: one goroutine owns it.
type board struct {
	run      string
	spec     Spec
	queries  []results.StoredQuery
	verdicts map[Pair]map[string][]ledger.Verdict
	targets  map[Pair]results.Target
	tools    map[string]edr.Tool
	ends     map[Pair]edr.Endpoint
	done     int
}

// ask puts every query that has no answer yet, and finishes the run.
func (c *Campaign) ask(ctx context.Context, id string, spec Spec) (Outcome, error) {
	b, err := c.load(ctx, id, spec)
	if err != nil {
		return c.fail(ctx, id, err)
	}
	if err := c.loop(ctx, b); err != nil {
		if detached(ctx, err) {
			return c.leave(ctx, b)
		}
		return c.fail(ctx, id, err)
	}
	return c.finish(ctx, b)
}

// load reads the ledger of a run and the endpoints of its tools.
func (c *Campaign) load(ctx context.Context, id string, spec Spec) (*board, error) {
	b := &board{
		run: id, spec: spec, verdicts: map[Pair]map[string][]ledger.Verdict{}, targets: map[Pair]results.Target{},
		tools: map[string]edr.Tool{}, ends: map[Pair]edr.Endpoint{},
	}
	var err error
	if b.queries, err = c.Store.Queries(ctx, id); err != nil {
		return nil, err
	}
	targets, err := c.Store.Targets(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		b.targets[Pair{t.Endpoint, t.Tool}] = t
	}
	for _, q := range b.queries {
		pair := Pair{q.Endpoint, q.Tool}
		if b.verdicts[pair] == nil {
			b.verdicts[pair] = map[string][]ledger.Verdict{}
		}
		if q.State == results.QueryAnswered && q.Verdict != nil {
			b.verdicts[pair][q.Query.ID] = append(b.verdicts[pair][q.Query.ID], *q.Verdict)
			b.done++
		}
	}
	tools, err := c.tools(spec)
	if err != nil {
		return nil, err
	}
	for _, t := range tools {
		name := t.Describe().Name
		b.tools[name] = t
		eps, err := t.Endpoints(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the endpoints of %s: %w", name, err)
		}
		for _, ep := range eps {
			b.ends[Pair{ep.ID, name}] = ep
		}
	}
	return b, nil
}

// loop asks until Step has nothing more. It owns its workers and waits for all of them.
func (c *Campaign) loop(ctx context.Context, b *board) error {
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan answered)
	inFlight := map[Pair]bool{}
	defer func() {
		cancel()
		for range len(inFlight) {
			<-answers
		}
	}()
	for {
		if ctx.Err() == nil {
			for _, a := range Step(b.queries, inFlight, inFlightMax-len(inFlight)) {
				if err := c.Store.MarkAsked(ctx, b.run, a.Endpoint, a.Tool, a.Query.ID); err != nil {
					return err
				}
				c.Progress(Event{Kind: EventAsking, Run: b.run, Endpoint: a.Endpoint, Tool: a.Tool, Query: a.Query, Done: b.done, Total: len(b.queries)})
				inFlight[Pair{a.Endpoint, a.Tool}] = true
				go func() { answers <- c.put(ctx, b, a) }()
			}
		}
		if len(inFlight) == 0 {
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
		if err := c.record(ctx, b, got); err != nil {
			return err
		}
	}
}

// put asks one query, judges the answer and asks once more for what had vanished. It reads b only.
func (c *Campaign) put(ctx context.Context, b *board, a Action) answered {
	pair := Pair{a.Endpoint, a.Tool}
	answer, err := c.putOnce(ctx, b, a.Query, pair)
	if err != nil {
		return answered{action: a, err: err}
	}
	verdict := ledger.Judge(a.Query, answer)
	if again, ok := b.tools[a.Tool].(edr.Rechecker); ok && len(verdict.Recheck) > 0 {
		q2, ok := again.Recheck(a.Query, verdict.Recheck)
		if ok {
			second, err := c.putOnce(ctx, b, q2, pair)
			if err != nil {
				return answered{action: a, err: err}
			}
			verdict = ledger.Rejudge(a.Query, answer, q2, second)
			answer = ledger.Join(answer, second)
		}
	}
	target := b.targets[pair]
	return answered{action: a, record: results.AnswerRecord{
		Run: b.run, Hunt: b.spec.Hunt, Endpoint: a.Endpoint, Hostname: target.Hostname, Tool: a.Tool,
		Query: a.Query, Answer: answer, Verdict: verdict,
	}}
}

// putOnce asks a tool with the run's timeout. A timeout is an answer of its own; the caller's end is an error.
func (c *Campaign) putOnce(ctx context.Context, b *board, q ledger.Query, pair Pair) (ledger.Answer, error) {
	tool, ok := b.tools[pair.Tool]
	ep, known := b.ends[pair]
	started := c.Now()
	if !ok || !known {
		return ledger.Answer{StartedAt: started, FinishedAt: started, Failure: &ledger.Failure{
			State: ledger.Error, Message: fmt.Sprintf("the tool %s no longer knows this endpoint", pair.Tool),
		}}, nil
	}
	asking, cancel := ctx, context.CancelFunc(func() {})
	if b.spec.Timeout > 0 {
		asking, cancel = context.WithTimeout(ctx, b.spec.Timeout)
	}
	defer cancel()
	answer, err := tool.Ask(asking, ep, q)
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return ledger.Answer{}, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return failed(started, c.Now(), ledger.Timeout, fmt.Sprintf("no answer within %s", b.spec.Timeout)), nil
	default:
		return failed(started, c.Now(), ledger.Error, err.Error()), nil
	}
}

func failed(started, now time.Time, state ledger.State, message string) ledger.Answer {
	return ledger.Answer{StartedAt: started, FinishedAt: now, Failure: &ledger.Failure{State: state, Message: message}}
}

// record stores an answer with what it does to its endpoint's coverage. An answer that is in hand is stored even when
// the run is being interrupted.
func (c *Campaign) record(ctx context.Context, b *board, got answered) error {
	pair := Pair{got.action.Endpoint, got.action.Tool}
	id := got.action.Query.ID
	b.verdicts[pair][id] = append(b.verdicts[pair][id], got.record.Verdict)
	got.record.Coverage = b.cover(pair, reasonNotReached)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := c.Store.RecordAnswer(ctx, got.record); err != nil {
		return fmt.Errorf("record the answer of %s: %w", got.record.Hostname, err)
	}
	for i := range b.queries {
		q := &b.queries[i]
		if q.Endpoint == pair.Endpoint && q.Tool == pair.Tool && q.Query.ID == id {
			q.State = results.QueryAnswered
		}
	}
	b.done++
	c.Progress(Event{
		Kind: EventAnswered, Run: b.run, Endpoint: pair.Endpoint, Tool: pair.Tool, Query: got.action.Query,
		Verdict: got.record.Verdict, Done: b.done, Total: len(b.queries),
	})
	return nil
}

// cover gives the standing of one (endpoint, tool) from all its verdicts.
func (b *board) cover(pair Pair, unasked string) ledger.Coverage {
	var planned []ledger.Query
	for _, q := range b.queries {
		if q.Endpoint == pair.Endpoint && q.Tool == pair.Tool {
			planned = append(planned, q.Query)
		}
	}
	cov := ledger.Cover(planned, b.verdicts[pair], unasked)
	cov.Scope = b.targets[pair].Scope
	return cov
}

// leave stores why the remaining targets were not asked, and detaches.
func (c *Campaign) leave(ctx context.Context, b *board) (Outcome, error) {
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	for pair := range b.verdicts {
		if err := c.Store.SetCoverage(storing, b.run, pair.Endpoint, pair.Tool, b.cover(pair, reasonStopped)); err != nil {
			return Outcome{Run: b.run, ExitCode: ExitError}, err
		}
	}
	return c.detach(ctx, b.run)
}

// finish closes a run whose questions are all answered.
func (c *Campaign) finish(ctx context.Context, b *board) (Outcome, error) {
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
