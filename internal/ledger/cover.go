package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// Cover gives the standing of one (endpoint, tool): the union of all verdicts on its planned queries, by query id.
// Attempts at one query add up: hits are never lost, and one proven attempt proves the query. unasked is the reason for
// queries that have no verdict.
func Cover(planned []Query, verdicts map[string][]Verdict, unasked string) Coverage {
	if len(planned) == 0 {
		return Coverage{State: Unasked, Reason: unasked}
	}
	out := Coverage{Proven: true, State: Absent}
	open := 0
	var reasons []string
	var hits []HitRow
	for _, q := range planned {
		vs := verdicts[q.ID]
		if len(vs) == 0 {
			open++
			out.Proven = false
			continue
		}
		best := attempts(vs)
		out.State = stronger(out.State, best.State)
		out.Proven = out.Proven && best.Proven
		out.Counts = add(out.Counts, best.Counts)
		hits = unionHits(hits, best.Hits)
		if best.Reason != "" && !slices.Contains(reasons, best.Reason) {
			reasons = append(reasons, best.Reason)
		}
	}
	out.Hits = len(hits)
	if open == len(planned) {
		return Coverage{State: Unasked, Reason: unasked}
	}
	if open > 0 {
		out.State = stronger(out.State, Partial)
		reasons = append(reasons, fmt.Sprintf("%d of %d questions have no answer: %s", open, len(planned), unasked))
	}
	out.Reason = strings.Join(reasons, "; ")
	return out
}

// attempts folds the verdicts on one query.
func attempts(vs []Verdict) Verdict {
	best := vs[0]
	for _, v := range vs[1:] {
		hits := unionHits(best.Hits, v.Hits)
		if better(v, best) {
			best = v
		}
		best.Hits = hits
	}
	if len(best.Hits) > 0 {
		best.State = Hit
	}
	return best
}

// better prefers the attempt that proves; else the one that is less of a failure.
func better(a, b Verdict) bool {
	if a.Proven != b.Proven {
		return a.Proven
	}
	return strength(a.State) > strength(b.State) && a.State != Hit && b.State != Hit
}

// stronger gives the state that stands: the first in the order of States.
func stronger(a, b State) State {
	if strength(b) < strength(a) {
		return b
	}
	return a
}

// strength is the place in States: the lower, the stronger.
func strength(s State) int { return slices.Index(States(), s) }

func add(a, b Counts) Counts {
	return Counts{
		FilesSeen: a.FilesSeen + b.FilesSeen, FilesHashed: a.FilesHashed + b.FilesHashed,
		BytesHashed: a.BytesHashed + b.BytesHashed, FilesUnread: a.FilesUnread + b.FilesUnread,
	}
}

// unionHits joins hits; a hit is the same when it was found in the same way at the same path with the same digest and pid.
func unionHits(a, b []HitRow) []HitRow {
	key := func(h HitRow) string {
		return fmt.Sprintf("%s\x00%s\x00%s\x00%d\x00%d", h.FoundIn, h.Path, h.Matched, h.PID, h.StartedAt.Unix())
	}
	known := map[string]bool{}
	var out []HitRow
	for _, h := range slices.Concat(a, b) {
		if k := key(h); !known[k] {
			known[k] = true
			out = append(out, h)
		}
	}
	return out
}
