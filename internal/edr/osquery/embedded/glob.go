//go:build sqlite_vtable

package embedded

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// maxGlob bounds what one LIKE may list: it is held in memory, as in osquery.
const maxGlob = 1_000_000

// glob lists what a LIKE pattern on a path matches, with osquery's meaning: % is any name without a leading dot within
// one level, %% at the very end is everything below. Folders end in a separator. What LIKE itself says of a path is for the
// caller to test.
func (e *Engine) glob(q *query, op, pattern string) ([]string, error) {
	base, deep := strings.CutSuffix(pattern, "%%")
	segments := strings.Split(strings.ReplaceAll(filepath.FromSlash(base), "%%", "%"), sep)
	if !strings.Contains(pattern, "%") { // a name without wildcards is a path
		return e.existing(q, op, []string{pattern})
	}
	last := segments[len(segments)-1]
	if deep {
		segments[len(segments)-1] = last + "%"
	}
	level := []string{""}
	for i, seg := range segments {
		var next []string
		for _, dir := range level {
			found, err := e.segment(q, op, dir, seg, i)
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
			if len(next) > maxGlob {
				return nil, fmt.Errorf("%w: the pattern lists over %d paths", ErrTooLarge, maxGlob)
			}
		}
		level = next
	}
	if deep {
		below, err := e.below(q, op, level)
		if err != nil {
			return nil, err
		}
		level = below
	}
	return e.existing(q, op, level)
}

// segment extends dir by one part of the pattern.
func (e *Engine) segment(q *query, op, dir, seg string, i int) ([]string, error) {
	if i == 0 {
		return []string{seg}, nil // "" before the first separator, or a drive
	}
	if !strings.Contains(seg, "%") {
		return []string{dir + sep + seg}, nil
	}
	names, err := e.names(q, op, orRoot(dir))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range names {
		if strings.HasPrefix(n, ".") && !strings.HasPrefix(seg, ".") {
			continue
		}
		if wildcard(caseOf(seg), caseOf(n)) {
			out = append(out, dir+sep+n)
		}
	}
	return out, nil
}

func orRoot(dir string) string {
	if dir == filepath.VolumeName(dir) {
		return dir + sep
	}
	return dir
}

// names lists a folder, sorted; a path that is no folder has none.
func (e *Engine) names(q *query, op, dir string) ([]string, error) {
	src := &dirSource{engine: e, q: q, op: op, dirs: []string{dir}}
	defer src.close()
	var out []string
	for {
		p, _, ok, err := src.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			slices.Sort(out)
			return out, nil
		}
		if len(out) >= maxGlob {
			return nil, fmt.Errorf("%w: a folder has over %d entries", ErrTooLarge, maxGlob)
		}
		out = append(out, strings.TrimPrefix(p[len(dir):], sep))
	}
}

// below lists everything under the given paths, links to folders followed, each folder once by device and inode.
func (e *Engine) below(q *query, op string, roots []string) ([]string, error) {
	type identity struct{ dev, ino uint64 }
	visited := map[identity]bool{}
	var out []string
	stack := slices.Clone(roots)
	slices.Reverse(stack)
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		out = append(out, p)
		if len(out) > maxGlob {
			return nil, fmt.Errorf("%w: the pattern lists over %d paths", ErrTooLarge, maxGlob)
		}
		st, err := e.opt.FS.Stat(p)
		if err != nil || !st.Mode.IsDir() {
			continue
		}
		if id := (identity{st.Device, st.Inode}); id.ino != 0 {
			if visited[id] {
				continue
			}
			visited[id] = true
		}
		names, err := e.names(q, op, p)
		if err != nil {
			return nil, err
		}
		slices.Reverse(names)
		for _, n := range names {
			stack = append(stack, join(p, n))
		}
	}
	return out, nil
}

// existing keeps the paths that exist; folders get a trailing separator.
func (e *Engine) existing(q *query, op string, paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		if err := q.ctx.Err(); err != nil {
			return nil, err
		}
		st, err := e.opt.FS.Stat(p)
		if err != nil {
			if st, err = e.opt.FS.Lstat(p); err != nil {
				if !nowhere(err) {
					q.note(op, p, 0, reason(err))
				}
				continue
			}
		}
		if st.Mode.IsDir() && !strings.HasSuffix(p, sep) {
			p += sep
		}
		out = append(out, p)
	}
	return out, nil
}

// wildcard matches one name against a pattern whose only special character is %.
func wildcard(pattern, name string) bool {
	parts := strings.Split(pattern, "%")
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(name, part)
		}
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return name == ""
}

// matchesLike is SQLite's LIKE: % any run, _ any one character, ASCII letters without case.
func matchesLike(pattern, s string) bool {
	p, t := characters(pattern), characters(s)
	pi, ti, star, mark := 0, 0, -1, 0
	for ti < len(t) {
		switch {
		case pi < len(p) && p[pi] == '%':
			star, mark = pi, ti
			pi++
		case pi < len(p) && (p[pi] == '_' || fold(p[pi]) == fold(t[ti])):
			pi++
			ti++
		case star >= 0:
			mark++
			pi, ti = star+1, mark
		default:
			return false
		}
	}
	for pi < len(p) && p[pi] == '%' {
		pi++
	}
	return pi == len(p)
}

// characters takes a text apart as SQLite does, which also says what bytes are that are no UTF-8.
func characters(s string) []rune {
	out := make([]rune, 0, len(s))
	for i := 0; i < len(s); {
		c := uint32(s[i])
		i++
		if c >= 0xc0 {
			switch {
			case c < 0xe0:
				c &= 0x1f
			case c < 0xf0:
				c &= 0x0f
			case c < 0xf8:
				c &= 0x07
			case c < 0xfc:
				c &= 0x03
			case c < 0xfe:
				c &= 0x01
			default:
				c = 0
			}
			for i < len(s) && s[i]&0xc0 == 0x80 {
				c = c<<6 + uint32(s[i]&0x3f)
				i++
			}
			if c < 0x80 || c&0xffff_f800 == 0xd800 || c&0xffff_fffe == 0xfffe {
				c = 0xfffd
			}
		}
		out = append(out, rune(c)) //nolint:gosec // compared, never printed
	}
	return out
}

func fold(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}
