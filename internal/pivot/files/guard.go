package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Bounds of what is read from outside.
const (
	maxDepth   = 64
	maxString  = 1 << 20
	maxElement = 64 << 20
	maxLine    = 1 << 20
	maxTotal   = 8 << 30
	maxRatio   = 500
	ratioFrom  = 64 << 20
)

// Fault is what is wrong with a file, and where.
type Fault struct {
	File         string
	Line, Column int
	Message      string
}

// Error gives "file:line:column: error: message".
func (f *Fault) Error() string {
	switch {
	case f.Line == 0:
		return fmt.Sprintf("%s: error: %s", f.File, f.Message)
	default:
		return fmt.Sprintf("%s:%d:%d: error: %s", f.File, f.Line, f.Column, f.Message)
	}
}

// guard passes JSON through and stops at what would cost memory without bound: a string of over 1 MiB, nesting over 64
// levels, an element of over 64 MiB. It remembers the newlines behind it, so that an offset can be told as line:column.
type guard struct {
	r        io.Reader
	offset   int64
	mark     int64 // where the current element began
	depth    int
	inString bool
	escaped  bool
	length   int
	lines    int     // newlines before the remembered ones
	newlines []int64 // offsets of the last newlines
	tail     []byte  // what was read since the current element began, and a little before
	tailAt   int64   // offset of its first byte
}

var (
	errString  = errors.New("a text of over 1 MiB")
	errDepth   = errors.New("nested over 64 levels deep")
	errElement = errors.New("one element of over 64 MiB")
)

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.keep(p[:n])
	for i, c := range p[:n] {
		if e := g.step(c, g.offset+int64(i)); e != nil {
			g.offset += int64(i)
			return i, &stop{at: g.offset, err: e}
		}
	}
	g.offset += int64(n)
	if g.offset-g.mark > maxElement {
		return n, &stop{at: g.offset, err: errElement}
	}
	return n, err
}

// keep remembers the current element, which is bounded.
func (g *guard) keep(p []byte) {
	if done := g.mark - g.tailAt; done > 64<<10 && done <= int64(len(g.tail)) {
		g.tail = append(g.tail[:0], g.tail[done:]...)
		g.tailAt = g.mark
	}
	g.tail = append(g.tail, p...)
}

// element gives the bytes of the current element as far as they were read, and the offset of the first.
func (g *guard) element() ([]byte, int64) {
	from := min(max(g.mark-g.tailAt, 0), int64(len(g.tail)))
	b := g.tail[from:]
	rest := bytes.TrimLeft(b, " \t\r\n,:")
	return rest, g.tailAt + from + int64(len(b)-len(rest))
}

// afterComma reports whether a list or object ends at an offset right behind a comma, and with what.
func (g *guard) afterComma(at int64) (end byte, ok bool) {
	i := at - g.tailAt
	if i < 0 || i >= int64(len(g.tail)) || (g.tail[i] != ']' && g.tail[i] != '}') {
		return 0, false
	}
	return g.tail[i], bytes.HasSuffix(bytes.TrimRight(g.tail[:i], " \t\r\n"), []byte(","))
}

// stop is a bound that was passed, with its offset.
type stop struct {
	at  int64
	err error
}

func (s *stop) Error() string { return s.err.Error() }
func (s *stop) Unwrap() error { return s.err }

func (g *guard) step(c byte, at int64) error {
	if c == '\n' {
		g.newlines = append(g.newlines, at)
		if len(g.newlines) > 1<<20 {
			half := len(g.newlines) / 2
			g.lines += half
			g.newlines = append(g.newlines[:0], g.newlines[half:]...)
		}
	}
	if g.inString {
		g.length++
		switch {
		case g.length > maxString:
			return errString
		case g.escaped:
			g.escaped = false
		case c == '\\':
			g.escaped = true
		case c == '"':
			g.inString = false
		}
		return nil
	}
	switch c {
	case '"':
		g.inString, g.length = true, 0
	case '{', '[':
		if g.depth++; g.depth > maxDepth {
			return errDepth
		}
	case '}', ']':
		g.depth--
	}
	return nil
}

// position tells an offset as line and column, 1-based.
func (g *guard) position(at int64) (line, column int) {
	before, _ := slices.BinarySearch(g.newlines, at) // it is asked for each object of a bundle
	start := int64(0)
	if before > 0 {
		start = g.newlines[before-1] + 1
	}
	return g.lines + before + 1, int(at-start) + 1
}

// bounded stops a compressed stream that unpacks without end.
type bounded struct {
	r      io.Reader
	packed func() int64 // compressed bytes read so far
	total  int64
}

var errBomb = errors.New("it unpacks to far more than it should; it is taken for a decompression bomb")

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.total += int64(n)
	if b.total > maxTotal || (b.total > ratioFrom && b.total > maxRatio*max(b.packed(), 1)) {
		return n, errBomb
	}
	return n, err
}

// counter counts the bytes that pass.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
