package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// mdQuery is how many bytes of one query a Markdown report shows.
const mdQuery = 16 << 10

// Markdown writes the run as GitHub reads it; it reads well as plain text too. It says what the page of HTML says; the
// pivot is a list.
func Markdown(w io.Writer, v View) error {
	d := newDocument(v, mdQuery)
	m := markdown{&bytes.Buffer{}}
	m.head(d)
	m.coverage(d)
	m.hits(d)
	m.gaps(d)
	m.aside(d)
	m.scope(d)
	m.pivot(d)
	m.sources(d)
	m.queries(d)
	m.line("---")
	m.line("")
	m.line("%s. Run %s. Times are UTC. *Proven* means that every planned stage of an endpoint answered with a good control and nothing in scope "+
		"was left unread. Control characters of names are shown as `\\x1b` or `\\u{202e}`.", mdText(d.TLP.Text), mdCode(d.Run))
	return flush(w, m.b)
}

// markdown writes to memory, so its writes can't fail. Every foreign text goes through mdText, mdCode or mdCell.
type markdown struct{ b *bytes.Buffer }

func (m markdown) line(format string, args ...any) { fmt.Fprintf(m.b, format+"\n", args...) }

func (m markdown) heading(level int, text string) {
	if !bytes.HasSuffix(m.b.Bytes(), []byte("\n\n")) {
		m.line("")
	}
	m.line("%s %s\n", strings.Repeat("#", level), text)
}

// rest says what is not listed.
func (m markdown) rest(s string) {
	if s != "" {
		m.line("%s\n", mdText(s))
	}
}

// table writes a table; cells are Markdown already.
func (m markdown) table(header []string, rows [][]string) {
	m.line("| %s |", strings.Join(header, " | "))
	m.line("|%s", strings.Repeat("---|", len(header)))
	for _, r := range rows {
		for i, c := range r {
			if c == "" {
				r[i] = "–"
			}
		}
		m.line("| %s |", strings.Join(r, " | "))
	}
	m.line("")
}

func (m markdown) head(d document) {
	note := ""
	if d.TLP.Note != "" {
		note = " " + mdText(d.TLP.Note)
	}
	m.line("**%s**%s\n", mdText(d.TLP.Text), note)
	m.line("# %s\n", mdText(d.Title))
	m.line("**%s.** %s\n", mdText(d.Verdict.Word), mdText(d.Verdict.Line))
	m.line("> %s\n", mdText(d.Sentence))
	var rows [][]string
	for _, f := range d.Facts {
		value := mdText(f.Value)
		if f.Mono {
			value = mdCell(f.Value)
		}
		rows = append(rows, []string{f.Name, value})
	}
	for _, f := range d.Figures {
		rows = append(rows, []string{capital(f.Label), f.Value})
	}
	m.table([]string{"Run", ""}, rows)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func (m markdown) coverage(d document) {
	m.heading(2, "Coverage")
	if d.Live.Total == 0 {
		m.line("No live endpoint was asked, so this run proves nothing about today.\n")
	} else {
		m.bar(d.Live)
	}
	for _, b := range d.Recorded {
		m.heading(3, mdText(b.Name)+" (recorded, never summed with live ones)")
		m.bar(b)
	}
}

// bar draws a bar of characters that stands in any font of fixed width, and its legend.
func (m markdown) bar(b bar) {
	m.line("%s\n", mdText(b.Line))
	const width = 60
	var drawn strings.Builder
	var rows [][]string
	sum := 0.0
	for _, s := range b.Segments {
		sum += s.width
		mark := barMark(s.Class)
		for n := max(int(sum*width/100+0.5)-drawn.Len(), 1); n > 0; n-- {
			drawn.WriteByte(mark)
		}
		rows = append(rows, []string{"`" + string(mark) + "` " + s.Word, number0(s.N), s.Share, s.Note})
	}
	m.line("%s", mdBlock("text", "["+drawn.String()+"]"))
	m.table([]string{"State", "Endpoints", "Share", "Meaning"}, rows)
}

// barMark is the character of a part of a bar.
func barMark(class string) byte {
	switch class {
	case "hit":
		return 'X'
	case "hit-open":
		return 'x'
	case "absent":
		return '='
	case "carried":
		return ':'
	case "not-seen":
		return '-'
	case "unread":
		return '?'
	case "broken":
		return '!'
	case "silent":
		return '.'
	default:
		return '_'
	}
}

func (m markdown) hits(d document) {
	m.heading(2, fmt.Sprintf("Hits (%s)", number0(d.Hits.Total)))
	switch {
	case d.Hits.Total > 0:
	case d.Verdict.Class == "absent":
		m.line("No hits. That is proven, within the scope below.\n")
	default:
		m.line("No hits. That alone proves nothing: see what is not proven.\n")
	}
	m.rest(d.Hits.More)
	for _, f := range d.Hits.Files {
		m.heading(3, f.Kind+" "+mdCode(f.Matched))
		for _, k := range f.Known {
			m.line("- %s: %s", k.Name, mdCode(k.Value))
		}
		if len(f.Known) > 0 {
			m.line("")
		}
		m.line("Why it was hunted:\n")
		for i, s := range f.Why {
			m.line("%d. %s", i+1, mdStep(s))
		}
		if len(f.Why) == 0 {
			m.line("No chain is recorded for this digest.")
		}
		m.line("")
		var rows [][]string
		for _, r := range f.Rows {
			rows = append(rows, mdHit(r))
		}
		m.table([]string{"Host", "Tool", "Found in", "Path", "File", "Observed"}, rows)
		if f.More > 0 {
			m.line("and %s more hits on this file\n", number0(f.More))
		}
	}
}

func mdStep(s whyStep) string {
	out := mdCode(s.To)
	if s.From != "" {
		out = mdCode(s.From) + " → " + out
	}
	rest := []string{mdText(s.Relation), mdText(s.Provider)}
	if s.Report != "" {
		rest = append(rest, join(" ", "report "+mdCode(s.Report), mdText(s.Title)), mdText(s.About))
	}
	return join(", ", append([]string{out}, append(rest, "confidence "+s.Confidence, s.Time)...)...)
}

func mdHit(r hitRow) []string {
	found := mdText(r.FoundIn)
	if r.PID != "" {
		found += " pid " + r.PID
	}
	path := mdCell(r.Path)
	if r.Cmdline != "" {
		path += ", run as " + mdCell(r.Cmdline)
	}
	if r.Conflict {
		path += ", **conflict: its sha256 is not the known sibling's**"
	}
	if r.SHA256 != "" {
		path += ", sha256 " + mdCell(r.SHA256)
	}
	file := r.Size
	if r.Owner != "" {
		file = join(", ", file, "owner "+mdCell(r.Owner))
	}
	if r.Modified != "" {
		file = join(", ", file, "modified "+r.Modified)
	}
	return []string{mdCell(r.Host), mdCell(r.Tool), found, path, file, r.Observed}
}

func (m markdown) gaps(d document) {
	m.heading(2, fmt.Sprintf("Not proven (%s)", number0(d.Gaps.Total)))
	if d.Gaps.Total == 0 {
		switch {
		case d.Live.Total == 0:
			m.line("No live endpoint was asked.\n")
		default:
			m.line("None: every live endpoint that was asked is proven.\n")
		}
		return
	}
	m.line("About these endpoints the run proves nothing, or not all.\n")
	m.rest(d.Gaps.More)
	var rows [][]string
	for _, g := range d.Gaps.Rows {
		tool := mdCell(g.Tool)
		if g.Mode == "recorded" {
			tool += " (recorded)"
		}
		rows = append(rows, []string{mdCell(g.Host), tool, mdText(g.State), mdText(g.Reason)})
	}
	m.table([]string{"Host", "Tool", "State", "Reason"}, rows)
}

func (m markdown) aside(d document) {
	m.heading(2, "Not asked")
	if len(d.NotAsked) == 0 {
		m.line("Everything that was to be hunted was asked for, everywhere.\n")
	}
	for _, l := range d.NotAsked {
		m.heading(3, fmt.Sprintf("%s %s: %s", number0(l.Total), l.Status, l.Explain))
		m.rest(l.More)
		var rows [][]string
		for _, r := range l.Rows {
			rows = append(rows, []string{mdText(r.Kind) + " " + mdCell(r.Value), mdCell(r.Tool), mdText(r.Reason), mdText(r.Source)})
		}
		m.table([]string{"Indicator", "Tool", "Reason", "From"}, rows)
	}
	if d.Lost.Total == 0 {
		return
	}
	m.heading(3, number0(d.Lost.Total)+" gaps of intelligence: the pivot is not complete")
	m.rest(d.Lost.More)
	var rows [][]string
	for _, l := range d.Lost.Rows {
		rows = append(rows, []string{mdCell(l.About), mdCell(l.Provider), l.What, mdText(l.Reason)})
	}
	m.table([]string{"About", "Provider", "What", "Reason"}, rows)
}

func (m markdown) scope(d document) {
	m.heading(2, "Scope")
	m.line("Whatever this report says, it says about this: %s.\n", mdText(d.Scope))
	for _, n := range d.Notes {
		m.line("- %s", mdText(n))
	}
	if len(d.Notes) > 0 {
		m.line("")
	}
	if len(d.Hunted.Rows) == 0 {
		return
	}
	m.heading(3, capital(d.Hunted.Summary))
	m.rest(d.Hunted.More)
	var rows [][]string
	for _, h := range d.Hunted.Rows {
		rows = append(rows, []string{mdText(h.Kind) + " " + mdCell(h.Value), mdText(h.Source), h.Confidence})
	}
	m.table([]string{"Digest", "From", "Confidence"}, rows)
}

func (m markdown) pivot(d document) {
	m.heading(2, "Pivot")
	if len(d.Picture.Roots) == 0 {
		m.line("Nothing is recorded of a pivot.\n")
		return
	}
	m.line("How one thing led to another; everything stands under what led to it first.")
	if d.Picture.Folded {
		m.line("The pivot is large: things of one report are folded into counts; what hit stands apart.")
	}
	m.line("")
	m.branch(d.Picture.Roots, "")
	m.line("")
}

func (m markdown) branch(list []*vertex, indent string) {
	for _, v := range list {
		text := mdText(v.Title)
		if v.Hit {
			text = "**" + text + "**"
		}
		m.line("%s- %s", indent, text)
		for _, l := range v.Limbs {
			m.line("%s  - %s", indent, mdText(l.Title))
			m.branch(l.Kids, indent+"    ")
		}
	}
}

func (m markdown) sources(d document) {
	m.heading(2, fmt.Sprintf("Sources (%s)", number0(d.Sources.Total)))
	if len(d.Sources.Rows) == 0 {
		m.line("No report of intelligence: what was hunted is what was given.\n")
		return
	}
	m.rest(d.Sources.More)
	var rows [][]string
	for _, s := range d.Sources.Rows {
		var tags []string
		for _, t := range s.Tags {
			tags = append(tags, mdCell(t))
		}
		if s.MoreTags > 0 {
			tags = append(tags, fmt.Sprintf("and %d more", s.MoreTags))
		}
		rows = append(rows, []string{mdText(s.Title), mdCell(s.Ref), mdCell(s.Provider), mdText(s.TLP), s.Published, strings.Join(tags, " ")})
	}
	m.table([]string{"Title", "Report", "Provider", "TLP", "Published", "Tags"}, rows)
}

func (m markdown) queries(d document) {
	m.heading(2, fmt.Sprintf("Queries as sent (%s)", number0(d.Queries.Total)))
	if d.Queries.Total == 0 {
		m.line("Nothing was asked.\n")
	}
	m.rest(d.Queries.More)
	for _, q := range d.Queries.Texts {
		m.line("%s\n", mdText(q.Head))
		m.rest(q.Cut)
		m.line("%s", mdBlock("sql", q.Text))
	}
}
