package hunts

import "slices"

// Plugin is one type of provider or tool: what its section of a file may say.
type Plugin struct {
	Type string // the value of `type`
	Doc  string // one sentence
	// New makes a pointer to the plug-in's own config struct with its defaults set. Fields have the tags yaml and doc, and may
	// have: required:"true", default (for people), enum:"a,b", pattern, min and max (numbers), nonempty:"true" (lists), path:"file", "dir" or "any" (a
	// string or []string naming something that must exist, relative to the file). A field of type secret.Ref is a
	// credential. Types may implement encoding.TextUnmarshaler; time.Duration is read with units d and w. A config with
	// Validate() error is asked after it was read.
	New func() any
}

// Catalog is all that a file may name. It is a value that the wiring hands over, so that this package knows no plug-in.
type Catalog struct {
	Providers, Tools []Plugin
	// DefaultProviders and DefaultTools are the names that exist when no file defines any provider or tool.
	DefaultProviders, DefaultTools []string
	// BuiltinTools are names of tools that exist without any file, such as the fleet of a server.
	BuiltinTools []string
}

func find(plugins []Plugin, typ string) (Plugin, bool) {
	i := slices.IndexFunc(plugins, func(p Plugin) bool { return p.Type == typ })
	if i < 0 {
		return Plugin{}, false
	}
	return plugins[i], true
}

func typesOf(plugins []Plugin) []string {
	out := make([]string, len(plugins))
	for i, p := range plugins {
		out[i] = p.Type
	}
	slices.Sort(out)
	return out
}
