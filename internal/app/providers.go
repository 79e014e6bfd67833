package app

import (
	"context"
	"errors"
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

// providers makes the providers of a set, and imports their files. Every fault is told at once.
func (a *App) providers(ctx context.Context, opt Options) ([]pivot.Provider, error) {
	if opt.Set == nil || len(opt.Set.Providers) == 0 {
		return []pivot.Provider{files.NewProvider(DefaultProvider, a.Intel, files.ProviderOptions{})}, nil
	}
	var out []pivot.Provider
	var faults []error
	for _, def := range opt.Set.Providers {
		p, err := a.provider(opt, def)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if f, ok := p.(*files.Provider); ok {
			sum, err := f.Prepare(ctx)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s: provider %s: %w", def.Pos, def.Name, err))
				continue
			}
			a.Imported = append(a.Imported, sum)
		}
		out = append(out, p)
	}
	return out, errors.Join(faults...)
}

// provider makes one provider and asks nobody.
func (a *App) provider(opt Options, def hunts.ProviderDef) (pivot.Provider, error) {
	switch cfg := def.Config.(type) {
	case *files.Config:
		return files.NewProvider(def.Name, a.Intel, files.ProviderOptions{Config: *cfg, Paths: resolve(def.Dir, cfg.Paths), MaxTLP: def.MaxTLP}), nil
	case *threatscape.Config:
		c := *cfg
		c.PublicKey, c.PrivateKey = c.PublicKey.In(def.Dir), c.PrivateKey.In(def.Dir)
		p, err := threatscape.New(def.Name, threatscape.Options{Config: c, MaxTLP: def.MaxTLP, HTTP: a.http(opt)})
		if err != nil {
			return nil, fmt.Errorf("%s: provider %s: %w", def.Pos, def.Name, err)
		}
		a.closers = append(a.closers, p)
		return p, nil
	}
	return nil, fmt.Errorf("%s: provider %s: this hunter has no provider of type %s", def.Pos, def.Name, def.Type)
}

// http is what the clients of providers are made from: they remember in the store, where there is one.
func (a *App) http(opt Options) httpx.Options {
	if a.Store == nil {
		return httpx.Options{Now: opt.Now}
	}
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
