package campaign

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// reasonExtra is told of an endpoint with hits that is not among the frozen targets.
const reasonExtra = "it has hits, and was not in the tool's list of endpoints when the run began"

// coverRecorded gives the standing of an endpoint of a recorded tool: its own query and its share of every search.
func (b *board) coverRecorded(pair Pair, planned []ledger.Query, unasked string) ledger.Coverage {
	target := b.targets[pair]
	if len(planned) == 0 && target.Coverage.State != ledger.Hit {
		return target.Coverage
	}
	var presence *ledger.Verdict
	for _, q := range planned {
		if vs := b.verdicts[pair][q.ID]; len(vs) > 0 {
			merged := ledger.Merge(vs)
			presence = &merged
		}
	}
	var shares []*ledger.Verdict
	for _, i := range b.at[Pair{Tool: pair.Tool}] {
		q := b.queries[i]
		var share *ledger.Verdict
		if s := b.searched[q.Tool][q.Query.ID]; s != nil {
			v := s.Share(pair.Endpoint)
			share = &v
		}
		shares = append(shares, share)
	}
	cov := ledger.CoverRecorded(presence, shares, unasked)
	if len(planned) == 0 { // it was not asked itself: extra, or asleep
		cov.Reason = target.Coverage.Reason
	}
	return cov
}

// settle says which endpoints a search hit, and how they stand now. A host that the hunt left out stays left out; one
// that nobody listed becomes a target of its own, unless the hunt named its hosts.
func (b *board) settle(rec *results.SearchRecord) {
	var left []string
	for _, id := range slices.Sorted(maps.Keys(rec.Search.HitsOn)) {
		pair := Pair{id, rec.Tool}
		target, known := b.targets[pair]
		switch {
		case !known && b.spec.Select.Narrows(), known && target.Coverage.State == ledger.Excluded:
			left = append(left, cmp.Or(target.Hostname, id))
			continue
		case !known:
			target = b.extra(rec, id)
			rec.Extra = append(rec.Extra, target)
		case target.Coverage.State == ledger.Asleep:
			target.Coverage.State = ledger.Hit
		}
		b.targets[pair] = target
		rec.Standings = append(rec.Standings, results.Standing{Endpoint: id, Tool: rec.Tool, Coverage: b.cover(pair, reasonNotReached)})
	}
	if len(left) > 0 {
		rec.Search.Notes = append(rec.Search.Notes, fmt.Sprintf("%s has matches on endpoints that are not of this run: %s", rec.Tool,
			strings.Join(left[:min(len(left), maxNamed)], ", ")))
	}
}

// maxNamed is how many endpoints a note names.
const maxNamed = 10

// extra makes a target of an endpoint that the tool's list did not name.
func (b *board) extra(rec *results.SearchRecord, id string) results.Target {
	t := results.Target{
		Endpoint: id, Hostname: id, Tool: rec.Tool, Mode: ledger.Recorded, WindowFrom: rec.Query.Window.From, WindowTo: rec.Query.Window.To,
		Coverage: ledger.Coverage{State: ledger.Hit, Reason: reasonExtra},
	}
	for pair, other := range b.targets {
		if pair.Tool == rec.Tool {
			t.Scope, t.Hashset = other.Scope, other.Hashset
			break
		}
	}
	for _, r := range rec.Answer.Rows {
		if r["endpoint"] == id && r["hostname"] != "" {
			t.Hostname = r["hostname"]
			break
		}
	}
	return t
}
