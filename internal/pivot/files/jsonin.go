package files

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// jsonIn reads JSON one element at a time.
type jsonIn struct {
	g   *guard
	dec *json.Decoder
}

func newJSONIn(r io.Reader) *jsonIn {
	g := &guard{r: r}
	return &jsonIn{g: g, dec: json.NewDecoder(g)}
}

// fault turns an error into one that names line and column.
func (j *jsonIn) fault(name string, err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	var bound *stop
	at, message := j.dec.InputOffset(), err.Error()
	switch {
	case errors.As(err, &bound):
		at, message = bound.at, bound.Error()
	case errors.As(err, &syntax):
		at = j.broken(syntax)
		if end, ok := j.g.afterComma(at); ok {
			message = fmt.Sprintf("a comma before %c; delete it", end)
		}
	case errors.As(err, &typ):
		message = fmt.Sprintf("%s is a %s, which does not belong there", typ.Field, typ.Value)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		at, message = j.g.offset, "the file ends in the middle"
	case errors.Is(err, errBomb):
	default:
		if _, ok := errors.AsType[*Fault](err); ok {
			return err
		}
	}
	line, col := j.g.position(at)
	if _, sound := errors.AsType[*shape](err); !sound {
		message = "damaged JSON: " + strings.TrimPrefix(message, "json: ")
	}
	return &Fault{File: name, Line: line, Column: col, Message: message}
}

// broken finds where a syntax error is: the decoder counts from another place than the file's beginning, so the element
// that it is in is read once more.
func (j *jsonIn) broken(syntax *json.SyntaxError) int64 {
	part, from := j.g.element()
	var raw json.RawMessage
	var again *json.SyntaxError
	if err := json.NewDecoder(bytes.NewReader(part)).Decode(&raw); errors.As(err, &again) {
		return from + max(again.Offset-1, 0)
	}
	return max(syntax.Offset-1, j.dec.InputOffset())
}

// element decodes the next value whole.
func (j *jsonIn) element(v any) error {
	j.g.mark = j.dec.InputOffset()
	return j.dec.Decode(v)
}

// delim reads one delimiter.
func (j *jsonIn) delim(want json.Delim) error {
	j.g.mark = j.dec.InputOffset()
	t, err := j.dec.Token()
	if err != nil {
		return err
	}
	if d, ok := t.(json.Delim); !ok || d != want {
		return &shape{fmt.Sprintf("%v instead of %v", t, want)}
	}
	return nil
}

// shape says that JSON is sound and yet not what is due.
type shape struct{ what string }

func (s *shape) Error() string { return s.what }

// object reads {"key": value, …}; each must consume the value.
func (j *jsonIn) object(each func(key string) error) error {
	if err := j.delim('{'); err != nil {
		return err
	}
	return j.members(each)
}

// members reads the rest of an object whose brace has been read.
func (j *jsonIn) members(each func(key string) error) error {
	for j.dec.More() {
		j.g.mark = j.dec.InputOffset()
		t, err := j.dec.Token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return &shape{fmt.Sprintf("%v where a key is due", t)}
		}
		if err := each(key); err != nil {
			return err
		}
	}
	return j.delim('}')
}

// array reads [value, …]; each must consume one value. null is an empty array.
func (j *jsonIn) array(each func() error) error {
	j.g.mark = j.dec.InputOffset()
	t, err := j.dec.Token()
	if err != nil {
		return err
	}
	if t == nil {
		return nil
	}
	if d, ok := t.(json.Delim); !ok || d != '[' {
		return &shape{fmt.Sprintf("%v where a list is due", t)}
	}
	for j.dec.More() {
		if err := each(); err != nil {
			return err
		}
	}
	return j.delim(']')
}

// skip reads over a value.
func (j *jsonIn) skip() error {
	var raw json.RawMessage
	return j.element(&raw)
}

// end makes sure that nothing follows.
func (j *jsonIn) end() error {
	if _, err := j.dec.Token(); !errors.Is(err, io.EOF) {
		if err == nil {
			return &shape{"something follows after the end"}
		}
		return err
	}
	return nil
}
