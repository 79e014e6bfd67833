package threatscape

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/httpx"
)

// Bounds of an answer.
const (
	maxRows  = 200_000
	maxText  = 64 << 10
	maxNest  = 32
	maxField = 200 // fields of a row
)

// row is one tagged indicator of one report, or one hit of a search: field names in lower case, since their case varies,
// with texts. Numbers are texts too; fields that are empty or null are left out.
type row map[string]string

func (r row) get(name string) string { return r[strings.ToLower(name)] }

// What an answer that can be read may say.
var (
	errShape   = errors.New("not in the documented form")
	errSaysNo  = errors.New("the service says no")
	errTooMany = fmt.Errorf("over %d rows", maxRows)
)

// causeOf gives what the client makes of a fault in an answer.
func causeOf(err error, body []byte) (detail string, cause error) {
	const shown = 120
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, errSaysNo):
		return strings.TrimPrefix(err.Error(), errSaysNo.Error()+": "), httpx.ErrRefused
	case errors.Is(err, errTooMany):
		return err.Error(), httpx.ErrTooLarge
	case isHTML(body):
		return fmt.Sprintf("an HTML page: %s", body[:min(len(body), shown)]), httpx.ErrShape
	default:
		return fmt.Sprintf("%s: %s", strings.TrimPrefix(err.Error(), errShape.Error()+": "), body[:min(len(body), shown)]), httpx.ErrShape
	}
}

func isHTML(body []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)]))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// explain gives the words of an answer that is an error: those of its error object when it has one.
func explain(res *httpx.Response) string {
	_, err := openJSON(res.Body)
	if !errors.Is(err, errSaysNo) {
		_, err = xmlRows(res.Body)
	}
	if errors.Is(err, errSaysNo) {
		return strings.TrimPrefix(err.Error(), errSaysNo.Error()+": ")
	}
	return string(res.Body[:min(len(res.Body), 1024)])
}

// openJSON opens the envelope of every JSON answer. One that says no is an error, whatever its status.
func openJSON(body []byte) (json.RawMessage, error) {
	var e struct {
		Success any             `json:"success"` // true, or "true"
		Message json.RawMessage `json:"message"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", errShape, err)
	}
	switch e.Success {
	case true, "true":
		return e.Message, nil
	case false, "false":
		var why struct {
			Error       string `json:"error"`
			Description string `json:"description"`
		}
		_ = json.Unmarshal(e.Message, &why) // other forms say nothing that can be told
		return nil, saysNo(why.Error, why.Description)
	}
	return nil, fmt.Errorf("%w: it does not say whether it is a success", errShape)
}

func saysNo(parts ...string) error {
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	if len(parts) == 0 {
		parts = []string{"without a reason"}
	}
	return fmt.Errorf("%w: %s", errSaysNo, strings.Join(parts, ": "))
}

// jsonRows reads rows from {"publishedIndicators":[…]}, or from a list of rows or of ids of reports.
func jsonRows(body []byte) ([]row, error) {
	message, err := openJSON(body)
	if err != nil {
		return nil, err
	}
	message = bytes.TrimSpace(message)
	if len(message) == 0 { // "nothing known" is an empty list, null, or 204
		return nil, fmt.Errorf("%w: it has no message", errShape)
	}
	if message[0] == '{' {
		var wrapped struct {
			Published json.RawMessage `json:"publishedIndicators"`
		}
		if err := json.Unmarshal(message, &wrapped); err != nil {
			return nil, fmt.Errorf("%w: %w", errShape, err)
		}
		if wrapped.Published == nil {
			return nil, fmt.Errorf("%w: it has no publishedIndicators", errShape)
		}
		message = wrapped.Published
	}
	switch {
	case string(message) == "null":
		return nil, nil
	case message[0] != '[':
		return nil, fmt.Errorf("%w: a list is due", errShape)
	}
	return jsonList(message)
}

// jsonList reads a list row by row, so that a hostile one costs no more than its bound.
func jsonList(list []byte) ([]row, error) {
	d := json.NewDecoder(bytes.NewReader(list))
	d.UseNumber()
	if _, err := d.Token(); err != nil { // the bracket
		return nil, fmt.Errorf("%w: %w", errShape, err)
	}
	var rows []row
	for d.More() {
		if len(rows) == maxRows {
			return nil, errTooMany
		}
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("%w: %w", errShape, err)
		}
		switch v := v.(type) {
		case map[string]any:
			rows = append(rows, jsonRow(v))
		case string:
			rows = append(rows, row{"reportid": strings.TrimSpace(v)})
		default:
			return nil, fmt.Errorf("%w: a row that is neither an object nor the id of a report", errShape)
		}
	}
	return rows, nil
}

// jsonRow takes the fields in one order: of two names that differ in case alone the first counts.
func jsonRow(fields map[string]any) row {
	r := row{}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if name := strings.ToLower(k); r[name] == "" && len(r) < maxField {
			if s := scalar(fields[k], name == "threatscape"); s != "" {
				r[name] = s[:min(len(s), maxText)]
			}
		}
	}
	return r
}

// scalar gives the text of a JSON value: the same field is a text here, a list or a number there. Of a list the first
// counts, or with all every one.
func scalar(v any, all bool) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case []any:
		var parts []string
		for _, one := range v {
			if _, deeper := one.([]any); deeper {
				continue
			}
			if s := scalar(one, all); s != "" {
				parts = append(parts, s)
			}
			if !all && len(parts) > 0 {
				break
			}
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		if list, ok := v["product"]; ok {
			if _, deeper := list.(map[string]any); !deeper {
				return scalar(list, all)
			}
		}
	}
	return ""
}
