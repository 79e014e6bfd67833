package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
)

// gentleFlags say how a search of this machine is kept from being felt.
type gentleFlags struct {
	on            bool
	rate, cpu     string
	limits        gentle.Limits
	given, bounds bool // on the command line: the switch, a limit
	set           *pflag.FlagSet
}

func (g *gentleFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&g.on, "gentle", false, "search this machine so that nobody feels it: at a low priority, with a cap on reading and on the processor")
	f.StringVar(&g.rate, "read-rate", "", "most bytes a second that a gentle search reads, such as 50MiB, which is the default; implies --gentle")
	f.StringVar(&g.cpu, "cpu-share", "", "most of one processor that a gentle search uses, such as 25%, which is the default; implies --gentle")
	g.set = f
}

// read checks the flags.
func (g *gentleFlags) read() error {
	var faults []error
	if g.rate != "" {
		n, err := hunts.ParseByteSize(g.rate)
		if err != nil || n <= 0 {
			faults = append(faults, fmt.Errorf("--read-rate %q: a size with a unit is due, such as 50MiB", g.rate))
		}
		g.limits.BytesPerSecond = int64(n)
	}
	if g.cpu != "" {
		p, err := hunts.ParsePercent(g.cpu)
		if err != nil || p <= 0 {
			faults = append(faults, fmt.Errorf("--cpu-share %q: a percentage is due, from 1%% to 100%%", g.cpu))
		}
		g.limits.CPU = p.Ratio()
	}
	g.bounds = g.rate != "" || g.cpu != ""
	g.given = g.set != nil && g.set.Changed("gentle")
	if g.given && !g.on && g.bounds {
		faults = append(faults, errors.New("--gentle=false and --read-rate or --cpu-share contradict each other; give one"))
	}
	return errors.Join(faults...)
}

// apply puts the flags over what a hunt says.
func (g *gentleFlags) apply(spec *campaign.Spec) error {
	if err := g.read(); err != nil {
		return err
	}
	if g.given || g.bounds {
		spec.Gentle = g.on || g.bounds
	}
	return nil
}

// slow makes all runs of a command gentle when one is: priority belongs to the process, and can not be raised again.
func (g *globals) slow(f *gentleFlags, specs []campaign.Spec) {
	if !slices.ContainsFunc(specs, func(s campaign.Spec) bool { return s.Gentle }) {
		return
	}
	for i := range specs {
		specs[i].Gentle = true // so that its speed is not taken for that of others
	}
	g.gentle = &f.limits
	if err := gentle.Lower(); err != nil {
		g.hint("gentle: %s; the caps on reading and on the processor hold all the same", err)
	}
}
