package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
)

// runFlags are those of run beside askFlags.
type runFlags struct {
	askFlags
	hunts  []string
	seeds  []string
	resume string
	failOn string
	pivot  pivotFlags
}

func newRunCommand(g *globals) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [PATH...]",
		Short: "Run hunts now: pivot, ask the endpoints, record and report",
		Long: "Run the hunts of the given files and folders, one after another, and wait for the end of each.\n" +
			"Without a path, hunts.yaml or the folder hunts of the working folder are read. Ctrl-C detaches a run cleanly;\n" +
			"run --resume RUN goes on under the same id, and asks nothing that was answered.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.resume != "" {
				return g.resume(cmd, &f, args)
			}
			return g.runHunts(cmd, &f, args)
		},
	}
	cmd.Flags().StringArrayVar(&f.hunts, "hunt", nil, "run this hunt alone (repeatable)")
	cmd.Flags().StringArrayVar(&f.seeds, "seed", nil, "start from this hash, file of hashes or alert instead of the hunt's own seed (repeatable)")
	cmd.Flags().StringVar(&f.resume, "resume", "", "go on with a run that was interrupted: its id, a prefix of it, or last")
	f.add(cmd)
	f.pivot.limits(cmd)
	failOnFlag(cmd, &f.failOn)
	return cmd
}

// specs turns the chosen hunts of a set into what their runs do. Every fault of every hunt is told at once.
func (g *globals) specs(cmd *cobra.Command, f *runFlags, set *hunts.Set) ([]campaign.Spec, error) {
	chosen, err := choose(set, f.hunts)
	if err != nil {
		return nil, err
	}
	var specs []campaign.Spec
	var faults []error
	for _, h := range chosen {
		if !h.Seed.Fixed() && len(f.seeds) == 0 && len(f.hunts) == 0 {
			g.hint("hunt %s is left out: it starts from alerts that come in; give it a start with --hunt %s --seed HASH", h.Name, h.Name)
			continue
		}
		spec, err := campaign.FromHunt(set, h, len(f.seeds) > 0)
		if err == nil && len(f.seeds) > 0 {
			err = spec.ReadSeeds(f.seeds, g.in)
		}
		if err == nil {
			err = errors.Join(f.apply(&spec), f.pivot.apply(cmd, &spec.Pivot))
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("hunt %s: %w", h.Name, err))
			continue
		}
		g.unwritten(h)
		specs = append(specs, spec)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if len(specs) == 0 {
		return nil, errors.New("there is no hunt to run")
	}
	return specs, nil
}

// choose gives the hunts of those names, or all.
func choose(set *hunts.Set, names []string) ([]hunts.Hunt, error) {
	if len(names) == 0 {
		return set.Hunts, nil
	}
	var out []hunts.Hunt
	var faults []error
	for _, n := range names {
		h, ok := set.Hunt(n)
		if !ok {
			hint := ""
			if near := diag.Nearest(n, set.Names()); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			faults = append(faults, fmt.Errorf("there is no hunt %q%s", n, hint))
			continue
		}
		out = append(out, h)
	}
	return out, errors.Join(faults...)
}

func (g *globals) runHunts(cmd *cobra.Command, f *runFlags, paths []string) error {
	set, err := g.loadHunts(paths)
	if err != nil {
		return err
	}
	specs, err := g.specs(cmd, f, set)
	if err != nil {
		return err
	}
	f.after = outputsOf(set)
	return g.carry(cmd.Context(), set, specs, &f.askFlags, f.failOn)
}

// resume goes on with a stored run. Its tools are those of the hunts files that it was started with.
func (g *globals) resume(cmd *cobra.Command, f *runFlags, paths []string) error {
	if len(f.hunts)+len(f.seeds) > 0 || f.detach || f.dryRun {
		return errors.New("--resume goes on with what was planned; it takes no --hunt, --seed, --detach or --dry-run")
	}
	if err := errors.Join(checkFailOn(f.failOn), f.readWait()); err != nil {
		return err
	}
	g.csv = f.csv
	for _, name := range []string{
		"path", "where", "unsized", "max-size", "full", "tool", "host", "label", "platform", "exclude", "case", "timeout", "canary", "rate", "late",
		"max-indicators", "max-per-report", "max-reports", "min-confidence",
	} {
		if cmd.Flags().Changed(name) {
			g.hint("--%s has no effect: a resumed run asks what was planned", name)
		}
	}
	ctx := cmd.Context()
	sum, spec, err := g.stored(ctx, f.resume)
	if err != nil {
		return err
	}
	if sum.Served {
		return g.resumeServed(ctx, f, sum)
	}
	id := sum.ID
	if len(paths) == 0 {
		paths = spec.HuntsFiles
	}
	set, err := g.toolsFrom(paths)
	if err != nil {
		return fmt.Errorf("read the hunts files that run %s was started with: %w", id, err)
	}
	f.after = outputsOf(set)
	show := newProgress(g)
	g.noCache = f.noCache
	if err := f.gentle.apply(&spec); err != nil {
		return err
	}
	g.slow(&f.gentle, []campaign.Spec{spec})
	return g.opened(ctx, set, show.event, func(ctx context.Context, a *app.App) error {
		return g.one(ctx, a, show, &f.askFlags, spec.Hunt, f.failOn, func(ctx context.Context) (campaign.Outcome, error) {
			return a.Campaign.Resume(ctx, id)
		})
	})
}
