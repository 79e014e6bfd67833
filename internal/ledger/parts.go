package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds of splitting. What stays over budget at its end is partial, with its folder and its bytes.
const (
	SubMax   = 500 // folders that one answer lists; the others stay together
	MaxLevel = 8   // splits on the way from a hunt's root to a part
	MaxParts = 100 // parts of one query of the plan, at all levels
)

// Part says which part of an earlier query's tree a query walks. That query was over its budget, and its parts together
// walk exactly what it did: each folder that is named is walked by one of them, and one walks all but these, which
// takes in what came to be in between.
type Part struct {
	Of     string   `json:"of,omitempty"`     // id of the earlier query
	Level  int      `json:"level,omitempty"`  // how many splits lie behind it
	Found  bool     `json:"found,omitempty"`  // the root is a folder that an answer named, not one of the hunt's
	Only   []string `json:"only,omitempty"`   // these folders right under the root, sorted
	Except []string `json:"except,omitempty"` // everything under the root but these folders right under it, sorted
}

// Sub is a folder right under the root of a walk that was over budget, with what would have been hashed in it.
type Sub struct {
	Path         string
	Files, Bytes int64
}

// question is the id of the query of the plan from which the parts of an id come.
func question(id string) string {
	base, _, _ := strings.Cut(id, ".")
	return base
}

// PartID names the nth part of a query.
func PartID(of string, n int) string { return fmt.Sprintf("%s.%02d", of, n) }

// PartsLeft says how many more parts a query may be split into.
func PartsLeft(planned []Query, of Query) int {
	n := MaxParts
	for _, q := range planned {
		if q.Part.Of != "" && question(q.ID) == question(of.ID) {
			n--
		}
	}
	return max(n, 0)
}

// Replaced names the queries whose parts walk all that they do, so that their own answers say nothing more.
func Replaced(planned []Query) map[string]bool {
	parts := map[string][]Query{}
	for _, q := range planned {
		if q.Part.Of != "" {
			parts[q.Part.Of] = append(parts[q.Part.Of], q)
		}
	}
	out := map[string]bool{}
	for _, q := range planned {
		if len(parts[q.ID]) > 0 && covered(q, parts[q.ID]) {
			out[q.ID] = true
		}
	}
	return out
}

// covered tests that parts leave out nothing of what q walks, for no hash and no size.
func covered(q Query, parts []Query) bool {
	named := map[string]bool{}
	var rest *Query
	for i, p := range parts {
		depth := q.MaxDepth
		switch {
		case p.Root != q.Root && len(p.Part.Only)+len(p.Part.Except) == 0:
			named[p.Root] = true
			depth--
		case p.Root == q.Root && len(p.Part.Only) > 0:
			for _, f := range p.Part.Only {
				named[f] = true
			}
		case p.Root == q.Root && len(p.Part.Except) > 0 && rest == nil:
			rest = &parts[i]
		default:
			return false
		}
		if p.Stage != q.Stage || p.MaxDepth != depth || p.MaxSize != q.MaxSize || !slices.Equal(p.Sizes, q.Sizes) || !slices.Equal(p.Hashes, q.Hashes) {
			return false
		}
	}
	open := q.Part.Only
	if len(open) == 0 {
		if rest == nil {
			return false
		}
		for _, f := range q.Part.Except {
			named[f] = true // walked by a part of what q is itself a part of
		}
		open = rest.Part.Except
	}
	return !slices.ContainsFunc(open, func(f string) bool { return !named[f] })
}

// where names what a query walks, for people.
func (q Query) where() string {
	switch only := q.Part.Only; {
	case len(only) == 1:
		return only[0]
	case len(only) > 1:
		return fmt.Sprintf("%s and %s beside it", only[0], some(int64(len(only)-1), "folder", "folders"))
	case len(q.Part.Except) > 0:
		return fmt.Sprintf("%s without %s asked for apart", q.Root, some(int64(len(q.Part.Except)), "folder", "folders"))
	default:
		return q.Root
	}
}

// maxFolderName is more bytes than any file system gives a name: 255 characters of three bytes each.
const maxFolderName = 1024

// under reports whether path is a folder right under the root that a query walks.
func (q Query) under(path string) bool {
	sep := "/"
	if q.Platform == "windows" {
		sep = `\`
	}
	name, ok := strings.CutPrefix(path, strings.TrimSuffix(q.Root, sep)+sep)
	if !ok || name == "" || name == "." || name == ".." || len(name) > maxFolderName || strings.ContainsAny(name, sep+"\x00") {
		return false
	}
	if len(q.Part.Only) > 0 {
		return slices.Contains(q.Part.Only, path)
	}
	return !slices.Contains(q.Part.Except, path)
}

// sub takes in a folder's sums.
func (p *parsed) sub(q Query, r Row) {
	s := Sub{Path: r["path"], Files: number(r["n"], -1), Bytes: number(r["size"], -1)}
	switch {
	case !q.Splits:
		p.problem("a row of unknown kind %q", r["kind"])
	case s.Files <= 0 || s.Bytes < 0:
		p.problem("the sums of a folder are no numbers")
	case !q.under(s.Path):
		p.problem("the sums are of a folder that is not one of those walked")
	default:
		p.subs = append(p.subs, s)
	}
}

// summed checks that the sums by folder are those of the whole.
func (p *parsed) summed(q Query) {
	if !q.Splits {
		return
	}
	c := p.counts
	p.listed("folders with sums", int64(len(p.subs)), min(c["subs"].n, SubMax))
	files, bytes := c["loose"].n, c["loose"].size
	for i, s := range p.subs {
		files, bytes = files+s.Files, bytes+s.Bytes
		if i > 0 && p.subs[i-1].Path == s.Path {
			p.problem("the sums of a folder came twice")
		}
	}
	all := tally{}
	if p.overBudget(q) {
		all = c["candidates"]
	}
	if files > all.n || bytes > all.size || (c["subs"].n <= SubMax && (files != all.n || bytes != all.size)) {
		p.problem("the sums by folder are not those of the whole: %d of %d files", files, all.n)
	}
}
