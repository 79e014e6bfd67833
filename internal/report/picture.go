package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// shape says what a vertex is in the picture of a pivot; each looks different without colour too.
type shape string

const (
	shapeSeed    shape = "seed"
	shapeRelated shape = "related"
	shapeRefused shape = "refused"
)

// vertex is one thing of a pivot as it is drawn: an alert, a file object with all its digests, another indicator, a
// report, or many of them folded into one. Its texts are safe for a terminal.
type vertex struct {
	Shape  shape
	Label  string // short
	Sub    string // a second, smaller line
	Title  string // in full
	Hit    bool
	Tally  tally // what it stands for: itself alone unless folded
	Folded bool
	Limbs  []*limb

	y int // of its top, without the margin
}

// limb is what leads from a vertex to others: a report that names them, or a relation.
type limb struct {
	Label string
	Sub   string
	Title string
	Kids  []*vertex

	y int // of its top, without the margin
}

// tally counts things of a pivot.
type tally struct {
	Seeds, Related, Refused, Hits int
	kinds                         map[string]int
}

func (t *tally) add(o tally) {
	t.Seeds, t.Related, t.Refused, t.Hits = t.Seeds+o.Seeds, t.Related+o.Related, t.Refused+o.Refused, t.Hits+o.Hits
	for k, n := range o.kinds {
		if t.kinds == nil {
			t.kinds = map[string]int{}
		}
		t.kinds[k] += n
	}
}

func (t tally) total() int { return t.Seeds + t.Related + t.Refused }

// picture is a pivot as a forest: everything stands under what led to it first.
type picture struct {
	Roots   []*vertex
	Tally   tally // of all, folded or not
	Reports int
	Folded  bool
}

// sketch builds a picture.
type sketch struct {
	refused map[indicator.Indicator]string
	hits    map[indicator.Indicator]bool
	files   []indicator.File
	fileOf  map[indicator.Ref]int
	reports map[string]indicator.Report
	seeds   map[indicator.Ref]bool
	parent  map[indicator.Ref]bool // has one
	under   map[indicator.Ref][]step
	also    map[indicator.Ref]int // further ways that lead there
	drawn   map[indicator.Ref]bool
}

// step is one edge between two things that are drawn apart.
type step struct {
	edge indicator.Edge
	to   indicator.Ref
}

// draw makes the picture of a graph. Refused digests say why; hits are the hunted digests that were found.
func draw(g *pivot.Graph, refused map[indicator.Indicator]string, hits map[indicator.Indicator]bool) *picture {
	s := &sketch{
		refused: refused, hits: hits, files: g.Files, fileOf: map[indicator.Ref]int{}, reports: map[string]indicator.Report{},
		seeds: map[indicator.Ref]bool{}, parent: map[indicator.Ref]bool{}, under: map[indicator.Ref][]step{}, also: map[indicator.Ref]int{},
		drawn: map[indicator.Ref]bool{},
	}
	for i, f := range g.Files {
		for _, d := range f.Digests() {
			if _, taken := s.fileOf[indicator.RefOf(d)]; !taken {
				s.fileOf[indicator.RefOf(d)] = i
			}
		}
	}
	for _, r := range g.Reports {
		s.reports[r.Ref()] = r
	}
	p := &picture{Reports: len(g.Reports)}
	for _, root := range s.hang(g) {
		if v := s.vertex(root, indicator.Edge{}, 0); v != nil {
			p.Roots = append(p.Roots, v)
		}
	}
	for _, v := range p.Roots {
		p.Tally.add(v.sum())
	}
	return p
}

// key gives the thing that a node belongs to: digests of one file are one.
func (s *sketch) key(r indicator.Ref) indicator.Ref {
	if i, ok := s.fileOf[r]; ok {
		return indicator.Ref{Kind: "file", Value: strconv.Itoa(i)}
	}
	return r
}

// hang puts each thing under the first edge that leads to it and gives the roots, in order.
func (s *sketch) hang(g *pivot.Graph) []indicator.Ref {
	var order []indicator.Ref
	for _, r := range g.Seeds {
		s.seeds[s.key(r)] = true
	}
	for _, e := range g.Edges {
		if e.Relation == indicator.RelAlert {
			s.seeds[s.key(e.From)] = true
			order = append(order, s.key(e.From))
		}
	}
	for _, r := range g.Seeds {
		order = append(order, s.key(r))
	}
	for _, e := range g.Edges {
		from, to := s.key(e.From), s.key(e.To)
		switch {
		case from == to:
			continue
		case s.parent[to], s.seeds[to] && e.Relation != indicator.RelAlert:
			s.also[to]++
			continue
		}
		s.parent[to] = true
		s.under[from] = append(s.under[from], step{e, to})
		order = append(order, from)
	}
	var roots []indicator.Ref
	seen := map[indicator.Ref]bool{}
	for _, r := range order {
		if !s.parent[r] && !seen[r] {
			seen[r] = true
			roots = append(roots, r)
		}
	}
	return roots
}

// deepest bounds the recursion; a pivot ends long before.
const deepest = 64

func (s *sketch) vertex(r indicator.Ref, by indicator.Edge, depth int) *vertex {
	if s.drawn[r] || depth > deepest {
		return nil
	}
	s.drawn[r] = true
	v := s.thing(r, by)
	at := map[string]*limb{}
	for _, st := range s.under[r] {
		kid := s.vertex(st.to, st.edge, depth+1)
		if kid == nil {
			continue
		}
		l := s.limb(st.edge)
		name := l.Label + "\x00" + l.Title
		if at[name] == nil {
			at[name] = l
			v.Limbs = append(v.Limbs, l)
		}
		at[name].Kids = append(at[name].Kids, kid)
	}
	return v
}

// limb says what an edge rests on: the report that names both ends, else the relation.
func (s *sketch) limb(e indicator.Edge) *limb {
	relation := diag.Escape(strings.ReplaceAll(string(e.Relation), "_", " "))
	if e.Report == "" || e.From.Kind == indicator.RefReport {
		return &limb{Label: clip(relation, 20), Title: join(" · ", relation, diag.Escape(e.Provider))}
	}
	r, known := s.reports[e.Report]
	l := &limb{Label: middle(diag.Escape(e.Report), 20), Title: join(" · ", "report "+diag.Escape(e.Report), relation)}
	if known {
		l.Sub = clip(diag.Escape(r.Title), 24)
		l.Title = join(" · ", "report "+diag.Escape(e.Report), diag.Escape(r.Title), label(r.TLP), relation)
	}
	return l
}

// thing makes the vertex of a node, without what hangs on it.
func (s *sketch) thing(r indicator.Ref, by indicator.Edge) *vertex {
	v := &vertex{Shape: shapeRelated, Tally: tally{kinds: map[string]int{}}}
	var said []string
	switch i, err := strconv.Atoi(r.Value); {
	case r.Kind == "file" && err == nil && i < len(s.files):
		said = s.file(v, s.files[i])
	case r.Kind == indicator.RefReport:
		v.Label, v.Sub = middle(diag.Escape(r.Value), 20), clip(diag.Escape(s.reports[r.Value].Title), 24)
		said = []string{"report " + diag.Escape(r.Value), diag.Escape(s.reports[r.Value].Title), label(s.reports[r.Value].TLP)}
		v.Tally.kinds["report"]++
	default:
		v.Label, v.Sub = middle(diag.Escape(r.Value), 20), diag.Escape(r.Kind)
		said = []string{diag.Escape(r.Kind) + " " + diag.Escape(r.Value)}
		v.Tally.kinds[r.Kind]++
		if ind, ok := r.Indicator(); ok {
			s.judge(v, &said, []indicator.Indicator{ind})
		}
	}
	if s.seeds[r] && v.Shape != shapeRefused {
		v.Shape = shapeSeed
	}
	switch v.Shape {
	case shapeSeed:
		v.Tally.Seeds = 1
		said = append(said, "seed")
	case shapeRefused:
		v.Tally.Refused = 1
	default:
		v.Tally.Related = 1
	}
	if by.Confidence > 0 && !s.seeds[r] {
		said = append(said, fmt.Sprintf("confidence %d", by.Confidence))
	}
	if n := s.also[r]; n > 0 {
		said = append(said, count(n, "further edge leads here", "further edges lead here"))
	}
	v.Title = join(" · ", said...)
	return v
}

// file describes a file object: one vertex for all its digests.
func (s *sketch) file(v *vertex, f indicator.File) []string {
	var said, kinds []string
	for _, d := range f.Digests() {
		said = append(said, diag.Escape(d.String()))
		kinds = append(kinds, string(d.Kind))
	}
	best := f.Best()
	v.Label, v.Sub = shortDigest(best.Value), strings.Join(kinds, " ")
	v.Tally.kinds[string(best.Kind)]++
	if len(f.Names) > 0 {
		v.Sub = middle(diag.Escape(f.Names[0]), 24)
		said = append(said, diag.Escape(f.Names[0]))
	}
	if f.Size > 0 {
		said = append(said, fmt.Sprintf("%d bytes", f.Size))
	}
	s.judge(v, &said, f.Digests())
	return said
}

// judge marks a vertex that hit, or that is not hunted. What hit was hunted, whatever else is said about its siblings.
func (s *sketch) judge(v *vertex, said *[]string, digests []indicator.Indicator) {
	for _, d := range digests {
		v.Hit = v.Hit || s.hits[d]
	}
	if v.Hit {
		v.Tally.Hits = 1
		*said = append(*said, "HIT")
		return
	}
	for _, d := range digests {
		if why := s.refused[d]; why != "" {
			v.Shape = shapeRefused
			*said = append(*said, "refused: "+diag.Escape(why))
			return
		}
	}
}

// sum counts a vertex and all below it.
func (v *vertex) sum() tally {
	var t tally
	t.add(v.Tally)
	for _, l := range v.Limbs {
		for _, k := range l.Kids {
			t.add(k.sum())
		}
	}
	return t
}

// size is how many vertices are drawn from here on.
func (v *vertex) size() int {
	n := 1
	for _, l := range v.Limbs {
		for _, k := range l.Kids {
			n += k.size()
		}
	}
	return n
}

// join puts the texts that are not empty together.
func join(between string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "" }), between)
}

// shortDigest is how a digest is named in a picture: its ends.
func shortDigest(s string) string { return middle(diag.Escape(s), 16) }

// cells is how wide a character stands, in cells of a fixed-width font.
func cells(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul), r >= 0xff01 && r <= 0xff60, r >= 0x1f000:
		return 2
	default:
		return 1
	}
}

// taken cuts s to at most most cells and tells whether all of it fits. Marks without width are bounded too.
func taken(s string, most int) (string, bool) {
	width, runes := 0, 0
	for i, r := range s {
		width += cells(r)
		if runes++; width > most || runes > 3*most {
			return s[:i], false
		}
	}
	return s, true
}

// clip shortens a text to most cells, with a mark at its end.
func clip(s string, most int) string {
	if short, whole := taken(s, most); whole {
		return short
	}
	short, _ := taken(s, most-1)
	return strings.TrimRight(short, " ") + "…"
}

// middle shortens a text to most cells and keeps both ends.
func middle(s string, most int) string {
	if short, whole := taken(s, most); whole {
		return short
	}
	head, _ := taken(s, (most-1)*2/3)
	room := most - 1 - (most-1)*2/3
	at, width := len(s), 0
	for at > 0 {
		r, n := utf8.DecodeLastRuneInString(s[:at])
		if width += cells(r); width > room || len(s)-at > 12*room {
			break
		}
		at -= n
	}
	return head + "…" + s[at:]
}

// label writes a TLP as it is written in reports, "" for none.
func label(t indicator.TLP) string {
	if t == "" {
		return ""
	}
	return "TLP:" + clip(strings.ToUpper(diag.Escape(string(t))), 30)
}
