package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// bar is the coverage of the live tools together, or of one recorded tool; the two are never summed.
type bar struct {
	Name     string
	ID       string
	Total    int // endpoints, excluded ones too
	Proven   int
	Share    string // proven of all that are not excluded
	Line     string
	Window   string
	Segments []segment
	Bracket  string // width of what is proven, as a percentage
	Recorded bool
}

// segment is one part of a bar. Proven parts come first, then what is not proven by state, then what is excluded.
type segment struct {
	Class, Word, Note string
	N                 int
	X, W, Mid         string // percentages
	Share             string
	Inside            bool // its number fits inside

	proven bool
	width  float64
}

// liveBar accounts for every live (endpoint, tool) of the run.
func liveBar(v View) bar {
	s := v.Run.States
	open, carried := 0, 0
	for _, t := range v.Targets {
		switch {
		case t.Mode == ledger.Recorded:
		case t.Coverage.State == ledger.Hit && !t.Coverage.Proven:
			open++
		case t.Coverage.State == ledger.Absent && t.Carried != "":
			carried++
		}
	}
	open, carried = min(open, s[ledger.Hit]), min(carried, s[ledger.Absent])
	b := bar{Name: "Live endpoints", ID: "live", Total: v.Run.Endpoints, Proven: v.Run.Proven}
	b.part("hit", "hit, proven", "the rest of its scope was searched too", s[ledger.Hit]-open, true)
	b.part("absent", "absent, proven", "searched in full, nothing there", s[ledger.Absent]-carried, true)
	b.part("carried", "absent, carried", "proven by an earlier run, whose proof the hunt lets stand", carried, true)
	b.part("hit-open", "hit, not proven", "a hit, and a search that is not complete", open, false)
	b.gaps(s)
	counted := b.Total - s[ledger.Excluded]
	b.Share = percent(b.Proven, counted)
	b.Line = fmt.Sprintf("%s of %s proven (%s)%s", number0(b.Proven), many(counted, "endpoint", "endpoints"), b.Share, carriedText(v))
	if gap := counted - b.Proven; gap > 0 {
		b.Line += fmt.Sprintf("; about %s nothing is proven, or not all", many(gap, "endpoint", "endpoints"))
	}
	b.Line += "."
	b.arrange()
	return b
}

// gaps adds the states in which nothing is proven, and what was left out.
func (b *bar) gaps(s map[ledger.State]int) {
	for _, g := range []struct {
		state       ledger.State
		class, note string
	}{
		{ledger.Partial, "unread", "something in scope could not be read"},
		{ledger.Unverified, "unread", "an answer without a good control"},
		{ledger.Timeout, "broken", "asked, and no answer in time"},
		{ledger.Error, "broken", "the question failed"},
		{ledger.Denylisted, "broken", "the agent refuses the question"},
		{ledger.Unsupported, "broken", "the tool can not look there"},
		{ledger.Unasked, "silent", "its turn did not come"},
		{ledger.Asleep, "silent", "not heard of since before the run"},
		{ledger.Excluded, "excluded", "left out by the hunt, not in the total"},
	} {
		b.part(g.class, strings.ReplaceAll(string(g.state), "_", " "), g.note, s[g.state], false)
	}
}

func (b *bar) part(class, word, note string, n int, proven bool) {
	if n > 0 {
		b.Segments = append(b.Segments, segment{Class: class, Word: word, Note: note, N: n, Share: percent(n, b.Total), proven: proven})
	}
}

// recordedBars accounts for the recorded tools, each apart, in the order of their targets.
func recordedBars(v View) []bar {
	var out []bar
	var states []map[ledger.State]int
	var order []string
	windows := map[string][2]string{}
	for _, t := range v.Targets {
		if t.Mode != ledger.Recorded {
			continue
		}
		i := slices.Index(order, t.Tool)
		if i < 0 {
			i = len(order)
			order = append(order, t.Tool)
			states = append(states, map[ledger.State]int{})
			windows[t.Tool] = [2]string{day(t.WindowFrom), day(t.WindowTo)}
		}
		states[i][t.Coverage.State]++
	}
	for i, tool := range order {
		s := states[i]
		b := bar{Name: diag.Escape(tool), ID: fmt.Sprintf("recorded-%d", i+1), Recorded: true}
		for _, n := range s {
			b.Total += n
		}
		b.part("hit", "hit", "recorded in the window", s[ledger.Hit], false)
		b.part("not-seen", "not seen", "data of the endpoint in the window, and no match", s[ledger.NotSeen], false)
		b.gaps(s)
		b.Window = windows[tool][0] + " to " + windows[tool][1]
		b.Line = fmt.Sprintf("Searched what it recorded from %s. Of %s, %s had a hit and %s had data without a match. That proves nothing about today.",
			b.Window, many(b.Total, "endpoint", "endpoints"), number0(s[ledger.Hit]), number0(s[ledger.NotSeen]))
		b.arrange()
		out = append(out, b)
	}
	return out
}

// arrange gives each part its place. No part is too thin to be seen, so that one endpoint of thousands is not hidden.
func (b *bar) arrange() {
	const least = 0.8
	sum := 0.0
	for i, s := range b.Segments {
		b.Segments[i].width = max(float64(s.N)*100/float64(max(b.Total, 1)), least)
		sum += b.Segments[i].width
	}
	x, proven := 0.0, 0.0
	for i := range b.Segments {
		s := &b.Segments[i]
		s.width *= 100 / sum
		s.X, s.W, s.Mid = pct(x), pct(s.width), pct(x+s.width/2)
		s.Inside = s.width >= float64(7*len(number0(s.N))+10)/3.2 // on a telephone, 320 px wide
		x += s.width
		if s.proven {
			proven = x
		}
	}
	b.Bracket = pct(proven)
}

func pct(x float64) string { return fmt.Sprintf("%.2f%%", x) }

// percent never rounds to all or nothing what is not all or nothing.
func percent(n, of int) string {
	const space = "\u00a0" // a line does not break there
	switch x := float64(n) * 100 / float64(max(of, 1)); {
	case n == 0 || of <= 0:
		return "0" + space + "%"
	case n == of:
		return "100" + space + "%"
	case x < 0.05:
		return "< 0.1" + space + "%"
	case x > 99.95:
		return "> 99.9" + space + "%"
	default:
		return fmt.Sprintf("%.1f", x) + space + "%"
	}
}
