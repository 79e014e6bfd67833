package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/socket"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/files"
	"github.com/hunter-project/hunter/internal/results"
)

// Finding is what was found of one part that a run hangs on.
type Finding struct {
	Of   string `json:"of"` // database, provider, tool
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	diag.Check
}

// Doctor checks the database, every provider and every tool of a set, each on its own: one that can not even be made
// keeps no other from being looked at. wait is how long each may take. No endpoint is asked for a hash.
func Doctor(ctx context.Context, opt Options, wait time.Duration) (out []Finding, err error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	a := &App{}
	defer func() { err = errors.Join(err, a.Close()) }()
	d := doctor{app: a, opt: opt, wait: wait}
	d.database(ctx)
	for _, def := range d.providers() {
		d.provider(ctx, def)
	}
	for _, def := range d.tools() {
		d.tool(ctx, def)
	}
	return d.found, ctx.Err()
}

type doctor struct {
	app   *App
	opt   Options
	wait  time.Duration
	found []Finding
}

func (d *doctor) add(of, name, kind string, checks ...diag.Check) {
	for _, c := range checks {
		d.found = append(d.found, Finding{Of: of, Name: name, Type: kind, Check: c})
	}
}

// database opens the database as a run does.
func (d *doctor) database(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	path := d.opt.DB
	store, err := results.Open(ctx, path, results.Options{Now: d.opt.Now})
	if err != nil {
		d.add("database", path, "", diag.Fail("open", err.Error(), "a run can not begin without it"), results.Room(path))
		return
	}
	d.app.Store = store
	w, r := store.DB()
	d.app.Intel = files.NewStore(files.DB{W: w, R: r}, d.opt.Now)
	checks := append(store.Check(ctx), results.Room(path))
	checks[0].Detail = path + ": " + checks[0].Detail
	d.add("database", path, "", checks...)
}

// providers gives what the set defines, else the default.
func (d *doctor) providers() []hunts.ProviderDef {
	if d.opt.Set == nil || len(d.opt.Set.Providers) == 0 {
		return []hunts.ProviderDef{{Name: DefaultProvider, Type: "files", Config: &files.Config{}}}
	}
	return d.opt.Set.Providers
}

func (d *doctor) tools() []hunts.ToolDef {
	if d.opt.Set == nil || len(d.opt.Set.Tools) == 0 {
		return []hunts.ToolDef{{Name: DefaultTool, Type: "osquery", Config: &local.Config{}}}
	}
	return d.opt.Set.Tools
}

func (d *doctor) provider(ctx context.Context, def hunts.ProviderDef) {
	ctx, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	if _, ok := def.Config.(*files.Config); ok && d.app.Store == nil {
		d.add("provider", def.Name, def.Type, diag.Unknown("indicators", "they are in the database, which can not be opened", "mend the database first"))
		return
	}
	p, err := d.app.provider(d.opt, def)
	if err != nil {
		d.add("provider", def.Name, def.Type, diag.Fail("settings", strings.ReplaceAll(err.Error(), "\n", "; "), "every run that uses this file ends here"))
		return
	}
	c, ok := p.(pivot.Checker)
	if !ok {
		d.add("provider", def.Name, def.Type, diag.Unknown("reachable", "a provider of this type can not be checked", "hunter pivot HASH --provider "+def.Name))
		return
	}
	d.add("provider", def.Name, def.Type, c.Check(ctx)...)
}

func (d *doctor) tool(ctx context.Context, def hunts.ToolDef) {
	ctx, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	if _, ok := def.Config.(*remote.Config); ok && d.app.Store == nil {
		d.add("tool", def.Name, def.Type, diag.Unknown("reachable", "its agents are in the database, which can not be opened", "mend the database first"))
		return
	}
	t, err := makeTool(ctx, d.opt, def, nil, d.app.Store)
	if err != nil {
		d.add("tool", def.Name, def.Type, diag.Fail("settings", strings.ReplaceAll(err.Error(), "\n", "; "), "every run that uses this file ends here"))
		return
	}
	d.app.tools = append(d.app.tools, t)
	if cfg, ok := def.Config.(*local.Config); ok {
		d.add("tool", def.Name, def.Type, leftOver(ctx, *cfg)...)
	}
	c, ok := t.(edr.Checker)
	if !ok {
		d.add("tool", def.Name, def.Type, diag.Unknown("reachable", "a tool of this type can not be checked", "hunter plan --tool "+def.Name))
		return
	}
	d.add("tool", def.Name, def.Type, c.Check(ctx)...)
}

// leftOver tells of an osqueryd that could answer and does not: without a word the built-in engine takes its place.
func leftOver(ctx context.Context, cfg local.Config) []diag.Check {
	path, there := socket.Find(cfg.Socket)
	if !there || cfg.Engine == ledger.EngineEmbedded || dialer(ctx, cfg) != nil {
		return nil
	}
	return []diag.Check{diag.Unknown("socket", fmt.Sprintf("%s is there, and no osqueryd that may be asked answers on it; the built-in engine takes its place", path),
		"start osqueryd, run hunter with its rights, or say engine: embedded")}
}
