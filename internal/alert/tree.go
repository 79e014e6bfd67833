package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// node is one JSON value and its place. Objects keep the order of their members and those of one name.
type node struct {
	up     *node
	key    string // in an object
	at     int    // in an array; -1 elsewhere
	object bool
	array  bool
	text   string // of a string or number; booleans and null have none
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
		n := &node{at: -1}
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
	case json.Delim:
		if depth > maxDepth {
			return errDepth
		}
		n.object, n.array = v == '{', v == '['
	default:
		return nil
	}
	for p.dec.More() {
		sub := &node{up: n, at: -1}
		if n.array {
			sub.at = len(n.subs)
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
		part := fmt.Sprintf("[%d]", at.at)
		if at.at < 0 {
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
	if !n.object {
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
func (n *node) get(path string) *node {
	for n.array {
		if len(n.subs) == 0 {
			return nil
		}
		n = n.subs[0]
	}
	if path == "" {
		return n
	}
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if m := n.member(path[:end]); m != nil {
			if found := m.get(strings.TrimPrefix(path[end:], ".")); found != nil {
				return found
			}
		}
	}
	return nil
}

// field is the object key a value belongs to, through any arrays.
func (n *node) field() *node {
	for n.at >= 0 && n.up != nil {
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

// unwrap finds the alerts in what was read: elements of arrays, hits.hits of a search.
func unwrap(docs []*node) []*node {
	var out []*node
	for _, d := range docs {
		switch hits := d.get("hits.hits"); {
		case len(out) > maxAlerts:
			return out
		case d.array:
			out = append(out, unwrap(d.subs)...)
		case hits != nil && hits.up != nil && hits.up.array:
			out = append(out, unwrap(hits.up.subs)...)
		default:
			out = append(out, d)
		}
	}
	return out
}
