package hunts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hunter-project/hunter/internal/diag"
)

// parseYAML reads the one document of a file as nodes. A nil node with no diagnostics is an empty document.
func parseYAML(src *source) (*yaml.Node, diag.List) {
	fault := func(line, column int, message, hint string) (*yaml.Node, diag.List) {
		return nil, diag.List{{
			File: src.name, Line: line, Column: column, Severity: diag.Error, Message: message, Hint: hint,
			SourceLine: maskLine(src.line(line)),
		}}
	}
	docs, err := documents(strings.NewReader(src.text))
	if err != nil {
		message, hint := explain(err)
		line, column := locate(src, err)
		return fault(line, column, message, hint)
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		return nil, nil
	}
	if len(docs) > 1 {
		return fault(docs[1].Line, docs[1].Column, "a second document in one file", "put it into a file of its own, or remove the ---")
	}
	return docs[0].Content[0], nil
}

// documents reads at most two documents. The parser's panics are errors here.
func documents(r io.Reader) (docs []*yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: the parser gave up: %v", p)
		}
	}()
	dec := yaml.NewDecoder(r)
	for len(docs) < 2 {
		var n yaml.Node
		if err := dec.Decode(&n); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return docs, err
		}
		docs = append(docs, &n)
	}
	return docs, nil
}

var lineOf = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

// explain words a parser error for people.
func explain(err error) (message, hint string) {
	text := lineOf.ReplaceAllString(err.Error(), "")
	hints := []struct{ part, hint string }{
		{"cannot start any token", "indent with spaces, and put a value that begins with @, ` or % in quotes"},
		{"tab character", "indent with spaces"},
		{"mapping values are not allowed", "look at the indentation; a value with ': ' in it needs quotes"},
		{"did not find expected key", "look at the indentation of this line and the one before"},
		{"did not find expected '-'", "look at the indentation of this line and the one before"},
		{"unexpected end of stream", "close the quotes"},
		{"expected ',' or ']'", "close the list with ]"},
		{"expected ',' or '}'", "close the section with }"},
		{"could not find expected ':'", "a key is followed by ': '"},
		{"unknown escape character", `write Windows paths in single quotes, such as 'C:\Users'`},
		{"hexdecimal number", `write Windows paths in single quotes, such as 'C:\Users'`},
		{"unknown anchor", "aliases are not read; write the value out, or say it once under defaults"},
		{"exceeded max depth", fmt.Sprintf("at most %d sections may lie within each other", maxNesting)},
	}
	for _, h := range hints {
		if strings.Contains(text, h.part) {
			return "not YAML: " + text, h.hint
		}
	}
	return "not YAML: " + text, ""
}

// locate finds the line of a syntax error. The parser often names the line where a section begins or none, so the text is
// fed to it a byte at a time: what it had read when it gave up tells where it was. column is 0 unless it is certain.
func locate(src *source, err error) (line, column int) {
	read := &counter{text: src.text}
	_, _ = documents(read)
	seen := strings.TrimRight(src.text[:read.n], " \t\r\n")
	line = len(splitLines(seen))
	if strings.Contains(err.Error(), "end of stream") || read.n >= len(src.text) && unclosed(err) {
		if opened := lastGood(src) + 1; opened <= len(src.lines) {
			line = opened
		}
	}
	for _, n := range []int{line, line - 1, line + 1} {
		text := src.line(n)
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		if i := strings.IndexByte(indent, '\t'); i >= 0 && len(indent) < len(text) {
			return n, i + 1
		}
	}
	return line, 0
}

func unclosed(err error) bool {
	return strings.Contains(err.Error(), "expected ',' or")
}

// lastGood is the largest number of first lines that are YAML by themselves: what is never closed opens on the next one.
// Only so many are tried; then the last line is as good an answer as any.
func lastGood(src *source) int {
	const tries, most = 200, 64 << 10
	if len(src.text) > most {
		return len(src.lines) - 1
	}
	ends := lineEnds(src.text)
	for n := len(ends) - 1; n > 0 && n > len(ends)-tries; n-- {
		if _, err := documents(strings.NewReader(src.text[:ends[n-1]])); err == nil {
			return n
		}
	}
	if len(ends) < tries {
		return 0
	}
	return len(src.lines) - 1
}

// lineEnds gives for each line the offset behind its line end.
func lineEnds(text string) []int {
	var ends []int
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' || text[i] == '\r' && !bytes.HasPrefix([]byte(text[i+1:min(i+2, len(text))]), []byte("\n")) {
			ends = append(ends, i+1)
		}
	}
	return append(ends, len(text))
}

// counter hands a text out a byte at a time and counts.
type counter struct {
	text string
	n    int
}

// Read gives the next byte.
func (c *counter) Read(p []byte) (int, error) {
	if c.n >= len(c.text) {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p[0] = c.text[c.n]
	c.n++
	return 1, nil
}
