package report

import (
	"bytes"
	_ "embed" // the style and the template of the picture
	"fmt"
	"html/template"
	"io"

	"github.com/hunter-project/hunter/internal/indicator"
)

//go:embed assets/graph.css
var graphCSS string

//go:embed assets/graph.svg.tmpl
var graphTemplate string

// Measures of the picture, in its own units. A character of its fixed-width font is charW wide.
const (
	nodeW, nodeH = 188, 40
	rowH         = 48
	limbW, limbH = 176, 36
	charW        = 7
	gapIn, gapTo = 26, 34 // from a vertex to a limb, from a limb to a vertex
	pad          = 16
	wide         = 46 * 16 // the least width of .graph-wide in report.css
)

// layout is a picture with its places.
type layout struct {
	Title, Desc   string
	TLP           string
	Width, Height int
	Lines         []string // paths
	HitLines      []string // those that lead to a hit
	Vertices      []place
	Limbs         []limbPlace
}

type place struct {
	*vertex
	X, Y, TextX, TextY, SubY, FlagX int
	Outline                         string // path of the shape
}

type limbPlace struct {
	*limb
	X, Y, W, H, TextX, TextY, SubY int
}

// arrange gives every vertex and limb its place: depth goes to the right, what belongs together stands together.
func (p *picture) arrange() layout {
	out := layout{Title: p.title(), Desc: p.desc()}
	columns := map[int]int{} // the widest limb after each depth
	row := 0
	for _, v := range p.Roots {
		v.rows(&row, 0, columns)
	}
	left := map[int]int{0: pad}
	for d := 0; columns[d] > 0; d++ {
		left[d+1] = left[d] + nodeW + gapIn + columns[d] + gapTo
	}
	for _, v := range p.Roots {
		out.put(v, 0, left, columns)
	}
	out.Width += pad
	out.Height = row*rowH + 2*pad - (rowH - nodeH)
	return out
}

// high is how far a vertex stands below the first of what it leads to, at most: in a tall picture it is not to be sought.
const high = 4 * rowH

// rows gives each leaf a row, and what leads to it the middle of its rows.
func (v *vertex) rows(row *int, depth int, columns map[int]int) {
	if len(v.Limbs) == 0 {
		v.y = *row * rowH
		*row++
		return
	}
	for _, l := range v.Limbs {
		columns[depth] = max(columns[depth], l.width())
		for _, k := range l.Kids {
			k.rows(row, depth+1, columns)
		}
		l.y = (l.Kids[0].y + l.Kids[len(l.Kids)-1].y) / 2
	}
	v.y = min((v.Limbs[0].y+v.Limbs[len(v.Limbs)-1].y)/2, v.Limbs[0].y+high)
}

// width is how wide a limb is drawn: a report has a fixed width, a relation that of its word.
func (l *limb) width() int {
	if l.Sub != "" {
		return limbW
	}
	n := 0
	for _, r := range l.Label {
		n += cells(r)
	}
	return min(n*charW+26, limbW)
}

func (o *layout) put(v *vertex, depth int, left, columns map[int]int) {
	x, y := left[depth], v.y+pad
	o.Width = max(o.Width, x+nodeW)
	at := place{vertex: v, X: x, Y: y, TextX: x + 18, TextY: y + 17, SubY: y + 31, FlagX: x + nodeW - 38, Outline: outline(v.Shape, x, y)}
	if v.Sub == "" {
		at.TextY = y + 24
	}
	o.Vertices = append(o.Vertices, at)
	for _, l := range v.Limbs {
		w := l.width()
		lx, ly := x+nodeW+gapIn+(columns[depth]-w)/2, l.y+pad+(nodeH-limbH)/2
		o.line(x+nodeW, y+nodeH/2, lx, ly+limbH/2, l.sum().Hits > 0)
		lp := limbPlace{limb: l, X: lx, Y: ly, W: w, H: limbH, TextX: lx + w/2, TextY: ly + 15, SubY: ly + 28}
		if l.Sub == "" {
			lp.H, lp.Y, lp.TextY = 22, ly+7, ly+22
		}
		o.Limbs = append(o.Limbs, lp)
		for _, k := range l.Kids {
			o.line(lx+w, ly+limbH/2, left[depth+1], k.y+pad+nodeH/2, k.sum().Hits > 0)
			o.put(k, depth+1, left, columns)
		}
	}
}

// line draws a curve that leaves and arrives level.
func (o *layout) line(x1, y1, x2, y2 int, hit bool) {
	m := (x1 + x2) / 2
	d := fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, m, y1, m, y2, x2, y2)
	if hit {
		o.HitLines = append(o.HitLines, d)
		return
	}
	o.Lines = append(o.Lines, d)
}

// outline is the form of a vertex: a seed is a hexagon, a refused thing has its corners cut, others are rounded.
func outline(s shape, x, y int) string {
	const w, h = nodeW, nodeH
	switch s {
	case shapeSeed:
		return fmt.Sprintf("M%d %dH%dL%d %dL%d %dH%dL%d %dZ", x+12, y, x+w-12, x+w, y+h/2, x+w-12, y+h, x+12, x, y+h/2)
	case shapeRefused:
		return fmt.Sprintf("M%d %dH%dL%d %dV%dL%d %dH%dL%d %dV%dZ", x+9, y, x+w-9, x+w, y+9, y+h-9, x+w-9, y+h, x+9, x, y+h-9, y+9)
	default:
		const r = 10
		return fmt.Sprintf("M%d %dH%dq%d 0 %d %dV%dq0 %d -%d %dH%dq-%d 0 -%d -%dV%dq0 -%d %d -%dZ",
			x+r, y, x+w-r, r, r, r, y+h-r, r, r, r, x+r, r, r, r, y+r, r, r, r)
	}
}

func (p *picture) title() string {
	t := p.Tally
	out := fmt.Sprintf("Pivot: from %s through %s to %s", count(t.Seeds, "seed", "seeds"), count(p.Reports, "report", "reports"),
		count(t.Related, "related thing", "related things"))
	if t.Refused > 0 {
		out += fmt.Sprintf(", %d refused", t.Refused)
	}
	return out + fmt.Sprintf("; %d hit", t.Hits)
}

func (p *picture) desc() string {
	out := "Hexagons are seeds, rounded boxes are related things, boxes with cut corners are refused and not hunted. What hit has a flag. " +
		"Lines pass the report or relation that they rest on. Each thing stands under what led to it first."
	if p.Folded {
		out += " Things of one report are folded into counts."
	}
	return out
}

// svgData is what the template of a picture takes.
type svgData struct {
	layout
	Alone bool // a file of its own
	Wide  bool // made smaller where there is no room for it
	CSS   template.CSS
}

// svg writes a picture: inside of a page, or alone with its own style.
func (p *picture) svg(alone bool, tlp indicator.TLP) (template.HTML, error) {
	data := svgData{layout: p.arrange(), Alone: alone}
	data.Wide = !alone && data.Width > wide
	if alone {
		data.CSS, data.TLP = template.CSS(graphCSS), label(tlp)
		data.Height += 28
	}
	t, err := template.New("graph").Parse(graphTemplate)
	if err != nil {
		return "", fmt.Errorf("read the template of the picture: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return "", fmt.Errorf("draw the pivot: %w", err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // written by a template of ours that escapes
}

// GraphSVG draws a pivot as an SVG file that stands alone: no script, nothing from elsewhere. It carries the strictest
// label of what it shows.
func GraphSVG(w io.Writer, g Graph) error {
	tlp := indicator.TLP("")
	for _, n := range g.Graph.Nodes {
		tlp = indicator.Stricter(tlp, n.TLP)
	}
	for _, r := range g.Graph.Reports {
		tlp = indicator.Stricter(tlp, r.TLP)
	}
	out, err := draw(g.Graph, g.refusals(), nil).fold().svg(true, tlp)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, string(out)); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}
