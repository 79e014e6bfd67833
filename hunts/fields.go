package hunts

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/secret"
)

// field is one key of a section, as the struct tags of its type describe it.
type field struct {
	key      string
	doc      string
	def      string // default, in words for people
	required bool
	nonempty bool // a list must have an entry
	short    bool // the section may be written as this field's value alone
	enum     []string
	pattern  *regexp.Regexp
	min, max string // of numbers; empty is none
	path     string // file, dir, any: must exist
	index    []int
	typ      reflect.Type
}

// fieldsOf lists the keys of a struct type in their order; fields marked inline are spread out.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, opts, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if strings.Contains(opts, "inline") && sf.Type.Kind() == reflect.Struct {
			for _, f := range fieldsOf(sf.Type) {
				f.index = append([]int{i}, f.index...)
				out = append(out, f)
			}
			continue
		}
		if name == "" || name == "-" || !sf.IsExported() {
			continue
		}
		f := field{
			key: name, doc: sf.Tag.Get("doc"), def: sf.Tag.Get("default"), required: sf.Tag.Get("required") == "true",
			short: sf.Tag.Get("short") == "true", nonempty: sf.Tag.Get("nonempty") == "true", min: sf.Tag.Get("min"), max: sf.Tag.Get("max"), path: sf.Tag.Get("path"),
			index: []int{i}, typ: sf.Type,
		}
		if e := sf.Tag.Get("enum"); e != "" {
			f.enum = strings.Split(e, ",")
		}
		if p := sf.Tag.Get("pattern"); p != "" {
			f.pattern = regexp.MustCompile(p)
		}
		out = append(out, f)
	}
	return out
}

func keysOf(fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.key
	}
	return out
}

// item is f as it holds for one member of a list or map.
func (f field) item(t reflect.Type) field {
	return field{key: f.key, enum: f.enum, pattern: f.pattern, min: f.min, max: f.max, path: f.path, typ: t}
}

// choices lists what a value of f may be, nil when anything goes.
func (f field) choices(t reflect.Type) []string {
	if f.enum != nil {
		return f.enum
	}
	return enumValues(t)
}

func isSecret(t reflect.Type) bool {
	return t == reflect.TypeFor[secret.Ref]() || t == reflect.TypeFor[*secret.Ref]()
}

func isHash(t reflect.Type) bool { return t == reflect.TypeFor[indicator.Indicator]() }

func isPath(t reflect.Type) bool { return t == reflect.TypeFor[Path]() }
