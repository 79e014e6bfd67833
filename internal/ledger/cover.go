package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Cover gives the standing of one (endpoint, tool): the union of all verdicts on its planned queries, by query id.
// It does not depend on the order of verdicts. unasked is the reason for queries that have no verdict.
func Cover(planned []Query, verdicts map[string][]Verdict, unasked string) Coverage {
	out := Coverage{Proven: true, State: Absent}
	open, asked, proving := 0, 0, false
	var reasons []string
	var hits []HitRow
	skip := Replaced(planned)
	for _, q := range planned {
		if skip[q.ID] { // its parts say what is there; hits are hits all the same
			if m := Merge(verdicts[q.ID]); len(m.Hits) > 0 {
				out.State, hits = Hit, unionHits(hits, m.Hits)
			}
			continue
		}
		asked++
		vs := verdicts[q.ID]
		if len(vs) == 0 {
			open++
			out.Proven = false
			continue
		}
		m := Merge(vs)
		proving = proving || q.Stage != Autoruns
		out.State = Stronger(out.State, m.State)
		out.Proven = out.Proven && m.Proven
		out.Counts = add(out.Counts, m.Counts)
		hits = unionHits(hits, m.Hits)
		if m.Reason != "" && !slices.Contains(reasons, m.Reason) {
			reasons = append(reasons, m.Reason)
		}
	}
	out.Hits = len(hits)
	switch {
	case open == asked && len(skip) == 0:
		return Coverage{State: Unasked, Reason: unasked}
	case open > 0:
		out.State = Stronger(out.State, Partial)
		reasons = append(reasons, fmt.Sprintf("%d of %d questions have no answer: %s", open, asked, unasked))
	case !proving:
		out.State, out.Proven = Stronger(out.State, Partial), false
		reasons = append(reasons, "autoruns alone prove nothing: their paths are guesses from command lines")
	}
	out.Reason = strings.Join(reasons, "; ")
	return out
}

// Merge folds all verdicts on one query, in any order. Hits are the union. One attempt that proves settles what
// the others left open; without one the strongest state stands, so a weaker answer never replaces a stronger one.
func Merge(vs []Verdict) Verdict {
	if len(vs) == 0 {
		return Verdict{State: Unasked}
	}
	best := sound(vs[0])
	hits := unionHits(best.Hits, nil)
	for _, v := range vs[1:] {
		v = sound(v)
		hits = unionHits(hits, v.Hits)
		if prefer(v, best) < 0 {
			best = v
		}
	}
	best.Hits = hits
	if len(hits) > 0 {
		best.State = Hit
	}
	return best
}

// sound makes a verdict agree with itself: absent is always proven, and only hit and absent can be.
func sound(v Verdict) Verdict {
	if v.State == Absent && !v.Proven {
		v.State = Unverified
	}
	if v.State != Hit && v.State != Absent {
		v.Proven = false
	}
	return v
}

// prefer orders two attempts: proven first, then the strongest state, then the one that saw more. What is left is there
// to make the choice the same in any order.
func prefer(a, b Verdict) int {
	if a.Proven != b.Proven {
		if a.Proven {
			return -1
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(strength(a.State), strength(b.State)),
		cmp.Compare(b.Counts.FilesSeen, a.Counts.FilesSeen), cmp.Compare(b.Counts.FilesHashed, a.Counts.FilesHashed),
		cmp.Compare(b.Counts.BytesHashed, a.Counts.BytesHashed), cmp.Compare(b.Counts.FilesUnread, a.Counts.FilesUnread),
		cmp.Compare(a.Remembered, b.Remembered), cmp.Compare(a.Reason, b.Reason), cmp.Compare(fmt.Sprint(a.Notes), fmt.Sprint(b.Notes)),
	)
}

// Stronger gives the state that stands: the first in the order of States.
func Stronger(a, b State) State {
	if strength(b) < strength(a) {
		return b
	}
	return a
}

// strength is the place in States: the lower, the stronger. A word that is no state counts as error.
func strength(s State) int {
	if i := slices.Index(States(), s); i >= 0 {
		return i
	}
	return slices.Index(States(), Error)
}

func add(a, b Counts) Counts {
	return Counts{
		FilesSeen: a.FilesSeen + b.FilesSeen, FilesHashed: a.FilesHashed + b.FilesHashed,
		BytesHashed: a.BytesHashed + b.BytesHashed, FilesUnread: a.FilesUnread + b.FilesUnread,
	}
}

// unionHits joins hits, sorted; a hit is the same when it was found in the same way at the same path (raw bytes) with
// the same digest in the same process. Of two tellings the fuller one stays.
func unionHits(a, b []HitRow) []HitRow {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y HitRow) int {
		return cmp.Or(sameHit(x, y), cmp.Compare(fullness(y), fullness(x)), cmp.Compare(fmt.Sprint(x), fmt.Sprint(y)))
	})
	return slices.CompactFunc(all, func(x, y HitRow) bool { return sameHit(x, y) == 0 })
}

func sameHit(x, y HitRow) int {
	return cmp.Or(
		strings.Compare(x.Path, y.Path), strings.Compare(string(x.FoundIn), string(y.FoundIn)),
		strings.Compare(x.Matched.String(), y.Matched.String()), cmp.Compare(x.PID, y.PID),
		cmp.Compare(x.StartedAt.Unix(), y.StartedAt.Unix()),
	)
}

// fullness is how many digests a hit carries.
func fullness(h HitRow) int {
	n := 0
	for _, d := range []string{h.MD5, h.SHA1, h.SHA256} {
		if d != "" {
			n++
		}
	}
	return n
}
