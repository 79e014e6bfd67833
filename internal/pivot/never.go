package pivot

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
)

// Bounds of a never list: bytes of its file, and faults that are told of it.
const (
	neverMax    = 64 << 20
	neverFaults = 100
)

// NeverList holds digests that are never hunted, each with its reason. The zero value and nil are empty.
type NeverList struct {
	entries map[indicator.Indicator]NeverEntry
}

// NeverEntry is one digest that is never hunted.
type NeverEntry struct {
	Digest  indicator.Indicator
	Reason  string
	Expires time.Time // the first moment at which it does not count any more; zero: it always counts
	Source  string    // the list's name
}

func (e NeverEntry) expired(now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// Find gives the reason why a digest is never hunted. An entry that has expired does not count.
func (l *NeverList) Find(i indicator.Indicator, now time.Time) (reason string, listed bool) {
	if l == nil {
		return "", false
	}
	e, ok := l.entries[i]
	if !ok || e.expired(now) {
		return "", false
	}
	return "on the never list " + e.Source + ": " + e.Reason, true
}

// Expired lists the entries that do not count any more, sorted by digest, so that one can be told of them.
func (l *NeverList) Expired(now time.Time) []NeverEntry {
	var out []NeverEntry
	if l == nil {
		return nil
	}
	for _, e := range l.entries {
		if e.expired(now) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b NeverEntry) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
	return out
}

// Len is the number of entries, expired ones included.
func (l *NeverList) Len() int {
	if l == nil {
		return 0
	}
	return len(l.entries)
}

// Merge adds the entries of another list. Of two for one digest the one that counts longer stays.
func (l *NeverList) Merge(other *NeverList) {
	if other == nil {
		return
	}
	for _, e := range other.entries {
		l.add(e)
	}
}

func (l *NeverList) add(e NeverEntry) {
	if l.entries == nil {
		l.entries = map[indicator.Indicator]NeverEntry{}
	}
	old, there := l.entries[e.Digest]
	if there && (old.Expires.IsZero() || (!e.Expires.IsZero() && !e.Expires.After(old.Expires))) {
		return
	}
	l.entries[e.Digest] = e
}

// LoadNever reads a never list: CSV with the header hash,reason,expires (a reason is needed; expires is the last day on
// which the entry counts, in UTC, or empty; lines that begin with # are comments), or a MISP warninglist of type string,
// whose name is the reason. A list with faults is refused whole; each fault is a diag.List that names file, line and
// column. name is what the file is called.
func LoadNever(r io.Reader, name string) (*NeverList, []error) {
	n := &neverReader{name: name}
	data, err := io.ReadAll(io.LimitReader(r, neverMax+1))
	switch {
	case err != nil:
		return nil, []error{fmt.Errorf("read %s: %w", diag.Escape(name), err)}
	case len(data) > neverMax:
		n.fault(0, 0, fmt.Sprintf("the list is over %d MiB", neverMax>>20), "split it")
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		n.fault(1, 1, "the list is UTF-16", "save it as UTF-8")
	default:
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
		if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
			n.warninglist(data)
		} else {
			n.csv(data)
		}
	}
	if len(n.faults) > 0 {
		return nil, n.faults
	}
	return &n.list, nil
}

// neverReader reads one list.
type neverReader struct {
	name   string
	list   NeverList
	faults []error
}

func (n *neverReader) fault(line, column int, what, hint string) {
	if len(n.faults) < neverFaults {
		n.faults = append(n.faults, diag.List{{File: n.name, Line: line, Column: column, Message: what, Hint: hint}})
	}
}

func (n *neverReader) csv(data []byte) {
	in := csv.NewReader(bytes.NewReader(data))
	in.Comment, in.FieldsPerRecord, in.TrimLeadingSpace = '#', -1, true
	header, err := in.Read()
	if err != nil || !slices.Contains([]string{"hash,reason", "hash,reason,expires"}, strings.ToLower(strings.Join(trimmed(header), ","))) {
		n.fault(1, 1, "no never list: its header is missing", "begin it with the line hash,reason,expires")
		return
	}
	for {
		rec, err := in.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &bad):
			n.fault(bad.Line, bad.Column, bad.Err.Error(), `put a field with quotes or commas in quotes, and write " as ""`)
			return
		case err != nil:
			n.fault(0, 0, err.Error(), "")
			return
		}
		n.entry(in, trimmed(rec))
	}
}

func (n *neverReader) entry(in *csv.Reader, rec []string) {
	fault := func(field int, what, hint string) {
		line, column := in.FieldPos(min(field, len(rec)-1))
		n.fault(line, column, what, hint)
	}
	ind, err := indicator.ParseHash(rec[0])
	if refused, ok := errors.AsType[*indicator.RefusedError](err); ok {
		fault(0, fmt.Sprintf("%q is %s", refused.Value, refused.What), refused.Reason)
	}
	if len(rec) < 2 || rec[1] == "" {
		fault(1, "an entry without a reason", "say why this digest is never hunted")
		return
	}
	if len(rec) > 3 {
		fault(3, fmt.Sprintf("%d fields, and the header has 3", len(rec)), "put a reason with commas in quotes")
		return
	}
	e := NeverEntry{Digest: ind, Reason: rec[1], Source: n.name}
	if len(rec) == 3 && rec[2] != "" {
		day, err := time.Parse(time.DateOnly, rec[2])
		if err != nil {
			fault(2, fmt.Sprintf("expires %q is no date", rec[2]), "write a day such as 2027-01-31, or nothing")
			return
		}
		e.Expires = day.AddDate(0, 0, 1)
	}
	if err == nil {
		n.list.add(e)
	}
}

func trimmed(rec []string) []string {
	for i := range rec {
		rec[i] = strings.TrimSpace(rec[i])
	}
	return rec
}

// warninglist reads a list of github.com/MISP/misp-warninglists. Values that are no digests of ours, such as ssdeep or
// sha512, are passed over: they are never hunted anyway.
func (n *neverReader) warninglist(data []byte) {
	var w struct {
		Name string   `json:"name"`
		Type string   `json:"type"`
		List []string `json:"list"`
	}
	if err := json.Unmarshal(data, &w); err != nil {
		line, column := place(data, err)
		n.fault(line, column, "no MISP warninglist: "+err.Error(), "give a CSV that begins with hash,reason,expires, or a warninglist as MISP publishes it")
		return
	}
	if w.Type != "string" {
		n.fault(1, 1, fmt.Sprintf("a warninglist of type %q can't name digests", w.Type), "give one of type string")
		return
	}
	if w.Name == "" {
		n.fault(1, 1, "the warninglist has no name, which is its reason", "add name")
	}
	for _, v := range w.List {
		if ind, err := indicator.ParseHash(v); err == nil {
			n.list.add(NeverEntry{Digest: ind, Reason: w.Name, Source: n.name})
		}
	}
	if n.list.Len() == 0 {
		n.fault(1, 1, "the warninglist names no md5, sha1 or sha256", "give one of file digests")
	}
}

// place gives the line and column of a JSON error, 1-based, in characters; 0 when it has none.
func place(data []byte, err error) (line, column int) {
	var offset int64
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return 0, 0
	}
	before := data[:min(max(offset-1, 0), int64(len(data)))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}
