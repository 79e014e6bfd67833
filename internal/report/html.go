package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the style and the template of the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

//go:embed assets/report.css
var pageCSS string

//go:embed assets/report.html.tmpl
var pageTemplate string

// htmlQuery is how many bytes of one query a page shows.
const htmlQuery = 64 << 10

// pageData is what the template of a page takes.
type pageData struct {
	document
	CSS    template.CSS
	Policy string
	Wide   bool // the picture does not fit a telephone
}

// HTML writes the run as one page that stands alone: no script, nothing from elsewhere, and a policy that lets a browser
// load nothing but the page's own style. It is made for screens of any width, light and dark, and for paper.
func HTML(w io.Writer, v View) error {
	t, err := template.New("report").Funcs(template.FuncMap{"num": number0, "pivot": pivotBranch, "pair": paint}).Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("read the template of the page: %w", err)
	}
	data := pageData{document: newDocument(v, htmlQuery), CSS: template.CSS(pageCSS + graphCSS)}
	sum := sha256.Sum256([]byte(data.CSS))
	data.Policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if len(data.Picture.Roots) > 0 {
		data.Wide = data.Picture.arrange().Width > wide/2
		if data.Graph, err = data.Picture.svg(false, ""); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return flush(w, &b)
}

// pivotLine is one line of the pivot as a list.
type pivotLine struct {
	Text, Class string
	Kids        []pivotLine
}

// pivotBranch turns vertices and limbs into a list of lists, which every reader of a page can follow.
func pivotBranch(list []*vertex) []pivotLine {
	var out []pivotLine
	for _, v := range list {
		line := pivotLine{Text: v.Title, Class: string(v.Shape)}
		if v.Hit {
			line.Class += " hit"
		}
		for _, l := range v.Limbs {
			line.Kids = append(line.Kids, pivotLine{Text: l.Title, Class: "limb", Kids: pivotBranch(l.Kids)})
		}
		out = append(out, line)
	}
	return out
}

// painted is one part of a bar with what it is filled with.
type painted struct {
	ID, Pattern string
	Part        segment
}

// paint chooses the pattern of a part, so that parts can be told apart without colours; two are filled plainly.
func paint(id string, s segment) painted {
	pattern := s.Class
	switch s.Class {
	case "hit", "absent", "excluded":
		pattern = ""
	case "hit-open":
		pattern = "open"
	case "not-seen":
		pattern = "seen"
	}
	return painted{ID: id, Pattern: pattern, Part: s}
}
