package carbonblack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// loose is a value that servers of different versions write as a text, a number or a truth value. What is none of these
// is "".
type loose string

// UnmarshalJSON takes any value.
func (l *loose) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*l = loose(s)
	case 'n', '{', '[':
		*l = ""
	default:
		*l = loose(data)
	}
	return nil
}

// maxText bounds what of one text of the server is kept.
const maxText = 32 << 10

// text gives the value for a row: bounded, and "" for what the server writes when it does not know.
func (l loose) text() string {
	s := string(l)
	if len(s) > maxText {
		s = s[:maxText]
		for !utf8.ValidString(s) { // cut in the middle of a character
			s = s[:len(s)-1]
		}
	}
	if s == "(unknown)" {
		return ""
	}
	return s
}

// id gives a number greater than 0 in its one form, "" for anything else.
func (l loose) id() string {
	if n, err := strconv.ParseInt(string(l), 10, 64); err == nil && n > 0 {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

func (l loose) number() int64 {
	n, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (l loose) isTrue() bool { return strings.EqualFold(string(l), "true") || l == "1" }

// time reads both forms of the server: 2026-11-20T12:25:37.19Z, and 2026-11-23 22:59:38.393861+00:00 of sensors.
func (l loose) time() time.Time {
	for _, form := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(form, string(l)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// unix is the time for a row, "" when there is none.
func (l loose) unix() string {
	if t := l.time(); t.Unix() > 0 {
		return strconv.FormatInt(t.Unix(), 10)
	}
	return ""
}

// md5 gives an md5 in lower case; "" for what is none, and for the run of zeros that stands for an unknown one.
func (l loose) md5() string {
	v := strings.ToLower(string(l))
	if !md5Form.MatchString(v) || strings.Trim(v, "0") == "" {
		return ""
	}
	return v
}

// page is one page of an answer to a search or of the list of sensors.
type page[T any] struct {
	Results    []T             `json:"results"`
	Terms      []loose         `json:"terms"`
	Total      loose           `json:"total_results"`
	Incomplete loose           `json:"incomplete_results"`
	Filtered   json.RawMessage `json:"filtered"`
}

// decodePage reads a page. An answer without a list of results is none, however well formed it is.
func decodePage[T any](body []byte) (page[T], error) {
	var p page[T]
	if err := decode(body, &p); err != nil {
		return page[T]{}, err
	}
	if p.Results == nil {
		return page[T]{}, errors.New("the answer has no list of results")
	}
	return p, nil
}

func decode(body []byte, into any) error {
	if text := bytes.TrimSpace(body); len(text) == 0 {
		return errors.New("the answer is empty")
	} else if text[0] == '<' {
		return errors.New("the answer is HTML: a login page, a proxy or a server that does not run")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the answer can not be read: %w", err)
	}
	return nil
}

// incomplete reports whether a part of the server did not answer in time.
func (p page[T]) incomplete() bool {
	return p.Incomplete != "" && p.Incomplete != "0" && !strings.EqualFold(string(p.Incomplete), "false")
}

// hides names what the server kept back because of the token's rights: normally every member is empty.
func (p page[T]) hides() string {
	var v any
	if len(p.Filtered) == 0 || json.Unmarshal(p.Filtered, &v) != nil || !something(v) {
		return ""
	}
	text := strings.Join(strings.Fields(string(p.Filtered)), " ")
	return text[:min(len(text), 100)]
}

func something(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			if something(member) {
				return true
			}
		}
	case []any:
		return len(v) > 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case bool:
		return v
	}
	return false
}

// process is one record of a process; of older servers, one segment of it.
type process struct {
	ID      loose `json:"id"`
	Segment loose `json:"segment_id"`
	Unique  loose `json:"unique_id"`
	MD5     loose `json:"process_md5"`
	SHA256  loose `json:"process_sha256"`
	Name    loose `json:"process_name"`
	Path    loose `json:"path"`
	Cmdline loose `json:"cmdline"`
	PID     loose `json:"process_pid"`
	User    loose `json:"username"`
	Host    loose `json:"hostname"`
	Sensor  loose `json:"sensor_id"`
	Start   loose `json:"start"`
	Update  loose `json:"last_update"`
}

// key tells records apart, and not the processes: that is ID.
func (p process) key() string {
	if p.Unique != "" {
		return string(p.Unique)
	}
	return string(p.ID) + "/" + string(p.Segment)
}

// binary is one file that the server ever heard of.
type binary struct {
	MD5    loose   `json:"md5"`
	SHA256 loose   `json:"sha256"`
	Names  []loose `json:"observed_filename"`
	Hosts  loose   `json:"host_count"`
	Seen   []loose `json:"endpoint"` // NAME|sensor id
	Added  loose   `json:"server_added_timestamp"`
	Size   loose   `json:"orig_mod_len"`
}

func (b binary) key() string { return strings.ToLower(string(b.MD5)) }
