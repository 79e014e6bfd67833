package app

import (
	"fmt"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
)

// DefaultTool is the tool that is there without any hunts file: this machine.
const DefaultTool = "this-machine"

// toolPlugins is the table of tool types.
func toolPlugins() []hunts.Plugin {
	return []hunts.Plugin{
		{Type: "osquery", Doc: "This machine, asked in osquery's SQL.", New: func() any { return &local.Config{} }},
	}
}

// Catalog is all that a hunts file may name.
func Catalog() hunts.Catalog {
	return hunts.Catalog{
		Providers: providerPlugins(), Tools: toolPlugins(),
		DefaultProviders: []string{DefaultProvider}, DefaultTools: []string{DefaultTool},
	}
}

// makeTools makes the tools of a set.
func makeTools(opt Options) ([]edr.Tool, error) {
	if opt.Set == nil || len(opt.Set.Tools) == 0 {
		return []edr.Tool{local.New(DefaultTool, local.Options{Now: opt.Now})}, nil
	}
	var out []edr.Tool
	for _, def := range opt.Set.Tools {
		switch def.Config.(type) {
		case *local.Config:
			out = append(out, local.New(def.Name, local.Options{Kinds: def.HashTypes, Now: opt.Now}))
		default:
			return nil, fmt.Errorf("%s: tool %s: this hunter has no tool of type %s", def.Pos, def.Name, def.Type)
		}
	}
	return out, nil
}
