package campaign

import (
	"context"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// reask decides on each post of a run that has no answer. Writes that come at the same time share a commit.
func (s *Steward) reask(ctx context.Context, run string, spec Spec, now time.Time) error {
	open, err := s.store.Open(ctx, run, now.Add(-spec.timeout()))
	if err != nil {
		return err
	}
	return each(open, func(o results.OpenPost) error { return s.again(ctx, run, spec, o, now) })
}

// each does something for all of a list, some at once, and waits for all of them.
func each[T any](list []T, do func(T) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var faults faults
	room := make(chan struct{}, atOnce)
	for _, x := range list {
		room <- struct{}{}
		wg.Go(func() {
			err := do(x)
			<-room
			mu.Lock()
			faults.add(err)
			mu.Unlock()
		})
	}
	wg.Wait()
	return faults.join()
}

// again asks one query again, or gives it up.
func (s *Steward) again(ctx context.Context, run string, spec Spec, o results.OpenPost, now time.Time) error {
	if o.State == ledger.PostHeld && o.Untold {
		return s.untold(ctx, run, o, now)
	}
	next := ReaskOf(o, now, spec.timeout())
	switch {
	case next.GiveUp != nil:
		return s.receiver.giveUp(ctx, run, o, *next.GiveUp, now)
	case next.Attempt == 0:
		return nil
	case !next.Lighter:
		return s.store.Repost(ctx, o.Node, o.Name, results.Post{Query: o.Query, Attempt: next.Attempt})
	}
	tool, err := s.receiver.tool(o.Tool)
	if err != nil {
		return err
	}
	of, err := s.plannedQuery(ctx, run, o)
	if err != nil {
		return err
	}
	q, ok, err := tool.Lighter(of, next.Attempt)
	if err != nil { // it will not be worded by waiting
		return s.receiver.giveUp(ctx, run, o, ledger.Failure{State: ledger.Error, Message: "it can not be asked in a lighter form: " + err.Error()}, now)
	}
	if !ok {
		o.Attempt = MaxAttempts
		return s.receiver.giveUp(ctx, run, o, *ReaskOf(o, now, 0).GiveUp, now)
	}
	return s.store.Repost(ctx, o.Node, o.Name, results.Post{Query: q, Attempt: next.Attempt})
}

// plannedQuery gives the query of the plan that a post is an attempt at.
func (s *Steward) plannedQuery(ctx context.Context, run string, o results.OpenPost) (ledger.Query, error) {
	queries, err := s.store.EndpointQueries(ctx, run, o.Node, o.Tool)
	if err != nil {
		return ledger.Query{}, err
	}
	if i := (account{queries: queries}).find(o.ID); i >= 0 {
		return queries[i].Query, nil
	}
	return o.Query, nil
}

// untold asks without a digest where the words that were planned may not be told any more.
func (s *Steward) untold(ctx context.Context, run string, o results.OpenPost, now time.Time) error {
	tool, err := s.receiver.tool(o.Tool)
	if err != nil {
		return err
	}
	hider, ok := tool.(edr.Hider)
	if !ok {
		return s.receiver.giveUp(ctx, run, o, ledger.Failure{
			State: ledger.Unsupported, Message: "its approval was taken back, and " + o.Tool + " can't ask without telling a digest",
		}, now)
	}
	q, err := hider.Blind(o.Query)
	if err != nil {
		return s.receiver.giveUp(ctx, run, o, ledger.Failure{State: ledger.Unsupported, Message: "its approval was taken back: " + err.Error()}, now)
	}
	return s.store.Repost(ctx, o.Node, o.Name, results.Post{Query: q, Attempt: o.Attempt + 1})
}
