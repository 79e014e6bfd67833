package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// Judge says what one answer proves. It is pure: the same query and answer give the same verdict.
func Judge(q Query, a Answer) Verdict {
	if a.Failure != nil {
		return Verdict{State: a.Failure.State, Reason: a.Failure.Message}
	}
	v := view(q, a)
	for _, m := range v.parsed.missing {
		v.Recheck = append(v.Recheck, recheckPath(q, m))
	}
	if n := int(v.parsed.counts["missing"].n); n > 0 && q.Stage != Autoruns {
		v.gap(n, "listed and then without a digest", "", v.Recheck)
	} else {
		v.Recheck = nil
	}
	return v.verdict()
}

// Rejudge says what an answer proves together with a second one, which asked once more for the paths that the first
// found missing. What is gone by then is fine.
func Rejudge(q Query, a Answer, again Query, b Answer) Verdict {
	if a.Failure != nil {
		return Judge(q, a)
	}
	v := view(q, a)
	missing := int(v.parsed.counts["missing"].n)
	if b.Failure != nil {
		v.gap(missing, "listed and then without a digest; asking again failed: "+b.Failure.Message, "", again.Recheck)
		return v.verdict()
	}
	second := view(again, b)
	if len(second.parsed.problems) > 0 {
		v.gap(missing, "listed and then without a digest; the second answer has no good control", "", again.Recheck)
		return v.verdict()
	}
	if left := missing - len(again.Recheck); left > 0 {
		v.gap(left, "listed and then without a digest, too many to ask again", "", nil)
	}
	if n := int(second.parsed.counts["missing"].n); n > 0 {
		v.gap(n, "still there and without a digest", "", paths(second.parsed.missing))
	}
	v.parts = append(v.parts, second.parts...)
	v.Hits = unionHits(v.Hits, second.Hits)
	v.Counts.FilesHashed += second.Counts.FilesHashed
	v.Counts.BytesHashed += second.Counts.BytesHashed
	v.Counts.FilesUnread += second.Counts.FilesUnread
	v.Unread = append(v.Unread, second.Unread...)
	return v.verdict()
}

// Join keeps both answers of a query as one, in order.
func Join(a, b Answer) Answer {
	a.Rows = append(slices.Clone(a.Rows), b.Rows...)
	a.Unread = append(slices.Clone(a.Unread), b.Unread...)
	a.UnreadTotal += b.UnreadTotal
	a.FinishedAt = b.FinishedAt
	return a
}

// seen is a verdict in the making.
type seen struct {
	Verdict
	query  Query
	parsed parsed
	parts  []string // what makes it partial
}

// view reads everything of an answer but its missing files, which may be asked for once more.
func view(q Query, a Answer) *seen {
	v := &seen{query: q, parsed: parse(q, a.Rows)}
	v.Hits = v.parsed.hits
	v.LeftOut = append(slices.Clone(a.LeftOut), v.parsed.leftOut...)
	c := v.parsed.counts
	v.Counts = Counts{FilesSeen: c["candidates"].n, FilesHashed: c["hashed"].n, BytesHashed: c["hashed"].size}
	switch {
	case len(q.Recheck) > 0:
		v.Counts.FilesSeen = 0 // counted by the first answer
	case q.Stage == Running:
		v.processes(a)
	case q.Stage == Files:
		v.Counts.FilesSeen = c["files"].n
		v.folder()
	}
	v.unhashed(a)
	return v
}

// processes accounts for processes without an image.
func (v *seen) processes(a Answer) {
	c := v.parsed.counts
	if n := c["kernel"].n; n > 0 {
		v.note("%d kernel threads and ended processes have no image", n)
	}
	told := 0
	var where []string
	for _, u := range a.Unread {
		if u.Op == "processes" {
			told++
			where = append(where, u.Path)
		}
	}
	if n := max(int(c["noimage"].n), told); n > 0 {
		v.gap(n, "processes whose program may not be looked at", "", where)
	}
}

// folder accounts for the root and the depth of a walk.
func (v *seen) folder() {
	c, q := v.parsed.counts, v.query
	if len(v.parsed.problems) > 0 {
		return
	}
	switch {
	case c["root"].n == 0 && q.MustExist:
		v.gap(1, "no such folder", "", []string{q.Root})
	case c["root"].n == 0:
		v.note("not there: %s", q.Root)
	case q.Engine == "osqueryd" && c["dirs"].n == 0 && c["files"].n == 0 && len(v.LeftOut) == 0:
		v.gap(1, "folder that looks empty, or may not be read", "", []string{q.Root})
	}
	if q.MaxDepth > 0 && c["dirs"].size >= int64(q.MaxDepth) {
		v.gap(1, fmt.Sprintf("folders deeper than %d levels", q.MaxDepth), "", []string{q.Root})
	}
	if n := c["bigger"].n; n > 0 && len(q.Sizes) == 0 {
		v.note("%d files over %s in %s are out of scope", n, Size(q.MaxSize), q.Root)
	}
	if v.parsed.overBudget(q) {
		v.gap(int(c["candidates"].n), fmt.Sprintf("over budget, %s in %s", Size(c["candidates"].size), q.Root), "", nil)
	}
}

// unhashed accounts for files that have no digest, as the rows and the engine tell it; each file counts once.
func (v *seen) unhashed(a Answer) {
	q := v.query
	told := map[string]string{}
	for _, u := range a.Unread {
		if u.Op != "processes" {
			told[u.Path] = u.Reason
		}
	}
	big, self := 0, 0
	byReason := map[string][]string{}
	add := func(path, why string) { byReason[why] = append(byReason[why], path) }
	for _, f := range v.parsed.unhashed {
		key := recheckPath(q, f)
		why, ok := told[key]
		delete(told, key)
		switch {
		case q.SelfPath != "" && f.path == q.SelfPath:
			self++
		case f.size > q.MaxSize && q.MaxSize > 0:
			big++
		case ok:
			add(f.path, why)
		default:
			add(f.path, "no digest")
		}
	}
	for path, why := range told {
		add(path, why)
	}
	if self > 0 {
		v.note("hunter's own program is not hashed")
	}
	if big > 0 {
		v.note("%d programs over %s are out of scope", big, Size(q.MaxSize))
	}
	v.tell(byReason)
	hidden := int(v.parsed.counts["unhashed"].n) - len(v.parsed.unhashed)
	if hidden += max(a.UnreadTotal-len(a.Unread), 0); hidden > 0 && q.Stage != Autoruns {
		v.gap(hidden, "more that could not be read", "", nil)
	}
}

// tell turns unread files into gaps by reason; those of autoruns are notes, since autoruns are guesses.
func (v *seen) tell(byReason map[string][]string) {
	reasons := make([]string, 0, len(byReason))
	for why := range byReason {
		reasons = append(reasons, why)
	}
	slices.Sort(reasons)
	for _, why := range reasons {
		list := byReason[why]
		slices.Sort(list)
		if v.query.Stage == Autoruns {
			v.note("autoruns: %d could not be read (%s)", len(list), why)
			continue
		}
		v.gap(len(list), "could not be read", why, list)
	}
}

func (v *seen) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

const (
	maxExamples = 3
	maxListed   = 100
)

// gap records n things in scope that were not read.
func (v *seen) gap(n int, what, why string, where []string) {
	text := fmt.Sprintf("%d %s", n, what)
	if why != "" {
		text += ": " + why
	}
	if len(where) > 0 {
		text += " (" + strings.Join(where[:min(len(where), maxExamples)], ", ")
		if n > maxExamples {
			text += ", …"
		}
		text += ")"
	}
	v.parts = append(v.parts, text)
	v.Counts.FilesUnread += int64(n)
	for _, p := range where {
		if len(v.Unread) < maxListed {
			v.Unread = append(v.Unread, Unread{Path: p, Op: string(v.query.Stage), Reason: strings.TrimSpace(what + " " + why)})
		}
	}
}

// verdict gives the state: a hit is a hit whatever else is wrong, and proven is told apart.
func (v *seen) verdict() Verdict {
	out := v.Verdict
	out.Proven = len(v.parsed.problems) == 0 && len(v.parts) == 0
	out.Reason = strings.Join(append(slices.Clone(v.parsed.problems), v.parts...), "; ")
	switch {
	case len(out.Hits) > 0:
		out.State = Hit
	case len(v.parsed.problems) > 0:
		out.State = Unverified
	case len(v.parts) > 0:
		out.State = Partial
	default:
		out.State = Absent
	}
	return out
}

// recheckPath is how a file is asked for again: a process's image through its pid on Linux.
func recheckPath(q Query, f item) string {
	if q.Stage == Running && q.Platform == "linux" && len(q.Recheck) == 0 && f.pid != "" && f.pid != "0" && !strings.HasPrefix(f.path, "/proc/") {
		return "/proc/" + f.pid + "/exe"
	}
	return f.path
}

func paths(items []item) []string {
	out := make([]string, len(items))
	for i, f := range items {
		out[i] = f.path
	}
	return out
}

// Size writes bytes for people: 50 MiB, 41.2 GiB.
func Size(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	f, u := float64(n), 0
	for f >= 1024 && u < len(units)-1 {
		f, u = f/1024, u+1
	}
	if f == float64(int64(f)) {
		return fmt.Sprintf("%d %s", int64(f), units[u])
	}
	return fmt.Sprintf("%.1f %s", f, units[u])
}
