package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/report"
)

// lookFlags are those of pivot.
type lookFlags struct {
	depth   int
	tree    bool
	plain   bool
	reports bool
	kinds   []string
	follow  []string
	tlp     string
	graph   string
	sources sourceFlags
	limits  pivotFlags
}

func newPivotCommand(g *globals) *cobra.Command {
	var f lookFlags
	cmd := &cobra.Command{
		Use:   "pivot INDICATOR|REPORT...",
		Short: "Ask intelligence what belongs to an indicator or a report",
		Long: "Take a hash, address, domain, URL or other indicator, or the id of a report (bare, or PROVIDER:ID), through threat\n" +
			"intelligence. It asks no endpoint. It exits 0 when the pivot is complete, 3 when something was cut or not answered.",
		Args: takes(1, many, "a hash, another indicator, or the id of a report"),
		RunE: func(cmd *cobra.Command, args []string) error { return g.look(cmd, &f, args) },
	}
	fl := cmd.Flags()
	fl.IntVar(&f.depth, "depth", hunts.DefaultDepth, "steps from the seed; 0 is its siblings alone")
	fl.BoolVar(&f.tree, "tree", false, "show how one thing led to another")
	fl.BoolVar(&f.plain, "plain", false, "values alone, one a line")
	fl.BoolVar(&f.reports, "reports", false, "reports instead of indicators")
	fl.StringSliceVar(&f.kinds, "kind", nil, "only indicators of this kind: sha256, sha1, md5, domain, url, ipv4, … (repeatable)")
	fl.StringSliceVar(&f.follow, "follow", nil, "relations to follow beside the usual ones, such as related_report (repeatable)")
	fl.StringVar(&f.graph, "graph", "", "draw the pivot into this SVG file beside what is printed")
	fl.StringVar(&f.tlp, "tlp", "", "label of the seed: clear, green, amber, amber+strict, red")
	f.sources.add(cmd)
	f.limits.limits(cmd)
	cmd.AddCommand(newFetchCommand(g), newReportSearchCommand(g))
	return cmd
}

// sourceFlags say which intelligence is asked.
type sourceFlags struct {
	hunts     []string
	providers []string
}

func (f *sourceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.providers, "provider", nil, "ask this provider alone (repeatable)")
	huntsFlag(cmd, &f.hunts)
}

// asking makes the providers, hands them to work, and closes them.
func (g *globals) asking(ctx context.Context, f sourceFlags, work func(ctx context.Context, providers []pivot.Provider) error) error {
	set, err := g.toolsFrom(f.hunts)
	if err != nil {
		return err
	}
	return g.opened(ctx, set, nil, func(ctx context.Context, a *app.App) error {
		g.imported(a)
		providers, err := a.Campaign.ProvidersNamed(f.providers)
		if err != nil {
			return err
		}
		if set == nil { // local intelligence is all there is
			g.emptyStore(ctx, a)
		}
		return work(ctx, providers)
	})
}

func (g *globals) look(cmd *cobra.Command, f *lookFlags, args []string) error {
	opt, kinds, err := f.options(cmd)
	if err != nil {
		return err
	}
	seeds, err := seedsOf(args)
	if err != nil {
		return err
	}
	if err := checkGraph(f.graph, len(args)); err != nil {
		return err
	}
	return g.asking(cmd.Context(), f.sources, func(ctx context.Context, providers []pivot.Provider) error {
		incomplete := false
		for i, seed := range seeds {
			graph, err := pivot.Expand(ctx, seed, providers, opt)
			switch {
			case err != nil && seed.Report != "" && len(f.sources.hunts) == 0:
				return fmt.Errorf("%s: neither a hash or other indicator nor a known report: %w", args[i], err)
			case err != nil:
				return fmt.Errorf("%s: %w", args[i], err)
			}
			if err := g.showGraph(f, graph, opt, kinds); err != nil {
				return err
			}
			incomplete = incomplete || !graph.Complete
		}
		if incomplete {
			return exitError{campaign.ExitUnproven}
		}
		return nil
	})
}

// options reads the flags; every fault is told at once.
func (f *lookFlags) options(cmd *cobra.Command) (pivot.Options, []indicator.Kind, error) {
	opt := pivot.DefaultOptions()
	opt.Now = time.Now
	opt.Limits.Depth = f.depth
	var faults faultList
	if f.depth < 0 || f.depth > hunts.MaxPivotDepth {
		faults.add("--depth %d is out of range; from 0 to %d", f.depth, hunts.MaxPivotDepth)
	}
	var kinds []indicator.Kind
	for _, k := range f.kinds {
		kind := indicator.Kind(strings.ToLower(k))
		if !slices.Contains(indicator.Kinds(), kind) {
			faults.add("--kind %q is no kind of indicator; kinds are %s", k, joinKinds(indicator.Kinds()))
		}
		kinds = append(kinds, kind)
	}
	for _, r := range f.follow {
		opt.Follow = append(opt.Follow, indicator.Relation(r))
	}
	if f.tlp != "" {
		t, ok := indicator.ParseTLP(f.tlp)
		if !ok {
			faults.add("--tlp %q is not clear, green, amber, amber+strict or red", f.tlp)
		}
		opt.TLP = t
	}
	faults.errs = append(faults.errs, f.limits.apply(cmd, &opt))
	return opt, kinds, faults.err()
}

// seedsOf reads what pivots start from: indicators where they look like one, else ids of reports. What is known by name to
// be no indicator, such as an imphash, is refused.
func seedsOf(args []string) ([]pivot.Seed, error) {
	var seeds []pivot.Seed
	var faults faultList
	for _, arg := range args {
		ind, err := indicator.Detect(arg)
		var refused *indicator.RefusedError
		switch {
		case err != nil && errors.As(err, &refused) && refused.Name != "":
			faults.add("%w", err)
		case err != nil:
			seeds = append(seeds, pivot.Seed{Report: strings.TrimPrefix(strings.TrimSpace(arg), "report:")})
		case ind.Kind.IsDigest():
			var file indicator.File
			file.SetDigest(ind.Kind, ind.Value)
			seeds = append(seeds, pivot.Seed{Files: []indicator.File{file}})
		default:
			seeds = append(seeds, pivot.Seed{Indicators: []indicator.Indicator{ind}})
		}
	}
	return seeds, faults.err()
}

// emptyStore tells that there is no local intelligence yet: then nothing known says nothing.
func (g *globals) emptyStore(ctx context.Context, a *app.App) {
	if st, err := a.Intel.Stats(ctx); err == nil && len(st.Sources) == 0 {
		g.hint("the local intelligence store is empty; fill it with: hunter intel import PATH")
	}
}

func (g *globals) showGraph(f *lookFlags, graph *pivot.Graph, opt pivot.Options, kinds []indicator.Kind) error {
	_, refused := pivot.Hunted(graph, opt, &pivot.NeverList{}, opt.Now())
	view := report.Graph{Graph: graph, Refused: refused, Kinds: kinds, Reports: f.reports}
	if !graph.Complete {
		g.hint("the pivot is not complete: %d cut by limits, %d not answered", len(graph.Cut), len(graph.Skipped))
	}
	if len(graph.Edges) == 0 && len(graph.Reports) == 0 {
		g.hint("intelligence knows nothing beside it")
	}
	for _, r := range graph.Remembered {
		g.hint("%s", report.RememberedLine(r))
	}
	if f.graph != "" {
		if err := writeGraph(f.graph, view); err != nil {
			return err
		}
	}
	switch {
	case g.json:
		return report.GraphJSON(g.out, view)
	case f.plain:
		return report.GraphPlain(g.out, view)
	case f.tree:
		return report.GraphTree(g.out, view)
	default:
		return report.GraphText(g.out, view)
	}
}

func joinKinds(kinds []indicator.Kind) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = string(k)
	}
	return strings.Join(out, ", ")
}

func sortedKinds(m map[indicator.Kind]int) []indicator.Kind { return slices.Sorted(maps.Keys(m)) }
