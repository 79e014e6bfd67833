package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
)

// progress tells on stderr what a run does: on a terminal one line that is written over, elsewhere the plan and a line now
// and then.
type progress struct {
	g     *globals
	live  bool
	width int // of the terminal
	now   func() time.Time

	mu     sync.Mutex
	shown  int // characters of the line that stands
	read   reading
	asking campaign.Event // the question that is being answered, if any
	drawn  time.Time
}

func newProgress(g *globals) *progress {
	p := &progress{g: g, live: !g.quiet && isTerminal(g.err), width: 100, now: time.Now}
	if f, ok := g.err.(*os.File); ok && p.live {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 1 {
			p.width = width - 1
		}
	}
	g.meter = p.meter
	return p
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
		p.read = reading{}
		p.planned(e)
	case campaign.EventEstimated:
		p.clear()
		p.g.hint("to read: %s", report.CostText(e.Forecast.Cost, e.Forecast.Takes))
		p.read.foretold(e.Forecast)
	case campaign.EventAsking:
		p.asking = e
		p.read.begin(e, p.now())
		p.tick(true)
	case campaign.EventAnswered:
		p.asking.Kind = ""
		p.read.end(e)
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

// Between two lines lies at least so much time: on a terminal, and elsewhere.
const (
	liveEvery  = 200 * time.Millisecond
	plainEvery = 10 * time.Second
)

// meter is told what the engine reads, by several goroutines.
func (p *progress) meter(w embedded.Work) {
	if p.g.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read.add(w)
	p.tick(false)
}

// tick shows how far the run is, when it is time to. A question that begins is shown at once on a terminal.
func (p *progress) tick(begins bool) {
	now := p.now()
	every := plainEvery
	if p.live {
		every = liveEvery
	}
	if p.drawn.IsZero() && !p.live {
		p.drawn = now
	}
	if p.asking.Kind == "" || (now.Sub(p.drawn) < every && !(begins && p.live)) {
		return
	}
	p.drawn = now
	share, parts := p.read.status(now)
	e := p.asking
	if share < 0 {
		parts = append([]string{fmt.Sprintf("%d/%d questions", e.Done, e.Total)}, parts...)
		share = float64(e.Done) / float64(max(e.Total, 1))
	}
	place := string(e.Query.Stage)
	if e.Query.Stage == ledger.Files {
		place += " " + diag.Escape(e.Query.Root)
	}
	if !p.live {
		p.g.hint("progress: %s; %s", strings.Join(parts, ", "), place)
		return
	}
	const width = 20
	line := fitting(p.width, fmt.Sprintf("[%-*s] ", width, bar(int(width*share))), parts, place)
	p.clear()
	p.shown = utf8.RuneCountInString(line)
	fmt.Fprint(p.g.err, line) // progress
}

// fitting words a line of at most so many characters. Where it is too long the counts are left out, and the place is cut or
// left out: how far it is and what is left stand longest.
func fitting(width int, bar string, parts []string, place string) string {
	const leastPlace = 12
	head := bar + strings.Join(parts, ", ")
	if len(parts) == 3 && utf8.RuneCountInString(head) > width {
		head = bar + parts[0] + ", " + parts[2]
	}
	if room := width - utf8.RuneCountInString(head) - len("; "); room >= min(leastPlace, utf8.RuneCountInString(place)) {
		return head + "; " + cut(place, room)
	}
	return cut(head, width)
}

// cut shortens a text to so many characters, and shows that it did.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:max(most-1, 0)]) + "…"
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
	p.asking.Kind = ""
	p.clear()
}
