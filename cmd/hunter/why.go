package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

func newWhyCommand(g *globals) *cobra.Command {
	var run string
	var raw bool
	cmd := readCommand(g, "why HIT|HASH", "Show the chain from the alert to a hit or hunted hash", takes(1, 1, "the number of a hit, or a hash"),
		func(ctx context.Context, s *results.Store, args []string) error {
			ind, runs, err := whyTarget(ctx, s, args[0], run)
			if err != nil {
				return err
			}
			for _, id := range runs {
				v, err := report.Load(ctx, s, id)
				if err != nil {
					return err
				}
				chain := v.Why().Chain(ind)
				if len(chain) == 0 {
					continue
				}
				if raw {
					return g.rawOf(ctx, s, chain)
				}
				return g.explain(ctx, s, v, ind, chain)
			}
			return fmt.Errorf("%s is in no run; `hunter pivot` asks intelligence about it", ind)
		})
	cmd.Flags().StringVar(&run, "run", "", "in this run; without it the newest run that knows the hash")
	cmd.Flags().BoolVar(&raw, "raw", false, "print the stored answer of intelligence that the last step of the chain rests on")
	return cmd
}

// whyTarget reads a hit's number or a hash, and gives the runs to look in.
func whyTarget(ctx context.Context, s *results.Store, arg, run string) (indicator.Indicator, []string, error) {
	if id, err := strconv.ParseInt(arg, 10, 64); err == nil && len(arg) < 20 {
		hits, _, err := s.Hits(ctx, results.Filter{After: id - 1, Limit: 1})
		if err != nil {
			return indicator.Indicator{}, nil, err
		}
		if len(hits) == 0 || hits[0].ID != id {
			return indicator.Indicator{}, nil, fmt.Errorf("hit %d: %w", id, results.ErrNoHit)
		}
		return hits[0].Row.Matched, []string{hits[0].Run}, nil
	}
	ind, err := indicator.Detect(arg)
	if err != nil {
		return indicator.Indicator{}, nil, err
	}
	if run != "" {
		r, err := s.Run(ctx, run)
		if err != nil {
			return indicator.Indicator{}, nil, err
		}
		return ind, []string{r.ID}, nil
	}
	runs, err := s.RunsKnowing(ctx, ind.Value)
	return ind, runs, err
}

// rawOf prints the answer that the last edge with a kept answer rests on.
func (g *globals) rawOf(ctx context.Context, s *results.Store, chain []report.WhyJSON) error {
	for i := len(chain) - 1; i >= 0; i-- {
		if chain[i].Raw != "" {
			return s.CopyRaw(ctx, g.out, chain[i].Raw)
		}
	}
	return fmt.Errorf("no step of this chain rests on a kept answer")
}

// explain prints a chain and the hits that it led to.
func (g *globals) explain(ctx context.Context, s *results.Store, v report.View, ind indicator.Indicator, chain []report.WhyJSON) error {
	hits := []report.HitJSON{}
	for _, h := range v.Hits {
		if h.Row.Matched == ind || h.Row.SHA256 == ind.Value || h.Row.MD5 == ind.Value || h.Row.SHA1 == ind.Value {
			j := report.HitOf(h)
			j.Why = chain
			hits = append(hits, j)
		}
	}
	if g.json {
		return g.printJSON(struct {
			Schema    string              `json:"schema"`
			Run       string              `json:"run"`
			Hunt      string              `json:"hunt"`
			Indicator indicator.Indicator `json:"indicator"`
			Why       []report.WhyJSON    `json:"why"`
			Hits      []report.HitJSON    `json:"hits"`
		}{"hunter.why/1", v.Run.ID, v.Run.Hunt, ind, chain, hits})
	}
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("%s", ind)
	p("run   %s of hunt %s", v.Run.ID, diag.Escape(v.Run.Hunt))
	for _, e := range chain {
		p("why   %s", report.WhyLine(e))
		if e.Raw == "" {
			continue
		}
		at, err := s.RawSince(ctx, e.Raw)
		if err != nil {
			return err
		}
		since := ""
		if !at.IsZero() {
			since = ", first received " + at.UTC().Format("2006-01-02 15:04:05Z")
			if age := v.Run.StartedAt.Sub(at).Round(time.Second); age > 0 {
				since += fmt.Sprintf(", %s before the run", age)
			}
		}
		p("      kept answer sha256:%s%s", e.Raw, since)
	}
	for _, h := range hits {
		p("hit   %d  %s  %s  %s", h.ID, diag.Escape(h.Hostname), h.FoundIn, h.Path)
	}
	if len(hits) == 0 {
		p("hit   none in this run")
	}
	if _, err := g.out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
