package remotetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// query is a member of "queries". Its bytes are those that came: a path in it need not be UTF-8.
type query struct{ name, text string }

// members reads an object of texts in its order. A value that is no text is an empty one.
func members(raw []byte) ([]query, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	raw = bytes.TrimSpace(raw)
	if raw[0] != '{' {
		return nil, errors.New("queries are no object")
	}
	var out []query
	for rest := raw[1:]; ; {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if len(rest) == 0 || rest[0] == '}' {
			return out, nil
		}
		name, after, err := text(rest)
		if err != nil {
			return out, err
		}
		value := bytes.TrimLeft(after, " \t\r\n:")
		if len(value) == 0 || value[0] != '"' {
			return append(out, query{name: name}), nil // what follows is not looked at either
		}
		q := query{name: name}
		if q.text, rest, err = text(value); err != nil {
			return out, err
		}
		out = append(out, q)
	}
}

// text reads one JSON string at the begin of raw, which is valid JSON.
func text(raw []byte) (out string, rest []byte, err error) {
	end := 1
	for ; end < len(raw) && raw[end] != '"'; end++ {
		if raw[end] == '\\' {
			end++
		}
	}
	if len(raw) == 0 || raw[0] != '"' || end >= len(raw) {
		return "", nil, fmt.Errorf("no text: %.40q", raw)
	}
	inner := raw[1:end]
	if utf8.Valid(inner) {
		err = json.Unmarshal(raw[:end+1], &out)
		return out, raw[end+1:], err
	}
	var b []byte // one character or byte at a time, as encoding/json would replace bytes
	for i := 0; i < len(inner); {
		n := 1
		if inner[i] == '\\' {
			n = 2
			if i+1 < len(inner) && inner[i+1] == 'u' {
				n = 6
			}
			var one string
			if err := json.Unmarshal([]byte(`"`+string(inner[i:min(i+n, len(inner))])+`"`), &one); err != nil {
				return "", nil, err
			}
			b = append(b, one...)
		} else {
			b = append(b, inner[i])
		}
		i += n
	}
	return string(b), raw[end+1:], nil
}
