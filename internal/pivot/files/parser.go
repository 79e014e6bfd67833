package files

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// parser reads one file into a sink.
type parser struct {
	k          *sink
	name       string // as shown
	base       string // file name alone: the report of a list
	confidence int    // of what states none itself
	format     string
	json       *jsonIn
	events     int
	stix       *stixBundle
	known      bool // something of a known format was read
}

func (p *parser) line() int {
	if p.json == nil {
		return 0
	}
	line, _ := p.json.g.position(p.json.dec.InputOffset())
	return line
}

// parse reads a whole file of any known format.
func (p *parser) parse(r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return &Fault{File: p.name, Message: readFault(err)}
	}
	utf16 := bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
	if bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}) {
		if _, err := in.Discard(3); err != nil {
			return err
		}
		head = head[3:]
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case utf16:
		t := transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
		in = bufio.NewReaderSize(t, 64<<10)
		decoded, err := in.Peek(1)
		if err == nil && (decoded[0] == '{' || decoded[0] == '[') {
			return &Fault{File: p.name, Line: 1, Column: 1, Message: "JSON in UTF-16; JSON is UTF-8 (RFC 8259): convert the file"}
		}
		return p.text(in)
	case len(text) == 0:
		return &Fault{File: p.name, Line: 1, Column: 1, Message: "the file is empty"}
	case text[0] == '{' || text[0] == '[' && !bytes.HasPrefix(text, []byte("[file")):
		return p.readJSON(in)
	case text[0] == '<':
		return &Fault{File: p.name, Line: 1, Column: 1, Message: markup(text)}
	case bytes.IndexByte(head, 0) >= 0:
		return &Fault{File: p.name, Line: 1, Column: bytes.IndexByte(head, 0) + 1, Message: "a zero byte: this is no text file"}
	}
	return p.text(in)
}

// markup names what an XML or HTML file is.
func markup(text []byte) string {
	lower := bytes.ToLower(text)
	switch {
	case bytes.Contains(lower, []byte("openioc")) || bytes.Contains(lower, []byte("<ioc")):
		return "OpenIOC is not read; export MISP JSON, STIX 2.1 or CSV"
	case bytes.Contains(lower, []byte("stix:")):
		return "STIX 1.x XML is not read; export STIX 2.1"
	case bytes.Contains(lower, []byte("<html")) || bytes.Contains(lower, []byte("<!doctype html")):
		return "an HTML page, not intelligence; was it saved from an error page?"
	}
	return "XML is not read; give MISP JSON, STIX 2.1, CSV or a plain list"
}

// readJSON reads a JSON file of any known shape.
func (p *parser) readJSON(r io.Reader) error {
	p.json = newJSONIn(r)
	err := p.top()
	if err == nil {
		err = p.json.end()
	}
	if err == nil && p.stix != nil {
		p.known = true
		err = p.stix.finish(p)
	}
	if err != nil {
		return p.told(err)
	}
	if !p.known && p.format == "" {
		return &Fault{File: p.name, Line: 1, Column: 1, Message: "JSON, yet no MISP event and no STIX bundle; give one of these, CSV or a plain list"}
	}
	return nil
}

// told leaves database errors as they are and gives all others a place.
func (p *parser) told(err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	var bound *stop
	var wrong *shape
	switch {
	case errors.As(err, &syntax), errors.As(err, &typ), errors.As(err, &bound), errors.As(err, &wrong), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errBomb):
		return p.json.fault(p.name, err)
	}
	return err
}

// top reads the outermost value: an object of a known shape, or a list of such.
func (p *parser) top() error {
	t, err := p.json.dec.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return p.topObject()
	case json.Delim('['):
		for p.json.dec.More() {
			if err := p.json.delim('{'); err != nil {
				return err
			}
			if err := p.topObject(); err != nil {
				return err
			}
		}
		return p.json.delim(']')
	}
	return &shape{fmt.Sprintf("%v where an object is due", t)}
}

// topObject reads an object whose brace has been read, key by key: large parts are read as they come.
func (p *parser) topObject() error {
	rest := map[string]json.RawMessage{}
	size := 0
	for p.json.dec.More() {
		p.json.g.mark = p.json.dec.InputOffset()
		t, err := p.json.dec.Token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return &shape{fmt.Sprintf("%v where a key is due", t)}
		}
		done, err := p.topKey(key, rest)
		if err != nil || done {
			return err
		}
		size += len(rest[key])
		if size > maxElement {
			return errElement
		}
	}
	if err := p.json.delim('}'); err != nil {
		return err
	}
	return p.other(rest)
}

// topKey reads one member of an outermost object. done says that the whole object has been read.
func (p *parser) topKey(key string, rest map[string]json.RawMessage) (done bool, err error) {
	switch key {
	case "Event":
		p.known = true
		return false, p.mispEvent()
	case "response":
		p.known = true
		p.format = "misp"
		return false, p.restAnswer()
	case "objects":
		p.known = true
		p.format = "stix"
		return false, p.json.array(func() error {
			var raw json.RawMessage
			if err := p.json.element(&raw); err != nil {
				return err
			}
			return p.stixKeep(raw)
		})
	case "Attribute", "Object": // a bare event
		p.known = true
		return true, p.mispEventMembers(func(e *event) error {
			if err := p.replay(e, rest); err != nil {
				return err
			}
			return p.mispKey(e, key)
		})
	}
	var raw json.RawMessage
	err = p.json.element(&raw)
	rest[key] = raw
	return false, err
}

// replay gives an event the members that were read before it was known to be one.
func (p *parser) replay(e *event, rest map[string]json.RawMessage) error {
	outer := p.json
	defer func() { p.json = outer }()
	for key, raw := range rest {
		p.json = newJSONIn(bytes.NewReader(raw))
		if err := p.mispKey(e, key); err != nil {
			return err
		}
	}
	return nil
}

// other takes an object that no key told: a STIX object in a list, or something that is refused by name.
func (p *parser) other(rest map[string]json.RawMessage) error {
	var typ, id string
	_ = json.Unmarshal(rest["type"], &typ) // absent or no text: not STIX
	_ = json.Unmarshal(rest["id"], &id)    // absent or no text: not STIX
	switch {
	case typ != "" && strings.HasPrefix(id, typ+"--") && typ != "bundle":
		raw, err := json.Marshal(rest)
		if err != nil {
			return err
		}
		return p.stixKeep(raw)
	case rest["list"] != nil && rest["type"] != nil:
		return &shape{"a MISP warninglist, not intelligence; name it under never"}
	case rest["indicators"] != nil:
		return &shape{"an OTX pulse; export it as STIX or CSV"}
	}
	return nil
}

// text reads CSV or a plain list.
func (p *parser) text(in *bufio.Reader) error {
	head, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return &Fault{File: p.name, Message: err.Error()}
	}
	for line := range strings.Lines(string(head)) {
		line = strings.TrimSpace(line)
		if line == "" || isComment(line) {
			continue
		}
		if d, ok := csvDelimiter(line); ok {
			return p.readCSV(in, d)
		}
		break
	}
	return p.readList(in)
}

func isComment(line string) bool {
	return strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || strings.HasPrefix(line, "//")
}

func valid(s string) string { // values are data; bytes that are no UTF-8 are shown as such
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
