package hunts

import (
	"fmt"
	"reflect"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hunter-project/hunter/internal/diag"
)

// parsed is one file after decoding.
type parsed struct {
	*decoder
	file File
}

// Parse reads any number of files as one set. All faults of all files are in the list, sorted; the set is nil when one of
// them is an error. Warnings come with the set.
func Parse(sources []Source, cat Catalog) (*Set, diag.List) {
	var list diag.List
	var files []*parsed
	whole := true // every file could be read as YAML, so names that are nowhere defined are unknown
	for _, s := range sources {
		p, faults := parseOne(s, cat)
		list = append(list, faults...)
		if p == nil {
			whole = false
			continue
		}
		files = append(files, p)
	}
	set := unite(files)
	names := collectNames(files, set, cat, whole)
	for _, p := range files {
		p.checkFile(names)
		list = append(list, p.finish()...)
	}
	list.Sort()
	list = slices.CompactFunc(list, func(a, b diag.Diagnostic) bool { return a == b })
	if list.HasErrors() {
		return nil, list
	}
	return set, list
}

// parseOne decodes one file. A nil result with diagnostics is a file that could not be read as YAML.
func parseOne(s Source, cat Catalog) (*parsed, diag.List) {
	src, faults := open(s)
	if len(faults) > 0 {
		return nil, faults
	}
	root, faults := parseYAML(src)
	if len(faults) > 0 {
		return nil, faults
	}
	p := &parsed{decoder: newDecoder(src, cat)}
	if root == nil || isNull(root) {
		p.fault(&yaml.Node{Line: 1, Column: 1}, "the file is empty", "begin it with version: 1")
		return nil, p.finish()
	}
	p.values[""] = root
	if !checkStructure(p.reporter, root, 0) {
		return nil, p.finish()
	}
	if root.Kind != yaml.MappingNode {
		p.fault(root, "a hunts file is a section, not "+kindName(root), "begin it with version: 1")
		return nil, p.finish()
	}
	p.value(root, reflect.ValueOf(&p.file).Elem(), field{}, "")
	p.values[""] = root
	return p, nil
}

// unite puts the files together and merges each file's defaults into its hunts.
func unite(files []*parsed) *Set {
	set := &Set{}
	for _, p := range files {
		set.Files = append(set.Files, p.src.name)
		set.Never = append(set.Never, p.file.Never...)
	}
	set.Never = uniqueLists(set.Never)
	for _, p := range files {
		set.Providers = append(set.Providers, p.file.Providers...)
		set.Tools = append(set.Tools, p.file.Tools...)
		for i := range p.file.Hunts {
			h := &p.file.Hunts[i]
			h.Dir = p.src.dir
			if n := p.values[element("hunts", i)]; n != nil {
				h.Pos = p.pos(n)
			}
			p.resolveRoots(h, element("hunts", i))
		}
		p.resolveRoots(&Hunt{Spec: p.file.Defaults}, "defaults")
		for _, h := range p.file.Hunts {
			h.Spec = mergeSpec(h.Spec, p.file.Defaults)
			h.Never = uniqueLists(append(slices.Clone(h.Never), set.Never...))
			set.Hunts = append(set.Hunts, h)
		}
	}
	return set
}

func uniqueLists(lists []NeverList) []NeverList {
	seen := map[Path]bool{}
	return slices.DeleteFunc(slices.Clone(lists), func(l NeverList) bool {
		twice := seen[l.Path]
		seen[l.Path] = true
		return twice
	})
}

// names is what the files define, for references across files.
type names struct {
	providers map[string]*ProviderDef // nil values exist without a file
	tools     map[string]bool
	whole     bool // false: a file could not be read, so an unknown name proves nothing
}

// collectNames gathers the names and reports those that are given twice, also across files.
func collectNames(files []*parsed, set *Set, cat Catalog, whole bool) names {
	n := names{providers: map[string]*ProviderDef{}, tools: map[string]bool{}, whole: whole}
	type where struct {
		p    *parsed
		path string
	}
	first := map[string]where{}
	note := func(p *parsed, noun, name, path string) bool {
		if name == "" {
			return false
		}
		before, twice := first[noun+" "+name]
		if !twice {
			first[noun+" "+name] = where{p, path}
			return true
		}
		p.fault(p.node(path+".name"), fmt.Sprintf("%s %s is defined twice", noun, quote(name)), "first at "+before.p.pos(before.p.node(before.path+".name")).String())
		return false
	}
	for _, p := range files {
		for i := range p.file.Providers {
			if def := &p.file.Providers[i]; note(p, "provider", def.Name, element("providers", i)) {
				n.providers[def.Name] = def
			}
		}
		for i, t := range p.file.Tools {
			note(p, "tool", t.Name, element("tools", i))
			n.tools[t.Name] = true
		}
		for i, h := range p.file.Hunts {
			note(p, "hunt", h.Name, element("hunts", i))
		}
	}
	if len(set.Providers) == 0 {
		for _, name := range cat.DefaultProviders {
			n.providers[name] = nil
		}
	}
	builtin := cat.BuiltinTools
	if len(set.Tools) == 0 {
		builtin = slices.Concat(builtin, cat.DefaultTools)
	}
	for _, name := range builtin {
		n.tools[name] = true
	}
	return n
}
