package report

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// pageRows is how many hits, gaps and reports a page lists, asideRows how many of the other things. Totals are always
// told, and CSV and JSON list more.
const (
	pageRows  = 200
	asideRows = 100
)

// document is a run as pages show it: HTML and Markdown have the same content. All its texts are safe for a terminal;
// each presenter escapes them for its own form beside that.
type document struct {
	Title, Hunt, Run string
	Facts            []fact
	TLP              tlpMark
	Verdict          verdict
	Sentence         string
	Figures          []figure
	Live             bar
	Recorded         []bar
	Hits             hitList
	Gaps             gapList
	NotAsked         []asideList
	Lost             lostList
	Scope            string
	Notes            []string
	Picture          *picture
	Graph            template.HTML
	Hunted           huntedList
	Sources          sourceList
	Queries          queryList
}

// fact is a line of the head.
type fact struct {
	Name, Value string
	Mono        bool
}

// tlpMark is the label that a page carries: the strictest of the run and all it shows.
type tlpMark struct {
	Text, Class, Note string
}

// verdict is what a run comes to, in a word and a line.
type verdict struct {
	Class string // hit, absent, open, failed
	Word  string
	Line  string
}

type figure struct {
	Value, Label, Class string
}

// newDocument makes the document of a run; textMost is how many bytes of one query are shown.
func newDocument(v View, textMost int) document {
	r := v.Run
	why := v.Why()
	d := document{
		Title: clip(orText(diag.Escape(r.Title), diag.Escape(r.Hunt)), 300), Hunt: clip(diag.Escape(r.Hunt), 100), Run: diag.Escape(r.ID), Facts: facts(v), TLP: mark(v),
		Verdict: conclude(v), Sentence: Sentence(v), Live: liveBar(v), Recorded: recordedBars(v), Hits: hitsOf(v, why), Gaps: gapsOf(v),
		NotAsked: notAsked(v), Lost: lostOf(v), Scope: diag.Escape(orNone(r.Scope)), Hunted: huntedOf(v), Sources: sourcesOf(v), Queries: queriesOf(v, textMost),
		Picture: v.picture().fold(),
	}
	for _, n := range v.told()[:min(len(v.told()), asideRows)] {
		d.Notes = append(d.Notes, diag.Escape(n))
	}
	if more := len(v.told()) - asideRows; more > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("and %s more; hunter report %s --format json lists them all", number0(more), d.Run))
	}
	d.Figures = figures(v)
	return d
}

// picture draws the stored pivot.
func (v View) picture() *picture {
	refused, hits := map[indicator.Indicator]string{}, map[indicator.Indicator]bool{}
	for _, i := range v.withStatus(results.StatusRefused) {
		refused[i.Indicator] = orText(i.Reason, "by rule")
	}
	for _, h := range v.Hits {
		hits[h.Row.Matched] = true
	}
	return draw(v.Graph(), refused, hits)
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func facts(v View) []fact {
	r := v.Run
	out := []fact{{Name: "Hunt", Value: diag.Escape(r.Hunt)}, {Name: "Run", Value: diag.Escape(r.ID), Mono: true}, {Name: "State", Value: diag.Escape(string(r.State))}}
	const shown = 5
	for i, s := range v.Seeds {
		if i == shown {
			out = append(out, fact{Name: "Seed", Value: fmt.Sprintf("and %d more", len(v.Seeds)-shown)})
			break
		}
		out = append(out, fact{Name: "Seed", Value: diag.Escape(s.Kind + " " + s.Value), Mono: true})
	}
	out = append(out, fact{Name: "Started", Value: minute(r.StartedAt)})
	if !r.FinishedAt.IsZero() {
		out = append(out, fact{Name: "Finished", Value: minute(r.FinishedAt) + took(r.FinishedAt.Sub(r.StartedAt))})
	}
	if r.Case != "" {
		out = append(out, fact{Name: "Case", Value: diag.Escape(r.Case)})
	}
	if r.Error != "" {
		name := "Error"
		if r.State == results.RunStopped {
			name = "Stopped"
		}
		out = append(out, fact{Name: name, Value: clip(diag.Escape(r.Error), 600)})
	}
	return out
}

func minute(t time.Time) string {
	if t.IsZero() {
		return "not yet"
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

func took(d time.Duration) string {
	if d < 0 {
		return ""
	}
	if d < time.Second {
		return ", within a second"
	}
	return ", after " + d.Round(time.Second).String()
}

// mark gives the strictest label of the run and of what its page shows.
func mark(v View) tlpMark {
	strictest := v.Run.TLP
	for _, r := range v.Reports {
		strictest = indicator.Stricter(strictest, r.TLP)
	}
	for _, e := range v.Edges {
		strictest = indicator.Stricter(strictest, e.TLP)
	}
	out := tlpMark{Text: label(strictest), Class: "none"}
	switch strictest {
	case indicator.TLPClear, indicator.TLPGreen, indicator.TLPAmber, indicator.TLPRed:
		out.Class = string(strictest)
	case indicator.TLPAmberStrict:
		out.Class = "amber-strict"
	}
	switch {
	case strictest == "":
		out.Text, out.Note = "No TLP label", "Nothing here says who may see this report. Ask before you pass it on."
	case strictest != v.Run.TLP && v.Run.TLP != "":
		out.Note = "The hunt is " + label(v.Run.TLP) + "; intelligence shown here is stricter, and its label counts."
	case strictest != v.Run.TLP:
		out.Note = "The hunt has no label; this one is that of the intelligence shown here."
	}
	return out
}

// conclude says what a run comes to. It claims absence only where the run's own exit code does.
func conclude(v View) verdict {
	r := v.Run
	total := r.Endpoints - r.States[ledger.Excluded]
	proven := fmt.Sprintf("%s of %s proven%s", number0(r.Proven), many(total, "live endpoint", "live endpoints"), carriedText(v))
	ended := r.State == results.RunFinished
	going := "The run has not ended: " + diag.Escape(string(r.State))
	if r.State == results.RunStopped {
		going = "The run was stopped: " + clip(diag.Escape(stopReason(r)), 500)
	}
	aside := ""
	if n := r.Narrowed + r.Unaskable; n > 0 {
		aside = " " + many(n, "hash", "hashes") + " could not be asked for everywhere."
	}
	switch {
	case r.State == results.RunFailed:
		return verdict{"failed", "The run failed", orText(clip(diag.Escape(r.Error), 500), "It left no reason.") + " What it had recorded by then follows; it proves no absence."}
	case v.HitsTotal > 0:
		word := many(v.HitsTotal, "hit", "hits") + " on " + many(hitHosts(v), "endpoint", "endpoints")
		if !ended {
			return verdict{"hit", word + " so far", going + ". " + proven + "."}
		}
		if r.Proven < total {
			return verdict{"hit", word, "There may be more: only " + proven + "."}
		}
		if aside == "" && total > 0 {
			return verdict{"hit", word, proven + ": no other hunted file is there, within the scope below."}
		}
		return verdict{"hit", word, proven + "." + aside}
	case r.State == results.RunStopped:
		return verdict{"open", "Stopped before its end", "No hits until then. " + going + ". It says nothing about what it did not ask. " + proven + "."}
	case !ended || r.ExitCode == nil:
		return verdict{"open", "Not finished", "No hits so far. The run has not ended (" + diag.Escape(string(r.State)) + "), so it says nothing about the rest yet. " + proven + "."}
	case total == 0 && r.Recorded > 0:
		line := "Recorded tools had no match, and that proves nothing about today. No live endpoint was asked."
		if *r.ExitCode == 0 {
			line += " The hunt accepts that."
		}
		return verdict{"open", "No hits in what was recorded", line}
	case *r.ExitCode == 0:
		line := proven + " free of the hunted files, within the scope below." + aside
		if r.DoneWhen > 0 && r.DoneWhen < 1 {
			line += " The hunt asks for " + percent(int(r.DoneWhen*1000), 1000) + "."
		}
		return verdict{"absent", "No hits, and proven", line}
	default:
		return verdict{"open", "No hits, but not proven", "Nothing was found, and that is no proof: " + proven + ". What was not looked at is listed below."}
	}
}

// hitHosts counts the endpoints with a hit, live and recorded.
func hitHosts(v View) int {
	n := v.Run.States[ledger.Hit]
	for _, t := range v.Targets {
		if t.Mode == ledger.Recorded && t.Coverage.State == ledger.Hit {
			n++
		}
	}
	return n
}

func figures(v View) []figure {
	r := v.Run
	total := r.Endpoints - r.States[ledger.Excluded]
	hit, proven := "", "warn"
	if v.HitsTotal > 0 {
		hit = "hit"
	}
	if total > 0 && r.Proven == total {
		proven = "good"
	}
	pivot := "pivot complete"
	if !r.PivotComplete {
		pivot = "pivot NOT complete"
	}
	return []figure{
		{number0(v.HitsTotal), plain(v.HitsTotal, "hit", "hits"), hit},
		{number0(r.Proven) + " of " + number0(total), "live endpoints proven", proven},
		{number0(r.Hunted), plain(r.Hunted, "file hunted", "files hunted"), ""},
		{number0(len(v.Reports)), plain(len(v.Reports), "report", "reports") + ", " + pivot, ""},
	}
}

// many writes a number with its noun, in groups of thousands.
func many(n int, one, more string) string { return number0(n) + " " + plain(n, one, more) }

func plain(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// number0 writes a number in groups of thousands.
func number0(n int) string {
	s := fmt.Sprint(n)
	if n < 0 {
		return s
	}
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, parts...), ",")
}
