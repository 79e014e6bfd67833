package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// Say writes the one defensible sentence about a run: what was looked for, where, what was found, what is proven, and
// what was not looked at, and what else is to be known.
func Say(w io.Writer, v View) error {
	_, err := fmt.Fprintln(w, Sentence(v))
	if err != nil {
		return fmt.Errorf("write the sentence: %w", err)
	}
	return nil
}

// Sentence gives the text of Say.
func Sentence(v View) string {
	var parts []string
	parts = append(parts, openingClause(v)+"; "+foundClause(v)+"; "+provenClause(v)+".")
	switch {
	case v.Run.State == results.RunFailed:
		parts = append(parts, "The run failed: "+diag.Escape(v.Run.Error)+".")
	case v.Run.State == results.RunStopped:
		parts = append(parts, "The run was stopped before its end: "+diag.Escape(stopReason(v.Run))+".")
	case v.Run.FinishedAt.IsZero():
		parts = append(parts, "The run is not at its end ("+string(v.Run.State)+").")
	}
	if not := notLooked(v); len(not) > 0 {
		parts = append(parts, "Not looked at: "+strings.Join(not, "; ")+".")
	}
	if len(v.Remarks) > 0 {
		parts = append(parts, "Note: "+strings.Join(v.Remarks, "; ")+".")
	}
	return strings.Join(parts, " ")
}

func openingClause(v View) string {
	r := v.Run
	scope := r.Scope
	if scope == "" {
		scope = "nothing"
	}
	return fmt.Sprintf("On %s UTC the run %s of hunt %s looked for %s%s %s, in scope: %s", span(r.StartedAt.UTC(), r.FinishedAt.UTC()), diag.Escape(r.ID), diag.Escape(r.Hunt),
		count(r.Hunted, "file", "files"), seedClause(v), whereClause(v), diag.Escape(scope))
}

// span words from when to when something took, to the minute and each day once; no end is a zero time.
func span(from, to time.Time) string {
	const day, minute = "2006-01-02", "15:04"
	begin, end := from.Format(day+" "+minute), to.Format(day+" "+minute)
	switch {
	case to.IsZero(), begin == end:
		return begin
	case from.Format(day) == to.Format(day):
		return begin + " to " + to.Format(minute)
	}
	return begin + " to " + end
}

// whereClause counts the endpoints; those that a recorded tool knows are told apart.
func whereClause(v View) string {
	var out []string
	tools := coverageOf(v).Tools
	if live := v.Run.Endpoints - v.Run.States[ledger.Excluded]; live > 0 || len(tools) == 0 {
		out = append(out, "on "+count(live, "live endpoint", "live endpoints"))
	}
	for _, t := range tools {
		out = append(out, fmt.Sprintf("in what %s recorded of %s %s", diag.Escape(t.Tool), count(t.Endpoints-t.Excluded, "endpoint", "endpoints"), t.days()))
	}
	return strings.Join(out, " and ")
}

func seedClause(v View) string {
	var digests, others []string
	for _, s := range v.Seeds {
		if ind, ok := s.Indicator(); ok && ind.Kind.IsDigest() {
			digests = append(digests, diag.Escape(s.Value))
			continue
		}
		others = append(others, diag.Escape(refText(s)))
	}
	switch {
	case len(digests) == 0 && len(others) == 0:
		return ""
	case len(digests) == 0:
		return " known from " + strings.Join(others, ", ")
	case len(digests) == 1:
		return " (seed " + digests[0] + ")"
	default:
		return fmt.Sprintf(" (seeds %s and %d more)", digests[0], len(digests)-1)
	}
}

func foundClause(v View) string {
	hosts := v.Run.States[ledger.Hit]
	for _, t := range v.Targets {
		if t.Mode == ledger.Recorded && t.Coverage.State == ledger.Hit {
			hosts++
		}
	}
	if v.HitsTotal == 0 {
		return "no hits"
	}
	return fmt.Sprintf("%s on %s", count(v.HitsTotal, "hit", "hits"), count(hosts, "endpoint", "endpoints"))
}

func provenClause(v View) string {
	s := v.Run.States
	total := v.Run.Endpoints - s[ledger.Excluded]
	var out []string
	tools := coverageOf(v).Tools
	if total > 0 || len(tools) == 0 {
		out = append(out, fmt.Sprintf("%d of %d proven%s, of which %d free of these files within that scope", v.Run.Proven, total, carriedText(v), s[ledger.Absent]))
	}
	for _, t := range tools {
		out = append(out, fmt.Sprintf("%s recorded none of them on %d of %d endpoints, which proves nothing about today", diag.Escape(t.Tool),
			t.NotSeen, t.Endpoints-t.Excluded))
	}
	return strings.Join(out, "; ")
}

func notLooked(v View) []string {
	var out []string
	byState := map[ledger.State]int{}
	first, others := map[ledger.State]string{}, map[ledger.State]bool{}
	for _, g := range v.Gaps() {
		if g.Mode == ledger.Recorded { // never summed with live ones
			continue
		}
		byState[g.Coverage.State]++
		if first[g.Coverage.State] == "" {
			first[g.Coverage.State] = g.Coverage.Reason
		}
		others[g.Coverage.State] = others[g.Coverage.State] || g.Coverage.Reason != first[g.Coverage.State]
	}
	for _, s := range ledger.States() {
		if n := byState[s]; n > 0 {
			text := fmt.Sprintf("%s %s", count(n, "endpoint", "endpoints"), stateWords(s))
			switch {
			case others[s]:
				text += " (one of them: " + diag.Escape(first[s]) + ")"
			case first[s] != "":
				text += " (" + diag.Escape(first[s]) + ")"
			}
			out = append(out, text)
		}
	}
	out = append(out, recordedGaps(v)...)
	if n := v.Run.Narrowed; n > 0 {
		out = append(out, count(n, "hash", "hashes")+" of unknown size outside of running and autoruns")
	}
	if n := v.Run.Unaskable; n > 0 {
		out = append(out, count(n, "hash", "hashes")+" that a tool can not be asked")
	}
	if n := v.Run.Refused; n > 0 {
		out = append(out, count(n, "indicator", "indicators")+" refused by rule")
	}
	if !v.Run.PivotComplete {
		out = append(out, fmt.Sprintf("intelligence: the pivot is incomplete (%d cut by limits, %d not answered)", len(v.Cut), len(v.Skipped)))
	}
	for _, n := range v.Notes {
		out = append(out, diag.Escape(n))
	}
	return out
}

// recordedGaps tells for each recorded tool about which endpoints it knows nothing, or not all.
func recordedGaps(v View) []string {
	var out []string
	for _, b := range recordedBars(v) {
		var parts []string
		for _, s := range b.Segments {
			if s.Class != "hit" && s.Class != "not-seen" && s.Class != "excluded" {
				parts = append(parts, fmt.Sprintf("%s %s", count(s.N, "endpoint", "endpoints"), s.Word))
			}
		}
		if len(parts) > 0 {
			out = append(out, fmt.Sprintf("in what %s recorded: %s", b.Name, strings.Join(parts, ", ")))
		}
	}
	return out
}

func stateWords(s ledger.State) string {
	switch s {
	case ledger.Hit:
		return "with a hit whose search is not complete"
	case ledger.Unasked:
		return "not asked"
	default:
		return strings.ReplaceAll(string(s), "_", " ")
	}
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// hunted counts the digests that are hunted, by kind.
func hunted(v View) map[indicator.Kind]int {
	out := map[indicator.Kind]int{}
	for _, i := range v.withStatus(results.StatusHunted) {
		out[i.Indicator.Kind]++
	}
	return out
}
