package hunts

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/diag"
)

// Bounds on what is read.
const (
	maxFileBytes = 4 << 20 // of one hunts file
	maxNesting   = 50      // sections within sections
	maxDiags     = 100     // per file and severity; more say nothing new
	maxEntries   = 5000    // sections in one list, such as hunts
)

// Source is one file to read.
type Source struct {
	Name string // as shown in diagnostics
	Dir  string // relative paths are resolved here; "" leaves them as they are and checks no file
	Data []byte
}

// source is a Source that can be parsed: UTF-8 without BOM.
type source struct {
	name  string
	dir   string
	text  string
	lines []string
}

// open checks what must be right before YAML is parsed at all. The diagnostics are empty when it is.
func open(s Source) (*source, diag.List) {
	src := &source{name: s.Name, dir: s.Dir}
	fault := func(line, column int, message, hint string) (*source, diag.List) {
		return src, diag.List{{File: s.Name, Line: line, Column: column, Severity: diag.Error, Message: message, Hint: hint}}
	}
	if len(s.Data) > maxFileBytes {
		return fault(0, 0, tooBig(int64(len(s.Data))), "split it into several files")
	}
	if name := wideEncoding(s.Data); name != "" {
		return fault(0, 0, "the file is "+name, "save it as UTF-8")
	}
	src.text = string(bytes.TrimPrefix(s.Data, []byte("\xef\xbb\xbf")))
	src.lines = splitLines(src.text)
	for i, line := range src.lines {
		if column, what := badCharacter(line); what != "" {
			src.text = ""
			return fault(i+1, column, what, hintFor(what))
		}
	}
	if src.dir != "" {
		if abs, err := filepath.Abs(src.dir); err == nil {
			src.dir = abs
		}
	}
	return src, nil
}

func tooBig(size int64) string {
	return fmt.Sprintf("the file is too big: %s, the most is %s", ByteSize(size), ByteSize(maxFileBytes))
}

// wideEncoding names a UTF-16 or UTF-32 encoding, by its byte order mark or by the zero byte beside the first character.
func wideEncoding(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(data, []byte{0, 0, 0xfe, 0xff}):
		return "UTF-32"
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return "UTF-16"
	case len(data) >= 4 && (data[0] == 0) != (data[1] == 0) && (data[2] == 0) != (data[3] == 0):
		return "UTF-16"
	default:
		return ""
	}
}

// splitLines splits at LF, CR LF and CR, as the YAML parser counts lines.
func splitLines(text string) []string {
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	return strings.Split(text, "\n")
}

// badCharacter finds the first character of a line that no hunts file may have; column is 1-based, in characters.
func badCharacter(line string) (column int, what string) {
	for len(line) > 0 {
		column++
		r, size := utf8.DecodeRuneInString(line)
		switch {
		case r == utf8.RuneError && size == 1:
			return column, fmt.Sprintf("byte 0x%02x is no UTF-8", line[0])
		case r == 0:
			return column, "a NUL character"
		case r == 0x85, r == 0x2028, r == 0x2029:
			return column, fmt.Sprintf("an invisible line separator, U+%04X", r)
		case r < 0x20 && r != '\t', r >= 0x7f && r < 0xa0, r == 0xfffe, r == 0xffff:
			return column, fmt.Sprintf("a control character, U+%04X", r)
		case r == 0xfeff:
			return column, "a byte order mark inside the file"
		}
		line = line[size:]
	}
	return 0, ""
}

func hintFor(what string) string {
	if strings.HasSuffix(what, "UTF-8") {
		return "save the file as UTF-8"
	}
	return "delete it"
}

// line gives the text of a 1-based line, "" when there is none.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// abs resolves a path of the file against its folder.
func (s *source) abs(path string) string {
	if path == "" || s.dir == "" || filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.dir, path)
}
