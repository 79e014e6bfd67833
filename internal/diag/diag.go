// Package diag holds diagnostics about files that people write: what is wrong, where, and what would be right. It prints
// them as one line each, as JSON, and on a terminal with the source line and a caret.
package diag

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// The severities of a diagnostic.
const (
	Error   = "error"
	Warning = "warning"
)

// Diagnostic is one fault or doubt at one place.
type Diagnostic struct {
	File       string `json:"file,omitempty"`   // as the user named it
	Line       int    `json:"line,omitempty"`   // 1-based; 0 is unknown
	Column     int    `json:"column,omitempty"` // 1-based, in characters; 0 is unknown
	Severity   string `json:"severity"`         // Error or Warning; empty counts as Error
	Message    string `json:"message"`          // what is wrong
	Hint       string `json:"hint,omitempty"`   // what would be right, or what to do next
	SourceLine string `json:"-"`                // the text of Line, secrets masked; only Render shows it
}

// String gives "file:line:column: error: what; hint". Parts that are empty are left out, and nothing in it can
// control a terminal.
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(d.place())
	b.WriteString(d.severity())
	b.WriteString(": ")
	b.WriteString(d.text())
	return b.String()
}

// place is "file:line:column: " as far as it is known.
func (d Diagnostic) place() string {
	var parts []string
	if d.File != "" {
		parts = append(parts, Escape(d.File))
	}
	if d.Line > 0 {
		parts = append(parts, strconv.Itoa(d.Line))
		if d.Column > 0 {
			parts = append(parts, strconv.Itoa(d.Column))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ":") + ": "
}

func (d Diagnostic) text() string {
	if d.Hint == "" {
		return Escape(d.Message)
	}
	return Escape(d.Message) + "; " + Escape(d.Hint)
}

func (d Diagnostic) severity() string {
	if d.Severity == Warning {
		return Warning
	}
	return Error
}

// List is any number of diagnostics. As an error it is all of them, one a line.
type List []Diagnostic

// Error gives every diagnostic on a line of its own.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, d := range l {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Sort orders l by file, line and column; equal places keep their order.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// HasErrors reports whether any diagnostic is an error and not a warning.
func (l List) HasErrors() bool { return l.Count(Error) > 0 }

// Count gives the number of diagnostics of a severity.
func (l List) Count(severity string) int {
	n := 0
	for _, d := range l {
		if d.severity() == severity {
			n++
		}
	}
	return n
}

// Err gives l as an error when it has errors, nil otherwise.
func (l List) Err() error {
	if l.HasErrors() {
		return l
	}
	return nil
}

// MarshalJSON gives an array, never null; each entry is {file, line, column, severity, message, hint}.
func (l List) MarshalJSON() ([]byte, error) {
	out := make([]Diagnostic, len(l))
	for i, d := range l {
		d.Severity = d.severity()
		out[i] = d
	}
	return json.Marshal(out)
}
