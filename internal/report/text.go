package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// textHits is how many hits the terminal form lists; `hunter hits` lists them all.
const textHits = 50

// Style is how the terminal form looks; it says the same in any style.
type Style struct {
	Color bool
	Next  bool // end with the next command
}

// Text writes the run as a terminal shows it.
func Text(style Style) func(w io.Writer, v View) error {
	return func(w io.Writer, v View) error {
		var b bytes.Buffer
		p := page{w: &b, color: style.Color}
		p.head(v)
		p.hits(v)
		p.coverage(v)
		p.verdict(v)
		if style.Next {
			p.next(v)
		}
		if _, err := w.Write(b.Bytes()); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		return nil
	}
}

// page writes to memory, so its writes can't fail.
type page struct {
	w     *bytes.Buffer
	color bool
}

func (p page) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

func (p page) paint(code, s string) string {
	if !p.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p page) head(v View) {
	r := v.Run
	title := p.paint("1", diag.Escape(r.Hunt))
	if r.Title != "" {
		title += "  " + diag.Escape(r.Title)
	}
	if r.TLP != "" {
		title += "  " + label(r.TLP)
	}
	p.line("%s", title)
	p.line("run       %s  %s", diag.Escape(r.ID), diag.Escape(string(r.State)))
	switch {
	case r.State == results.RunStopped:
		p.line("%s   %s", p.paint("1;33", "STOPPED"), diag.Escape(stopReason(r)))
	case r.Error != "":
		p.line("%s    %s", p.paint("1;31", "FAILED"), diag.Escape(r.Error))
	}
	seedLines(p.line, v.Seeds)
	p.line("pivot     %s, %s; %d refused, %d narrowed, %d unaskable; %s", count(len(v.Followed()), "report", "reports"), kindsText(v),
		r.Refused, r.Narrowed, r.Unaskable, completeness(v))
	writeReports(p.w, 10, v.Followed())
	p.line("scope     %s", diag.Escape(orNone(r.Scope)))
}

// stopReason says why a run was stopped, without the word that stands before it.
func stopReason(r results.RunSummary) string {
	return orText(strings.TrimPrefix(strings.TrimPrefix(r.Error, "stopped: "), "stopped "), "before its end")
}

// kindsText counts what is hunted, by kind of digest.
func kindsText(v View) string {
	var kinds []string
	byKind := hunted(v)
	for _, k := range indicator.DigestKinds() {
		if n := byKind[k]; n > 0 {
			kinds = append(kinds, fmt.Sprintf("%d by %s", n, k))
		}
	}
	out := count(v.Run.Hunted, "file", "files") + " hunted"
	if len(kinds) > 0 {
		out += " (" + strings.Join(kinds, ", ") + ")"
	}
	return out
}

// seedLines lists what a run starts from; a list of thousands is told by its length.
func seedLines(line func(string, ...any), seeds []indicator.Ref) {
	const most = 10
	for _, s := range seeds[:min(len(seeds), most)] {
		line("seed      %s %s", diag.Escape(s.Kind), diag.Escape(s.Value))
	}
	if more := len(seeds) - most; more > 0 {
		line("seed      and %d more", more)
	}
}

func completeness(v View) string {
	if v.Run.PivotComplete {
		return "complete"
	}
	return fmt.Sprintf("NOT complete: %d cut by limits, %d not answered", len(v.Cut), len(v.Skipped))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (p page) hits(v View) {
	if v.HitsTotal == 0 {
		return
	}
	p.line("")
	p.line("%s", p.paint("1;31", strings.ToUpper(count(v.HitsTotal, "hit", "hits"))))
	why := v.Why()
	for _, h := range v.Hits[:min(len(v.Hits), textHits)] {
		row := h.Row
		where := fmt.Sprintf("  %s  %s  %s", diag.Escape(h.Hostname), diag.Escape(string(row.FoundIn)), diag.Escape(h.PathText))
		if row.FoundIn == ledger.Autoruns && row.Name != "" {
			where += "  started by " + diag.Escape(row.Name)
		}
		if row.PID > 0 {
			where += fmt.Sprintf("  pid %d", row.PID)
		}
		if row.Conflict {
			where += "  " + p.paint("33", "CONFLICT: its sha256 is not the known sibling's")
		}
		p.line("%s", where)
		p.line("      %s", digestLine(row))
		for _, e := range why.Chain(row.Matched) {
			p.line("      why: %s", WhyLine(e))
		}
	}
	if more := v.HitsTotal - textHits; more > 0 {
		p.line("  and %d more: hunter hits --run %s", more, diag.Escape(v.Run.ID))
	}
}

func digestLine(row ledger.HitRow) string {
	out := fmt.Sprintf("matched %s %s", diag.Escape(string(row.Matched.Kind)), diag.Escape(row.Matched.Value))
	if row.SHA256 != "" && row.SHA256 != row.Matched.Value {
		out += "  sha256 " + diag.Escape(row.SHA256)
	}
	if row.Size >= 0 {
		out += fmt.Sprintf("  %d bytes", row.Size)
	}
	if row.Owner != "" {
		out += "  owner " + diag.Escape(row.Owner)
	}
	if !row.MTime.IsZero() {
		out += "  modified " + row.MTime.UTC().Format("2006-01-02 15:04:05Z")
	}
	return out
}

// WhyLine writes one edge of a chain for people.
func WhyLine(e WhyJSON) string {
	if e.Relation == indicator.RelSeed {
		return diag.Escape(e.To) + "  was given as the seed"
	}
	out := fmt.Sprintf("%s -> %s  %s", diag.Escape(e.From), diag.Escape(e.To), diag.Escape(string(e.Relation)))
	if e.Provider != "" {
		out += ", " + diag.Escape(e.Provider)
	}
	if e.Report != nil {
		out += ", report " + *e.Report
		if e.Title != "" {
			out += quoted(e.Title)
		}
		out += bracketed(e.About)
	}
	out += fmt.Sprintf(", confidence %d", e.Confidence)
	if e.Time != nil {
		out += ", " + *e.Time
	}
	return out
}

func (p page) coverage(v View) {
	p.line("")
	s := v.Run.States
	var counts []string
	for _, state := range ledger.States() {
		if state == ledger.NotSeen || (s[state] == 0 && state != ledger.Hit && state != ledger.Absent) {
			continue
		}
		counts = append(counts, fmt.Sprintf("%d %s", s[state], state))
	}
	p.line("coverage  %s: %s; proven %d of %d%s", count(v.Run.Endpoints, "live endpoint", "live endpoints"), strings.Join(counts, ", "),
		v.Run.Proven, v.Run.Endpoints-s[ledger.Excluded], carriedText(v))
	for _, t := range coverageOf(v).Tools {
		p.line("recorded  %s, %s: %s", diag.Escape(t.Tool), t.days(), t.words())
	}
	gaps := v.Gaps()
	if len(gaps) > 0 {
		p.line("")
		p.line("NOT PROVEN")
		tw := tabwriter.NewWriter(p.w, 2, 4, 2, ' ', 0)
		for _, g := range gaps[:min(len(gaps), textHits)] {
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", diag.Escape(g.Hostname), diag.Escape(g.Tool), diag.Escape(string(g.Coverage.State)), diag.Escape(g.Coverage.Reason))
		}
		tw.Flush() // memory
		if more := len(gaps) - textHits; more > 0 {
			p.line("  and %d more: hunter hosts --run %s", more, diag.Escape(v.Run.ID))
		}
	}
	for _, status := range []results.IndicatorStatus{results.StatusUnaskable, results.StatusRefused} {
		p.listed(v, status)
	}
	for _, n := range v.told() {
		p.line("note      %s", diag.Escape(n))
	}
}

// listed names the indicators that were not asked for, with the reason for each.
func (p page) listed(v View, status results.IndicatorStatus) {
	const most = 10
	rows := v.withStatus(status)
	for _, i := range rows[:min(len(rows), most)] {
		tool := ""
		if i.Tool != "" {
			tool = " for " + diag.Escape(i.Tool)
		}
		p.line("%-9s %s %s%s: %s", status, diag.Escape(string(i.Indicator.Kind)), diag.Escape(i.Indicator.Value), tool, diag.Escape(i.Reason))
	}
	if more := len(rows) - most; more > 0 {
		p.line("%-9s and %d more", status, more)
	}
}

func (p page) verdict(v View) {
	p.line("")
	code := "none yet"
	if v.Run.ExitCode != nil {
		code = fmt.Sprintf("%d (%s)", *v.Run.ExitCode, exitWords(*v.Run.ExitCode))
	}
	p.line("exit      %s", code)
}

func exitWords(code int) string {
	switch code {
	case 0:
		return "no hits, and proven"
	case 1:
		return "hits"
	case 2:
		return "error"
	default:
		return "no hits, but not proven"
	}
}

func (p page) next(v View) {
	switch {
	case v.Run.State == results.RunDetached, v.Run.State == results.RunFailed:
		p.line("next      hunter run --resume %s", diag.Escape(v.Run.ID))
	case v.HitsTotal > 0:
		p.line("next      hunter why %s", diag.Escape(v.Hits[0].Row.Matched.Value))
	default:
		p.line("next      hunter say %s", diag.Escape(v.Run.ID))
	}
}
