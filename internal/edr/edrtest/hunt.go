package edrtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// outcome is what one hunt over one tool brought.
type outcome struct {
	err      error // there is no plan, or the tool can't say which endpoints or days it has
	plan     edr.ToolPlan
	queries  []ledger.Query // all that were put
	coverage map[string]ledger.Coverage
	hits     map[string][]ledger.HitRow // also of endpoints that are not in the plan
	errs     []error
	answers  []ledger.Answer
	late     int // answers of questions whose context had ended
}

// hunt hunts as a campaign does. between is called when the plan is made.
func (c *check) hunt(ctx context.Context, m Made, files []indicator.File, between func()) outcome {
	o := outcome{coverage: map[string]ledger.Coverage{}, hits: map[string][]ledger.HitRow{}}
	plan, err := edr.MakePlan(ctx, files, []edr.Tool{m.Tool}, edr.Selection{}, m.Search)
	if err != nil {
		o.err = err
		return o
	}
	o.plan = plan.Tools[0]
	for _, ep := range o.plan.Endpoints {
		if ep.Failed != "" {
			o.err = errors.New(ep.Failed)
			return o
		}
	}
	if between != nil {
		between()
	}
	if s, ok := m.Tool.(edr.Searcher); ok {
		o.recorded(ctx, s)
	} else {
		o.live(ctx, m.Tool)
	}
	return o
}

// put asks, and makes an answer of an error, as a campaign does.
func (o *outcome) put(ctx context.Context, q ledger.Query, ask func() (ledger.Answer, error)) ledger.Answer {
	o.queries = append(o.queries, q)
	a, err := ask()
	if ctx.Err() != nil && err == nil {
		o.late++
	}
	if err != nil {
		o.errs = append(o.errs, err)
		a = ledger.Answer{Failure: &ledger.Failure{State: ledger.Error, Message: err.Error()}}
	}
	o.answers = append(o.answers, a)
	return a
}

func (o *outcome) live(ctx context.Context, tool edr.Tool) {
	for _, ep := range o.plan.Endpoints {
		verdicts := map[string][]ledger.Verdict{}
		for _, q := range ep.Queries {
			a := o.put(ctx, q, func() (ledger.Answer, error) { return tool.Ask(ctx, ep.Endpoint, q) })
			v := ledger.Judge(q, a)
			if r, ok := tool.(edr.Rechecker); ok && len(v.Recheck) > 0 {
				if again, ok := r.Recheck(q, v.Recheck); ok {
					b := o.put(ctx, again, func() (ledger.Answer, error) { return tool.Ask(ctx, ep.Endpoint, again) })
					v = ledger.Rejudge(q, a, again, b)
				}
			}
			verdicts[q.ID] = append(verdicts[q.ID], v)
			o.hits[ep.Endpoint.ID] = append(o.hits[ep.Endpoint.ID], v.Hits...)
		}
		o.coverage[ep.Endpoint.ID] = ledger.Cover(ep.Queries, verdicts, "not asked")
	}
}

func (o *outcome) recorded(ctx context.Context, tool edr.Searcher) {
	var found []ledger.Search
	for _, q := range o.plan.Searches {
		s := ledger.JudgeSearch(q, o.put(ctx, q, func() (ledger.Answer, error) { return tool.Search(ctx, q) }))
		found = append(found, s)
		for id, hits := range s.HitsOn {
			o.hits[id] = append(o.hits[id], hits...)
		}
	}
	for _, ep := range o.plan.Endpoints {
		switch {
		case ep.Excluded != "" || ep.Asleep != "" || ep.Failed != "":
			continue
		case len(ep.Queries) != 1 && len(o.plan.Searches) > 0:
			o.errs = append(o.errs, fmt.Errorf("%d queries say whether there is data of endpoint %s", len(ep.Queries), ep.Endpoint.ID))
			continue
		case len(ep.Queries) == 0:
			continue
		}
		q := ep.Queries[0]
		presence := ledger.JudgePresence(q, o.put(ctx, q, func() (ledger.Answer, error) { return tool.Ask(ctx, ep.Endpoint, q) }))
		var shares []*ledger.Verdict
		for _, s := range found {
			share := s.Share(ep.Endpoint.ID)
			shares = append(shares, &share)
		}
		o.coverage[ep.Endpoint.ID] = ledger.CoverRecorded(&presence, shares, "not asked")
	}
}

// said is every text that came out of a hunt, in all the ways in which Go prints.
func (o outcome) said(tool edr.Tool) string {
	var b strings.Builder
	for _, v := range []any{tool, tool.Describe(), o.err, o.errs, o.plan, o.queries, o.answers, o.coverage, o.hits} {
		fmt.Fprintf(&b, "%v\n%+v\n%#v\n", v, v, v)
	}
	for _, err := range append(slices.Clone(o.errs), o.err) {
		for ; err != nil; err = unwrap(err) {
			fmt.Fprintf(&b, "%v\n%+v\n%#v\n", err, err, err)
		}
	}
	for _, a := range o.answers {
		if a.Failure != nil {
			b.WriteString(a.Failure.Message + "\n")
		}
	}
	return b.String()
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

// asked lists the digests that went out, each once.
func (o outcome) asked() map[indicator.Indicator]bool {
	out := map[indicator.Indicator]bool{}
	for _, q := range o.queries {
		for _, h := range q.Hashes {
			out[h] = true
		}
	}
	return out
}
