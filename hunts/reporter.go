package hunts

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hunter-project/hunter/internal/diag"
)

// reporter collects the diagnostics of one file and keeps secrets out of them.
type reporter struct {
	src    *source
	list   diag.List
	counts map[string]int  // by severity, also of those beyond maxDiags
	values map[string]bool // texts of four bytes or more that must not be shown
	hidden map[int]int     // line: the first column that must not be shown, when the value stands there in another form
}

func newReporter(src *source) *reporter {
	return &reporter{src: src, counts: map[string]int{}, values: map[string]bool{}, hidden: map[int]int{}}
}

// fault reports an error at a node.
func (r *reporter) fault(n *yaml.Node, message, hint string) { r.add(diag.Error, n, message, hint) }

// warn reports a doubt at a node.
func (r *reporter) warn(n *yaml.Node, message, hint string) { r.add(diag.Warning, n, message, hint) }

func (r *reporter) add(severity string, n *yaml.Node, message, hint string) {
	r.counts[severity]++
	if r.counts[severity] > maxDiags {
		return
	}
	d := diag.Diagnostic{File: r.src.name, Severity: severity, Message: message, Hint: hint}
	if n != nil {
		d.Line, d.Column = n.Line, n.Column
	}
	r.list = append(r.list, d)
}

// total is the number of diagnostics so far, to see whether a step brought any.
func (r *reporter) total() int { return r.counts[diag.Error] + r.counts[diag.Warning] }

// full reports whether another error would only be counted.
func (r *reporter) full() bool { return r.counts[diag.Error] >= maxDiags }

// hide marks the value of n and all below it as never to be shown.
func (r *reporter) hide(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		if len(n.Value) >= 4 {
			r.values[n.Value] = true
		}
		if len(n.Value) < 4 || !strings.Contains(r.src.line(n.Line), n.Value) {
			if at, ok := r.hidden[n.Line]; !ok || n.Column < at {
				r.hidden[n.Line] = n.Column
			}
		}
	}
	for _, c := range n.Content {
		r.hide(c)
	}
}

// finish gives the diagnostics with their source lines, masked.
func (r *reporter) finish() diag.List {
	for i := range r.list {
		d := &r.list[i]
		d.SourceLine = r.masked(d.Line)
		for v := range r.values {
			d.Message = strings.ReplaceAll(d.Message, v, "<redacted>")
			d.Hint = strings.ReplaceAll(d.Hint, v, "<redacted>")
		}
	}
	for _, severity := range []string{diag.Error, diag.Warning} {
		if more := r.counts[severity] - maxDiags; more > 0 {
			r.list = append(r.list, diag.Diagnostic{
				File: r.src.name, Line: len(r.src.lines), Severity: severity,
				Message: fmt.Sprintf("%d more of this severity are not shown", more), Hint: "correct the others first",
			})
		}
	}
	return r.list
}

var (
	credentialKey = regexp.MustCompile(`(?i)token|secret|passw|key|credential|webhook|auth`)
	credentialSet = regexp.MustCompile(`(?i)[\w-]*(?:token|secret|passw|key|credential|webhook|auth)[\w-]*["']?\s*:\s*("[^"]*"?|'[^']*'?|[^\s,}\]#][^,}\]#]*)`)
	userInfo      = regexp.MustCompile(`://([^/\s@]+)@`)
)

// maxShown is the longest line of a file that is shown, in bytes.
const maxShown = 16 << 10

// masked gives a line of the file with what may be a secret as stars, so that columns stay right; "" when it is too long
// to be of use.
func (r *reporter) masked(n int) string {
	line := r.src.line(n)
	if len(line) > maxShown {
		return ""
	}
	for v := range r.values {
		if strings.Contains(line, v) {
			line = strings.ReplaceAll(line, v, stars(v))
		}
	}
	if column, ok := r.hidden[n]; ok {
		line = maskFrom(line, column)
	}
	return maskLine(line)
}

// maskLine hides what looks like a secret: the value of a key that sounds like a credential and is no reference, and the
// user and password of an address.
func maskLine(line string) string {
	if len(line) > maxShown {
		return ""
	}
	hide := func(re *regexp.Regexp) {
		for _, m := range re.FindAllStringSubmatchIndex(line, -1) {
			value := line[m[2]:m[3]]
			if bare := strings.Trim(value, `"' `); strings.HasPrefix(bare, "env:") || strings.HasPrefix(bare, "file:") {
				continue
			}
			if plain := stars(value); len(plain) != len(value) {
				line = line[:m[2]] // bytes and characters differ: the rest would shift
				return
			}
			line = line[:m[2]] + stars(value) + line[m[3]:]
		}
	}
	hide(credentialSet)
	hide(userInfo)
	return line
}

func maskFrom(line string, column int) string {
	at := 0
	for range column - 1 {
		if at >= len(line) {
			break
		}
		_, size := utf8.DecodeRuneInString(line[at:])
		at += size
	}
	return line[:at] + stars(line[at:])
}

func stars(s string) string { return strings.Repeat("*", utf8.RuneCountInString(s)) }

// quote gives foreign text for a message: safe, in quotes, cut to what a person reads.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return `"` + diag.Escape(s) + `"`
}

// suggest says what would be right instead of word.
func suggest(word string, choices []string) string {
	if near := diag.Nearest(word, choices); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	switch len(choices) {
	case 0:
		return ""
	case 1:
		return "it can only be " + choices[0]
	default:
		return "one of: " + listed(choices)
	}
}

func listed(words []string) string {
	const most = 20
	if len(words) > most {
		return strings.Join(words[:most], ", ") + ", …"
	}
	return strings.Join(words, ", ")
}
