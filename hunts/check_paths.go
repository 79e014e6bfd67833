package hunts

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	placeholder = regexp.MustCompile(`\{[^{}]*\}`)
	drivePath   = regexp.MustCompile(`^[A-Za-z]:[\\/]`)
	besideFile  = regexp.MustCompile(`^\.\.?([\\/]|$)`)
)

// checkOutput checks one entry of report.
func (p *parsed) checkOutput(o Output, at string) {
	n := p.values[at]
	if n == nil {
		return
	}
	webhook, format, file := p.given(at+".webhook"), p.given(at+".format"), p.given(at+".path")
	switch {
	case !webhook && !format && !file && n.Kind == yaml.MappingNode && len(n.Content) == 0:
		p.fault(n, "an entry of report is empty", "give format and path, or webhook")
	case webhook && (format || file):
		p.fault(n, "an entry of report has both a webhook and a file", "make two entries of it")
	case format && !file:
		p.fault(n, "path is missing in an entry of report", `such as path: "reports/{hunt}-{run}.`+string(firstOf(o.Format, FormatHTML))+`"`)
	case file && !format:
		p.fault(n, "format is missing in an entry of report", "one of: "+listed(enumValuesOf[Format]()))
	}
	if file && o.Path.Given != "" && !filepath.IsLocal(filepath.FromSlash(o.Path.Given)) {
		p.fault(p.node(at+".path"), quote(o.Path.Given)+" leads out of the folder of this file", "write a relative path without .., such as reports/{hunt}-{run}."+string(firstOf(o.Format, FormatHTML)))
	}
	for _, word := range placeholder.FindAllString(o.Path.Given, -1) {
		if known := []string{"{hunt}", "{run}", "{date}"}; !slices.Contains(known, word) {
			p.fault(p.node(at+".path"), "unknown placeholder "+quote(word), suggest(word, known))
		}
	}
}

// resolveRoots checks the roots of search.paths and resolves those that lie beside the file.
func (p *parsed) resolveRoots(h *Hunt, at string) {
	for platform, roots := range h.Search.Paths {
		where := at + ".search.paths." + string(platform)
		if len(roots) == 0 {
			p.fault(p.node(where), fmt.Sprintf("no folders for %s", platform), "leave the platform out for its usual places")
		}
		for i, root := range roots {
			if root == "" {
				continue // reported already
			}
			resolved, hint := p.root(platform, root)
			if hint != "" {
				p.fault(p.node(element(where, i)), fmt.Sprintf("%s is no root folder for %s", quote(root), platform), hint)
				continue
			}
			roots[i] = resolved
		}
	}
}

// root gives the absolute form of a root folder, or a hint what would be right.
func (p *parsed) root(platform Platform, root string) (abs, hint string) {
	switch {
	case len(root) > 4096:
		return "", "at most 4096 bytes"
	case strings.ContainsAny(root, "*?"):
		return "", "* and ? are not read here; name the folder above, everything below is walked"
	case besideFile.MatchString(root):
		return p.src.abs(filepath.FromSlash(root)), ""
	case platform == Windows && drivePath.MatchString(root):
		return root, ""
	case platform == Windows:
		return "", `write the whole path with its drive, such as 'C:\Users'`
	case strings.HasPrefix(root, "/"):
		return path.Clean(root), ""
	default:
		return "", "write the whole path from /, or ./ in front for a folder beside this file"
	}
}
