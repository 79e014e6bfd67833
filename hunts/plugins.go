package hunts

import (
	"fmt"
	"reflect"

	"gopkg.in/yaml.v3"

	"github.com/hunter-project/hunter/internal/secret"
)

// provider decodes one provider: the common keys and those of its type.
func (d *decoder) provider(n *yaml.Node, p *ProviderDef, path string) {
	p.Pos, p.Dir = d.pos(n), d.src.dir
	p.Config = d.plugin(n, path, "provider", d.cat.Providers, reflect.ValueOf(p).Elem())
	labelSecrets(p.Config, fmt.Sprintf("of provider %q", p.Name))
}

// tool decodes one tool: the common keys and those of its type.
func (d *decoder) tool(n *yaml.Node, t *ToolDef, path string) {
	t.Pos, t.Dir = d.pos(n), d.src.dir
	t.Config = d.plugin(n, path, "tool", d.cat.Tools, reflect.ValueOf(t).Elem())
	labelSecrets(t.Config, fmt.Sprintf("of tool %q", t.Name))
}

func (d *decoder) pos(n *yaml.Node) Position {
	return Position{File: d.src.name, Line: n.Line, Column: n.Column}
}

// plugin decodes the section of a plug-in into the common struct and the config of its type, which is given back. With a
// type that nobody knows only the common keys are checked.
func (d *decoder) plugin(n *yaml.Node, path, noun string, known []Plugin, common reflect.Value) any {
	fields := d.fieldsOf(common.Type())
	if !d.isMapping(n, field{key: noun}, fields) {
		return nil
	}
	typ := lookup(n, "type")
	var p Plugin
	ok := false
	if typ != nil && typ.Kind == yaml.ScalarNode && !isNull(typ) {
		if p, ok = find(known, typ.Value); !ok {
			d.fault(typ, fmt.Sprintf("unknown %s type %s", noun, quote(typ.Value)), suggest(typ.Value, typesOf(known)))
		}
	}
	if !ok {
		d.knownKeysOnly(n, path, fields, common)
		return nil
	}
	config := p.New()
	v := reflect.ValueOf(config).Elem()
	before := d.total()
	d.into(n, path, fmt.Sprintf(" in a %s of type %s", noun, p.Type), []target{{common, fields}, {v, d.fieldsOf(v.Type())}})
	if val, can := config.(interface{ Validate() error }); can && d.total() == before {
		if err := val.Validate(); err != nil {
			d.fault(n, fmt.Sprintf("%s %s: %v", noun, p.Type, err), "")
		}
	}
	return config
}

// knownKeysOnly decodes what can be judged without knowing the type. The rest is hidden: it may hold credentials.
func (d *decoder) knownKeysOnly(n *yaml.Node, path string, fields []field, common reflect.Value) {
	part := &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		if contains(keysOf(fields), k.Value) {
			part.Content = append(part.Content, k, val)
		} else if credentialKey.MatchString(k.Value) {
			d.hide(val)
		}
	}
	d.into(part, path, where(n, path), []target{{common, fields}})
}

// lookup gives the value of a key of a mapping, nil when it has none.
func lookup(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// labelSecrets lets the references of a config name whose they are when they can not be resolved.
func labelSecrets(config any, owner string) {
	if config == nil {
		return
	}
	v := reflect.ValueOf(config).Elem()
	for _, f := range fieldsOf(v.Type()) {
		if ref, ok := v.FieldByIndex(f.index).Interface().(secret.Ref); ok && !ref.IsZero() {
			v.FieldByIndex(f.index).Set(reflect.ValueOf(ref.For(f.key + " " + owner)))
		}
	}
}
