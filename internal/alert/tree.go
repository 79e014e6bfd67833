package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// node is one JSON value and its place. Objects keep the order of their members and those of one name.
type node struct {
	up     *node
	key    string // in an object
	pos    int    // in an array; -1 elsewhere
	object bool
	array  bool
	text   string // of a string or number; booleans and null have none
	yes    bool   // of a boolean that is true
	subs   []*node
	byKey  map[string]*node // of an object, in lower case; made when asked for
}

// parseError is a fault of the JSON text.
type parseError struct {
	line, column int
	what, hint   string
}

func (e *parseError) Error() string { return e.what }

// parser reads JSON values within bounds.
type parser struct {
	data   []byte
	dec    *json.Decoder
	start  int64 // of the value being read, in data
	values int
}

// parse reads one JSON value or several, one after another.
func parse(data []byte) ([]*node, error) {
	p := &parser{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	p.dec.UseNumber()
	var out []*node
	for {
		p.start = p.dec.InputOffset()
		tok, err := p.dec.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		n := &node{pos: -1}
		if err == nil {
			err = p.value(n, tok, 1)
		}
		if err != nil {
			return nil, p.fault(err)
		}
		out = append(out, n)
	}
}

var (
	errDepth  = fmt.Errorf("the alert is nested deeper than %d", maxDepth)
	errValues = fmt.Errorf("the alert has over %d values", maxValues)
)

// value reads the rest of the value that tok begins.
func (p *parser) value(n *node, tok json.Token, depth int) error {
	if p.values++; p.values > maxValues {
		return errValues
	}
	switch v := tok.(type) {
	case string:
		n.text = v
		return nil
	case json.Number:
		n.text = v.String()
		return nil
	case bool:
		n.yes = v
		return nil
	case json.Delim:
		if depth > maxDepth {
			return errDepth
		}
		n.object, n.array = v == '{', v == '['
	default:
		return nil
	}
	for p.dec.More() {
		sub := &node{up: n, pos: -1}
		if n.array {
			sub.pos = len(n.subs)
		} else {
			key, err := p.dec.Token()
			if err != nil {
				return err
			}
			sub.key, _ = key.(string)
		}
		tok, err := p.dec.Token()
		if err != nil {
			return err
		}
		if err := p.value(sub, tok, depth+1); err != nil {
			return err
		}
		n.subs = append(n.subs, sub)
	}
	_, err := p.dec.Token() // the closing bracket
	return err
}

// fault gives an error its place. The decoder's own offsets are of its buffer, so the checker is asked again.
func (p *parser) fault(err error) error {
	offset := p.dec.InputOffset()
	e := &parseError{what: err.Error(), hint: "give the alert as the SIEM exports it, in JSON"}
	switch {
	case errors.Is(err, errDepth), errors.Is(err, errValues):
		e.hint = "give one alert, not an export of many"
	default:
		var first json.RawMessage
		var syntax *json.SyntaxError
		if again := json.Unmarshal(p.data[p.start:], &first); errors.As(again, &syntax) {
			offset = p.start + syntax.Offset - 1
			e.what = "no JSON: " + syntax.Error()
		}
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || e.what == "no JSON: unexpected end of JSON input" {
			offset, e.what = int64(len(p.data)), "the alert ends in the middle"
		}
	}
	before := p.data[:min(max(offset, 0), int64(len(p.data)))]
	line := bytes.LastIndexByte(before, '\n') + 1
	e.line, e.column = bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(before[line:])+1
	return e
}

// path is the place of a value as people write it: alerts[0].file.hash.md5. Long keys and paths are cut.
func (n *node) path() string {
	var parts []string
	length := 0
	for at := n; at.up != nil; at = at.up {
		part := fmt.Sprintf("[%d]", at.pos)
		if at.pos < 0 {
			part = "." + cut(at.key, 128)
		}
		if length += len(part); length > 1024 {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, part)
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString(parts[i])
	}
	return strings.TrimPrefix(b.String(), ".")
}

// leaves hands every value that is a text or number to f, in order, until f says false.
func (n *node) leaves(f func(*node) bool) bool {
	if !n.object && !n.array {
		return f(n)
	}
	for _, s := range n.subs {
		if !s.leaves(f) {
			return false
		}
	}
	return true
}

// member gives the member of an object by its key in lower case, the first of several.
func (n *node) member(key string) *node {
	if n == nil || !n.object {
		return nil
	}
	if n.byKey == nil {
		n.byKey = map[string]*node{}
		for _, s := range n.subs {
			if k := strings.ToLower(s.key); n.byKey[k] == nil {
				n.byKey[k] = s
			}
		}
	}
	return n.byKey[key]
}

// get follows a dotted path, whether its parts are nested objects or one dotted key; of arrays it takes the first value.
func (n *node) get(path string) *node { return n.at(path).first() }

// at is get that leaves an array at the end of the path whole.
func (n *node) at(path string) *node {
	if path == "" {
		return n
	}
	n = n.first()
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if m := n.member(path[:end]); m != nil {
			if found := m.at(strings.TrimPrefix(path[end:], ".")); found != nil {
				return found
			}
		}
	}
	return nil
}

// first gives the first value of an array, and anything else as it is.
func (n *node) first() *node {
	for n != nil && n.array {
		if len(n.subs) == 0 {
			return nil
		}
		n = n.subs[0]
	}
	return n
}

// items gives the values of the array at a path; one value that stands there alone counts as an array of one.
func (n *node) items(path string) []*node {
	switch at := n.at(path); {
	case at == nil:
		return nil
	case at.array:
		return at.subs
	default:
		return []*node{at}
	}
}

// words gives the texts at a path.
func (n *node) words(path string) []string {
	if at := n.at(path); at != nil {
		return textsOf(at)
	}
	return nil
}

func (n *node) isObject() bool { return n != nil && n.object }

func (n *node) isArray() bool { return n != nil && n.array }

// textAt gives the first text or number at one of some paths.
func (n *node) textAt(paths ...string) string {
	for _, p := range paths {
		if at := n.get(p); at != nil && at.text != "" {
			return cut(at.text, maxText)
		}
	}
	return ""
}

// has reports whether one of some paths leads anywhere.
func (n *node) has(paths ...string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return n.at(p) != nil })
}

// field is the object key a value belongs to, through any arrays.
func (n *node) field() *node {
	for n.pos >= 0 && n.up != nil {
		n = n.up
	}
	return n
}

func cut(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// unwrap finds the alerts in what was read: elements of arrays, and of the lists that searches and logs put around them.
func unwrap(docs []*node) []*node {
	var out []*node
	for _, d := range docs {
		switch list := listed(d); {
		case len(out) > maxAlerts:
			return out
		case list != nil:
			out = append(out, unwrap(list)...)
		default:
			out = append(out, d)
		}
	}
	return out
}

// listed gives the alerts of a list, nil when it is none.
func listed(d *node) []*node {
	if d.array {
		if isEntities(d) {
			return nil // of one alert: they point at each other
		}
		return d.subs
	}
	for _, l := range []struct {
		path, sign string
		signed     bool
	}{
		{"hits.hits", "hits.hits", true},                       // a search of Elasticsearch
		{"response", "response.event", true},                   // MISP
		{"value", "@odata.context", d.has("@odata.context")},   // Microsoft Graph
		{"data", "log_type", d.textAt("log_type") == "result"}, // what osquery sends to a server
		{"logs", "logs.hostidentifier", true},                  // and some receivers pass on
	} {
		if at := d.at(l.path); l.signed && at.isArray() && d.has(l.sign) {
			return at.subs
		}
	}
	return nil
}
