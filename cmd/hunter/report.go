package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

func newSayCommand(g *globals) *cobra.Command {
	return readCommand(g, "say [RUN]", "Say in one defensible sentence what a run proves", takes(0, 1, "a run"),
		func(ctx context.Context, s *results.Store, args []string) error {
			v, err := report.Load(ctx, s, orLast(args))
			if err != nil {
				return err
			}
			if g.json {
				return g.printJSON(map[string]string{"schema": "hunter.say/1", "run": v.Run.ID, "say": report.Sentence(v)})
			}
			return report.Say(g.out, v)
		})
}

func orLast(args []string) string {
	if len(args) == 0 {
		return "last"
	}
	return args[0]
}

func newReportCommand(g *globals) *cobra.Command {
	var format, since, failOn string
	cmd := readCommand(g, "report [RUN]", "Write the report of a run, or of all runs since a time", takes(0, 1, "a run"),
		func(ctx context.Context, s *results.Store, args []string) error {
			present, err := g.presenter(format)
			if err != nil {
				return err
			}
			ids := []string{orLast(args)}
			if since != "" {
				if len(args) > 0 {
					return errors.New("give a run or --since, not both")
				}
				if ids, err = runsSince(ctx, s, since); err != nil {
					return err
				}
				if format == "html" && len(ids) > 1 {
					return fmt.Errorf("a page of HTML holds one run, and %d runs are since then; name one, or take md, text, csv or json", len(ids))
				}
			}
			var codes []int
			for i, id := range ids {
				v, err := report.Load(ctx, s, id)
				if err != nil {
					return err
				}
				if format == "csv" || g.csv { // a table has one header, and every hit
					present = func(w io.Writer, v report.View) error { return csvOf(ctx, w, s, v.Run.ID, i > 0) }
				}
				if i > 0 && (format == "text" || format == "md") {
					fmt.Fprintln(g.out) // a blank line
				}
				if err := present(g.out, v); err != nil {
					return err
				}
				code := campaign.ExitUnproven
				if v.Run.ExitCode != nil {
					code = *v.Run.ExitCode
				}
				codes = append(codes, code)
			}
			return exitWith(campaign.Worst(codes...), failOn)
		})
	cmd.Flags().StringVar(&format, "format", "text", "text, md, html (one run), csv or json")
	cmd.Flags().BoolVar(&g.csv, "csv", false, "the same as --format csv")
	cmd.Flags().StringVar(&since, "since", "", "all runs since: a length of time such as 7d, or a date")
	failOnFlag(cmd, &failOn)
	return cmd
}

// csvOf writes all hits of a run, also those that a view leaves out.
func csvOf(ctx context.Context, w io.Writer, s *results.Store, run string, more bool) error {
	hits, _, err := s.Hits(ctx, results.Filter{Run: run})
	switch {
	case err != nil:
		return err
	case more:
		return report.MoreHitsCSV(w, hits)
	default:
		return report.HitsCSV(w, hits)
	}
}

func runsSince(ctx context.Context, s *results.Store, since string) ([]string, error) {
	at, err := timeFlag("since", since)
	if err != nil {
		return nil, err
	}
	runs, err := s.Runs(ctx, results.Filter{Since: at})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(runs))
	for i, r := range runs {
		ids[i] = r.ID
	}
	return ids, nil
}

// presenter gives the writer of a format; --json chooses JSON over text.
func (g *globals) presenter(format string) (func(io.Writer, report.View) error, error) {
	if g.json && format == "text" {
		format = "json"
	}
	switch format {
	case "text":
		return report.Text(report.Style{Color: g.colorOn(g.out)}), nil
	case "json":
		return report.JSON, nil
	case "md":
		return report.Markdown, nil
	case "html":
		return report.HTML, nil
	case "csv":
		return report.CSV, nil
	}
	return nil, fmt.Errorf("no format %q; formats are %s", format, strings.Join([]string{"text", "md", "html", "csv", "json"}, ", "))
}

func failOnFlag(cmd *cobra.Command, failOn *string) {
	cmd.Flags().StringVar(failOn, "fail-on", "any", "what the exit code tells: any, hits (3 becomes 0), coverage (1 becomes 0), never")
}

// checkFailOn refuses a bad --fail-on before anything is asked.
func checkFailOn(failOn string) error { return exitWith(campaign.ExitProven, failOn) }

// exitWith turns a run's exit code into the command's.
func exitWith(code int, failOn string) error {
	mild := false
	switch failOn {
	case "any":
	case "hits":
		mild = code == campaign.ExitUnproven
	case "coverage":
		mild = code == campaign.ExitHits
	case "never":
		mild = code == campaign.ExitUnproven || code == campaign.ExitHits
	default:
		return fmt.Errorf("--fail-on %q is not any, hits, coverage or never", failOn)
	}
	if code == campaign.ExitProven || mild {
		return nil
	}
	return exitError{code}
}
