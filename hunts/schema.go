package hunts

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// SchemaID is the $id of the schema.
const SchemaID = "https://github.com/hunter-project/hunter/hunts/schema.json"

const (
	refPattern  = `^(env:[A-Za-z_][A-Za-z0-9_]{0,255}|file:[^\n]+)$`
	hashPattern = `^([A-Za-z][A-Za-z0-9_ .-]{0,30}[ ]*[:=][ ]*)?(0[xX])?([0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32})$`
)

// object is one JSON object of the schema; its keys are sorted when it is written.
type object = map[string]any

// Schema gives the JSON Schema (2020-12) of a hunts file for a catalog. The same types and catalog give the same bytes.
func Schema(cat Catalog) ([]byte, error) {
	g := &generator{defs: object{}, cat: cat}
	root := g.structure(reflect.TypeFor[File]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = SchemaID
	root["title"] = "A hunts file of hunter"
	// A hunt needs a seed, of its own or by default.
	root["if"] = object{"required": []string{"defaults"}, "properties": object{"defaults": object{"required": []string{"seed"}}}}
	root["else"] = object{"properties": object{"hunts": object{"items": object{"required": []string{"seed"}}}}}
	root["$defs"] = g.defs
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(out, '\n'), nil
}

type generator struct {
	defs object
	cat  Catalog
}

// of gives the schema of a value of type t in field f.
func (g *generator) of(t reflect.Type, f field) object {
	if t.Kind() == reflect.Pointer {
		return g.of(t.Elem(), f)
	}
	switch t {
	case reflect.TypeFor[ProviderDef]():
		return g.plugins(t, "provider", g.cat.Providers)
	case reflect.TypeFor[ToolDef]():
		return g.plugins(t, "tool", g.cat.Tools)
	case reflect.TypeFor[Words]():
		one := g.of(t.Elem(), f)
		return object{"anyOf": []any{one, object{"type": "array", "items": one, "minItems": 1}}}
	}
	if s := scalarSchema(t); s != nil {
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		return g.ref(t)
	case reflect.Slice:
		list := object{"type": "array", "items": g.of(t.Elem(), f.item(t.Elem()))}
		if f.nonempty {
			list["minItems"] = 1
		}
		return list
	case reflect.Map:
		return g.dictionary(t, f)
	default:
		return basicSchema(t, f)
	}
}

// ref gives a reference to the definition of a struct, which it makes when it is new.
func (g *generator) ref(t reflect.Type) object {
	name := snake(t.Name())
	if _, ok := g.defs[name]; !ok {
		g.defs[name] = object{} // against endless recursion
		g.defs[name] = g.structure(t)
	}
	return object{"$ref": "#/$defs/" + name}
}

// structure gives the closed object of a struct type.
func (g *generator) structure(t reflect.Type) object {
	fields := fieldsOf(t)
	s := g.closed(fields)
	for k, v := range extra(t) {
		s[k] = v
	}
	for _, f := range fields {
		if f.short {
			return object{"anyOf": []any{g.property(f), s}}
		}
	}
	return s
}

// closed gives an object that has these fields and no others.
func (g *generator) closed(fields []field) object {
	properties, required := object{}, []string{}
	for _, f := range fields {
		properties[f.key] = g.property(f)
		if f.required {
			required = append(required, f.key)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// property gives the schema of a field with its description.
func (g *generator) property(f field) object {
	s := g.of(f.typ, f)
	text := f.doc
	if f.def != "" {
		text = strings.TrimSpace(text + " Default: " + f.def + ".")
	}
	if text != "" {
		s["description"] = text
	}
	return s
}

func (g *generator) dictionary(t reflect.Type, f field) object {
	member := f.item(t.Elem())
	choices := enumValues(t.Key())
	if choices == nil {
		return object{"type": "object", "additionalProperties": g.of(t.Elem(), member)}
	}
	properties := object{}
	for _, c := range choices {
		properties[c] = g.of(t.Elem(), member)
	}
	return object{"type": "object", "properties": properties, "additionalProperties": false}
}

// plugins gives the object of a provider or tool: the type decides which closed object holds.
func (g *generator) plugins(common reflect.Type, noun string, known []Plugin) object {
	types := typesOf(known)
	s := object{"type": "object", "required": []string{"name", "type"}, "properties": object{"type": object{"enum": types}}}
	var rules []any
	for _, typ := range types {
		p, _ := find(known, typ)
		fields := fieldsOf(common)
		for _, f := range fieldsOf(reflect.TypeOf(p.New()).Elem()) {
			if !contains(keysOf(fields), f.key) {
				fields = append(fields, f)
			}
		}
		name := noun + "_" + typ
		def := g.closed(fields)
		def["description"] = p.Doc
		g.defs[name] = def
		rules = append(rules, object{
			"if":   object{"properties": object{"type": object{"const": typ}}, "required": []string{"type"}},
			"then": object{"$ref": "#/$defs/" + name},
		})
	}
	if len(rules) > 0 {
		s["allOf"] = rules
	}
	return s
}

// scalarSchema gives the schema of types with a text form of their own, nil for others.
func scalarSchema(t reflect.Type) object {
	text := func(pattern string) object { return object{"type": "string", "pattern": pattern} }
	switch {
	case isSecret(t):
		return text(refPattern)
	case isHash(t):
		return text(hashPattern)
	case isPath(t):
		return object{"type": "string", "minLength": 1}
	case t == reflect.TypeFor[Percent]():
		return text(percentPattern)
	case t == reflect.TypeFor[ByteSize]():
		return object{"anyOf": []any{text(bytesPattern), object{"type": "integer", "minimum": 1}}}
	case t == reflect.TypeFor[Rate]():
		return text(ratePattern)
	case t == reflect.TypeFor[Duration](), t == reflect.TypeFor[time.Duration]():
		return text(durationPattern)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return object{"type": "string"}
	default:
		return nil
	}
}

func basicSchema(t reflect.Type, f field) object {
	s := object{}
	switch t.Kind() {
	case reflect.Bool:
		s["type"] = "boolean"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s["type"] = "integer"
		if len(f.enum) == 1 {
			if n, err := strconv.Atoi(f.enum[0]); err == nil {
				return object{"const": n}
			}
		}
	case reflect.Float32, reflect.Float64:
		s["type"] = "number"
	default:
		s["type"] = "string"
		s["minLength"] = 1
		if choices := f.choices(t); choices != nil {
			return object{"enum": choices}
		}
	}
	for key, text := range map[string]string{"minimum": f.min, "maximum": f.max} {
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			s[key] = x
		}
	}
	if f.pattern != nil {
		s["pattern"] = f.pattern.String()
	}
	return s
}

// extra gives the rules between the keys of a section, as far as a schema can say them.
func extra(t reflect.Type) object {
	need := func(keys ...string) object { return object{"required": keys} }
	switch t {
	case reflect.TypeFor[Seed]():
		fixed := []any{need("alert"), need("hashes"), need("report")}
		return object{"oneOf": append([]any{object{"required": []string{"on"}, "not": object{"anyOf": fixed}}}, fixed...)}
	case reflect.TypeFor[Output]():
		return object{"oneOf": []any{
			object{"required": []string{"format", "path"}, "not": need("webhook")},
			object{"required": []string{"webhook"}, "not": object{"anyOf": []any{need("format"), need("path")}}},
		}}
	case reflect.TypeFor[Test]():
		return need("name", "fleet", "expect")
	case reflect.TypeFor[On](), reflect.TypeFor[Expect]():
		return object{"minProperties": 1}
	default:
		return nil
	}
}

// snake gives a Go name in lower case with underscores: MaxSize is max_size.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
