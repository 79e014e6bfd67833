package main

import (
	"context"
	"errors"
	"fmt"
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

// sinceTime reads --since: a length of time back from now, or a date.
func sinceTime(s string) (time.Time, error) {
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
	return time.Time{}, fmt.Errorf("--since %q is neither a length of time such as 7d nor a date such as 2026-11-23", s)
}

// settle completes a filter: the time, and the run's full id.
func settle(ctx context.Context, s *results.Store, f *results.Filter, since string) error {
	at, err := sinceTime(since)
	if err != nil {
		return err
	}
	f.Since = at
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

// table prints rows in columns, or as CSV.
func (g *globals) table(header string, rows [][]string) error {
	if g.csv {
		names := strings.Split(strings.ToLower(strings.ReplaceAll(header, " ", "_")), "\t")
		return report.WriteCSV(g.out, names, rows)
	}
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
	cmd := readCommand(g, "runs", "List runs, newest first", takes(0, 0, ""), func(ctx context.Context, s *results.Store, _ []string) error {
		if err := settle(ctx, s, &f, since); err != nil {
			return err
		}
		runs, err := s.Runs(ctx, f)
		if err != nil {
			return err
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
	return cmd
}

func newHitsCommand(g *globals) *cobra.Command {
	var f results.Filter
	var since string
	cmd := readCommand(g, "hits [RUN]", "List hits", takes(0, 1, "a run"), func(ctx context.Context, s *results.Store, args []string) error {
		if len(args) == 1 {
			f.Run = args[0]
		}
		if err := settle(ctx, s, &f, since); err != nil {
			return err
		}
		hits, _, err := s.Hits(ctx, f)
		switch {
		case err != nil:
			return err
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
	return cmd
}

// hitsJSON prints one hit a line, each with its chain.
func (g *globals) hitsJSON(ctx context.Context, s *results.Store, hits []results.StoredHit) error {
	byRun := map[string]*report.Why{}
	for _, h := range hits {
		why, ok := byRun[h.Run]
		if !ok {
			v, err := report.Load(ctx, s, h.Run)
			if err != nil {
				return err
			}
			why = v.Why()
			byRun[h.Run] = why
		}
		j := report.HitOf(h)
		j.Why = why.Chain(h.Row.Matched)
		if err := g.printJSON(j); err != nil {
			return err
		}
	}
	return nil
}

func newFindingsCommand(g *globals) *cobra.Command {
	var f results.Filter
	var since string
	cmd := readCommand(g, "findings", "List findings: the same hit over any number of runs", takes(0, 0, ""), func(ctx context.Context, s *results.Store, _ []string) error {
		found, err := s.Findings(ctx, f)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, x := range found {
			if g.json {
				if err := g.printJSON(findingJSON{
					Finding: x.ID, Endpoint: x.Endpoint, Hostname: x.Hostname, Path: x.Path, SHA256: x.SHA256, Matched: x.Matched, FirstSeen: report.Stamp(x.FirstSeen),
					LastSeen: report.Stamp(x.LastSeen), Runs: x.Runs, Verdict: x.Verdict, Owner: x.Owner, Note: x.Note,
				}); err != nil {
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
	g.filterFlags(cmd, &f, &since, "host", "hash")
	cmd.Flags().StringVar(&f.State, "verdict", "", "only this verdict: new, confirmed, benign")
	return cmd
}

// findingJSON is one finding as --json prints it; the fields are the columns of report_findings.
type findingJSON struct {
	Finding   int64   `json:"finding"`
	Endpoint  string  `json:"endpoint"`
	Hostname  string  `json:"hostname"`
	Path      string  `json:"path"`
	SHA256    string  `json:"sha256"`
	Matched   string  `json:"matched_value"`
	FirstSeen *string `json:"first_seen"`
	LastSeen  *string `json:"last_seen"`
	Runs      int     `json:"runs"`
	Verdict   string  `json:"verdict"`
	Owner     string  `json:"owner"`
	Note      string  `json:"note"`
}

// hostJSON is one (endpoint, tool) as --json prints it; the fields are columns of report_coverage.
type hostJSON struct {
	Run         string  `json:"run"`
	Endpoint    string  `json:"endpoint"`
	Hostname    string  `json:"hostname"`
	Tool        string  `json:"tool"`
	Mode        string  `json:"mode"`
	Platform    string  `json:"platform"`
	State       string  `json:"state"`
	Proven      bool    `json:"proven"`
	Reason      string  `json:"reason"`
	Scope       string  `json:"scope"`
	FilesSeen   int64   `json:"files_seen"`
	FilesHashed int64   `json:"files_hashed"`
	BytesHashed int64   `json:"bytes_hashed"`
	FilesUnread int64   `json:"files_unread"`
	AnsweredAt  *string `json:"answered_at"`
}

func newHostsCommand(g *globals) *cobra.Command {
	var f results.Filter
	var since string
	cmd := readCommand(g, "hosts", "List endpoints and what is proven about them", takes(0, 0, ""), func(ctx context.Context, s *results.Store, _ []string) error {
		if err := settle(ctx, s, &f, since); err != nil {
			return err
		}
		hosts, err := s.Hosts(ctx, f)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, h := range hosts {
			c := h.Coverage
			if g.json {
				if err := g.printJSON(hostJSON{
					Run: h.Run, Endpoint: h.Endpoint, Hostname: h.Hostname, Tool: h.Tool, Mode: string(h.Mode), Platform: h.Platform, State: string(c.State),
					Proven: c.Proven, Reason: diag.Escape(c.Reason), Scope: h.Scope, FilesSeen: c.Counts.FilesSeen, FilesHashed: c.Counts.FilesHashed,
					BytesHashed: c.Counts.BytesHashed, FilesUnread: c.Counts.FilesUnread, AnsweredAt: report.Stamp(h.AnsweredAt),
				}); err != nil {
					return err
				}
				continue
			}
			proven := "no"
			if c.Proven {
				proven = "yes"
			}
			rows = append(rows, []string{diag.Escape(h.Hostname), h.Tool, h.Platform, string(c.State), proven, shortTime(h.AnsweredAt), diag.Escape(c.Reason)})
		}
		if g.json {
			return nil
		}
		return g.table("HOST\tTOOL\tPLATFORM\tSTATE\tPROVEN\tANSWERED\tREASON", rows)
	})
	g.filterFlags(cmd, &f, &since, "run", "host", "state")
	return cmd
}
