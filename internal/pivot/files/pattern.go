package files

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// stixGroup is one thing that a pattern names: a file object, or other indicators.
type stixGroup struct {
	file   indicator.File
	others []indicator.Indicator
}

// readPattern reads a STIX 2.1 pattern (STIX 2.1, section 9). Comparisons under AND are of one object. Digests under OR
// are of one file only when there is one value for each of several algorithms; else they are files of their own. What
// can't be hunted by an exact value is told in refused.
func readPattern(text string) (groups []stixGroup, refused []string, err error) {
	toks, err := patternTokens(text)
	if err != nil {
		return nil, nil, err
	}
	r := &patternReader{toks: toks}
	n, err := r.observations()
	if err != nil {
		return nil, nil, err
	}
	if r.at < len(r.toks) {
		return nil, nil, fmt.Errorf("%q is not understood there", r.toks[r.at])
	}
	return n.groups(), r.refused, nil
}

// node is a part of a pattern: a comparison, or a list under AND or OR.
type node struct {
	op       string // "", AND, OR
	children []node
	path     string
	values   []string
}

// patternTokens splits a pattern into words, quoted texts (with a leading ') and signs.
func patternTokens(s string) ([]string, error) {
	if len(s) > maxString {
		return nil, fmt.Errorf("the pattern is over 1 MiB")
	}
	var out []string
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case strings.IndexByte("[](),", c) >= 0:
			out = append(out, string(c))
			i++
		case strings.IndexByte("=!<>", c) >= 0:
			j := i + 1
			for j < len(s) && strings.IndexByte("=<>", s[j]) >= 0 {
				j++
			}
			out = append(out, s[i:j])
			i = j
		case c == '\'':
			text, next, err := quoted(s, i)
			if err != nil {
				return nil, err
			}
			out = append(out, "'"+text)
			i = next
		default:
			j := pathEnd(s, i)
			out = append(out, s[i:j])
			i = j
		}
		if len(out) > 200_000 {
			return nil, fmt.Errorf("the pattern has over 200,000 parts")
		}
	}
	return out, nil
}

// quoted reads a text in single quotes with its escapes.
func quoted(s string, i int) (text string, next int, err error) {
	var b strings.Builder
	for j := i + 1; j < len(s); j++ {
		switch {
		case s[j] == '\\' && j+1 < len(s):
			j++
			b.WriteByte(s[j])
		case s[j] == '\'':
			return b.String(), j + 1, nil
		default:
			b.WriteByte(s[j])
		}
	}
	return "", 0, fmt.Errorf("a quote is not closed")
}

// pathEnd finds the end of a word or object path, whose parts may be quoted: file:hashes.'SHA-256'.
func pathEnd(s string, i int) int {
	for i < len(s) {
		switch {
		case s[i] == '.' && i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '"'):
			q := s[i+1]
			end := strings.IndexByte(s[i+2:], q)
			if end < 0 {
				return len(s)
			}
			i += end + 3
		case strings.IndexByte(" \t\r\n[](),=!<>'", s[i]) >= 0:
			return i
		default:
			i++
		}
	}
	return i
}

type patternReader struct {
	toks    []string
	at      int
	depth   int
	refused []string
}

func (r *patternReader) peek() string {
	if r.at < len(r.toks) {
		return r.toks[r.at]
	}
	return ""
}

func (r *patternReader) next() string {
	t := r.peek()
	r.at++
	return t
}

// observations reads [..] OR [..], with parentheses and qualifiers. Observations are never of one object.
func (r *patternReader) observations() (node, error) {
	out := node{op: "EACH"}
	for {
		var n node
		var err error
		switch r.next() {
		case "[":
			if n, err = r.expression("]"); err != nil {
				return node{}, err
			}
		case "(":
			if r.depth++; r.depth > maxDepth {
				return node{}, errDepth
			}
			if n, err = r.observations(); err != nil {
				return node{}, err
			}
			if r.next() != ")" {
				return node{}, fmt.Errorf("a parenthesis is not closed")
			}
			r.depth--
		default:
			return node{}, fmt.Errorf("a pattern begins with [")
		}
		out.children = append(out.children, n)
		r.qualifiers()
		switch strings.ToUpper(r.peek()) {
		case "AND", "OR", "FOLLOWEDBY":
			r.at++
		default:
			return out, nil
		}
	}
}

// qualifiers passes over WITHIN, REPEATS, START and STOP.
func (r *patternReader) qualifiers() {
	for slices.Contains([]string{"WITHIN", "REPEATS", "START", "STOP"}, strings.ToUpper(r.peek())) {
		for r.at++; r.at < len(r.toks) && !slices.Contains([]string{"AND", "OR", "FOLLOWEDBY", "WITHIN", "REPEATS", "START", "STOP", ")", "["}, strings.ToUpper(r.peek())); r.at++ {
			continue
		}
	}
}

// expression reads comparisons up to the closing sign; AND binds stronger than OR.
func (r *patternReader) expression(closing string) (node, error) {
	if r.depth++; r.depth > maxDepth {
		return node{}, errDepth
	}
	defer func() { r.depth-- }()
	or := node{op: "OR"}
	and := node{op: "AND"}
	for {
		n, err := r.comparison()
		if err != nil {
			return node{}, err
		}
		and.children = append(and.children, n)
		switch t := r.next(); {
		case strings.EqualFold(t, "AND"):
		case strings.EqualFold(t, "OR"):
			or.children = append(or.children, and)
			and = node{op: "AND"}
		case t == closing:
			or.children = append(or.children, and)
			return or, nil
		default:
			return node{}, fmt.Errorf("%q where AND, OR or %s is due", t, closing)
		}
	}
}

func (r *patternReader) comparison() (node, error) {
	negated := false
	if strings.EqualFold(r.peek(), "NOT") {
		negated = true
		r.at++
	}
	if r.peek() == "(" {
		r.at++
		n, err := r.expression(")")
		if negated {
			r.refused = append(r.refused, "NOT (…)")
			return node{}, err
		}
		return n, err
	}
	path := r.next()
	op := strings.ToUpper(r.next())
	if op == "NOT" {
		negated = true
		op = strings.ToUpper(r.next())
	}
	n := node{path: path}
	switch op {
	case "=":
		n.values = []string{strings.TrimPrefix(r.next(), "'")}
	case "IN":
		if r.next() != "(" {
			return node{}, fmt.Errorf("IN without a list")
		}
		for {
			n.values = append(n.values, strings.TrimPrefix(r.next(), "'"))
			if t := r.next(); t == ")" {
				break
			} else if t != "," {
				return node{}, fmt.Errorf("%q in a list", t)
			}
		}
	case "!=", "<", ">", "<=", ">=", "<>", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET":
		r.at++
		r.refused = append(r.refused, path+" "+op)
		return node{}, nil
	default:
		return node{}, fmt.Errorf("%q is no comparison", op)
	}
	if negated {
		r.refused = append(r.refused, "NOT "+path)
		return node{}, nil
	}
	return n, nil
}

// groups gives what a part of a pattern names.
func (n node) groups() []stixGroup {
	if n.op == "" {
		return n.leaf()
	}
	var parts [][]stixGroup
	for _, c := range n.children {
		if g := c.groups(); len(g) > 0 {
			parts = append(parts, g)
		}
	}
	flat := slices.Concat(parts...)
	switch {
	case n.op == "AND" && !slices.ContainsFunc(parts, func(g []stixGroup) bool { return len(g) > 1 }):
		if merged, ok := mergeGroups(flat); ok && len(flat) > 0 {
			return []stixGroup{merged}
		}
	case n.op == "OR" && len(flat) > 1 && onePerAlgorithm(flat):
		if merged, ok := mergeGroups(flat); ok {
			return []stixGroup{merged}
		}
	}
	return flat
}

// onePerAlgorithm reports whether groups are single digests of different algorithms: one file in several digests.
func onePerAlgorithm(groups []stixGroup) bool {
	seen := map[indicator.Kind]bool{}
	for _, g := range groups {
		d := g.file.Digests()
		if len(d) != 1 || len(g.others) > 0 || g.file.Size > 0 || len(g.file.Names) > 0 || seen[d[0].Kind] {
			return false
		}
		seen[d[0].Kind] = true
	}
	return true
}

// mergeGroups joins groups into one; ok is false when they contradict each other.
func mergeGroups(groups []stixGroup) (out stixGroup, ok bool) {
	for _, g := range groups {
		for _, d := range g.file.Digests() {
			if old := out.file.Digest(d.Kind); old != "" && old != d.Value {
				return stixGroup{}, false
			}
			out.file.SetDigest(d.Kind, d.Value)
		}
		out.file.Size = max(out.file.Size, g.file.Size)
		out.file.Names = append(out.file.Names, g.file.Names...)
		out.others = append(out.others, g.others...)
	}
	return out, true
}

// leaf gives what one comparison names, a group a value.
func (n node) leaf() []stixGroup {
	object, property, _ := strings.Cut(n.path, ":")
	var out []stixGroup
	for _, v := range n.values {
		var g stixGroup
		switch {
		case strings.Contains(property, "hashes"):
			alg := strings.Trim(property[strings.LastIndex(property, "hashes")+len("hashes"):], `.'"`)
			kind, ok := indicator.KindOfName(alg)
			if !ok || !kind.IsDigest() {
				continue
			}
			ind, err := indicator.Parse(kind, v)
			if err != nil {
				continue
			}
			g.file.SetDigest(kind, ind.Value)
		case object == "file" && property == "name":
			g.file.Names = []string{v}
			g.others = indicatorsOf(indicator.Filename, v)
		case object == "file" && property == "size":
			g.file.Size, _ = strconv.ParseInt(v, 10, 64) // not a number: unknown
		default:
			kind, ok := stixKind(object)
			if !ok {
				continue
			}
			g.others = indicatorsOf(kind, v)
		}
		out = append(out, g)
	}
	return out
}

func indicatorsOf(kind indicator.Kind, value string) []indicator.Indicator {
	ind, err := indicator.Parse(kind, value)
	if err != nil {
		return nil
	}
	return []indicator.Indicator{ind}
}

// stixKind maps the types of observables.
func stixKind(object string) (indicator.Kind, bool) {
	switch object {
	case "ipv4-addr", "ipv6-addr":
		return indicator.IPv4, true
	case "domain-name":
		return indicator.Domain, true
	case "url":
		return indicator.URL, true
	case "email-addr":
		return indicator.Email, true
	case "mutex":
		return indicator.Mutex, true
	case "windows-registry-key":
		return indicator.RegistryKey, true
	}
	return "", false
}
