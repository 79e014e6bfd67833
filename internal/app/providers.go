package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/files"
	"github.com/hunter-project/hunter/internal/pivot/threatscape"
)

// DefaultProvider is the provider that is there without any hunts file: all that `hunter intel import` brought.
const DefaultProvider = "files"

// providerPlugins is the table of provider types.
func providerPlugins() []hunts.Plugin {
	return []hunts.Plugin{
		{Type: "files", Doc: "The local intelligence store, filled from MISP events, STIX 2.1 bundles, CSV and plain lists.", New: func() any { return &files.Config{} }},
		{Type: "threatscape", Doc: "iSIGHT ThreatScape, API v2 (FireEye iSIGHT Intelligence).", New: func() any { return &threatscape.Config{} }},
	}
}

// providers makes the providers of a set, and imports their files.
func (a *App) providers(ctx context.Context, opt Options) ([]pivot.Provider, error) {
	if opt.Set == nil || len(opt.Set.Providers) == 0 {
		return []pivot.Provider{files.NewProvider(DefaultProvider, a.Intel, files.ProviderOptions{})}, nil
	}
	var out []pivot.Provider
	for _, def := range opt.Set.Providers {
		switch cfg := def.Config.(type) {
		case *files.Config:
			p := files.NewProvider(def.Name, a.Intel, files.ProviderOptions{Config: *cfg, Paths: resolve(def.Dir, cfg.Paths), MaxTLP: def.MaxTLP})
			sum, err := p.Prepare(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: provider %s: %w", def.Pos, def.Name, err)
			}
			a.Imported = append(a.Imported, sum)
			out = append(out, p)
		case *threatscape.Config:
			p, err := threatscape.New(def.Name, threatscape.Options{Config: *cfg, MaxTLP: def.MaxTLP, HTTP: a.http(opt)})
			if err != nil {
				return nil, fmt.Errorf("%s: provider %s: %w", def.Pos, def.Name, err)
			}
			a.closers = append(a.closers, p)
			out = append(out, p)
		default:
			return nil, fmt.Errorf("%s: provider %s: this hunter has no provider of type %s", def.Pos, def.Name, def.Type)
		}
	}
	return out, nil
}

// http is what the clients of providers are made from: they remember in the store.
func (a *App) http(opt Options) httpx.Options {
	return httpx.Options{Cache: a.Store.Remembered(), Now: opt.Now}
}

// resolve makes paths absolute that are relative to a hunts file.
func resolve(dir string, paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		if !filepath.IsAbs(p) {
			p = filepath.Join(dir, p)
		}
		out[i] = p
	}
	return out
}
