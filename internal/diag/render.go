package diag

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"
)

const (
	maxCells = 100 // cells of a source line that are shown
	lead     = 60  // cells shown before the caret when a line is cut
	tabWidth = 4
)

// Render writes l for a terminal: each diagnostic, its source line and a caret below the column. Long lines are cut around
// the column, tabs are spaces. color adds ANSI colours; nothing else in the output can control a terminal.
func Render(w io.Writer, l List, color bool) error {
	var b strings.Builder
	for _, d := range l {
		renderOne(&b, d, color)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	return nil
}

func renderOne(b *strings.Builder, d Diagnostic, color bool) {
	paint := func(code, s string) string {
		if !color {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
	code := "1;31"
	if d.severity() == Warning {
		code = "1;33"
	}
	fmt.Fprintf(b, "%s%s: %s\n", paint("1", d.place()), paint(code, d.severity()), d.text())
	if d.Line <= 0 || strings.TrimSpace(d.SourceLine) == "" {
		return
	}
	text, caret := window(d.SourceLine, d.Column)
	fmt.Fprintf(b, "%5d | %s\n", d.Line, text)
	if d.Column > 0 {
		fmt.Fprintf(b, "      | %s%s\n", strings.Repeat(" ", caret), paint(code, "^"))
	}
}

// cell is one character as it is shown.
type cell struct {
	text  string
	width int
}

// window gives the part of line around column that is shown, and the cells before the caret.
func window(line string, column int) (text string, caret int) {
	at := max(column-1, 0)
	cells := shown(line, at+maxCells*4)
	at = min(at, len(cells))
	// Start far enough left, but not further than lead cells from the caret when the whole does not fit.
	start, before := at, 0
	for start > 0 && before+cells[start-1].width <= lead {
		start--
		before += cells[start].width
	}
	if total(cells) <= maxCells {
		start, before = 0, total(cells[:at])
	}
	var b strings.Builder
	used := 0
	if start > 0 {
		b.WriteString("…")
		used, before = 1, before+1
	}
	for i := start; i < len(cells); i++ {
		if used+cells[i].width > maxCells {
			b.WriteString("…")
			break
		}
		b.WriteString(cells[i].text)
		used += cells[i].width
	}
	return strings.TrimRight(b.String(), " "), before
}

// shown cuts line into at most limit cells, so that a line of megabytes costs nothing.
func shown(line string, limit int) []cell {
	var out []cell
	for len(line) > 0 && len(out) < limit {
		r, size := utf8.DecodeRuneInString(line)
		raw := line[:size]
		line = line[size:]
		switch esc := escapeRune(r, raw); {
		case r == '\t':
			out = append(out, cell{strings.Repeat(" ", tabWidth), tabWidth})
		case esc != raw:
			out = append(out, cell{esc, len(esc)})
		default:
			out = append(out, cell{raw, cellWidth(r)})
		}
	}
	return out
}

func cellWidth(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

func total(cells []cell) int {
	n := 0
	for _, c := range cells {
		n += c.width
	}
	return n
}
