package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// point is where a run stands at a moment.
type point struct {
	Run    results.RunSummary
	Counts results.FleetCounts
	At     time.Time
}

// Between two looks at a run lies so much time at least, and at most when nothing was committed.
const (
	lookEvery   = 20 * time.Millisecond // one PRAGMA
	lookAtLeast = 2 * time.Second
	lookPause   = 250 * time.Millisecond // a look adds up all endpoints
)

// follow looks at a run at each commit of others until it is over, and gives it as it is then. When ctx ends it gives what it
// saw last, and ctx's error.
func follow(ctx context.Context, s *results.Store, run string, show func(point)) (sum results.RunSummary, err error) {
	err = eachCommit(ctx, s, lookAtLeast, func() (over bool, err error) {
		now, err := s.Run(ctx, run)
		if err != nil {
			return false, err
		}
		sum = now
		counts, err := s.FleetCounts(ctx, sum.ID)
		if err != nil {
			return false, err
		}
		show(point{Run: sum, Counts: counts, At: time.Now()})
		return sum.State.Over(), nil
	})
	return sum, err
}

// eachCommit looks now, after commits of others and when there was none for so long, until a look says that all is over.
func eachCommit(ctx context.Context, s *results.Store, idle time.Duration, look func() (over bool, err error)) (err error) {
	w, err := s.Watch(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	for {
		began := time.Now()
		if over, err := look(); err != nil || over {
			return err
		}
		// A look at much takes its time; the database is left alone for as long.
		pause := time.NewTimer(max(lookPause, time.Since(began)))
		err := w.Wait(ctx, lookEvery, idle)
		if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-pause.C:
			}
		}
		pause.Stop()
		if err != nil {
			return err
		}
	}
}

// watchBar shows a run that a server carries: on a terminal one line that is written over, elsewhere a line now and then.
type watchBar struct {
	g     *globals
	live  bool
	width int
	shown int
	last  time.Time
	said  string
}

func newWatchBar(g *globals) *watchBar {
	b := &watchBar{g: g, live: !g.quiet && isTerminal(g.err), width: 100}
	if f, ok := g.err.(*os.File); ok && b.live {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 1 {
			b.width = width - 1
		}
	}
	return b
}

func (b *watchBar) show(p point) {
	if b.g.quiet {
		return
	}
	text := pointText(p)
	if !b.live {
		if text != b.said && (b.last.IsZero() || p.At.Sub(b.last) >= plainEvery || p.Run.State.Over()) {
			b.g.hint("progress: %s", text)
			b.last, b.said = p.At, text
		}
		return
	}
	const width = 20
	share := float64(p.Counts.Settled) / float64(max(p.Counts.Targets, 1))
	line := []rune(fmt.Sprintf("[%-*s] %s", width, bar(int(width*share)), text))
	line = line[:min(len(line), b.width)]
	b.clear()
	b.shown = len(line)
	fmt.Fprint(b.g.err, string(line)) // progress
}

// clear takes the line away.
func (b *watchBar) clear() {
	if b.shown > 0 {
		fmt.Fprintf(b.g.err, "\r%*s\r", b.shown, "") // progress
		b.shown = 0
	}
}

// pointText says in one line where a run stands.
func pointText(p point) string {
	if p.Run.State == results.RunPlanned {
		return "planned: the server pivots and plans it"
	}
	parts := []string{fmt.Sprintf("%s: %d of %d let go, %d settled", p.Run.State, p.Counts.Released, p.Counts.Targets, p.Counts.Settled)}
	for _, s := range ledger.States() {
		if n := p.Counts.States[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ") + "; " + count(p.Run.HitsTotal, "hit")
}
