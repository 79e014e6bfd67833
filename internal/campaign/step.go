package campaign

import (
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// Action is one question to put: a query to one endpoint or, without an endpoint, a search over all of a tool's.
type Action struct {
	Endpoint string
	Tool     string
	Query    ledger.Query
}

// IsSearch reports whether it is a search over all endpoints of its tool.
func (a Action) IsSearch() bool { return a.Endpoint == "" }

// Step decides what to ask next. It is pure: the same ledger gives the same decision, which is what makes a resume safe.
// Each (endpoint, tool) has one query in flight at most, cheapest stage first; a later stage is never left out, since
// each can add a hit. The searches of a recorded tool are a pair of their own, without an endpoint.
func Step(queries []results.StoredQuery, inFlight map[Pair]bool, room int) []Action {
	var out []Action
	taken := map[Pair]bool{}
	for _, q := range queries {
		if len(out) >= room {
			break
		}
		pair := Pair{q.Endpoint, q.Tool}
		if q.State == results.QueryAnswered || taken[pair] || inFlight[pair] {
			continue
		}
		taken[pair] = true
		out = append(out, Action{Endpoint: q.Endpoint, Tool: q.Tool, Query: q.Query})
	}
	return out
}

// Pair names one (endpoint, tool) of a run.
type Pair struct{ Endpoint, Tool string }
