package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// idlePlan is what the idle measurement does.
type idlePlan struct {
	hunter  string // the program
	agents  int
	hosts   []int // how many nodes the database knows, one series each
	runs    int   // old runs in the database of the last series
	rounds  int
	last    time.Duration
	rate    int // polls a second while latencies are measured
	workers int
}

// idle measures polls that bring nothing: what a server does nearly all of its time.
func idle(ctx context.Context, args []string) error {
	p := idlePlan{}
	hosts := ""
	if err := flags("idle", args, func(f *flag.FlagSet) {
		f.StringVar(&p.hunter, "hunter", "bin/hunter", "hunter's program: make build")
		f.IntVar(&p.agents, "agents", 2000, "agents on kept TLS connections")
		f.StringVar(&hosts, "hosts", "2000", "enrolled hosts, a series each: 100,1000,10000")
		f.IntVar(&p.runs, "runs", 0, "old runs in the database")
		f.IntVar(&p.rounds, "rounds", 5, "rounds, each first one and then the other")
		f.DurationVar(&p.last, "last", 4*time.Second, "how long a round polls")
		f.IntVar(&p.rate, "rate", 400, "polls a second while latencies are measured")
		f.IntVar(&p.workers, "workers", 4, "polls at once")
	}); err != nil {
		return err
	}
	for h := range strings.SplitSeq(hosts, ",") {
		n, err := strconv.Atoi(h)
		if err != nil || n < 1 {
			return fmt.Errorf("-hosts %q: numbers from 1 are due", h)
		}
		p.hosts = append(p.hosts, n)
	}
	for _, n := range p.hosts {
		if err := p.series(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// series measures with so many hosts enrolled.
func (p idlePlan) series(ctx context.Context, hosts int) (err error) {
	dir, err := os.MkdirTemp("", "hunter-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	agents := min(p.agents, hosts)
	ours, keys, err := hunterServer(ctx, p.hunter, dir, agents, hosts, p.runs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.stop()) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bareDir := filepath.Join(dir, "bare")
	if err := os.Mkdir(bareDir, 0o700); err != nil {
		return err
	}
	other, err := launch(ctx, self, []string{bareChild, "-dir", bareDir, "-hosts", strconv.Itoa(hosts)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.stop()) }()
	bareKeys := make([]string, agents)
	for i := range bareKeys {
		bareKeys[i] = bareKey(i)
	}
	a, err := connect(ctx, ours, filepath.Join(dir, "tls", "ca.pem"), keys)
	if err != nil {
		return err
	}
	defer a.hangUp()
	b, err := connect(ctx, other, filepath.Join(bareDir, "ca.pem"), bareKeys)
	if err != nil {
		return err
	}
	defer b.hangUp()
	return p.compare(ctx, hosts, a, b)
}

// compare polls one and the other in turn, and prints the figures of the series.
func (p idlePlan) compare(ctx context.Context, hosts int, a, b *crowd) error {
	var ratios, ourRates, bareRates []float64
	for range p.rounds {
		ours, err := a.flood(ctx, p.workers, p.last)
		if err != nil {
			return err
		}
		theirs, err := b.flood(ctx, p.workers, p.last)
		if err != nil {
			return err
		}
		ourRates, bareRates, ratios = append(ourRates, ours), append(bareRates, theirs), append(ratios, ours/theirs)
	}
	p99, err := a.pace(ctx, p.rate, p.last)
	if err != nil {
		return err
	}
	bareP99, err := b.pace(ctx, p.rate, p.last)
	if err != nil {
		return err
	}
	ourMemory, err := a.server.memory()
	if err != nil {
		return err
	}
	bareMemory, err := b.server.memory()
	if err != nil {
		return err
	}
	fmt.Printf("hosts %7d  agents %d  polls a CPU second: hunter %.0f, bare %.0f, ratio %.2f (best %.2f)  p99 at %d/s: %s, bare %s  memory %d and %d MiB\n",
		hosts, len(a.lines), median(ourRates), median(bareRates), median(ratios), slices.Max(ratios), p.rate, p99.Round(10*time.Microsecond),
		bareP99.Round(10*time.Microsecond), ourMemory>>20, bareMemory>>20)
	return nil
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	return s[len(s)/2]
}

// hunterServer starts `hunter serve` with so many hosts enrolled, and gives the keys of the agents among them.
func hunterServer(ctx context.Context, hunter, dir string, agents, hosts, runs int) (*process, []string, error) {
	program, err := exec.LookPath(hunter)
	if err != nil {
		return nil, nil, err
	}
	db := filepath.Join(dir, "hunter.db")
	keys, err := prefill(ctx, db, agents, hosts, runs)
	if err != nil {
		return nil, nil, err
	}
	p, err := launch(ctx, program, []string{
		"serve", "--db", db, "--listen", "127.0.0.1:0", "--tls-self-signed", filepath.Join(dir, "tls"), "--enroll-secret", "env:BENCH_SECRET",
	}, "BENCH_SECRET="+benchSecret)
	return p, keys, err
}

const benchSecret = "a-secret-of-the-bench"

// crowd is the agents of one server.
type crowd struct {
	server *process
	lines  []*line
}

// connect opens a kept connection for each key, and polls once on it: a server hangs up on one that says nothing.
func connect(ctx context.Context, server *process, ca string, keys []string) (*crowd, error) {
	conf, err := trust(ca)
	if err != nil {
		return nil, err
	}
	c := &crowd{server: server}
	for _, key := range keys {
		l := &line{address: server.address, conf: conf}
		l.known(key)
		c.lines = append(c.lines, l)
		err := l.dial(ctx)
		if err == nil {
			err = l.idlePoll()
		}
		if err != nil {
			c.hangUp()
			return nil, err
		}
	}
	return c, nil
}

func (c *crowd) hangUp() {
	for _, l := range c.lines {
		l.hangUp()
	}
}

// flood polls as fast as so many workers can, and gives polls per second of the server's processor time.
func (c *crowd) flood(ctx context.Context, workers int, last time.Duration) (float64, error) {
	before, err := c.server.cpu()
	if err != nil {
		return 0, err
	}
	end := time.Now().Add(last)
	var polls atomic.Int64
	workers = min(workers, len(c.lines))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; time.Now().Before(end) && ctx.Err() == nil; i += workers {
				if i >= len(c.lines) {
					i = w // each line is one worker's
				}
				if errs[w] = c.lines[i].idlePoll(); errs[w] != nil {
					return
				}
				polls.Add(1)
			}
		})
	}
	wg.Wait()
	after, err := c.server.cpu()
	if err := errors.Join(append(errs, err, ctx.Err())...); err != nil {
		return 0, err
	}
	return float64(polls.Load()) / (after - before).Seconds(), nil
}

// idlePoll polls once, and tests that nothing was due.
func (l *line) idlePoll() error {
	body, err := l.roundTrip(l.poll)
	if err != nil {
		return err
	}
	if !bytes.Contains(body, []byte(`"queries"`)) || bytes.Contains(body, []byte("hunter-")) {
		return fmt.Errorf("not an idle answer: %.200s", body)
	}
	return nil
}

// pace polls at a rate, one after another, and gives the 99th percentile of how long a poll took.
func (c *crowd) pace(ctx context.Context, rate int, last time.Duration) (time.Duration, error) {
	every := time.NewTicker(time.Second / time.Duration(rate))
	defer every.Stop()
	end := time.Now().Add(last)
	var took []time.Duration
	for i := 0; time.Now().Before(end); i++ {
		select {
		case <-every.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		began := time.Now()
		if err := c.lines[i%len(c.lines)].idlePoll(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)*99/100], nil
}
