package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/pivot/files"
)

func newIntelCommand(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "intel", Short: "Fill, search and count the local intelligence store", Args: takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newIntelImportCommand(g), newIntelSearchCommand(g), newIntelStatsCommand(g))
	return cmd
}

func newIntelImportCommand(g *globals) *cobra.Command {
	var opt files.ImportOptions
	cmd := &cobra.Command{
		Use:   "import PATH...|-",
		Short: "Import MISP events, STIX 2.1 bundles, CSV and hash lists",
		Long: "Import files, folders and standard input (-). The format is told by the content; .gz is unpacked. A file that was\n" +
			"imported before is read again only when it has changed. A damaged file is refused whole, the others are imported.",
		Args: takes(1, many, "a file, a folder, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if opt.Confidence < 1 || opt.Confidence > 100 {
				return fmt.Errorf("--confidence %d is out of range; from 1 to 100", opt.Confidence)
			}
			return g.opened(cmd.Context(), nil, nil, func(ctx context.Context, a *app.App) error {
				sum, err := a.Intel.ImportPaths(ctx, args, g.in, opt)
				if err != nil && len(sum.Files) == 0 {
					return err
				}
				if err := errors.Join(err, g.showImport(sum)); err != nil {
					return err
				}
				if sum.Failed() > 0 {
					return exitError{campaign.ExitError}
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&opt.Confidence, "confidence", 50, "of indicators whose file states none, 1 to 100")
	cmd.Flags().BoolVar(&opt.Force, "force", false, "import again what has not changed")
	return cmd
}

func (g *globals) showImport(sum files.Summary) error {
	if g.json {
		return g.printJSON(struct {
			Schema string             `json:"schema"`
			Failed int                `json:"failed"`
			Files  []files.FileResult `json:"files"`
		}{"hunter.import/1", sum.Failed(), slices.Concat([]files.FileResult{}, sum.Files)})
	}
	var rows [][]string
	for _, f := range sum.Files {
		state := "imported"
		switch {
		case f.Error != "":
			g.say("%s", f.Error)
			state = "REFUSED"
		case f.Unchanged:
			state = "unchanged"
		}
		rows = append(rows, []string{diag.Escape(f.Name), state, f.Format, fmt.Sprint(f.Reports), fmt.Sprint(f.Indicators), fmt.Sprint(f.Refused)})
		g.refusals(f)
	}
	return g.table("FILE\tSTATE\tFORMAT\tREPORTS\tINDICATORS\tREFUSED", rows)
}

// refusals tells the first refused values of a file.
func (g *globals) refusals(f files.FileResult) {
	const most = 5
	for _, r := range f.Refusals[:min(len(f.Refusals), most)] {
		g.hint("%s: %s", diag.Escape(f.Name), diag.Escape(r.String()))
	}
	if more := f.Refused - most; more > 0 {
		g.hint("%s: and %d more refused; --json lists them", diag.Escape(f.Name), more)
	}
}

func newIntelSearchCommand(g *globals) *cobra.Command {
	limit := 0
	cmd := &cobra.Command{
		Use: "search TEXT", Short: "Find indicators by value or the beginning of one, and reports by id or title", Args: takes(1, 1, "a value, the beginning of one, or a report"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.opened(cmd.Context(), nil, nil, func(ctx context.Context, a *app.App) error {
				found, err := a.Intel.Search(ctx, args[0], limit)
				if err != nil {
					return err
				}
				var rows [][]string
				for _, f := range found {
					if g.json {
						if err := g.printJSON(f); err != nil {
							return err
						}
						continue
					}
					rows = append(rows, []string{
						string(f.Indicator.Kind), diag.Escape(f.Indicator.Value), fmt.Sprint(f.Confidence), strings.ToUpper(string(f.TLP)), diag.Escape(f.Report), diag.Escape(f.Title),
					})
				}
				if len(found) == 0 {
					g.hint("nothing in the local intelligence store matches")
					g.emptyStore(ctx, a)
				}
				if g.json || len(found) == 0 {
					return nil
				}
				return g.table("KIND\tVALUE\tCONFIDENCE\tTLP\tREPORT\tTITLE", rows)
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many")
	return cmd
}

func newIntelStatsCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "stats", Short: "Count what the local intelligence store holds", Args: takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return g.opened(cmd.Context(), nil, nil, func(ctx context.Context, a *app.App) error {
				st, err := a.Intel.Stats(ctx)
				if err != nil {
					return err
				}
				g.emptyStore(ctx, a)
				if g.json {
					return g.printJSON(struct {
						Schema string `json:"schema"`
						files.Stats
					}{"hunter.intel/1", st})
				}
				rows := [][]string{{"reports", fmt.Sprint(st.Reports)}}
				for _, k := range sortedKinds(st.Indicators) {
					rows = append(rows, []string{string(k), fmt.Sprint(st.Indicators[k])})
				}
				for _, s := range st.Sources {
					rows = append(rows, []string{diag.Escape(s.Name), fmt.Sprintf("%s, %d reports, %d indicators, imported %s", s.Format, s.Reports, s.Members, shortTime(s.ImportedAt))})
				}
				return g.table("WHAT\tHOW MANY", rows)
			})
		},
	}
}
