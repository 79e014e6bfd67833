package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/report"
)

// searchFlags are those of pivot search.
type searchFlags struct {
	limit   int
	plain   bool
	tlp     string
	sources sourceFlags
}

func newReportSearchCommand(g *globals) *cobra.Command {
	var f searchFlags
	cmd := &cobra.Command{
		Use:   "search TEXT",
		Short: "Find reports by words or by an indicator that they hold",
		Long: "Search the reports of the providers that can be searched. With --plain the ids go to `hunter pivot fetch -`. It exits 3\n" +
			"when there are more reports than were asked for or a provider did not answer.",
		Args: takes(1, 1, "what to search for"),
		RunE: func(cmd *cobra.Command, args []string) error { return g.searchReports(cmd.Context(), &f, args[0]) },
	}
	fl := cmd.Flags()
	fl.IntVar(&f.limit, "limit", 100, "at most so many of each provider")
	fl.BoolVar(&f.plain, "plain", false, "ids alone, one a line")
	fl.StringVar(&f.tlp, "tlp", "", "label of what is searched for: clear, green, amber, amber+strict, red")
	f.sources.add(cmd)
	return cmd
}

func (g *globals) searchReports(ctx context.Context, f *searchFlags, text string) error {
	const most = 10_000
	tlp, ok := indicator.ParseTLP(f.tlp)
	switch {
	case f.limit < 1 || f.limit > most:
		return fmt.Errorf("--limit %d is out of range; from 1 to %d", f.limit, most)
	case f.tlp != "" && !ok:
		return fmt.Errorf("--tlp %q is not clear, green, amber, amber+strict or red", f.tlp)
	}
	return g.asking(ctx, f.sources, func(ctx context.Context, providers []pivot.Provider) error {
		graph, asked, err := found(ctx, providers, tlp, text, f.limit)
		switch {
		case err != nil:
			return err
		case asked == 0:
			return errors.New("no provider here can be searched; name a hunts file that defines one with --hunts, or use `hunter intel search` for the local store")
		}
		return g.showFound(f, graph)
	})
}

// found asks every provider that can be searched; asked counts them.
func found(ctx context.Context, providers []pivot.Provider, tlp indicator.TLP, text string, limit int) (graph *pivot.Graph, asked int, err error) {
	graph = &pivot.Graph{}
	for _, p := range providers {
		s, can := p.(pivot.Searcher)
		if !can {
			continue
		}
		asked++
		d := p.Describe()
		skip := func(reason string) {
			graph.Skipped = append(graph.Skipped, pivot.Skip{Provider: d.Name, Indicator: "search:" + text, Reason: diag.Escape(reason)})
		}
		if d.MaxTLP != "" && tlp.Rank() > d.MaxTLP.Rank() {
			skip(fmt.Sprintf("not asked: tlp %s is above the provider's max_tlp %s", tlp, d.MaxTLP))
			continue
		}
		res, err := s.Search(ctx, text, limit)
		if ctx.Err() != nil {
			return nil, asked, ctx.Err()
		}
		if err != nil {
			skip(err.Error())
		}
		graph.Reports = append(graph.Reports, res.Reports...)
		graph.Cut = append(graph.Cut, res.Cut...)
		graph.Skipped = append(graph.Skipped, res.Skipped...)
	}
	graph.Complete = len(graph.Cut)+len(graph.Skipped) == 0
	return graph, asked, nil
}

func (g *globals) showFound(f *searchFlags, graph *pivot.Graph) error {
	view := report.Graph{Graph: graph, Reports: true}
	show := report.GraphText
	switch {
	case g.json:
		show = report.GraphJSON
	case f.plain:
		show = report.GraphPlain
	}
	if len(graph.Reports) == 0 && graph.Complete {
		g.hint("no report is found")
	}
	for _, s := range graph.Skipped {
		g.hint("not answered by %s: %s", diag.Escape(s.Provider), s.Reason)
	}
	for range graph.Cut {
		g.hint("there are more than %d; --limit takes more", f.limit)
	}
	if err := show(g.out, view); err != nil {
		return err
	}
	if !graph.Complete {
		return exitError{campaign.ExitUnproven}
	}
	return nil
}
