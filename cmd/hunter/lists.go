package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// timeFlag reads --since and its like: a length of time back from now, or a date.
func timeFlag(name, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := hunts.ParseDuration(s); err == nil {
		return time.Now().Add(-d.Std()), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--%s %q is neither a length of time such as 7d nor a date such as 2026-11-23", name, s)
}

// settle completes a filter: the time, and the run's full id.
func settle(ctx context.Context, s *results.Store, f *results.Filter, since string) error {
	at, err := timeFlag("since", since)
	if err != nil {
		return err
	}
	f.Since = at
	if f.Limit < 0 {
		return fmt.Errorf("--limit %d: a number from 0 is due; 0 is all", f.Limit)
	}
	if f.Run == "" {
		return nil
	}
	run, err := s.Run(ctx, f.Run)
	if err != nil {
		return err
	}
	f.Run = run.ID
	return nil
}

// known refuses a word that a list could never show, so that a slip does not look like an empty list.
func known[T ~string](flag, value string, words []T) error {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	switch {
	case value == "" || slices.Contains(names, value):
		return nil
	case diag.Nearest(value, names) != "":
		return fmt.Errorf("--%s %q is not known; did you mean %q?", flag, value, diag.Nearest(value, names))
	default:
		return fmt.Errorf("--%s %q is not known; it is one of %s", flag, value, strings.Join(names, ", "))
	}
}

// none tells that a list is empty; on standard output that would be a row.
func (g *globals) none(n int, what string) {
	if n == 0 {
		g.hint("no %s", what)
	}
}

// table prints rows in columns.
func (g *globals) table(header string, rows [][]string) error {
	tw := tabwriter.NewWriter(g.out, 2, 4, 2, ' ', 0)
	var errs []error
	line := func(s string) {
		_, err := fmt.Fprintln(tw, s)
		errs = append(errs, err)
	}
	line(header)
	for _, r := range rows {
		line(strings.Join(r, "\t"))
	}
	return errors.Join(append(errs, tw.Flush())...)
}

func shortTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func newRunsCommand(g *globals) *cobra.Command {
	var f results.Filter
	var since string
	var follows bool
	cmd := readCommand(g, "runs", "List runs, newest first", takes(0, 0, ""), func(ctx context.Context, s *results.Store, _ []string) error {
		if err := errors.Join(known("state", f.State, results.RunStates()), settle(ctx, s, &f, since)); err != nil {
			return err
		}
		if follows {
			return g.followList(ctx, s, f, newRuns())
		}
		runs, err := s.Runs(ctx, f)
		if err != nil {
			return err
		}
		g.none(len(runs), "run matches")
		if g.csv {
			return report.RunsCSV(g.out, runs)
		}
		if g.json {
			for _, r := range runs {
				v, err := report.Load(ctx, s, r.ID)
				if err != nil {
					return err
				}
				v.Hits = nil // `hunter hits` lists them
				if err := report.JSON(g.out, v); err != nil {
					return err
				}
			}
			return nil
		}
		var rows [][]string
		for _, r := range runs {
			exit := "-"
			if r.ExitCode != nil {
				exit = fmt.Sprint(*r.ExitCode)
			}
			rows = append(rows, []string{
				r.ID, diag.Escape(r.Hunt), string(r.State), exit, fmt.Sprint(r.HitsTotal), fmt.Sprintf("%d/%d", r.Proven, r.Endpoints-r.States[ledger.Excluded]),
				fmt.Sprint(r.Hunted), shortTime(r.StartedAt),
			})
		}
		return g.table("RUN\tHUNT\tSTATE\tEXIT\tHITS\tPROVEN\tHUNTED\tSTARTED", rows)
	})
	g.filterFlags(cmd, &f, &since, "run", "hunt", "state", "since")
	g.followFlag(cmd, &follows)
	cmd.AddCommand(newRunsWatchCommand(g))
	for _, w := range wishes() {
		cmd.AddCommand(newWishCommand(g, w))
	}
	return cmd
}

func newHitsCommand(g *globals) *cobra.Command {
	var f results.Filter
	var since string
	var follows bool
	cmd := readCommand(g, "hits [RUN]", "List hits", takes(0, 1, "a run"), func(ctx context.Context, s *results.Store, args []string) error {
		if len(args) == 1 {
			f.Run = args[0]
		}
		if err := settle(ctx, s, &f, since); err != nil {
			return err
		}
		if follows {
			return g.followList(ctx, s, f, newHits())
		}
		hits, _, err := s.Hits(ctx, f)
		if err != nil {
			return err
		}
		g.none(len(hits), "hit matches")
		switch {
		case g.csv:
			return report.HitsCSV(g.out, hits)
		case g.json:
			return g.hitsJSON(ctx, s, hits)
		}
		var rows [][]string
		for _, h := range hits {
			rows = append(rows, []string{
				fmt.Sprint(h.ID), diag.Escape(h.Hostname), h.Tool, string(h.Row.FoundIn), h.PathText,
				string(h.Row.Matched.Kind) + ":" + h.Row.Matched.Value, diag.Escape(h.Hunt), shortTime(h.ObservedAt),
			})
		}
		return g.table("HIT\tHOST\tTOOL\tFOUND IN\tPATH\tMATCHED\tHUNT\tOBSERVED", rows)
	})
	g.filterFlags(cmd, &f, &since, "run", "hunt", "host", "hash", "since")
	g.followFlag(cmd, &follows)
	return cmd
}

// hitsJSON prints one hit a line, each with its chain.
func (g *globals) hitsJSON(ctx context.Context, s *results.Store, hits []results.StoredHit) error {
	c := chains{}
	for _, h := range hits {
		j, err := c.hit(ctx, s, h)
		if err != nil {
			return err
		}
		if err := g.printJSON(j); err != nil {
			return err
		}
	}
	return nil
}

// chainsKept is of how many runs the pivots are kept in memory.
const chainsKept = 16

// chains are the pivots of runs, to which hits trace back. A run has no hits before its pivot is complete.
type chains map[string]*report.Why

// hit gives the JSON form of a hit, with its chain.
func (c chains) hit(ctx context.Context, s *results.Store, h results.StoredHit) (report.HitJSON, error) {
	why, ok := c[h.Run]
	if !ok {
		v, err := report.Load(ctx, s, h.Run)
		if err != nil {
			return report.HitJSON{}, err
		}
		if len(c) >= chainsKept {
			clear(c)
		}
		why = v.Why()
		c[h.Run] = why
	}
	j := report.HitOf(h)
	j.Why = why.Chain(h.Row.Matched)
	return j, nil
}

func newFindingsCommand(g *globals) *cobra.Command {
	var f results.Filter
	var since string
	var follows bool
	cmd := readCommand(g, "findings", "List findings: the same hit over any number of runs", takes(0, 0, ""), func(ctx context.Context, s *results.Store, _ []string) error {
		verdicts := []string{results.FindingNew, results.FindingConfirmed, results.FindingBenign}
		if err := errors.Join(known("verdict", f.State, verdicts), settle(ctx, s, &f, since)); err != nil {
			return err
		}
		if follows {
			return g.followList(ctx, s, f, newFindings())
		}
		found, err := s.Findings(ctx, f)
		if err != nil {
			return err
		}
		g.none(len(found), "finding matches")
		if g.csv {
			return report.FindingsCSV(g.out, found)
		}
		var rows [][]string
		for _, x := range found {
			if g.json {
				if err := g.printJSON(report.FindingOf(x)); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, []string{
				fmt.Sprint(x.ID), diag.Escape(x.Hostname), x.Path, x.Matched, shortTime(x.FirstSeen), shortTime(x.LastSeen), fmt.Sprint(x.Runs), x.Verdict,
			})
		}
		if g.json {
			return nil
		}
		return g.table("FINDING\tHOST\tPATH\tMATCHED\tFIRST SEEN\tLAST SEEN\tRUNS\tVERDICT", rows)
	})
	g.filterFlags(cmd, &f, &since, "run", "hunt", "host", "hash", "since")
	g.followFlag(cmd, &follows)
	cmd.Flags().StringVar(&f.State, "verdict", "", "only this verdict: new, confirmed, benign")
	return cmd
}
