package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

// askFlags are the flags that say what is asked of whom; they go before what a hunts file says.
type askFlags struct {
	paths, tools, hosts, labels, platforms, exclude []string
	where                                           []string
	unsized, maxSize                                string
	full, noCache, yes, dryRun, detach, csv         bool
	canary                                          int
	rate, wait, late, timeout                       string
	caseID                                          string
	gentle                                          gentleFlags

	waitFor time.Duration                                                         // --wait, read
	before  func(ctx context.Context, s *results.Store, spec campaign.Spec) error // what a command does first
	after   outputs                                                               // the report files that are written at the end
}

func (a *askFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&a.paths, "path", nil, "look for files under this folder alone (repeatable); leaves out running and autoruns unless --where names them")
	f.StringArrayVar(&a.tools, "tool", nil, "ask this tool alone (repeatable)")
	f.StringArrayVar(&a.hosts, "host", nil, "ask this host alone: name, endpoint id or glob (repeatable)")
	f.StringArrayVar(&a.labels, "label", nil, "ask endpoints with this label alone (repeatable)")
	f.StringArrayVar(&a.platforms, "platform", nil, "ask endpoints of this platform alone: linux, darwin, windows (repeatable)")
	f.StringArrayVar(&a.exclude, "exclude", nil, "leave out this host, endpoint id, label or glob; it is counted as excluded (repeatable)")
	f.StringSliceVar(&a.where, "where", nil, "stages: running, autoruns, files")
	f.StringVar(&a.unsized, "unsized", "", "what to do in files for a hash of unknown size: places, full, skip")
	f.StringVar(&a.maxSize, "max-size", "", "bigger files are out of scope, such as 50MiB")
	f.BoolVar(&a.full, "full", false, "the same as --unsized full")
	f.BoolVar(&a.noCache, "no-cache", false, "read every file anew: neither use nor keep digests of files that have not changed")
	a.gentle.add(f)
	f.IntVar(&a.canary, "canary", -1, "how many endpoints of a fleet are asked first")
	f.StringVar(&a.rate, "rate", "", "most endpoints of a fleet asked in a time, such as 3000/min")
	f.StringVar(&a.late, "late", "", "how long late answers of a fleet are taken, such as 14d")
	f.StringVar(&a.timeout, "timeout", "", "how long one query may take, such as 15m")
	f.StringVar(&a.wait, "wait", "", "how long to wait for the end; then the run is detached")
	f.StringVar(&a.caseID, "case", "", "id of the case that the run belongs to")
	f.BoolVar(&a.detach, "detach", false, "plan the run and leave it to be resumed")
	f.BoolVarP(&a.yes, "yes", "y", false, "ask a fleet without asking back")
	f.BoolVar(&a.csv, "csv", false, "print the hits as CSV")
	f.BoolVar(&a.dryRun, "dry-run", false, "pivot and plan, and ask no endpoint")
}

// apply puts the flags over what a hunt says. Every fault is told at once.
func (a *askFlags) apply(spec *campaign.Spec) error {
	var faults []error
	s := &spec.Search
	if len(a.paths) > 0 {
		var roots []string
		for _, p := range a.paths {
			if strings.TrimSpace(p) == "" { // such as of a variable that is not set: never the folder where one stands
				faults = append(faults, errors.New("--path is empty; name a folder or file, or . for this folder"))
				continue
			}
			abs, err := absolute(p)
			if err != nil {
				faults = append(faults, fmt.Errorf("--path %q: %w", p, err))
				continue
			}
			roots = append(roots, abs)
		}
		s.Paths, s.Where = map[string][]string{"": roots}, []ledger.Stage{ledger.Files}
	}
	if len(a.where) > 0 {
		s.Where = nil
		for _, w := range a.where {
			stage := ledger.Stage(w)
			if !slices.Contains(hunts.DefaultWhere(), stage) {
				faults = append(faults, fmt.Errorf("--where %q is not running, autoruns or files", w))
			}
			s.Where = append(s.Where, stage)
		}
	}
	faults = append(faults, a.sizes(s), a.times(spec), a.targets(spec), a.gentle.apply(spec))
	if a.caseID != "" {
		spec.Case = a.caseID
	}
	return errors.Join(faults...)
}

// absolute makes a path absolute, unless it is already, on whatever platform: a fleet has others than this machine's.
func absolute(p string) (string, error) {
	drive := len(p) > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/')
	if drive || strings.HasPrefix(p, `\\`) || strings.HasPrefix(p, "/") && runtime.GOOS == "windows" {
		return p, nil
	}
	return filepath.Abs(p)
}

func (a *askFlags) sizes(s *edr.Search) error {
	var faults []error
	if a.unsized != "" {
		s.Unsized = edr.Unsized(a.unsized)
		if !slices.Contains([]edr.Unsized{edr.UnsizedPlaces, edr.UnsizedFull, edr.UnsizedSkip}, s.Unsized) {
			faults = append(faults, fmt.Errorf("--unsized %q is not places, full or skip", a.unsized))
		}
	}
	if a.full && a.unsized != "" && s.Unsized != edr.UnsizedFull {
		faults = append(faults, fmt.Errorf("--full and --unsized %s contradict each other; give one", a.unsized))
	}
	if a.full {
		s.Unsized = edr.UnsizedFull
	}
	if a.maxSize != "" {
		n, err := hunts.ParseByteSize(a.maxSize)
		if err != nil || n <= 0 {
			faults = append(faults, fmt.Errorf("--max-size %q: a size with a unit is due, such as 50MiB", a.maxSize))
		}
		s.MaxSize = int64(n)
	}
	return errors.Join(faults...)
}

func (a *askFlags) times(spec *campaign.Spec) error {
	faults := []error{a.readWait()}
	spec.Fleet = spec.Fleet.Settled()
	for _, f := range []struct {
		name, value string
		set         func(d time.Duration)
	}{
		{"timeout", a.timeout, func(d time.Duration) { spec.Timeout = d }},
		{"late", a.late, func(d time.Duration) { spec.Fleet.Late = d }},
	} {
		if f.value == "" {
			continue
		}
		d, err := hunts.ParseDuration(f.value)
		if err != nil {
			faults = append(faults, fmt.Errorf("--%s %q: %w", f.name, f.value, err))
			continue
		}
		f.set(d.Std())
	}
	switch {
	case a.canary < -1:
		faults = append(faults, fmt.Errorf("--canary %d: a number from 0 is due", a.canary))
	case a.canary >= 0:
		spec.Fleet.Canary = a.canary
	}
	if a.rate != "" {
		rate, err := hunts.ParseRate(a.rate)
		if err != nil {
			faults = append(faults, fmt.Errorf("--rate %q: %w", a.rate, err))
		}
		spec.Fleet.Rate = campaign.Rate{Count: rate.Count, Per: rate.Per}
	}
	return errors.Join(faults...)
}

// readWait reads --wait, which holds for a resumed run too.
func (a *askFlags) readWait() error {
	if a.wait == "" {
		return nil
	}
	d, err := hunts.ParseDuration(a.wait)
	if err != nil {
		return fmt.Errorf("--wait %q: %w", a.wait, err)
	}
	a.waitFor = d.Std()
	return nil
}

func (a *askFlags) targets(spec *campaign.Spec) error {
	var faults []error
	for _, p := range a.platforms {
		if !slices.Contains([]string{"linux", "darwin", "windows"}, p) {
			faults = append(faults, fmt.Errorf("--platform %q is not linux, darwin or windows", p))
		}
	}
	put := func(to *[]string, from []string) {
		if len(from) > 0 {
			*to = from
		}
	}
	put(&spec.Tools, a.tools)
	put(&spec.Select.Hosts, a.hosts)
	put(&spec.Select.Labels, a.labels)
	put(&spec.Select.Platforms, a.platforms)
	spec.Select.Exclude = append(spec.Select.Exclude, a.exclude...)
	return errors.Join(faults...)
}

// pivotFlags bound a pivot.
type pivotFlags struct {
	maxIndicators, maxPerReport, maxReports, minConfidence int
}

func (p *pivotFlags) limits(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&p.maxIndicators, "max-indicators", hunts.DefaultMaxIndicators, "most indicators that a pivot keeps")
	f.IntVar(&p.maxPerReport, "max-per-report", hunts.DefaultMaxPerReport, "most indicators taken from one report")
	f.IntVar(&p.maxReports, "max-reports", hunts.DefaultMaxReports, "most reports followed from one indicator")
	f.IntVar(&p.minConfidence, "min-confidence", 0, "least confidence of what is hunted, 0 to 100")
}

// apply puts those flags that were given over what a hunt says.
func (p *pivotFlags) apply(cmd *cobra.Command, o *pivot.Options) error {
	var faults []error
	for _, f := range []struct {
		name    string
		value   int
		to      *int
		low, up int
	}{
		{"max-indicators", p.maxIndicators, &o.Limits.MaxIndicators, 1, 1_000_000},
		{"max-per-report", p.maxPerReport, &o.Limits.PerReport, 1, 1_000_000},
		{"max-reports", p.maxReports, &o.Limits.PerIndicator, 1, 1_000_000},
		{"min-confidence", p.minConfidence, &o.MinConfidence, 0, 100},
	} {
		if !cmd.Flags().Changed(f.name) {
			continue
		}
		if f.value < f.low || f.value > f.up {
			faults = append(faults, fmt.Errorf("--%s %d is out of range; from %d to %d", f.name, f.value, f.low, f.up))
		}
		*f.to = f.value
	}
	return errors.Join(faults...)
}
