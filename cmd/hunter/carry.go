package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// carry runs specs one after another, shows each, and gives the exit code of all together.
func (g *globals) carry(ctx context.Context, set *hunts.Set, specs []campaign.Spec, ask *askFlags, failOn string) error {
	if err := checkFailOn(failOn); err != nil {
		return err
	}
	g.csv = ask.csv
	for i := range specs {
		specs[i].Fleets = app.Posted(set, specs[i].Tools)
	}
	if len(ask.paths) > 0 && !slices.Contains(specs[0].Search.Where, ledger.Files) {
		g.hint("--path has no effect: files is not in --where")
	}
	if !ask.dryRun && !slices.ContainsFunc(specs, func(s campaign.Spec) bool { return len(s.Fleets) == 0 }) {
		return g.requesting(ctx, set, specs, ask, failOn) // nothing is asked from here
	}
	show := newProgress(g)
	g.noCache = ask.noCache
	g.slow(&ask.gentle, specs)
	return g.opened(ctx, set, show.event, func(ctx context.Context, a *app.App) error {
		g.imported(a)
		r, err := g.requester(a.Store, set)
		if err != nil {
			return err
		}
		return g.each(ctx, specs, failOn, func(ctx context.Context, spec campaign.Spec) (int, error) {
			if len(spec.Fleets) > 0 && !ask.dryRun {
				return g.request(ctx, r, ask, spec)
			}
			code, err := g.carryOne(ctx, a, show, ask, spec)
			g.unasked(ctx, a.Store, spec)
			return code, err
		})
	})
}

// each carries specs one after another and gives the exit code of all together.
func (g *globals) each(ctx context.Context, specs []campaign.Spec, failOn string, carry func(context.Context, campaign.Spec) (int, error)) error {
	var codes []int
	for i, spec := range specs {
		if i > 0 && !g.json && !g.csv {
			fmt.Fprintln(g.out) // a blank line
		}
		if ctx.Err() != nil {
			g.hint("interrupted: %s not started", count(len(specs)-i, "hunt"))
			codes = append(codes, campaign.ExitUnproven)
			break
		}
		code, err := carry(ctx, spec)
		if err != nil {
			if len(specs) == 1 {
				return err
			}
			g.say("hunt %s: %s", spec.Hunt, err)
		}
		codes = append(codes, code)
	}
	return exitWith(campaign.Worst(codes...), failOn)
}

func (g *globals) carryOne(ctx context.Context, a *app.App, show *progress, ask *askFlags, spec campaign.Spec) (int, error) {
	if ask.before != nil {
		if err := ask.before(ctx, a.Store, spec); err != nil {
			return campaign.ExitError, err
		}
	}
	if ask.dryRun {
		return g.showPlan(ctx, a, spec)
	}
	for _, line := range report.AlertLines(spec.Alerts, spec.MoreAlerts) {
		g.hint("%s", line)
	}
	if ask.detach {
		out, err := a.Campaign.Queue(ctx, spec)
		return g.outcome(ctx, a.Store, out, err)
	}
	wait, cancel := ask.waiting(ctx)
	defer cancel()
	if !g.quiet && !g.json { // for a person who waits; the count is a second walk
		a.Campaign.Foretell = countingTime / 2
	}
	out, err := a.Campaign.Run(wait, spec)
	show.end()
	return g.ended(ctx, a.Store, ask, spec.Hunt, out, err)
}

// ended shows how a run ended and writes its report files. A report that can't be written is an error: somebody waits for it.
func (g *globals) ended(ctx context.Context, store *results.Store, ask *askFlags, hunt string, out campaign.Outcome, failure error) (int, error) {
	code, err := g.outcome(ctx, store, out, failure)
	if fault := ask.after.write(ctx, g, store, hunt, out); fault != nil {
		return campaign.ExitError, errors.Join(err, fault)
	}
	return code, err
}

// one carries a single run.
func (g *globals) one(ctx context.Context, a *app.App, show *progress, ask *askFlags, hunt, failOn string, run func(context.Context) (campaign.Outcome, error)) error {
	wait, cancel := ask.waiting(ctx)
	defer cancel()
	out, err := run(wait)
	show.end()
	code, err := g.ended(ctx, a.Store, ask, hunt, out, err)
	if err != nil {
		return err
	}
	return exitWith(code, failOn)
}

// waiting bounds ctx by --wait: when it ends, the run is detached.
func (a *askFlags) waiting(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.waitFor <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, a.waitFor)
}

// reading is how long the report of an interrupted run may take.
const readingTime = 30 * time.Second

// outcome shows how a run ended, also when it failed or was interrupted: what is stored is told.
func (g *globals) outcome(ctx context.Context, store *results.Store, out campaign.Outcome, failure error) (int, error) {
	if out.Run == "" {
		return campaign.ExitError, failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readingTime)
	defer cancel()
	v, err := report.Load(ctx, store, out.Run)
	switch {
	case err != nil:
	case g.csv:
		err = csvOf(ctx, g.out, store, out.Run, g.csvBegun)
		g.csvBegun = true
	default:
		err = g.runPresenter()(g.out, v)
	}
	for _, a := range v.Aside {
		g.hint("set aside: %s; hunter why HASH says where it comes from", a.Text())
	}
	if failure == nil && out.Detached && !out.Summary.Served {
		g.hint("run %s goes on with: hunter run --resume %s", out.Run, out.Run)
	}
	if failure != nil {
		failure = fmt.Errorf("run %s failed: %w", out.Run, failure)
	}
	return out.ExitCode, errors.Join(failure, err)
}

// runPresenter is how run, sweep and resume show a run.
func (g *globals) runPresenter() func(io.Writer, report.View) error {
	if g.json {
		return report.JSON
	}
	return report.Text(report.Style{Color: g.colorOn(g.out), Next: true})
}

// stored reads what a run was started with.
func (g *globals) stored(ctx context.Context, run string) (sum results.RunSummary, spec campaign.Spec, err error) {
	err = g.reading(ctx, func(ctx context.Context, s *results.Store) error {
		if sum, err = s.Run(ctx, run); err != nil {
			return err
		}
		spec, err = campaign.Thaw(sum.Definition)
		return err
	})
	return sum, spec, err
}

// imported tells what the providers' files brought.
func (g *globals) imported(a *app.App) {
	for _, sum := range a.Imported {
		files, indicators, refused := 0, 0, 0
		for _, f := range sum.Files {
			if !f.Unchanged {
				files++
				indicators += f.Indicators
				refused += f.Refused
			}
		}
		if files > 0 {
			g.hint("intelligence: %s imported, %s, %d refused", count(files, "file"), count(indicators, "indicator"), refused)
		}
	}
}

// say tells an error that does not end the command.
func (g *globals) say(format string, args ...any) {
	fmt.Fprintf(g.err, "hunter: %s\n", diag.Escape(fmt.Sprintf(format, args...))) // nowhere left to say it
}
