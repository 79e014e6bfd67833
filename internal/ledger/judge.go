package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Judge says what one answer proves. It is pure: the same query and answer give the same verdict. A verdict with a
// Recheck stands as it is; with a second answer for these paths Rejudge may give a better one.
func Judge(q Query, a Answer) Verdict {
	if q.Stage == Telemetry {
		return JudgePresence(q, a)
	}
	if a.Failure != nil {
		return failed(q, a)
	}
	v := view(q, a)
	v.Recheck = v.pending
	v.gap(v.vanished, "listed and then without a digest", "", v.pending)
	v.gap(v.hidden, "running without a program to be seen", "", nil)
	return v.verdict()
}

// Rejudge says what an answer proves together with a second one, which asked once more for the paths that the first
// could not read (its verdict's Recheck). What is gone by then is fine.
func Rejudge(q Query, a Answer, again Query, b Answer) Verdict {
	if a.Failure != nil {
		return Judge(q, a)
	}
	v := view(q, a)
	open := v.vanished + v.hidden
	if b.Failure != nil {
		v.gap(open, "listed and then without a digest; asking again failed: "+b.Failure.Message, "", again.Recheck)
		return v.verdict()
	}
	second := view(again, b)
	v.Hits, v.Refused = unionHits(v.Hits, second.Hits), v.Refused+second.Refused
	if len(second.parsed.problems) > 0 {
		v.gap(max(open, 1), "listed and then without a digest; the second answer has no good control", "", again.Recheck)
		return v.verdict()
	}
	asked := 0
	for _, p := range v.pending {
		if slices.Contains(again.Recheck, p) {
			asked++
		}
	}
	v.gap(open-asked, "listed and then without a digest, too many to ask again", "", nil)
	v.gap(int(second.parsed.counts["missing"].n), "still there and without a digest", "", paths(second.parsed.missing))
	v.parts = append(v.parts, second.parts...)
	v.Counts.FilesHashed += second.Counts.FilesHashed
	v.Counts.BytesHashed += second.Counts.BytesHashed
	v.Counts.FilesUnread += second.Counts.FilesUnread
	v.Remembered += second.Remembered
	v.Unread = append(v.Unread, second.Unread[:min(len(second.Unread), maxListed-len(v.Unread))]...)
	return v.verdict()
}

// Join keeps both answers of a query as one, in order.
func Join(a, b Answer) Answer {
	a.Rows = append(slices.Clone(a.Rows), b.Rows...)
	a.Unread = append(slices.Clone(a.Unread), b.Unread...)
	a.UnreadTotal += b.UnreadTotal
	a.Remembered += b.Remembered
	a.Doubt = cmp.Or(a.Doubt, b.Doubt)
	a.Notes = append(slices.Clone(a.Notes), b.Notes...)
	a.FinishedAt = b.FinishedAt
	return a
}

// failed judges an answer that is none. Hits that came before the failure are hits all the same.
func failed(q Query, a Answer) Verdict {
	v := Verdict{State: a.Failure.State, Reason: a.Failure.Message}
	if !slices.Contains([]State{Error, Timeout, Denylisted, Unsupported}, v.State) {
		v.State = Error
	}
	if v.Reason == "" {
		v.Reason = string(v.State) + " without a word of why"
	}
	rows := parse(q, a.Rows)
	v.Refused = rows.refused
	if v.Hits = unionHits(rows.hits, nil); len(v.Hits) > 0 {
		v.State = Hit
	}
	return v
}

// seen is a verdict in the making.
type seen struct {
	Verdict
	query    Query
	parsed   parsed
	parts    []string // what makes it partial
	pending  []string // may have vanished: to be asked once more
	vanished int      // how many files these stand for, listed or not
	hidden   int      // and how many processes
}

// view reads everything of an answer but what may have vanished, which can be asked once more.
func view(q Query, a Answer) *seen {
	v := &seen{query: q, parsed: parse(q, a.Rows)}
	if a.Doubt != "" {
		v.parsed.problem("%s", a.Doubt)
	}
	v.Hits, v.Refused = unionHits(v.parsed.hits, nil), v.parsed.refused
	v.LeftOut = append(slices.Clone(a.LeftOut), v.parsed.leftOut...)
	v.Notes, v.Remembered = slices.Clone(a.Notes), a.Remembered
	c := v.parsed.counts
	v.Counts = Counts{FilesSeen: c["candidates"].n, FilesHashed: c["hashed"].n, BytesHashed: max(c["hashed"].size, 0)}
	if n := c["hits"].n; n > HitMax {
		v.gap(int(n-HitMax), "hits more than an answer lists", "", nil)
	}
	if n := c["seen"].n; n > SeenMax {
		v.gap(int(n-SeenMax), "digests more than an answer lists, which were not compared", "", nil)
	}
	switch {
	case len(q.Recheck) > 0:
		v.Counts.FilesSeen = 0 // counted by the first answer
		v.unhashed(a)
		return v
	case q.Stage == Running:
		v.processes(a)
	case q.Stage == Files:
		v.Counts.FilesSeen = c["files"].n
		v.folder()
	case q.Stage == Autoruns:
		v.autoruns()
	}
	if q.Stage != Autoruns {
		v.vanished = int(c["missing"].n)
		for _, m := range v.parsed.missing {
			v.pending = append(v.pending, recheckPath(q, m))
		}
	}
	v.unhashed(a)
	return v
}

func (v *seen) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

const (
	maxExamples = 3
	maxListed   = 100
)

// gap records n things in scope that were not read; none is no gap.
func (v *seen) gap(n int, what, why string, where []string) {
	if n <= 0 {
		return
	}
	text := fmt.Sprintf("%d %s", n, what)
	if why != "" {
		text += ": " + why
	}
	if len(where) > 0 {
		examples := make([]string, 0, maxExamples)
		for _, p := range where[:min(len(where), maxExamples)] {
			examples = append(examples, short(p))
		}
		text += " (" + strings.Join(examples, ", ")
		if n > maxExamples {
			text += ", …"
		}
		text += ")"
	}
	v.lack(n, text, strings.TrimSpace(what+" "+why), where)
}

// short cuts the middle out of a very long text, such as a path, which stands whole in the list of what was not read.
func short(text string) string {
	const most, end = 400, 150
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-end], "") + "…" + strings.ToValidUTF8(text[len(text)-end:], "")
}

// lack records n things in scope that were not read, in the words given.
func (v *seen) lack(n int, text, reason string, where []string) {
	v.parts = append(v.parts, text)
	v.Counts.FilesUnread += int64(n)
	for _, p := range where {
		if len(v.Unread) < maxListed {
			v.Unread = append(v.Unread, Unread{Path: p, Op: string(v.query.Stage), Reason: reason})
		}
	}
}

// blind records that the question's root was not looked at, or not in full.
func (v *seen) blind(reason string) {
	v.lack(1, reason+": "+v.query.Root, reason, []string{v.query.Root})
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
		return imagePath(f.pid)
	}
	return f.path
}

// imagePath is the link to a process's program on Linux.
func imagePath(pid string) string { return "/proc/" + pid + "/exe" }

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
