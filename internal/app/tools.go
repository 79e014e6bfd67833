package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/carbonblack"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/socket"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// DefaultTool is the tool that is there without any hunts file: this machine.
const DefaultTool = "this-machine"

// Fleet is the tool that is there without any hunts file wherever a server is: the agents that enrolled with it. It is asked only
// by name.
const Fleet = "fleet"

// toolPlugins is the table of tool types.
func toolPlugins() []hunts.Plugin {
	return []hunts.Plugin{
		{Type: "osquery", Doc: "This machine, asked in osquery's SQL.", New: func() any { return &local.Config{} }},
		{Type: remote.Type, Doc: "The agents that enrolled with hunter serve, asked in osquery's SQL.", New: func() any { return remote.NewConfig() }},
		{Type: carbonblack.Type, Doc: "A server of Carbon Black EDR, searched by md5.", New: func() any { return carbonblack.NewConfig() }},
	}
}

// Catalog is all that a hunts file may name.
func Catalog() hunts.Catalog {
	return hunts.Catalog{
		Providers: providerPlugins(), Tools: toolPlugins(),
		DefaultProviders: []string{DefaultProvider}, DefaultTools: []string{DefaultTool}, BuiltinTools: []string{Fleet},
	}
}

// byName makes the tools that are asked only when a run names them: the fleet, unless a file says itself what that is.
func byName(opt Options, store *results.Store) []edr.Tool {
	if definesFleet(opt.Set) {
		return nil
	}
	return []edr.Tool{remote.NewTool(Fleet, remote.ToolOptions{Nodes: store, Interval: opt.Interval, Now: opt.Now})}
}

func definesFleet(set *hunts.Set) bool {
	return set != nil && slices.ContainsFunc(set.Tools, func(d hunts.ToolDef) bool { return d.Name == Fleet })
}

// Posted says which tools, of the names that a run gives (nil: all of the set), are fleets: a server asks them.
func Posted(set *hunts.Set, names []string) []string {
	var out []string
	if set != nil {
		for _, def := range set.Tools {
			if def.Type == remote.Type && (names == nil || slices.Contains(names, def.Name)) {
				out = append(out, def.Name)
			}
		}
	}
	if slices.Contains(names, Fleet) && !definesFleet(set) {
		out = append(out, Fleet)
	}
	return out
}

// ToolNames gives the names of all tools that a run over a set may name.
func ToolNames(set *hunts.Set) []string {
	out := []string{DefaultTool}
	if set != nil && len(set.Tools) > 0 {
		out = nil
		for _, def := range set.Tools {
			out = append(out, def.Name)
		}
	}
	if !definesFleet(set) {
		out = append(out, Fleet)
	}
	return out
}

// makeTools makes the tools of a set. Every fault is told at once.
func makeTools(ctx context.Context, opt Options, store *results.Store) ([]edr.Tool, error) {
	var cache embedded.Cache
	if !opt.NoCache {
		var err error
		if cache, err = DigestCache(ctx, store); err != nil {
			return nil, err
		}
	}
	if opt.Gentle != nil {
		opt.pace = gentle.New(*opt.Gentle, gentle.Options{}) // one for all tools: they share the machine
	}
	if opt.Set == nil || len(opt.Set.Tools) == 0 {
		return []edr.Tool{thisMachine(ctx, opt, hunts.ToolDef{Name: DefaultTool}, local.Config{}, cache)}, nil
	}
	var out []edr.Tool
	var faults []error
	for _, def := range opt.Set.Tools {
		t, err := makeTool(ctx, opt, def, cache, store)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		out = append(out, t)
	}
	return out, errors.Join(faults...)
}

func thisMachine(ctx context.Context, opt Options, def hunts.ToolDef, cfg local.Config, cache embedded.Cache) edr.Tool {
	return local.New(def.Name, local.Options{
		Kinds: def.HashTypes, Now: opt.Now, Dial: dialer(ctx, cfg), Cache: cache, NoCache: opt.NoCache, Pace: opt.pace, Meter: opt.Meter,
	})
}

// makeTool makes one tool and asks no endpoint.
func makeTool(ctx context.Context, opt Options, def hunts.ToolDef, cache embedded.Cache, store *results.Store) (edr.Tool, error) {
	switch cfg := def.Config.(type) {
	case *remote.Config:
		return remote.NewTool(def.Name, remote.ToolOptions{Nodes: store, Kinds: def.HashTypes, Interval: cfg.Interval, Now: opt.Now}), nil
	case *local.Config:
		return thisMachine(ctx, opt, def, *cfg, cache), nil
	case *carbonblack.Config:
		c := *cfg
		c.Token = c.Token.In(def.Dir)
		t, err := carbonblack.New(def.Name, carbonblack.Options{Config: c, Kinds: def.HashTypes, Now: opt.Now})
		if err != nil {
			return nil, fmt.Errorf("%s: tool %s: %w", def.Pos, def.Name, err)
		}
		return t, nil
	}
	return nil, fmt.Errorf("%s: tool %s: this hunter has no tool of type %s", def.Pos, def.Name, def.Type)
}

// dialer gives the way to osqueryd, nil where the embedded engine answers. When nothing is said, an osqueryd that does
// not answer on its socket is not waited for: the socket may be left over.
func dialer(ctx context.Context, cfg local.Config) func(context.Context) (local.Asker, error) {
	path, there := socket.Find(cfg.Socket)
	said := cfg.Engine == ledger.EngineOsqueryd || cfg.Socket != ""
	if cfg.Engine == ledger.EngineEmbedded || (!said && !there) {
		return nil
	}
	dial := func(ctx context.Context) (local.Asker, error) { return socket.Dial(ctx, path, socket.Options{}) }
	if said {
		return dial
	}
	probe, err := dial(ctx)
	if err != nil || probe.Close() != nil {
		return nil
	}
	return dial
}
