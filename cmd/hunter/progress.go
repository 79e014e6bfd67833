package main

import (
	"fmt"
	"sync"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
)

// progress tells on stderr what a run does: on a terminal one line that is written over, elsewhere nothing but the plan.
type progress struct {
	g    *globals
	live bool

	mu    sync.Mutex
	shown int // characters of the line that stands
}

func newProgress(g *globals) *progress {
	return &progress{g: g, live: !g.quiet && isTerminal(g.err)}
}

// event is the campaign's Progress.
func (p *progress) event(e campaign.Event) {
	if p.g.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case campaign.EventPivoted:
		if e.Graph != nil && !e.Graph.Complete {
			p.clear()
			p.g.hint("pivot: not complete: %d cut by limits, %d not answered", len(e.Graph.Cut), len(e.Graph.Skipped))
		}
		p.remembered(e)
	case campaign.EventPlanned:
		p.clear()
		p.planned(e)
	case campaign.EventEstimated:
		p.clear()
		p.g.hint("to read: %s", report.CostText(e.Cost))
	case campaign.EventAsking:
		p.line(e, "asking")
	case campaign.EventAnswered:
		p.line(e, "answered")
		for _, h := range e.Verdict.Hits {
			if p.live {
				p.clear()
				p.g.hint("hit: %s", diag.Escape(h.Path))
			}
		}
	}
}

// remembered tells which answers of intelligence are not of now.
func (p *progress) remembered(e campaign.Event) {
	if e.Graph == nil {
		return
	}
	for _, r := range e.Graph.Remembered {
		p.clear()
		p.g.hint("pivot: %s", report.RememberedLine(r))
	}
}

func (p *progress) planned(e campaign.Event) {
	endpoints := 0
	for _, t := range e.Prepared.Plan.Tools {
		endpoints += len(t.Endpoints)
	}
	p.g.hint("run %s: %s hunted on %s: %s", e.Run, count(len(e.Prepared.Files), "file"), count(endpoints, "endpoint"), diag.Escape(e.Prepared.Plan.Scope))
	for _, n := range e.Prepared.Plan.Notes {
		p.g.hint("note: %s", diag.Escape(n))
	}
	for _, t := range e.Prepared.Plan.Tools {
		if len(t.Endpoints) == 0 {
			p.g.hint("note: no endpoint of %s is selected", diag.Escape(t.Tool.Name))
		}
		if !t.Tool.Local {
			continue
		}
		for _, ep := range t.Endpoints {
			for _, n := range ep.Endpoint.Notes {
				p.g.hint("note: %s", diag.Escape(n))
			}
		}
	}
}

func (p *progress) line(e campaign.Event, what string) {
	if !p.live {
		return
	}
	const width = 20
	full := 0
	if e.Total > 0 {
		full = width * e.Done / e.Total
	}
	text := fmt.Sprintf("[%-*s] %d/%d %s %s", width, bar(full), e.Done, e.Total, what, e.Query.Stage)
	if e.Query.Stage == ledger.Files {
		text += " " + diag.Escape(e.Query.Root)
	}
	if len(text) > 100 {
		text = text[:100]
	}
	p.clear()
	p.shown = len(text)
	fmt.Fprint(p.g.err, text) // progress
}

// count writes a number with its noun, which takes an s.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func bar(n int) string {
	const full = "####################"
	return full[:min(max(n, 0), len(full))]
}

// clear takes the line away.
func (p *progress) clear() {
	if p.shown > 0 {
		fmt.Fprintf(p.g.err, "\r%*s\r", p.shown, "") // progress
		p.shown = 0
	}
}

// end takes the line away for good.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}
