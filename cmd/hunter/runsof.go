package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// watched is one line of `hunter runs watch --json`.
type watched struct {
	Schema   string               `json:"schema"` // hunter.watch/1
	Run      string               `json:"run"`
	Hunt     string               `json:"hunt"`
	State    results.RunState     `json:"state"`
	At       time.Time            `json:"at"`
	Targets  int                  `json:"targets"`
	Released int                  `json:"released"`
	Settled  int                  `json:"settled"`
	Answered int                  `json:"answered"`
	States   map[ledger.State]int `json:"states"`
	Hits     int                  `json:"hits"`
	ExitCode *int                 `json:"exit_code"`
	Reason   string               `json:"reason,omitempty"`
}

func newRunsWatchCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "watch RUN",
		Short: "Show how a run goes on, until it ends",
		Long: "Show a run that a server carries, until it ends or Ctrl-C: on a terminal a bar with the endpoints by state, elsewhere a line\n" +
			"now and then on standard error, with --json one object a line on standard output for each change. The run goes on either way.",
		Args: takes(1, 1, "a run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.reading(cmd.Context(), func(ctx context.Context, s *results.Store) error {
				ctx, stop := interruptible(ctx)
				defer stop()
				return g.watch(ctx, s, args[0])
			})
		},
	}
}

func (g *globals) watch(ctx context.Context, s *results.Store, run string) error {
	bar := newWatchBar(g)
	var fault error
	last := ""
	sum, err := follow(ctx, s, run, func(p point) {
		if !g.json {
			bar.show(p)
			return
		}
		line := watched{
			Schema: "hunter.watch/1", Run: p.Run.ID, Hunt: p.Run.Hunt, State: p.Run.State, Targets: p.Counts.Targets,
			Released: p.Counts.Released, Settled: p.Counts.Settled, Answered: p.Counts.Answered, States: p.Counts.States, Hits: p.Run.HitsTotal,
			ExitCode: p.Run.ExitCode, Reason: p.Run.Error,
		}
		if now := fmt.Sprint(line); now != last && fault == nil { // the time is no change
			last, line.At = now, p.At.UTC()
			fault = g.printJSON(line)
		}
	})
	bar.clear()
	switch {
	case fault != nil:
		return fault
	case ctx.Err() != nil && sum.ID != "": // enough was seen
		return nil
	case err != nil || g.json:
		return err
	}
	code := "-"
	if sum.ExitCode != nil {
		code = fmt.Sprint(*sum.ExitCode)
	}
	_, err = fmt.Fprintf(g.out, "run %s is %s, exit code %s, %s, %d of %d proven\n", sum.ID, sum.State, code, count(sum.HitsTotal, "hit"), sum.Proven, sum.Endpoints-sum.States[ledger.Excluded])
	return err
}

// wish is what a person can want of a run that a server carries.
type wish struct {
	verb, of, short string
	reached         func(results.RunState) bool
}

func wishes() []wish {
	return []wish{
		{results.WishPause, "paused", "Have the server hand nothing more out for a run until it is resumed", func(s results.RunState) bool { return s == results.RunPaused }},
		{results.WishResume, "going on", "Have the server go on with a run that was paused", func(s results.RunState) bool { return s == results.RunRunning }},
		{results.WishStop, "stopped", "Have the server end a run now; what was not asked stays unasked", func(s results.RunState) bool { return s == results.RunStopped }},
	}
}

func newWishCommand(g *globals, w wish) *cobra.Command {
	return &cobra.Command{
		Use: w.verb + " RUN", Short: w.short, Args: takes(1, 1, "a run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.writing(cmd.Context(), func(ctx context.Context, s *results.Store) error { return g.want(ctx, s, w, args[0]) })
		},
	}
}

// wishTime is how long a command waits until the server has obeyed.
const wishTime = 10 * time.Second

// want stores a wish and waits a while until the server has obeyed.
func (g *globals) want(ctx context.Context, s *results.Store, w wish, run string) error {
	sum, err := s.Run(ctx, run)
	if err != nil {
		return err
	}
	if err := s.SetWish(ctx, sum.ID, w.verb); err != nil {
		return err
	}
	r, err := g.requester(s, nil)
	if err != nil {
		return err
	}
	if err := r.Live(ctx); err != nil {
		g.hint("%s; the wish is stored, and obeyed when one is", err)
		return g.wished(sum, w)
	}
	waiting, cancel := context.WithTimeout(ctx, wishTime)
	defer cancel()
	now, err := follow(waiting, s, sum.ID, func(p point) {
		if w.reached(p.Run.State) || p.Run.State.Over() {
			cancel()
		}
	})
	if err != nil && waiting.Err() == nil {
		return err
	}
	if now.ID != "" {
		sum = now
	}
	if !w.reached(sum.State) && !sum.State.Over() {
		g.hint("the server has not obeyed yet: hunter runs watch %s", sum.ID)
	}
	return g.wished(sum, w)
}

func (g *globals) wished(sum results.RunSummary, w wish) error {
	if g.json {
		return g.printJSON(map[string]any{"schema": "hunter.wish/1", "run": sum.ID, "wish": w.verb, "state": sum.State})
	}
	said := "is to be " + w.of
	if w.reached(sum.State) {
		said = "is " + w.of
	}
	_, err := fmt.Fprintf(g.out, "run %s %s\n", sum.ID, said)
	return err
}

// resumeServed waits for a run that a server carries, as nobody else may ask its endpoints. One that is paused goes on.
func (g *globals) resumeServed(ctx context.Context, f *runFlags, sum results.RunSummary) error {
	return g.writing(ctx, func(ctx context.Context, s *results.Store) error {
		r, err := g.requester(s, nil)
		if err != nil {
			return err
		}
		if !sum.State.Over() {
			if err := r.Live(ctx); err != nil {
				return err
			}
		}
		if sum.State == results.RunPaused {
			if err := s.SetWish(ctx, sum.ID, results.WishResume); err != nil {
				return err
			}
		}
		ctx, stop := interruptible(ctx)
		defer stop()
		wait, cancel := f.waiting(ctx)
		defer cancel()
		code, err := g.awaited(ctx, wait, r, &f.askFlags, sum.ID)
		if err != nil {
			return err
		}
		return exitWith(code, f.failOn)
	})
}
