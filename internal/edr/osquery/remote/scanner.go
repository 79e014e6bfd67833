package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON from a stream as agents write it: strings may hold bytes that are no UTF-8, which encoding/json would
// replace. It keeps at most its buffer and what its caller asks for, however long the body is.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	off      int64 // of buf[0] in the stream
	tmp      []byte
}

const (
	scanBuffer = 32 << 10
	window     = 512 // of a text that is looked through at once: a text full of escapes must not be looked through again for each
	maxDepth   = 200 // of values that are skipped
)

// errSyntax is the cause of every error that says a body is not what an agent writes.
var errSyntax = errors.New("not the JSON that an agent writes")

func newScanner() *scanner { return &scanner{buf: make([]byte, scanBuffer)} }

func (s *scanner) reset(r io.Reader) { s.r, s.pos, s.end, s.off = r, 0, 0, 0 }

// read is how many bytes of the stream were taken.
func (s *scanner) read() int64 { return s.off + int64(s.pos) }

func (s *scanner) bad(what string) error {
	return fmt.Errorf("%w: %s at byte %d", errSyntax, what, s.read())
}

// fill makes sure that one byte at least is in the buffer. The end of the stream is io.ErrUnexpectedEOF.
func (s *scanner) fill() error {
	for empty := 0; s.pos >= s.end; empty++ {
		s.off += int64(s.end)
		s.pos, s.end = 0, 0
		n, err := s.r.Read(s.buf)
		s.end = n
		switch {
		case n > 0:
			return nil
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case empty > 100:
			return io.ErrNoProgress
		}
	}
	return nil
}

// peek gives the next byte that is no white space.
func (s *scanner) peek() (byte, error) {
	for {
		for s.pos < s.end {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\r', '\n':
				s.pos++
			default:
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// take reads one certain byte.
func (s *scanner) take(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return s.bad(fmt.Sprintf("%q instead of %q", c, want))
	}
	s.pos++
	return nil
}

// more steps to the next member or element; false is the end of the object or list.
func (s *scanner) more(end byte, first bool) (bool, error) {
	c, err := s.peek()
	switch {
	case err != nil:
		return false, err
	case c == end:
		s.pos++
		return false, nil
	case first:
		return true, nil
	}
	return true, s.take(',')
}

// key steps to the next member of an object and appends its name to dst; ok is false at the object's end.
func (s *scanner) key(dst []byte, first bool, most int) (name []byte, ok bool, err error) {
	if ok, err = s.more('}', first); err != nil || !ok {
		return dst, false, err
	}
	if name, _, err = s.text(dst, most); err != nil {
		return name, false, err
	}
	return name, true, s.take(':')
}

// text appends a string to dst, at most so many bytes; cut says that there were more.
func (s *scanner) text(dst []byte, most int) (out []byte, cut bool, err error) {
	if err := s.take('"'); err != nil {
		return dst, false, err
	}
	begin := len(dst)
	add := func(b ...byte) {
		room := most - (len(dst) - begin)
		if len(b) > room {
			b, cut = b[:max(room, 0)], true
		}
		dst = append(dst, b...)
	}
	for {
		if err := s.fill(); err != nil {
			return dst, cut, err
		}
		if run := s.buf[s.pos:min(s.pos+window, s.end)]; run[0] != '"' && run[0] != '\\' {
			if i := bytes.IndexByte(run, '"'); i >= 0 {
				run = run[:i]
			}
			if i := bytes.IndexByte(run, '\\'); i >= 0 {
				run = run[:i]
			}
			add(run...)
			s.pos += len(run)
			continue
		}
		s.pos++
		if s.buf[s.pos-1] == '"' {
			return dst, cut, nil
		}
		var one [2 * utf8.UTFMax]byte
		b, err := s.escape(one[:0])
		if err != nil {
			return dst, cut, err
		}
		add(b...)
	}
}

// escape appends what stands behind a backslash. Half of a surrogate pair becomes the three bytes that it would have in
// UTF-8, were it allowed there: two names that differ stay two names.
func (s *scanner) escape(dst []byte) ([]byte, error) {
	c, err := s.one()
	if err != nil {
		return dst, err
	}
	switch c {
	case '"', '\\', '/':
		return append(dst, c), nil
	case 'b':
		return append(dst, '\b'), nil
	case 'f':
		return append(dst, '\f'), nil
	case 'n':
		return append(dst, '\n'), nil
	case 'r':
		return append(dst, '\r'), nil
	case 't':
		return append(dst, '\t'), nil
	case 'u':
	default:
		return dst, s.bad("an unknown escape")
	}
	r, err := s.hex4()
	if err != nil {
		return dst, err
	}
	for r >= 0xd800 && r < 0xdc00 { // the first half of a pair
		next, err := s.half()
		if err != nil {
			return dst, err
		}
		if next < 0 {
			return surrogate(dst, r), nil
		}
		if both := utf16.DecodeRune(r, next); both != utf8.RuneError {
			return utf8.AppendRune(dst, both), nil
		}
		dst, r = surrogate(dst, r), next
		if len(dst) > utf8.UTFMax { // a long row of halves: go on in the next call
			break
		}
	}
	if utf16.IsSurrogate(r) {
		return surrogate(dst, r), nil
	}
	return utf8.AppendRune(dst, r), nil
}

func surrogate(dst []byte, r rune) []byte {
	return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf)
}

// half reads a further \uXXXX when one follows at once, else -1.
func (s *scanner) half() (rune, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	if s.buf[s.pos] != '\\' {
		return -1, nil
	}
	if s.end-s.pos < 2 { // the buffer ends between the two
		s.off += int64(s.pos)
		s.buf[0], s.pos, s.end = '\\', 0, 1
		n, err := io.ReadAtLeast(s.r, s.buf[1:], 1)
		s.end += n
		if err != nil {
			return 0, unexpected(err)
		}
	}
	if s.buf[s.pos+1] != 'u' {
		return -1, nil
	}
	s.pos += 2
	return s.hex4()
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (s *scanner) one() (byte, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	s.pos++
	return s.buf[s.pos-1], nil
}

func (s *scanner) hex4() (rune, error) {
	var r rune
	for range 4 {
		c, err := s.one()
		if err != nil {
			return 0, err
		}
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, s.bad("a wrong \\u")
		}
	}
	return r, nil
}

// word appends a number, true, false or null as it is written.
func (s *scanner) word(dst []byte, most int) ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return dst, err
	}
	n := 0
	for ; ; n++ {
		if err := s.fill(); err != nil {
			return dst, err
		}
		c := s.buf[s.pos]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E' || c == '+' || c == '-' || c == '.') {
			break
		}
		if n >= most {
			return dst, s.bad("a value too long")
		}
		dst = append(dst, c)
		s.pos++
	}
	if n == 0 {
		return dst, s.bad("no value")
	}
	return dst, nil
}

// maxWord bounds numbers.
const maxWord = 64

// scalar appends a string, or another value that is no object or list as it is written; null is nothing. ok is false for
// objects and lists, which are skipped.
func (s *scanner) scalar(dst []byte, most int) (out []byte, cut, ok bool, err error) {
	c, err := s.peek()
	if err != nil {
		return dst, false, false, err
	}
	switch c {
	case '"':
		out, cut, err = s.text(dst, most)
		return out, cut, true, err
	case '{', '[':
		return dst, false, false, s.skip()
	}
	out, err = s.word(dst, maxWord)
	if err == nil && string(out[len(dst):]) == "null" {
		out = out[:len(dst)]
	}
	return out, false, true, err
}

// skip passes over a value of any sort.
func (s *scanner) skip() error {
	var open [maxDepth]byte // what ends each object or list
	for depth := 0; ; {
		c, err := s.peek()
		if err != nil {
			return err
		}
		switch c {
		case '"':
			_, _, err = s.text(nil, 0)
		case '{', '[':
			if depth == maxDepth {
				return s.bad("too many levels")
			}
			s.pos++
			open[depth] = c + 2 // the closing bracket, in ASCII
			depth++
			continue
		case '}', ']', ',', ':':
			if depth == 0 || (c > ',' && c != ':' && c != open[depth-1]) {
				return s.bad(fmt.Sprintf("%q", c))
			}
			s.pos++
			if c == open[depth-1] {
				depth--
			}
		default:
			s.tmp, err = s.word(s.tmp[:0], maxWord)
		}
		if err != nil {
			return err
		}
		if depth == 0 {
			return nil
		}
	}
}
