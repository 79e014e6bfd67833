package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/report"
)

func newPlanCommand(g *globals) *cobra.Command {
	var f sweepFlags
	run := runFlags{}
	cmd := &cobra.Command{
		Use:   "plan [PATH...|HASH...|FILE|-]",
		Short: "Show everything that a run or sweep would do, and ask no endpoint",
		Long: "Pivot and plan, and stop before anything is asked. With hunts files (*.yaml) or folders, or with nothing, it plans\n" +
			"what hunter run would do; with hashes, a file of them or - it plans what hunter sweep would do.",
		RunE: func(cmd *cobra.Command, args []string) error {
			var specs []campaign.Spec
			var set *hunts.Set
			var err error
			if isSweep(args) {
				var spec campaign.Spec
				spec, set, err = g.sweepSpec(cmd, &f, args)
				specs = append(specs, spec)
			} else {
				run.askFlags, run.pivot = f.askFlags, f.pivot
				if set, err = g.loadHunts(append(args, f.hunts...)); err == nil {
					specs, err = g.specs(cmd, &run, set)
				}
			}
			if err != nil {
				return err
			}
			return g.opened(cmd.Context(), set, nil, func(ctx context.Context, a *app.App) error {
				g.imported(a)
				var faults []error
				for _, spec := range specs {
					_, err := g.showPlan(ctx, a, spec)
					faults = append(faults, err)
				}
				return errors.Join(faults...)
			})
		},
	}
	cmd.Flags().StringArrayVar(&run.hunts, "hunt", nil, "plan this hunt alone (repeatable)")
	cmd.Flags().StringArrayVar(&run.seeds, "seed", nil, "start from this hash, file of hashes or alert instead of the hunt's own seed (repeatable)")
	f.addTo(cmd)
	return cmd
}

// isSweep tells the arguments of a sweep from hunts files.
func isSweep(args []string) bool {
	for _, a := range args {
		ext := strings.ToLower(filepath.Ext(a))
		if ext == ".yaml" || ext == ".yml" || isFolder(a) {
			return false
		}
	}
	return len(args) > 0
}

// countingTime is how long a plan or run may count the files that it would read.
const countingTime = 10 * time.Second

// showPlan shows what a spec would ask.
func (g *globals) showPlan(ctx context.Context, a *app.App, spec campaign.Spec) (int, error) {
	prep, err := a.Campaign.Prepare(ctx, spec)
	if err != nil {
		return campaign.ExitError, err
	}
	p := report.Plan{Hunt: spec.Hunt, Alerts: spec.Alerts, MoreAlerts: spec.MoreAlerts, Graph: prep.Graph, Files: prep.Files, Refused: prep.AllRefused(), Plan: prep.Plan}
	counting, cancel := context.WithTimeout(ctx, countingTime)
	defer cancel()
	if f, ok := a.Campaign.Estimate(counting, prep); ok {
		p.Cost, p.Takes = &f.Cost, f.Takes
	}
	if g.json {
		return campaign.ExitProven, report.PlanJSON(g.out, p)
	}
	return campaign.ExitProven, report.PlanText(g.out, p)
}
