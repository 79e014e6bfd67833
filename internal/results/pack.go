package results

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// JSON has no bytes that are no UTF-8, but paths do, and a path must come back as it was. So every such byte B is stored
// as the private character U+10FF00 + B; NUL, which PostgreSQL's text can't hold, and characters of that range themselves
// are stored byte by byte in the same way.
const (
	rawBase = 0x10ff00
	rawLead = "\xf4\x8f" // how each character of that range begins in UTF-8
)

// pack gives the JSON of v without losing a byte of its strings.
func pack(v any) ([]byte, error) {
	kept, _ := rewrite(reflect.ValueOf(v), protect)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	var plain any
	if kept.IsValid() {
		plain = kept.Interface()
	}
	if err := enc.Encode(plain); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// unpack reads what pack wrote into v, a pointer.
func unpack(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if !bytes.Contains(data, []byte(rawLead)) {
		return nil
	}
	p := reflect.ValueOf(v).Elem()
	if restored, ok := rewrite(p, restore); ok {
		p.Set(restored)
	}
	return nil
}

// protect gives the stored form of a string.
func protect(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, rawLead) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if (r == utf8.RuneError && size == 1) || r >= rawBase || r == 0 {
			for i := range size {
				b.WriteRune(rawBase + rune(s[i]))
			}
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// restore is the inverse of protect.
func restore(s string) string {
	if !strings.Contains(s, rawLead) {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r >= rawBase && r <= rawBase+0xff {
			b = append(b, byte(r-rawBase))
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

// rewrite gives v with every string in it passed through change. What does not change is shared, not copied.
func rewrite(v reflect.Value, change func(string) string) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.String:
		old := v.String()
		now := change(old)
		if now == old {
			return v, false
		}
		return reflect.ValueOf(now).Convert(v.Type()), true
	case reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		inner, ok := rewrite(v.Elem(), change)
		if !ok {
			return v, false
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(inner)
		return p, true
	case reflect.Slice:
		return rewriteSlice(v, change)
	case reflect.Map:
		return rewriteMap(v, change)
	case reflect.Struct:
		return rewriteStruct(v, change)
	default:
		return v, false
	}
}

func rewriteSlice(v reflect.Value, change func(string) string) (reflect.Value, bool) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return v, false
	}
	out, touched := v, false
	for i := range v.Len() {
		item, ok := rewrite(v.Index(i), change)
		if !ok {
			continue
		}
		if !touched {
			out, touched = reflect.MakeSlice(v.Type(), v.Len(), v.Len()), true
			reflect.Copy(out, v)
		}
		out.Index(i).Set(item)
	}
	return out, touched
}

func rewriteMap(v reflect.Value, change func(string) string) (reflect.Value, bool) {
	if m, ok := v.Interface().(map[string]string); ok { // rows: the fast way
		same := true
		for k, s := range m {
			same = same && change(k) == k && change(s) == s
		}
		if same {
			return v, false
		}
	}
	out, touched := reflect.MakeMapWithSize(v.Type(), v.Len()), false
	for it := v.MapRange(); it.Next(); {
		k, ok1 := rewrite(it.Key(), change)
		x, ok2 := rewrite(it.Value(), change)
		out.SetMapIndex(k, x)
		touched = touched || ok1 || ok2
	}
	if !touched {
		return v, false
	}
	return out, true
}

func rewriteStruct(v reflect.Value, change func(string) string) (reflect.Value, bool) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return v, false
	}
	out, touched := v, false
	for i := range v.NumField() {
		if !v.Field(i).CanInterface() { // not exported; to ask its type costs more than all else here
			continue
		}
		field, ok := rewrite(v.Field(i), change)
		if !ok {
			continue
		}
		if !touched {
			out, touched = reflect.New(v.Type()).Elem(), true
			out.Set(v)
		}
		out.Field(i).Set(field)
	}
	return out, touched
}

// squeeze compresses b. What compresses is made once and used again: to make it takes longer than most bodies.
func (s *Store) squeeze(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z, ok := s.zips.Get().(*gzip.Writer)
	if !ok {
		var err error
		if z, err = gzip.NewWriterLevel(&out, gzip.BestSpeed); err != nil {
			return nil, err
		}
	}
	defer s.zips.Put(z)
	z.Reset(&out)
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// expand is the inverse of squeeze.
func expand(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return out, nil
}
