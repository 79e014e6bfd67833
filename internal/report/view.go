// Package report presents what the store holds about a run. A presenter is a function of a writer and a View; it reads
// no store and no clock, so the same View gives the same bytes.
package report

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

// Cap is how many hits and gaps a presentation lists; totals are always told.
const Cap = 1000

// View is everything a presenter needs to know about one run.
type View struct {
	Run        results.RunSummary
	Seeds      []indicator.Ref
	Skipped    []results.Skipped
	Cut        []results.Cut
	Indicators []results.RunIndicator
	Targets    []results.Target
	Hits       []results.StoredHit
	HitsTotal  int
	Edges      []indicator.Edge
	Files      []indicator.File
	Reports    []indicator.Report
	Notes      []string        // what the answers said about their own scope
	Remarks    []string        // what else is to be known of this run, and is no gap in it
	Aside      []results.Aside // hashes that were set aside for a person; the remarks say so too
	Queries    []Query         // what was sent, each text once, in the order of asking
}

// Query is one text that a tool was sent, and to how many endpoints.
type Query struct {
	Tool, ID, Platform, Text string
	Endpoints                int
	Search                   bool // one question over all endpoints of a recorded tool
}

// Source is what Load needs of the results store.
type Source interface {
	Run(ctx context.Context, run string) (results.RunSummary, error)
	Seeds(ctx context.Context, run string) ([]indicator.Ref, error)
	Skipped(ctx context.Context, run string) ([]results.Skipped, error)
	Cuts(ctx context.Context, run string) ([]results.Cut, error)
	Indicators(ctx context.Context, run string) ([]results.RunIndicator, error)
	Targets(ctx context.Context, run string) ([]results.Target, error)
	Hits(ctx context.Context, f results.Filter) (hits []results.StoredHit, total int, err error)
	Edges(ctx context.Context, run string) ([]indicator.Edge, error)
	Files(ctx context.Context, run string) ([]indicator.File, error)
	Reports(ctx context.Context, run string) ([]indicator.Report, error)
	Queries(ctx context.Context, run string) ([]results.StoredQuery, error)
	ClockBack(ctx context.Context, run string) (time.Duration, error)
	Asides(ctx context.Context, run string) ([]results.Aside, error)
	Remarks(ctx context.Context, run string) ([]string, error)
}

// Load reads the view of a run; run is an id, a unique prefix of one, or "last".
func Load(ctx context.Context, src Source, run string) (View, error) {
	sum, err := src.Run(ctx, run)
	if err != nil {
		return View{}, err
	}
	v := View{Run: sum}
	queries, back, remarks := []results.StoredQuery(nil), time.Duration(0), []string(nil)
	steps := []func() error{
		func() (err error) { v.Seeds, err = src.Seeds(ctx, sum.ID); return },
		func() (err error) { v.Skipped, err = src.Skipped(ctx, sum.ID); return },
		func() (err error) { v.Cut, err = src.Cuts(ctx, sum.ID); return },
		func() (err error) { v.Indicators, err = src.Indicators(ctx, sum.ID); return },
		func() (err error) { v.Targets, err = src.Targets(ctx, sum.ID); return },
		func() (err error) {
			v.Hits, v.HitsTotal, err = src.Hits(ctx, results.Filter{Run: sum.ID, Limit: Cap})
			return
		},
		func() (err error) { v.Edges, err = src.Edges(ctx, sum.ID); return },
		func() (err error) { v.Files, err = src.Files(ctx, sum.ID); return },
		func() (err error) { v.Reports, err = src.Reports(ctx, sum.ID); return },
		func() (err error) { queries, err = src.Queries(ctx, sum.ID); return },
		func() (err error) { back, err = src.ClockBack(ctx, sum.ID); return },
		func() (err error) { v.Aside, err = src.Asides(ctx, sum.ID); return },
		func() (err error) { remarks, err = src.Remarks(ctx, sum.ID); return },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return View{}, fmt.Errorf("read run %s: %w", sum.ID, err)
		}
	}
	v.Queries = texts(queries)
	v.Notes, v.Remarks = notes(queries)
	for _, a := range v.Aside {
		v.Remarks = append(v.Remarks, a.Text())
	}
	for _, r := range remarks {
		v.Remarks = append(v.Remarks, diag.Escape(r))
	}
	if back >= time.Second {
		v.Remarks = append(v.Remarks, fmt.Sprintf("the clock of the machine that ran this was set back by %s meanwhile: its times are not in order", Long(back)))
	}
	return v, nil
}

// texts gives each text once, with the endpoints that were sent it. What was planned and never asked is not among them.
func texts(queries []results.StoredQuery) []Query {
	type key struct{ tool, text string }
	var out []Query
	at, last := map[key]int{}, map[key]string{}
	for _, q := range queries {
		k := key{q.Tool, q.Query.Text}
		if q.State == results.QueryPlanned || k.text == "" {
			continue
		}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, Query{Tool: q.Tool, ID: q.Query.ID, Platform: q.Query.Platform, Text: k.text, Search: q.IsSearch()})
		}
		if !ok || last[k] != q.Endpoint { // the store gives an endpoint's queries together
			last[k] = q.Endpoint
			out[i].Endpoints++
		}
	}
	return out
}

// endpointOf names the one (endpoint, tool) that a query is for.
type endpointOf struct{ endpoint, tool string }

func pairOf(q results.StoredQuery) endpointOf { return endpointOf{q.Endpoint, q.Tool} }

// split gives the queries of each endpoint whose parts say all that they do.
func split(queries []results.StoredQuery) map[endpointOf]map[string]bool {
	planned := map[endpointOf][]ledger.Query{}
	for _, q := range queries {
		planned[pairOf(q)] = append(planned[pairOf(q)], q.Query)
	}
	out := map[endpointOf]map[string]bool{}
	for at, list := range planned {
		out[at] = ledger.Replaced(list)
	}
	return out
}

// told gives the notes and the remarks.
func (v View) told() []string { return append(slices.Clip(v.Notes), v.Remarks...) }

// notes collects what the verdicts said about their scope, each sentence once, in order, and what they rest on.
func notes(queries []results.StoredQuery) (out, remarks []string) {
	seen := map[string]bool{}
	add := func(s string) {
		if s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	var remembered, hashed int64
	replaced := split(queries)
	for _, q := range queries {
		if replaced[pairOf(q)][q.Query.ID] { // its parts say it
			continue
		}
		v := q.Verdict
		if q.Search != nil {
			v = &q.Search.Verdict
		}
		if v == nil {
			continue
		}
		remembered += v.Remembered
		hashed += v.Counts.FilesHashed
		for _, l := range v.LeftOut {
			add("left out: " + l.Path + " (" + l.Reason + ")")
		}
		for _, n := range v.Notes {
			add(n)
		}
	}
	if remembered > 0 { // each was read once, and is no reading of now
		verb, files := "are", "these files have"
		if remembered == 1 {
			verb, files = "is", "this file has"
		}
		remarks = append(remarks, fmt.Sprintf("%s of %s %s remembered from an earlier reading: %s not changed since", Thousands(remembered),
			digestsOf(max(hashed, remembered)), verb, files))
	}
	return out, remarks
}

func digestsOf(n int64) string {
	if n == 1 {
		return "1 digest"
	}
	return Thousands(n) + " digests"
}

// Graph gives the stored pivot in the form that pivot.Explain takes.
func (v View) Graph() *pivot.Graph {
	return &pivot.Graph{Seeds: v.Seeds, Edges: v.Edges, Files: v.Files, Reports: v.Reports, Complete: v.Run.PivotComplete}
}

// Followed lists the reports that the pivot rests on: all but those that are only related to one of them.
func (v View) Followed() []indicator.Report {
	beside, used := map[string]bool{}, map[string]bool{}
	for _, e := range v.Edges {
		used[e.Report] = true
		if e.Relation == indicator.RelRelatedReport {
			beside[e.To.Value] = true
		}
	}
	var out []indicator.Report
	for _, r := range v.Reports {
		if used[r.Ref()] || !beside[r.Ref()] {
			out = append(out, r)
		}
	}
	return out
}

// Gaps lists the targets about which the run proves nothing or not all, in the order of the store.
func (v View) Gaps() []results.Target {
	var out []results.Target
	for _, t := range v.Targets {
		switch {
		case t.Coverage.State == ledger.Absent, t.Coverage.State == ledger.NotSeen, t.Coverage.State == ledger.Excluded:
		case t.Coverage.State == ledger.Hit && t.Coverage.Proven:
		case t.Coverage.State == ledger.Hit && t.Mode == ledger.Recorded:
		default:
			out = append(out, t)
		}
	}
	return out
}

// withStatus gives the indicators of a status.
func (v View) withStatus(s results.IndicatorStatus) []results.RunIndicator {
	var out []results.RunIndicator
	for _, i := range v.Indicators {
		if i.Status == s {
			out = append(out, i)
		}
	}
	return out
}
