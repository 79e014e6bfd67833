package hunts

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// decoder puts nodes into typed values, strictly, and remembers where each value stands. It never lets the YAML library
// guess a type: a scalar is read as its text, so that digests of digits alone stay what they are.
type decoder struct {
	*reporter
	cat    Catalog
	fields map[reflect.Type][]field
	values map[string]*yaml.Node // by path, such as hunts[0].pivot.depth
	keys   map[string]*yaml.Node // the key of that value
}

func newDecoder(src *source, cat Catalog) *decoder {
	return &decoder{
		reporter: newReporter(src), cat: cat, fields: map[reflect.Type][]field{},
		values: map[string]*yaml.Node{}, keys: map[string]*yaml.Node{},
	}
}

func (d *decoder) fieldsOf(t reflect.Type) []field {
	fs, ok := d.fields[t]
	if !ok {
		fs = fieldsOf(t)
		d.fields[t] = fs
	}
	return fs
}

// node gives the value at path, or else its key's section, so that a fault always has a place.
func (d *decoder) node(path string) *yaml.Node {
	for path != "" {
		if n, ok := d.values[path]; ok {
			return n
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			break
		}
		path = path[:i]
	}
	return d.values[""]
}

// given reports whether the file says something at path, right or wrong.
func (d *decoder) given(path string) bool { _, ok := d.values[path]; return ok }

// value decodes n into v. What does not fit is reported and left out.
func (d *decoder) value(n *yaml.Node, v reflect.Value, f field, path string) {
	d.values[path] = n
	if n.Kind == yaml.AliasNode {
		return // reported already
	}
	if isNull(n) {
		d.null(n, f, path)
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *ProviderDef:
		d.provider(n, p, path)
		return
	case *ToolDef:
		d.tool(n, p, path)
		return
	}
	if isScalarType(v.Type()) {
		d.scalar(n, v, f)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		before := d.total()
		d.value(n, fresh.Elem(), f, path)
		if d.total() == before {
			v.Set(fresh)
		}
	case reflect.Struct:
		d.section(n, v, f, path)
	case reflect.Slice:
		d.sequence(n, v, f, path)
	case reflect.Map:
		d.mapping(n, v, f, path)
	default:
		d.scalar(n, v, f)
	}
}

// null reports an empty value. The parser places it behind the key, so the key is named instead.
func (d *decoder) null(n *yaml.Node, f field, path string) {
	if strings.HasSuffix(path, "]") {
		if before := n.Column - 2; n.Value == "" && before >= 0 && strings.HasPrefix(d.src.line(n.Line)[min(before, len(d.src.line(n.Line))):], "-") {
			n.Column-- // the parser places it behind the dash
		}
		d.fault(n, "an empty list item", "write a value or delete the '-'")
		return
	}
	at := n
	if k := d.keys[path]; k != nil && n.Value == "" {
		at = k
	}
	d.fault(at, f.key+": a value is due", "leave the key out for the default")
}

// section decodes a mapping into a struct.
func (d *decoder) section(n *yaml.Node, v reflect.Value, f field, path string) {
	fields := d.fieldsOf(v.Type())
	if n.Kind == yaml.ScalarNode {
		for _, sub := range fields {
			if sub.short {
				d.value(n, v.FieldByIndex(sub.index), sub, child(path, sub.key))
				return
			}
		}
	}
	if !d.isMapping(n, f, fields) {
		return
	}
	d.into(n, path, where(n, path), []target{{v, fields}})
}

// target is a struct that takes part of the keys of a section.
type target struct {
	v      reflect.Value
	fields []field
}

// into decodes the keys of a mapping into the targets that have them, and reports the keys that none has and those that
// are missing.
func (d *decoder) into(n *yaml.Node, path, place string, targets []target) {
	var all []field
	for _, t := range targets {
		all = append(all, t.fields...)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Value == "<<" || seen[k.Value] {
			continue // reported already
		}
		seen[k.Value] = true
		p := child(path, k.Value)
		d.keys[p] = k
		known := false
		for _, t := range targets {
			for _, f := range t.fields {
				if f.key == k.Value && !known {
					known = true
					d.value(val, t.v.FieldByIndex(f.index), f, p)
				}
			}
		}
		if !known {
			d.unknownKey(k, val, place, all)
		}
	}
	for _, f := range all {
		if f.required && !seen[f.key] {
			d.fault(n, fmt.Sprintf("%s%s is missing", f.key, place), firstSentence(f.doc))
		}
	}
}

func (d *decoder) unknownKey(k, val *yaml.Node, place string, known []field) {
	if credentialKey.MatchString(k.Value) {
		d.hide(val)
	}
	if d.full() {
		d.fault(k, "", "")
		return
	}
	names := keysOf(known)
	near := ""
	if hint := suggest(k.Value, names); strings.HasPrefix(hint, "did you mean") {
		near = hint
	}
	for _, f := range known {
		if isSecret(f.typ) && strings.Contains(near, `"`+f.key+`"`) {
			d.hide(val)
		}
	}
	if near == "" {
		near = "known keys: " + listed(names)
	}
	d.fault(k, "unknown key "+quote(k.Value)+place, near)
}

func (d *decoder) isMapping(n *yaml.Node, f field, fields []field) bool {
	if n.Kind == yaml.MappingNode {
		return true
	}
	d.fault(n, fmt.Sprintf("%s: a section is due, not %s", f.name(), kindName(n)), "its keys: "+listed(keysOf(fields)))
	return false
}

// name is how messages call the value of a field.
func (f field) name() string {
	if f.key == "" {
		return "the file"
	}
	return f.key
}

// sequence decodes a list.
func (d *decoder) sequence(n *yaml.Node, v reflect.Value, f field, path string) {
	items := n.Content
	if n.Kind != yaml.SequenceNode {
		if v.Type() != reflect.TypeFor[Words]() || n.Kind != yaml.ScalarNode {
			hint := "write it in brackets: […]"
			if n.Kind == yaml.MappingNode {
				hint = "begin each entry with '- '"
			}
			d.fault(n, fmt.Sprintf("%s: a list is due, not %s", f.name(), kindName(n)), hint)
			return
		}
		items = []*yaml.Node{n}
	}
	if f.nonempty && len(items) == 0 {
		d.fault(n, f.name()+": the list is empty", "leave the key out for the default")
	}
	if v.Type().Elem().Kind() == reflect.Struct && !isScalarType(v.Type().Elem()) && len(items) > maxEntries {
		d.fault(n, fmt.Sprintf("%s: %d entries are too many", f.name(), len(items)), fmt.Sprintf("at most %d in one list", maxEntries))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	// A faulty item stays as a zero value, so that the paths of the others are right; the set is refused anyway.
	for i, item := range items {
		d.value(item, out.Index(i), f.item(v.Type().Elem()), element(path, i))
	}
	v.Set(out)
}

// mapping decodes a section whose keys are values themselves, such as platforms.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, f field, path string) {
	t := v.Type()
	choices := enumValues(t.Key())
	if n.Kind != yaml.MappingNode {
		hint := ""
		if choices != nil {
			hint = fmt.Sprintf("its keys: %s; such as {%s: …}", listed(choices), choices[0])
		}
		d.fault(n, fmt.Sprintf("%s: a section is due, not %s", f.name(), kindName(n)), hint)
		return
	}
	out := reflect.MakeMap(t)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			continue
		}
		p := child(path, k.Value)
		d.keys[p] = k
		if choices != nil && !contains(choices, k.Value) {
			d.fault(k, fmt.Sprintf("unknown %s %s in %s", enumNoun(t.Key(), f.key), quote(k.Value), f.key), suggestChoice(t.Key(), k.Value, choices))
			continue
		}
		fresh := reflect.New(t.Elem()).Elem()
		item := f.item(t.Elem())
		item.key = k.Value
		d.value(val, fresh, item, p)
		out.SetMapIndex(reflect.ValueOf(k.Value).Convert(t.Key()), fresh)
	}
	v.Set(out)
}

// isScalarType reports whether values of t are written as one scalar although they are structs or the like.
func isScalarType(t reflect.Type) bool {
	return isSecret(t) && t.Kind() != reflect.Pointer || isHash(t) || isPath(t) || t == reflect.TypeFor[time.Duration]() ||
		t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// where says in which section a key stands: ` in seed`, ` in hunt "x"`, "" at the top.
func where(n *yaml.Node, path string) string {
	if path == "" {
		return ""
	}
	section := path[strings.LastIndex(path, ".")+1:]
	list, _, isItem := strings.Cut(section, "[")
	if !isItem {
		return " in " + section
	}
	if name := lookup(n, "name"); name != nil && name.Kind == yaml.ScalarNode && !isNull(name) {
		return " in " + strings.TrimSuffix(list, "s") + " " + quote(name.Value)
	}
	return " in an entry of " + list
}

func contains(words []string, w string) bool {
	return slices.Contains(words, w)
}

func firstSentence(doc string) string {
	if i := strings.Index(doc, ". "); i >= 0 {
		doc = doc[:i]
	}
	return strings.TrimSuffix(doc, ".")
}
