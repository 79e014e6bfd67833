package hunts

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/secret"
)

// maxText is the most characters of one text value.
const maxText = 10_000

var wholeNumber = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]{0,17})$`)

// scalar decodes one scalar by the type of v.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, f field) {
	if isSecret(v.Type()) {
		d.secret(n, v, f)
		return
	}
	if n.Kind != yaml.ScalarNode {
		d.fault(n, fmt.Sprintf("%s: %s is due, not %s", f.name(), dueOf(v.Type()), kindName(n)), "")
		return
	}
	switch {
	case isHash(v.Type()):
		d.hash(n, v)
	case isPath(v.Type()):
		if d.text(n, f) && d.exists(n, f, n.Value) {
			v.Set(reflect.ValueOf(Path{Given: n.Value, Abs: d.src.abs(n.Value)}))
		}
	case v.Type() == reflect.TypeFor[time.Duration]():
		length, err := ParseDuration(n.Value)
		if err != nil {
			d.fault(n, fmt.Sprintf("%s: %v, not %s", f.name(), err, quote(n.Value)), "")
			return
		}
		v.SetInt(int64(length))
	case isScalarType(v.Type()):
		d.unmarshal(n, v, f)
	default:
		d.basic(n, v, f)
	}
}

// basic decodes texts, numbers and truth values.
func (d *decoder) basic(n *yaml.Node, v reflect.Value, f field) {
	switch v.Kind() {
	case reflect.String:
		if d.text(n, f) && d.choice(n, v.Type(), f) && d.matches(n, f) && (f.path == "" || d.exists(n, f, n.Value)) {
			v.SetString(n.Value)
		} else if f.path == "" {
			v.SetString(n.Value) // what names it elsewhere is then no second fault
		}
	case reflect.Bool:
		if n.ShortTag() != "!!bool" {
			d.fault(n, f.name()+": true or false is due, not "+kindName(n), "")
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.integer(n, v, f)
	case reflect.Float32, reflect.Float64:
		x, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || n.ShortTag() != "!!int" && n.ShortTag() != "!!float" || x != x {
			d.fault(n, f.name()+": a number is due, not "+kindName(n), "")
			return
		}
		if d.inRange(n, x, f) {
			v.SetFloat(x)
		}
	default:
		d.fault(n, fmt.Sprintf("%s: this value can not be given in a file", f.name()), "")
	}
}

func (d *decoder) integer(n *yaml.Node, v reflect.Value, f field) {
	if n.ShortTag() != "!!int" || !wholeNumber.MatchString(n.Value) {
		hint := ""
		if n.ShortTag() == "!!str" && wholeNumber.MatchString(n.Value) {
			hint = "write it without quotes"
		}
		what := kindName(n)
		if what == "a number" {
			what = quote(n.Value)
		}
		d.fault(n, fmt.Sprintf("%s: a whole number is due, not %s", f.name(), what), hint)
		return
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || v.OverflowInt(i) {
		d.fault(n, f.name()+": the number is too big", "")
		return
	}
	if f.enum != nil && !contains(f.enum, n.Value) {
		d.fault(n, fmt.Sprintf("%s %d is not known", f.name(), i), suggest("", f.enum))
		return
	}
	if d.inRange(n, float64(i), f) {
		v.SetInt(i)
	}
}

func (d *decoder) inRange(n *yaml.Node, x float64, f field) bool {
	low, high := bound(f.min, x), bound(f.max, x)
	if x >= low && x <= high {
		return true
	}
	switch {
	case f.min == "":
		d.fault(n, fmt.Sprintf("%s: %s is out of range", f.name(), n.Value), "at most "+f.max)
	case f.max == "":
		d.fault(n, fmt.Sprintf("%s: %s is out of range", f.name(), n.Value), "at least "+f.min)
	default:
		d.fault(n, fmt.Sprintf("%s: %s is out of range", f.name(), n.Value), "from "+f.min+" to "+f.max)
	}
	return false
}

func bound(text string, none float64) float64 {
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		return x
	}
	return none
}

// text checks what is to be a text. Numbers and dates are taken as they are written; true and false must be quoted.
func (d *decoder) text(n *yaml.Node, f field) bool {
	switch {
	case n.ShortTag() == "!!bool":
		d.fault(n, f.name()+": a text is due, not true or false", "put it in quotes: \""+n.Value+"\"")
	case strings.TrimSpace(n.Value) == "":
		d.fault(n, f.name()+": the text is empty", "leave the key out for the default")
	case len(n.Value) > maxText:
		d.fault(n, f.name()+": the text is too long", fmt.Sprintf("at most %d characters", maxText))
	case strings.ContainsRune(n.Value, 0):
		d.fault(n, f.name()+": a NUL character", "delete it")
	default:
		return true
	}
	return false
}

// choice checks an enumeration.
func (d *decoder) choice(n *yaml.Node, t reflect.Type, f field) bool {
	choices := f.choices(t)
	if choices == nil || contains(choices, n.Value) {
		return true
	}
	noun := enumNoun(t, f.key)
	if contains(enumValues(t), n.Value) {
		d.fault(n, fmt.Sprintf("%s %s can not be used in %s", noun, quote(n.Value), f.key), suggest("", choices))
		return false
	}
	d.fault(n, fmt.Sprintf("unknown %s %s", noun, quote(n.Value)), suggestChoice(t, n.Value, choices))
	return false
}

// suggestChoice says which word of an enumeration would be right.
func suggestChoice(t reflect.Type, word string, choices []string) string {
	if other := otherName(t, word); other != "" && contains(choices, other) {
		return "write " + other
	}
	return suggest(word, choices)
}

func (d *decoder) matches(n *yaml.Node, f field) bool {
	if f.pattern == nil || f.pattern.MatchString(n.Value) {
		return true
	}
	hint := "it must match " + f.pattern.String()
	if f.key == "name" {
		hint = "lower case, digits and '-', at most 63 characters"
	}
	d.fault(n, fmt.Sprintf("%s %s is not allowed", f.name(), quote(n.Value)), hint)
	return false
}

// exists checks a path that must be there already.
func (d *decoder) exists(n *yaml.Node, f field, path string) bool {
	if f.path == "" || d.src.dir == "" {
		return true
	}
	info, err := os.Stat(d.src.abs(path))
	switch {
	case errors.Is(err, os.ErrNotExist):
		hint := ""
		if !filepath.IsAbs(path) {
			hint = "relative paths begin in the folder of this file"
		}
		d.fault(n, fmt.Sprintf("%s: no such file or folder: %s", f.name(), quote(path)), hint)
	case err != nil:
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			err = pe.Err
		}
		d.fault(n, fmt.Sprintf("%s: %s: %v", f.name(), quote(path), err), "")
	case f.path == "file" && info.IsDir():
		d.fault(n, fmt.Sprintf("%s: %s is a folder", f.name(), quote(path)), "name a file")
	case f.path == "dir" && !info.IsDir():
		d.fault(n, fmt.Sprintf("%s: %s is not a folder", f.name(), quote(path)), "name a folder")
	default:
		return true
	}
	return false
}

func (d *decoder) hash(n *yaml.Node, v reflect.Value) {
	ind, err := indicator.ParseHash(n.Value)
	if err == nil {
		v.Set(reflect.ValueOf(ind))
		return
	}
	if refused, ok := errors.AsType[*indicator.RefusedError](err); ok {
		d.fault(n, quote(refused.Value)+" is "+refused.What, refused.Reason)
		return
	}
	d.fault(n, err.Error(), "")
}

// secret decodes a reference to a credential. A literal is reported and hidden from every message.
func (d *decoder) secret(n *yaml.Node, v reflect.Value, f field) {
	if n.Kind != yaml.ScalarNode {
		d.hide(n)
		d.fault(n, f.name()+": a reference is due", "use env:NAME or file:/path")
		return
	}
	ref, err := secret.ParseRef(n.Value)
	if err != nil {
		d.hide(n)
		message, hint, _ := strings.Cut(err.Error(), "; ")
		d.fault(n, f.name()+": "+message, hint)
		return
	}
	v.Set(reflect.ValueOf(ref.For(f.key).In(d.src.dir)))
}

func (d *decoder) unmarshal(n *yaml.Node, v reflect.Value, f field) {
	u, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	if !ok || !d.text(n, f) {
		return
	}
	if err := u.UnmarshalText([]byte(n.Value)); err != nil {
		d.fault(n, fmt.Sprintf("%s: %v, not %s", f.name(), err, quote(n.Value)), "")
	}
}

func dueOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	default:
		return "a text"
	}
}
