package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Recorded tools answer in rows of these kinds, whatever the tool's own form was:
//
//	hit      endpoint, path, name, size, md5, sha1, sha256, owner, pid, cmdline, mtime and n (started at), each as in a
//	         live answer; seen, when the tool recorded it (unix seconds)
//	control  name: the digest that the server itself had listed and that this search found again
//	gap      name: why the search is not whole, such as "incomplete_results"; endpoint, when it concerns one alone
//	present  n: how many records of the endpoint lie in the window (the answer of a presence query)
//
// A search without a control row proves nothing, a search with a gap row not all. One that only adds hits (Query.Adds) needs
// no control: nothing is claimed of its silence.

// Search is what one search of a recorded tool brought. The verdict is that of the search as a whole, without hits.
type Search struct {
	Verdict
	HitsOn map[string][]HitRow `json:"hits_on,omitempty"` // by endpoint
	GapsOn map[string][]string `json:"gaps_on,omitempty"` // by endpoint: what concerns it alone
}

// JudgeSearch says what one search over all endpoints of a recorded tool brought. NotSeen is the best it can say, and it
// says so of every endpoint of which the tool holds data. It is pure.
func JudgeSearch(q Query, a Answer) Search {
	p := parseRecorded(q, a.Rows)
	out := Search{HitsOn: p.hits, GapsOn: p.gapsOf}
	v := &out.Verdict
	v.Counts.FilesSeen = int64(p.records)
	reasons := append(slices.Clone(p.problems), p.gaps...)
	switch {
	case a.Failure != nil:
		*v = failed(Query{}, Answer{Failure: a.Failure})
		return out
	case len(p.problems) > 0:
		v.State = Unverified
	case p.controls == 0 && !q.Adds:
		v.State = Unverified
		reasons = append([]string{"the search did not find the file that the server itself had listed"}, reasons...)
	case len(p.gaps) > 0:
		v.State = Partial
	default:
		v.State = NotSeen
	}
	if p.controls == 0 && q.Adds {
		v.Notes = append(v.Notes, q.ID+" was searched without a control: that it found nothing more says nothing")
	}
	v.Reason = strings.Join(reasons, "; ")
	return out
}

// JudgePresence says whether a recorded tool holds data of an endpoint in the window.
func JudgePresence(q Query, a Answer) Verdict {
	if a.Failure != nil {
		return failed(Query{}, Answer{Failure: a.Failure})
	}
	p := parseRecorded(q, a.Rows)
	gaps := p.gaps
	if q.Behind != "" {
		gaps = append(gaps, q.Behind)
	}
	v := Verdict{State: NotSeen, Counts: Counts{FilesSeen: p.present}}
	switch {
	case len(p.problems) > 0:
		v.State, v.Reason = Unverified, strings.Join(p.problems, "; ")
	case p.presents != 1:
		v.State, v.Reason = Unverified, fmt.Sprintf("%d rows say whether there is data instead of one", p.presents)
	case p.present == 0:
		v.State = Unverified
		v.Reason = fmt.Sprintf("no data of this endpoint from %s to %s", day(q.Window.From), day(q.Window.To))
	case len(gaps) > 0:
		v.State, v.Reason = Partial, strings.Join(gaps, "; ")
	}
	return v
}

func day(t time.Time) string {
	if t.IsZero() {
		return "?"
	}
	return t.UTC().Format(time.DateOnly)
}

// Share gives an endpoint's part of a search.
func (s Search) Share(endpoint string) Verdict {
	v := s.Verdict
	v.Hits = s.HitsOn[endpoint]
	if gaps := s.GapsOn[endpoint]; len(gaps) > 0 {
		v.State = Stronger(v.State, Partial)
		v.Reason = strings.Join(slices.Concat(gaps, nonEmpty(v.Reason)), "; ")
	}
	return v
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// CoverRecorded gives the standing of one endpoint of a recorded tool: whether the tool holds data of it, and its part of
// every search. A nil verdict is a query that has no answer yet; unasked says why. It is never proven: only live tools
// prove. It does not depend on the order of searches.
func CoverRecorded(presence *Verdict, searches []*Verdict, unasked string) Coverage {
	out := Coverage{State: NotSeen}
	open := 0
	var reasons []string
	var hits []HitRow
	for _, v := range slices.Concat([]*Verdict{presence}, searches) {
		if v == nil {
			open++
			continue
		}
		out.State = Stronger(out.State, v.State)
		hits = unionHits(hits, v.Hits)
		if v.Reason != "" && !slices.Contains(reasons, v.Reason) {
			reasons = append(reasons, v.Reason)
		}
	}
	if presence != nil {
		out.Counts = presence.Counts
	}
	out.Hits = len(hits)
	if len(hits) > 0 {
		out.State = Hit
	}
	switch {
	case open == len(searches)+1:
		return Coverage{State: Unasked, Reason: unasked}
	case open > 0:
		out.State = Stronger(out.State, Partial)
		reasons = append(reasons, fmt.Sprintf("%d of %d questions have no answer: %s", open, len(searches)+1, unasked))
	}
	slices.Sort(reasons)
	out.Reason = strings.Join(reasons, "; ")
	return out
}

// recorded is the rows of a recorded tool's answer, sorted by their role.
type recorded struct {
	hits     map[string][]HitRow
	gapsOf   map[string][]string
	gaps     []string
	problems []string
	controls int
	records  int
	presents int
	present  int64
}

func parseRecorded(q Query, rows []Row) recorded {
	out := recorded{hits: map[string][]HitRow{}, gapsOf: map[string][]string{}}
	asked := wanted{hashes: q.Hashes}
	p := parsed{}
	for _, r := range rows {
		switch r["kind"] {
		case "hit":
			out.records++
			before := len(p.hits)
			if p.hit(q, r, &asked); len(p.hits) > before && r["endpoint"] == "" {
				p.problem("a hit names no endpoint")
			} else if len(p.hits) > before {
				out.hits[r["endpoint"]] = append(out.hits[r["endpoint"]], p.hits[before])
			}
		case "control":
			out.controls++
		case "gap":
			if e := r["endpoint"]; e != "" {
				out.gapsOf[e] = append(out.gapsOf[e], r["name"])
			} else if !slices.Contains(out.gaps, r["name"]) {
				out.gaps = append(out.gaps, r["name"])
			}
		case "present":
			out.presents++
			if out.present = number(r["n"], -1); out.present < 0 {
				p.problem("the count of data is no number")
			}
		default:
			p.problem("a row of unknown kind %q", r["kind"])
		}
	}
	for endpoint, hits := range out.hits {
		out.hits[endpoint] = unionHits(hits, nil)
	}
	for endpoint, gaps := range out.gapsOf {
		slices.Sort(gaps)
		out.gapsOf[endpoint] = slices.Compact(gaps)
	}
	slices.Sort(out.gaps)
	p.unasked()
	out.problems = p.problems
	return out
}
