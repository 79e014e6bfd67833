package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// followPage is how many rows a look reads at a time.
const followPage = 500

// followIdle is how long a list may be followed without a look when nothing is committed.
const followIdle = time.Hour

// errEnough ends the following: as many lines were printed as --limit says.
var errEnough = errors.New("as many were printed as --limit says")

// unseen gives each row of a list that is new, or has changed, since it was called last, as a line of JSON.
type unseen func(ctx context.Context, s *results.Store, f results.Filter, line func([]byte) error) error

func (g *globals) followFlag(cmd *cobra.Command, follows *bool) {
	cmd.Flags().BoolVar(follows, "follow", false,
		"print JSON, one object a line, and then what is new or has changed, until the run that was given is over, --limit is reached or Ctrl-C")
	cmd.Flags().Lookup("follow").Annotations = map[string][]string{byHand: {"HUNTER_FOLLOW is of pivot --follow, which takes relations"}}
	work := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *follows && g.csv {
			return errors.New("--follow prints JSON, one object a line, and never CSV: leave one of --follow and --csv out")
		}
		return work(cmd, args)
	}
}

// followList prints a list as it is, and what comes to it, until its run is over, as many lines were printed as the filter's
// limit, or the person has seen enough.
func (g *globals) followList(ctx context.Context, s *results.Store, f results.Filter, list unseen) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	var fault error
	left := f.Limit
	err := eachCommit(ctx, s, followIdle, func() (over bool, err error) {
		if f.Run != "" {
			sum, err := s.Run(ctx, f.Run)
			if err != nil {
				return false, err
			}
			over = sum.State.Over() // before the look, so that it sees all of the run
		}
		return over, list(ctx, s, f, func(text []byte) error {
			if _, err := g.out.Write(text); err != nil {
				fault = fmt.Errorf("write JSON: %w", err)
				return fault
			}
			if left--; left == 0 {
				return errEnough
			}
			return nil
		})
	})
	switch {
	case fault != nil:
		return fault
	case ctx.Err() != nil || errors.Is(err, errEnough):
		return nil
	}
	return err
}

// digests are what was printed last of each row. Rows can be many, and lines long.
type digests[K comparable] map[K][sha256.Size]byte

// changed remembers a row and reports whether it is not as it was.
func (d digests[K]) changed(id K, text []byte) bool {
	now := sha256.Sum256(text)
	old, ok := d[id]
	d[id] = now
	return !ok || old != now
}

// newHits follows hits: they only come, by number.
func newHits() unseen {
	var last int64
	why := chains{}
	return func(ctx context.Context, s *results.Store, f results.Filter, line func([]byte) error) error {
		f.Limit = followPage
		for {
			f.After = last
			hits, err := s.HitsAfter(ctx, f)
			if err != nil {
				return err
			}
			for _, h := range hits {
				j, err := why.hit(ctx, s, h)
				if err != nil {
					return err
				}
				var text bytes.Buffer
				if err := report.WriteJSON(&text, j); err != nil {
					return err
				}
				if err := line(text.Bytes()); err != nil {
					return err
				}
				last = h.ID
			}
			if len(hits) < followPage {
				return nil
			}
		}
	}
}

// newFindings follows findings: they come, are seen again and judged.
func newFindings() unseen {
	shown := digests[int64]{}
	return func(ctx context.Context, s *results.Store, f results.Filter, line func([]byte) error) error {
		f.Limit, f.After = followPage, 0
		for {
			found, err := s.FindingsAfter(ctx, f)
			if err != nil {
				return err
			}
			for _, x := range found {
				var text bytes.Buffer
				if err := report.WriteJSON(&text, report.FindingOf(x)); err != nil {
					return err
				}
				f.After = x.ID
				if !shown.changed(x.ID, text.Bytes()) {
					continue
				}
				if err := line(text.Bytes()); err != nil {
					return err
				}
			}
			if len(found) < followPage {
				return nil
			}
		}
	}
}

// newRuns follows runs: they come, go on and end. Whether one has changed its summary tells; the whole run is read when it has.
func newRuns() unseen {
	shown := digests[string]{}
	return func(ctx context.Context, s *results.Store, f results.Filter, line func([]byte) error) error {
		f.Limit = followPage
		last := ""
		for {
			runs, err := s.RunsAfter(ctx, f, last)
			if err != nil {
				return err
			}
			for _, r := range runs {
				last = r.ID
				sum, err := json.Marshal(r)
				if err != nil {
					return err
				}
				if !shown.changed(r.ID, sum) {
					continue
				}
				v, err := report.Load(ctx, s, r.ID)
				if err != nil {
					return err
				}
				if sum, err = json.Marshal(v.Run); err != nil { // it may have gone on meanwhile
					return err
				}
				shown.changed(r.ID, sum)
				v.Hits = nil // `hunter hits` lists them
				var text bytes.Buffer
				if err := report.JSON(&text, v); err != nil {
					return err
				}
				if err := line(text.Bytes()); err != nil {
					return err
				}
			}
			if len(runs) < followPage {
				return nil
			}
		}
	}
}
