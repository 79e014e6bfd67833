package campaign

import (
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// account is what a run asks one endpoint of a fleet, with all verdicts so far. A look at what had vanished is a query of its
// own there: its verdict stands in place of that on the first look.
type account struct{ queries []results.StoredQuery }

// recheckSuffix marks the id of a second look.
const recheckSuffix = "#recheck"

// firstLook gives the id of the query whose vanished paths a second look is about.
func firstLook(id string) string { return strings.TrimSuffix(id, recheckSuffix) }

func (a account) find(id string) int {
	return slices.IndexFunc(a.queries, func(q results.StoredQuery) bool { return q.Query.ID == id })
}

// open reports whether a query has no answer yet.
func (a account) open() bool {
	return slices.ContainsFunc(a.queries, func(q results.StoredQuery) bool { return q.State != results.QueryAnswered })
}

// planned lists the queries that must be answered for the endpoint to be proven.
func (a account) planned() []ledger.Query {
	var out []ledger.Query
	for _, q := range a.queries {
		if len(q.Query.Recheck) == 0 {
			out = append(out, q.Query)
		}
	}
	return out
}

// verdicts gives all verdicts by the query that they are about, with one more. A second look stands in place of what looks that had
// lost sight of something proved; their hits stay.
func (a account) verdicts(id string, v ledger.Verdict) map[string][]ledger.Verdict {
	all, second := map[string][]ledger.Verdict{}, map[string][]ledger.Verdict{}
	for _, q := range a.queries {
		to := all
		if len(q.Query.Recheck) > 0 {
			to = second
		}
		vs := q.Verdicts
		if q.Query.ID == id {
			vs = append(slices.Clone(vs), v)
		}
		if len(vs) > 0 {
			to[firstLook(q.Query.ID)] = vs
		}
	}
	for q, looks := range second {
		stand := slices.Clone(looks)
		for _, v := range all[q] {
			if len(v.Recheck) == 0 {
				stand = append(stand, v)
			} else {
				stand[0].Hits = slices.Concat(stand[0].Hits, v.Hits)
			}
		}
		all[q] = stand
	}
	return all
}

// cover gives the endpoint's standing with one more verdict; open says why queries have none.
func (a account) cover(id string, v ledger.Verdict, more []results.StoredQuery, open string) ledger.Coverage {
	planned := a.planned()
	for _, q := range more {
		if len(q.Query.Recheck) == 0 {
			planned = append(planned, q.Query)
		}
	}
	return ledger.Cover(planned, a.verdicts(id, v), open)
}

// more words what an answer makes necessary: the parts of what was over its budget, and a second look at what had vanished.
// Each is asked once, whichever attempt brings it up.
func (a account) more(tool edr.Posted, i int, asked ledger.Query, v ledger.Verdict) ([]results.StoredQuery, error) {
	of := a.queries[i]
	var parts []ledger.Query
	seq := of.Seq
	if splitter, can := tool.(edr.Splitter); can && len(v.Subs) > 0 {
		planned := a.planned()
		if slices.ContainsFunc(planned, func(q ledger.Query) bool { return q.Part.Of == asked.ID }) {
			return nil, nil
		}
		for _, q := range a.queries {
			seq = max(seq, q.Seq+1)
		}
		var err error
		if parts, err = splitter.Split(asked, v.Subs, ledger.PartsLeft(planned, asked)); err != nil {
			return nil, err
		}
	}
	if again, can := tool.(edr.Rechecker); can && len(v.Recheck) > 0 && len(parts) == 0 && len(asked.Recheck) == 0 {
		if q, ok := again.Recheck(asked, v.Recheck); ok {
			if q.ID = asked.ID + recheckSuffix; a.find(q.ID) < 0 {
				parts = append(parts, q)
			}
		}
	}
	var out []results.StoredQuery
	for n, q := range parts {
		s := results.StoredQuery{Endpoint: of.Endpoint, Tool: of.Tool, Seq: seq, Query: q, State: results.QueryPlanned}
		if len(q.Recheck) == 0 {
			s.Seq += n
		}
		out = append(out, s)
	}
	return out, nil
}

// lighter words the next attempt at a query that an agent refuses in the words of attempt; nil when no attempt is left.
func lighter(tool edr.Posted, asked ledger.Query, stored results.StoredQuery, attempt int) (*results.Post, error) {
	next := max(attempt+1, firstLighter)
	if next > MaxAttempts {
		return nil, nil
	}
	of := stored.Query
	if len(asked.Recheck) > 0 {
		of = asked
	}
	q, ok, err := tool.Lighter(of, next)
	if err != nil || !ok {
		return nil, err
	}
	return &results.Post{Query: q, Attempt: next}, nil
}
