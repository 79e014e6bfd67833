package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/results"
)

// defaultHunts is what is read when no path is given: the first of these that is there.
func defaultHunts() []string { return []string{"hunts.yaml", "hunts"} }

// huntsHere gives what is read when no path is given; nil when there is none.
func huntsHere() []string {
	for _, p := range defaultHunts() {
		if _, err := os.Stat(p); err == nil {
			return []string{p}
		}
	}
	return nil
}

// loadHunts reads hunts files; without paths those in the working folder. Warnings go to stderr.
func (g *globals) loadHunts(paths []string) (*hunts.Set, error) {
	if len(paths) == 0 {
		paths = huntsHere()
	}
	if len(paths) == 0 {
		return nil, errors.New("no hunts file is given, and there is no hunts.yaml and no folder hunts here; name a file, a folder, or - for standard input")
	}
	set, list, err := hunts.Load(paths, g.in, app.Catalog())
	switch {
	case err != nil:
		return nil, err
	case list.HasErrors():
		return nil, list
	case len(list) > 0 && !g.quiet:
		return set, diag.Render(g.err, list, g.colorOn(g.err))
	}
	return set, nil
}

// toolsFrom reads the hunts files that a command takes its providers and tools from; nil when there are none.
func (g *globals) toolsFrom(paths []string) (*hunts.Set, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	return g.loadHunts(paths)
}

// opened wires the app over set, hands it to work, and closes it.
func (g *globals) opened(ctx context.Context, set *hunts.Set, progress func(campaign.Event), work func(ctx context.Context, a *app.App) error) (err error) {
	path, err := g.dbPath()
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	a, err := app.New(ctx, app.Options{DB: path, Set: set, Progress: progress, NoCache: g.noCache, Gentle: g.gentle, Meter: g.meter})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return results.Explain(work(ctx, a))
}

// interruptible ends ctx at Ctrl-C, so that a run is detached cleanly. A second Ctrl-C ends the process at once: what is
// recorded stays. Before this, and while nothing is at stake, the first one does.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// huntsFlag adds --hunts to a command whose arguments are no hunts files.
func huntsFlag(cmd *cobra.Command, paths *[]string) {
	cmd.Flags().StringArrayVar(paths, "hunts", nil, "hunts file or folder whose providers and tools are used (repeatable)")
}
