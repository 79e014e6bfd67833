package threatscape

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// xmlRows reads rows from XML: a row is any element, whatever its name, with a child reportId. Names are taken without
// namespaces and case; several reportId in one element are a list of ids.
func xmlRows(body []byte) ([]row, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	x := xmlReader{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(x.open) == 0 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errShape, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(x.open) >= maxNest {
				return nil, fmt.Errorf("%w: nested over %d levels", errShape, maxNest)
			}
			x.open = append(x.open, &element{name: strings.ToLower(t.Name.Local), fields: row{}})
		case xml.CharData:
			if n := len(x.open); n > 0 {
				x.open[n-1].add(t)
			}
		case xml.EndElement:
			if x.close(); len(x.rows) > maxRows {
				return nil, errTooMany
			}
		case xml.Directive: // entities expand
			return nil, fmt.Errorf("%w: XML with a document type", errShape)
		}
	}
	switch strings.ToLower(x.success) {
	case "true":
		if !x.message { // "nothing known" is an empty message, or 204
			return nil, fmt.Errorf("%w: it has no message", errShape)
		}
		return x.rows, nil
	case "false":
		return nil, saysNo(x.fault, x.description)
	}
	return nil, fmt.Errorf("%w: it does not say whether it is a success", errShape)
}

// xmlReader is an answer being read.
type xmlReader struct {
	open []*element // the way to where it reads
	rows []row

	success, fault, description string
	message                     bool // there is one
}

// close takes the innermost open element for a row, or for a field of the one around it.
func (x *xmlReader) close() {
	n := len(x.open) - 1
	done := x.open[n]
	x.message = x.message || (n == 1 && done.name != "success") // whatever its name
	x.open = x.open[:n]
	text := done.text()
	switch {
	case len(done.ids) > 1:
		for _, id := range done.ids {
			x.rows = append(x.rows, row{"reportid": id})
		}
		return
	case len(done.ids) == 1:
		x.rows = append(x.rows, done.fields)
		return
	case n == 1 && done.name == "success":
		x.success = text
	case n == 2 && done.name == "error":
		x.fault = text
	case n == 2 && done.name == "description":
		x.description = text
	}
	if n > 0 {
		x.open[n-1].child(done.name, text)
	}
}

// element is an XML element that is open.
type element struct {
	name   string
	chars  []byte
	fields row
	ids    []string // of its children reportId
}

func (e *element) add(text []byte) {
	if len(e.chars) < maxText {
		e.chars = append(e.chars, text[:min(len(text), maxText-len(e.chars))]...)
	}
}

func (e *element) text() string { return strings.TrimSpace(string(e.chars)) }

// child makes a closed element a field; of several of one name the first counts.
func (e *element) child(name, text string) {
	if text == "" {
		return
	}
	if name == "reportid" && len(e.ids) < maxRows {
		e.ids = append(e.ids, text)
	}
	if len(e.fields) < maxField && e.fields[name] == "" {
		e.fields[name] = text
	}
}
