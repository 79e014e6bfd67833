package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

// sweepFlags are those of sweep beside askFlags.
type sweepFlags struct {
	askFlags
	depth  int
	hunts  []string
	never  []string
	tlp    string
	failOn string
	pivot  pivotFlags
}

func (f *sweepFlags) addTo(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.depth, "pivot", 0, "ask intelligence for related hashes, so many steps deep; 0 asks for siblings and sizes alone")
	cmd.Flags().StringArrayVar(&f.never, "never", nil, "list of known-good hashes that are never hunted (repeatable)")
	cmd.Flags().StringVar(&f.tlp, "tlp", "", "label of the seed: clear, green, amber, amber+strict, red")
	huntsFlag(cmd, &f.hunts)
	f.add(cmd)
	f.pivot.limits(cmd)
}

func newSweepCommand(g *globals) *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep HASH...|-|FILE",
		Short: "Look for hashes now, ad hoc",
		Long: "Look for files by sha256, sha1 or md5, in any mix: from arguments, from files (an alert in JSON, a list with one hash\n" +
			"a line, what sha256sum prints), or from standard input (-). It is a run of the hunt \"sweep\".",
		Args: takes(1, many, "a hash, a file of hashes, an alert, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, set, err := g.sweepSpec(cmd, &f, args)
			if err != nil {
				return err
			}
			f.before = g.seenBefore
			return g.carry(cmd.Context(), set, []campaign.Spec{spec}, &f.askFlags, f.failOn)
		},
	}
	f.addTo(cmd)
	failOnFlag(cmd, &f.failOn)
	return cmd
}

// sweepSpec makes what a sweep does from its flags and arguments.
func (g *globals) sweepSpec(cmd *cobra.Command, f *sweepFlags, args []string) (campaign.Spec, *hunts.Set, error) {
	set, err := g.toolsFrom(f.hunts)
	if err != nil {
		return campaign.Spec{}, nil, err
	}
	spec := campaign.Spec{
		Hunt: hunts.SweepName, Pivot: pivot.DefaultOptions(), Search: edr.DefaultSearch(), Never: f.never,
		DoneWhen: campaign.DoneWhen{Verified: 1},
	}
	if set != nil {
		spec.HuntsFiles = campaign.Absolute(set.Files)
		for _, n := range set.Never {
			spec.Never = append(spec.Never, n.Path.Abs)
		}
	}
	var faults []error
	if f.tlp != "" {
		t, ok := indicator.ParseTLP(f.tlp)
		if !ok {
			faults = append(faults, fmt.Errorf("--tlp %q is not clear, green, amber, amber+strict or red", f.tlp))
		}
		spec.TLP, spec.Pivot.TLP = t, t
	}
	if f.depth < 0 || f.depth > hunts.MaxPivotDepth {
		faults = append(faults, fmt.Errorf("--pivot %d is out of range; from 0 to %d", f.depth, hunts.MaxPivotDepth))
	}
	faults = append(faults, f.apply(&spec), f.pivot.apply(cmd, &spec.Pivot), spec.ReadSeeds(args, g.in))
	spec.Pivot.Limits.Depth = f.depth
	if err := errors.Join(faults...); err != nil {
		return spec, set, err
	}
	spec.Pivot.Limits.MaxIndicators += len(spec.Seed.Files) // what was given is never cut
	return spec, set, nil
}

// seenBefore tells what earlier runs know of the hashes.
func (g *globals) seenBefore(ctx context.Context, s *results.Store, spec campaign.Spec) error {
	var values []string
	for _, f := range spec.Seed.Files {
		values = append(values, f.Best().Value)
	}
	seen, err := s.SeenBefore(ctx, values)
	if err != nil {
		return err
	}
	now := time.Now()
	if seen.Hits > 0 {
		g.hint("seen before: %s, the last %s", count(seen.Hits, "hit"), ago(seen.LastHit, now))
	}
	if seen.Absent > 0 {
		g.hint("seen before: absent on %s, the last %s", count(seen.Absent, "host"), ago(seen.LastAbsent, now))
	}
	return nil
}

// ago says how long ago a time is, in the biggest unit that fits, or that it is still to come: then a clock was wrong.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d <= -time.Minute:
		return "at " + t.UTC().Format(time.RFC3339) + ", which is still to come by this machine's clock"
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days ago", int(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d/time.Hour))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes ago", int(d/time.Minute))
	default:
		return count(max(int(d/time.Second), 0), "second") + " ago"
	}
}
