package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// hitList is the hits of a run by file: why it was hunted stands once, then every place where it was found.
type hitList struct {
	Total, Shown int
	Files        []hitFile
	More         string // what is not listed, and where it is
}

type hitFile struct {
	Number  int
	Matched string // the digest that was asked for
	Kind    string
	Known   []fact // what intelligence knows of the file
	Why     []whyStep
	Rows    []hitRow
	More    int
}

// whyStep is one edge of the chain from the seed to the file.
type whyStep struct {
	From, To, Relation, Provider, Report, Title, About, Confidence, Time string
}

type hitRow struct {
	Host, Tool, FoundIn, Path, Size, SHA256, Owner, Modified, PID, Cmdline, Observed string
	Conflict                                                                         bool
}

func hitsOf(v View, why *Why) hitList {
	out := hitList{Total: v.HitsTotal}
	byDigest := map[indicator.Indicator]int{}
	for _, h := range v.Hits {
		i, ok := byDigest[h.Row.Matched]
		if !ok {
			i = len(out.Files)
			byDigest[h.Row.Matched] = i
			out.Files = append(out.Files, hitFile{
				Number: i + 1, Kind: diag.Escape(string(h.Row.Matched.Kind)), Matched: diag.Escape(h.Row.Matched.Value),
				Known: knownOf(v, h.Row.Matched), Why: stepsOf(why.Chain(h.Row.Matched)),
			})
		}
		out.Files[i].Rows = append(out.Files[i].Rows, rowOf(h))
	}
	room := max(pageRows/max(len(out.Files), 1), 10)
	for i := range out.Files {
		f := &out.Files[i]
		if len(f.Rows) > room {
			f.More, f.Rows = len(f.Rows)-room, f.Rows[:room]
		}
		out.Shown += len(f.Rows)
	}
	if out.Shown < out.Total {
		out.More = fmt.Sprintf("%s of %s hits are listed. All of them: hunter hits --run %s --csv", number0(out.Shown), number0(out.Total), diag.Escape(v.Run.ID))
	}
	return out
}

// knownOf tells what intelligence knows of the file that a digest belongs to.
func knownOf(v View, ind indicator.Indicator) []fact {
	for _, f := range v.Files {
		if f.Digest(ind.Kind) != ind.Value || ind.Value == "" {
			continue
		}
		var out []fact
		if len(f.Names) > 0 {
			names := f.Names[:min(len(f.Names), 5)]
			out = append(out, fact{Name: "known as", Value: diag.Escape(strings.Join(names, ", "))})
		}
		for _, d := range f.Digests() {
			if d != ind {
				out = append(out, fact{Name: string(d.Kind), Value: diag.Escape(d.Value), Mono: true})
			}
		}
		if f.Size > 0 {
			out = append(out, fact{Name: "size", Value: fmt.Sprintf("%d bytes", f.Size)})
		}
		return out
	}
	return nil
}

func stepsOf(chain []WhyJSON) []whyStep {
	var out []whyStep
	for _, e := range chain {
		s := whyStep{
			From: diag.Escape(e.From), To: diag.Escape(e.To), Relation: diag.Escape(strings.ReplaceAll(string(e.Relation), "_", " ")),
			Provider: diag.Escape(e.Provider), Report: text(e.Report), Title: clip(diag.Escape(e.Title), 300), About: clip(diag.Escape(e.About), 300),
			Confidence: fmt.Sprint(e.Confidence), Time: text(e.Time),
		}
		if e.Relation == indicator.RelSeed {
			s.Relation, s.From = "given as the seed", ""
		}
		out = append(out, s)
	}
	return out
}

func rowOf(h results.StoredHit) hitRow {
	row := h.Row
	out := hitRow{
		Host: clip(diag.Escape(orText(h.Hostname, h.Endpoint)), 260), Tool: diag.Escape(h.Tool), FoundIn: diag.Escape(string(row.FoundIn)),
		Path: diag.Escape(h.PathText), Owner: diag.Escape(row.Owner), Modified: second(row.MTime), Observed: second(h.ObservedAt), Conflict: row.Conflict,
	}
	if row.Size >= 0 {
		out.Size = fmt.Sprintf("%d bytes", row.Size)
	}
	if row.SHA256 != "" && row.SHA256 != row.Matched.Value {
		out.SHA256 = diag.Escape(row.SHA256)
	}
	if row.PID > 0 {
		out.PID, out.Cmdline = fmt.Sprint(row.PID), diag.Escape(row.Cmdline)
	}
	return out
}

func second(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func day(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// gapList is the endpoints about which the run proves nothing, or not all.
type gapList struct {
	Total int
	Rows  []gapRow
	More  string
}

type gapRow struct{ Host, Tool, Mode, State, Reason string }

func gapsOf(v View) gapList {
	gaps := v.Gaps()
	out := gapList{Total: len(gaps)}
	slices.SortStableFunc(gaps, func(a, b results.Target) int { // live ones first
		return cmp.Compare(modeRank(a.Mode), modeRank(b.Mode))
	})
	for _, g := range gaps[:min(len(gaps), pageRows)] {
		state := strings.ReplaceAll(string(g.Coverage.State), "_", " ")
		if g.Coverage.State == ledger.Hit {
			state = "hit, search not complete"
		}
		out.Rows = append(out.Rows, gapRow{
			Host: clip(diag.Escape(orText(g.Hostname, g.Endpoint)), 260), Tool: diag.Escape(g.Tool), Mode: diag.Escape(string(g.Mode)), State: diag.Escape(state),
			Reason: orText(clip(diag.Escape(g.Coverage.Reason), 600), "no reason is recorded"),
		})
	}
	if len(out.Rows) < out.Total {
		out.More = fmt.Sprintf("%s of %s are listed. All of them: hunter hosts --run %s --csv", number0(len(out.Rows)), number0(out.Total), diag.Escape(v.Run.ID))
	}
	return out
}

func modeRank(m ledger.Mode) int {
	if m == ledger.Recorded {
		return 1
	}
	return 0
}

// asideList is the indicators of one status that were not asked for, or not everywhere.
type asideList struct {
	Status, Explain string
	Total           int
	Rows            []asideRow
	More            string
}

type asideRow struct{ Kind, Value, Tool, Reason, Source string }

func notAsked(v View) []asideList {
	var out []asideList
	for _, s := range []struct {
		status  results.IndicatorStatus
		explain string
	}{
		{results.StatusRefused, "by rule: never hunted, on no endpoint"},
		{results.StatusNarrowed, "looked for in running programs and autoruns alone, not among files"},
		{results.StatusUnaskable, "the tool can not be asked for them"},
	} {
		rows := v.withStatus(s.status)
		if len(rows) == 0 {
			continue
		}
		l := asideList{Status: string(s.status), Explain: s.explain, Total: len(rows)}
		for _, i := range rows[:min(len(rows), asideRows)] {
			l.Rows = append(l.Rows, asideRow{
				Kind: diag.Escape(string(i.Indicator.Kind)), Value: diag.Escape(i.Indicator.Value), Tool: orText(diag.Escape(i.Tool), "all"),
				Reason: orText(clip(diag.Escape(i.Reason), 600), "no reason is recorded"), Source: orText(sourceOf(v, i), "–"),
			})
		}
		l.More = listedOf(len(l.Rows), l.Total)
		out = append(out, l)
	}
	return out
}

// sourceOf says who brought an indicator; what nobody brought was given.
func sourceOf(v View, i results.RunIndicator) string {
	if i.Relation == "" && i.Provider == "" && slices.Contains(v.Seeds, indicator.RefOf(i.Indicator)) {
		return "seed"
	}
	return join(" · ", diag.Escape(strings.ReplaceAll(string(i.Relation), "_", " ")), orText(diag.Escape(i.Report), diag.Escape(i.Provider)))
}

func listedOf(shown, total int) string {
	if shown >= total {
		return ""
	}
	return fmt.Sprintf("%s of %s are listed; the view report_indicators has them all.", number0(shown), number0(total))
}

// lostList is what intelligence did not give.
type lostList struct {
	Total int
	Rows  []lostRow
	More  string
}

type lostRow struct{ What, Provider, About, Reason string }

func lostOf(v View) lostList {
	out := lostList{Total: len(v.Cut) + len(v.Skipped)}
	for _, c := range v.Cut {
		out.Rows = append(out.Rows, lostRow{"cut", diag.Escape(c.Provider), diag.Escape(c.At), fmt.Sprintf("%d of %s kept (%s)", c.Kept, totalText(c.Total), diag.Escape(c.Limit))})
	}
	for _, s := range v.Skipped {
		out.Rows = append(out.Rows, lostRow{"not answered", diag.Escape(s.Provider), diag.Escape(s.Indicator), clip(diag.Escape(s.Reason), 600)})
	}
	out.Rows = out.Rows[:min(len(out.Rows), asideRows)]
	if len(out.Rows) < out.Total {
		out.More = fmt.Sprintf("%s of %s are listed.", number0(len(out.Rows)), number0(out.Total))
	}
	return out
}

// huntedList is the digests that were asked for.
type huntedList struct {
	Total   int
	Summary string
	Rows    []huntedRow
	More    string
}

type huntedRow struct{ Kind, Value, Source, Confidence string }

func huntedOf(v View) huntedList {
	rows := v.withStatus(results.StatusHunted)
	out := huntedList{Total: len(rows), Summary: kindsText(v)}
	for _, i := range rows[:min(len(rows), asideRows)] {
		h := huntedRow{Kind: diag.Escape(string(i.Indicator.Kind)), Value: diag.Escape(i.Indicator.Value), Source: orText(sourceOf(v, i), "–")}
		if i.Confidence > 0 {
			h.Confidence = fmt.Sprint(i.Confidence)
		}
		out.Rows = append(out.Rows, h)
	}
	out.More = listedOf(len(out.Rows), out.Total)
	return out
}

// sourceList is the reports of the pivot.
type sourceList struct {
	Total int
	Rows  []sourceRow
	More  string
}

type sourceRow struct {
	Ref, Title, Provider, TLP, Published string
	Tags                                 []string
	MoreTags                             int
}

func sourcesOf(v View) sourceList {
	const tags = 12
	out := sourceList{Total: len(v.Reports)}
	for _, r := range v.Reports[:min(len(v.Reports), pageRows)] {
		row := sourceRow{Ref: diag.Escape(r.Ref()), Title: orText(clip(diag.Escape(r.Title), 300), "(no title)"), Provider: diag.Escape(r.Provider), TLP: orText(label(r.TLP), "none")}
		if r.Assumed && r.TLP != "" {
			row.TLP += " (assumed)"
		}
		if !r.Published.IsZero() {
			row.Published = r.Published.UTC().Format(time.DateOnly)
		}
		said := slices.Concat(r.Said(), r.Tags)
		for _, t := range said[:min(len(said), tags)] {
			row.Tags = append(row.Tags, clip(diag.Escape(t), 80))
		}
		row.MoreTags = len(said) - len(row.Tags)
		out.Rows = append(out.Rows, row)
	}
	if len(out.Rows) < out.Total {
		out.More = fmt.Sprintf("%s of %s are listed.", number0(len(out.Rows)), number0(out.Total))
	}
	return out
}

// queryList is the texts as they were sent, each once.
type queryList struct {
	Total int
	Texts []queryRow
	More  string
}

type queryRow struct{ Head, Text, Cut string }

func queriesOf(v View, textMost int) queryList {
	const texts = 30
	out := queryList{Total: len(v.Queries)}
	for _, q := range v.Queries[:min(len(v.Queries), texts)] {
		at := join(" on ", many(q.Endpoints, "endpoint", "endpoints"), q.Platform)
		if q.Search {
			at = "one search over all its endpoints"
		}
		row := queryRow{Head: diag.Escape(fmt.Sprintf("%s · %s · %s", q.Tool, q.ID, at))}
		body := q.Text
		if len(body) > textMost {
			sum := sha256.Sum256([]byte(q.Text))
			body = strings.ToValidUTF8(body[:textMost], "")
			row.Cut = fmt.Sprintf("The first %d of %d bytes; sha256 of the whole text: %s", textMost, len(q.Text), hex.EncodeToString(sum[:]))
		}
		row.Text = escapeLines(body)
		out.Texts = append(out.Texts, row)
	}
	if len(out.Texts) < out.Total {
		out.More = fmt.Sprintf("%d of %d texts are shown.", len(out.Texts), out.Total)
	}
	return out
}

// escapeLines makes a text of many lines safe, and leaves its lines.
func escapeLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = diag.Escape(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}
