package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Bounds of what one poll may bring.
const (
	maxQueries = 100
	maxName    = 1024
	maxText    = 8 << 20
)

// query is one query as the server hands it out.
type query struct {
	Name    string `json:"name"`
	Text    []byte `json:"text"`               // as it was sent: a path in it may be no UTF-8
	MaxSize int64  `json:"max_size,omitempty"` // how big files may be to be read, bytes; 0: osquery's own limit
}

// polled is what a poll brought.
type polled struct {
	queries []query // by name
	hurry   time.Duration
}

// parsePoll reads the reply of a poll. A reply with a fault is refused whole.
func parsePoll(o object) (polled, error) {
	var p polled
	var texts map[string]json.RawMessage
	if raw, ok := o["queries"]; ok {
		if err := json.Unmarshal(raw, &texts); err != nil {
			return p, fmt.Errorf("read the queries: %w", err)
		}
	}
	if raw, ok := o["discovery"]; ok && string(raw) != "{}" && string(raw) != "null" {
		return p, errors.New("read the queries: they depend on discovery queries, which this agent does not take")
	}
	if len(texts) > maxQueries {
		return p, fmt.Errorf("read the queries: %d of them; at most %d are taken at once", len(texts), maxQueries)
	}
	more, err := parseSizes(o["hunter"])
	if err != nil {
		return p, err
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		text, ok := rawText(texts[name])
		switch {
		case !ok || len(text) == 0:
			return p, fmt.Errorf("read the query %q: a text is due", clip(name))
		case name == "" || len(name) > maxName || len(text) > maxText:
			return p, fmt.Errorf("read the query %q: a name of up to %d bytes and a text of up to %d MiB are due", clip(name), maxName, maxText>>20)
		}
		p.queries = append(p.queries, query{Name: name, Text: text, MaxSize: more[name]})
	}
	if seconds, ok := whole(o["accelerate"]); ok && seconds > 0 {
		p.hurry = time.Duration(min(seconds, int64(time.Hour/time.Second))) * time.Second
	}
	return p, nil
}

// parseSizes reads what hunter's server says beside its queries.
func parseSizes(raw json.RawMessage) (map[string]int64, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var more map[string]struct {
		MaxSize int64 `json:"max_size"`
	}
	if err := json.Unmarshal(raw, &more); err != nil {
		return nil, fmt.Errorf("read the limits of the queries: %w", err)
	}
	out := map[string]int64{}
	for name, m := range more {
		out[name] = max(m.MaxSize, 0)
	}
	return out, nil
}

// settings are what the server's configuration says to this agent.
type settings struct {
	interval time.Duration // 0: nothing
	refresh  time.Duration // 0: nothing
}

// parseConfig reads osquery's configuration. What is not for this agent is not looked at.
func parseConfig(o object) (settings, error) {
	var s settings
	var options map[string]json.RawMessage
	if raw, ok := o["options"]; ok {
		if err := json.Unmarshal(raw, &options); err != nil {
			return s, fmt.Errorf("read the configuration: options: %w", err)
		}
	}
	for name, to := range map[string]*time.Duration{"distributed_interval": &s.interval, "config_refresh": &s.refresh, "config_tls_refresh": &s.refresh} {
		if n, ok := whole(options[name]); ok && n > 0 {
			*to = time.Duration(min(n, int64(maxInterval/time.Second))) * time.Second
		}
	}
	return s, nil
}

// whole reads a whole number, also one that is written as a text.
func whole(raw json.RawMessage) (int64, bool) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// rawText decodes a JSON string and keeps bytes that are no UTF-8, which encoding/json would replace: the query would be
// another one.
func rawText(raw json.RawMessage) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return nil, false
	}
	if utf8.Valid(raw) {
		var s string
		err := json.Unmarshal(raw, &s)
		return []byte(s), err == nil
	}
	var out []byte
	for from := 0; from < len(raw); { // in pieces: what is no UTF-8 is never part of an escape
		r, size := utf8.DecodeRune(raw[from:])
		if r == utf8.RuneError && size == 1 {
			out = append(out, raw[from])
			from++
			continue
		}
		to := from
		for to < len(raw) {
			r, size := utf8.DecodeRune(raw[to:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			to += size
		}
		var s string
		piece := string(raw[from:to])
		if from > 0 {
			piece = `"` + piece
		}
		if to < len(raw) {
			piece += `"`
		}
		if json.Unmarshal([]byte(piece), &s) != nil {
			return nil, false
		}
		out = append(out, s...)
		from = to
	}
	return out, true
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}
