package threatscape

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds of an answer.
const (
	maxRows  = 200_000
	maxText  = 64 << 10
	maxNest  = 32
	maxField = 200 // fields of a row
)

// row is one tagged indicator of one report: field names in lower case, since their case varies, with texts. Numbers are
// texts too; fields that are empty or null are left out.
type row map[string]string

func (r row) get(name string) string { return r[strings.ToLower(name)] }

// errShape says that an answer is sound and yet not what is due.
var errShape = errors.New("the answer is not in the documented form")

// envelope is the outermost object of every JSON answer.
type envelope struct {
	Success any             `json:"success"` // true, or "true"
	Message json.RawMessage `json:"message"`
}

// parseJSON opens the envelope. An answer that says no is an error, whatever its status.
func parseJSON(body []byte) (json.RawMessage, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", errShape, err)
	}
	switch e.Success {
	case true, "true":
		return e.Message, nil
	}
	var why struct {
		Error       string `json:"error"`
		Description string `json:"description"`
	}
	_ = json.Unmarshal(e.Message, &why) // other forms say nothing that can be told
	return nil, fmt.Errorf("the service says no: %s: %s", why.Error, why.Description)
}

// jsonRows reads rows from {"publishedIndicators":[…]}, or from a list of rows.
func jsonRows(message json.RawMessage) ([]row, error) {
	var list []map[string]any
	trimmed := bytes.TrimSpace(message)
	if len(trimmed) > 0 && trimmed[0] == '{' {
		var wrapped struct {
			Published []map[string]any `json:"publishedIndicators"`
		}
		if err := decode(message, &wrapped); err != nil {
			return nil, err
		}
		list = wrapped.Published
	} else if err := decode(message, &list); err != nil {
		return nil, err
	}
	if len(list) > maxRows {
		return nil, fmt.Errorf("%w: over %d rows", errShape, maxRows)
	}
	rows := make([]row, 0, len(list))
	for _, fields := range list {
		r := row{}
		for k, v := range fields {
			if s := scalar(v); s != "" {
				r[strings.ToLower(k)] = s
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// decode reads JSON, and keeps numbers as they are written.
func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errShape, err)
	}
	return nil
}

// scalar gives the text of a JSON value: the same field is a text here, a list or a number there.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case []any:
		if len(v) > 0 {
			return scalar(v[0])
		}
	case map[string]any:
		return scalar(v["product"])
	}
	return ""
}

// xmlRows reads rows from XML: a row is any element, whatever its name, with a child reportId. Names are taken without
// namespaces.
func xmlRows(body []byte) ([]row, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = true
	var stack []*element
	var rows []row
	success := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(stack) == 0 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errShape, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(stack) >= maxNest {
				return nil, fmt.Errorf("%w: nested over %d levels", errShape, maxNest)
			}
			stack = append(stack, &element{name: strings.ToLower(t.Name.Local), fields: row{}})
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].add(t)
			}
		case xml.EndElement:
			done := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if done.fields["reportid"] != "" {
				if rows = append(rows, done.fields); len(rows) > maxRows {
					return nil, fmt.Errorf("%w: over %d rows", errShape, maxRows)
				}
				continue
			}
			if done.name == "success" {
				success = done.text()
			}
			if len(stack) > 0 {
				stack[len(stack)-1].child(done)
			}
		case xml.Directive:
			return nil, fmt.Errorf("%w: XML with a document type", errShape)
		}
	}
	if success != "true" {
		return nil, fmt.Errorf("the service says no, or it is no answer of its own: success is %q", success)
	}
	return rows, nil
}

// element is an XML element that is open.
type element struct {
	name   string
	chars  []byte
	fields row
}

func (e *element) add(text []byte) {
	if len(e.chars) < maxText {
		e.chars = append(e.chars, text[:min(len(text), maxText-len(e.chars))]...)
	}
}

func (e *element) text() string { return strings.TrimSpace(string(e.chars)) }

// child makes a closed element a field; of several of one name the first counts.
func (e *element) child(c *element) {
	if text := c.text(); text != "" && len(e.fields) < maxField && e.fields[c.name] == "" {
		e.fields[c.name] = text
	}
}
