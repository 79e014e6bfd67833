package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// campaignPlan is what the campaign measurement does.
type campaignPlan struct {
	hunter  string
	agents  int
	hashes  int
	workers int
	keep    string
	quick   bool
	rate    string
}

// campaign carries one sweep over a fleet in which one in a hundred has the file and one in fifty has each of the faults,
// and compares what the run says of each with what its agent did.
func campaign(ctx context.Context, args []string) (err error) {
	p := campaignPlan{}
	if err := flags("campaign", args, func(f *flag.FlagSet) {
		f.StringVar(&p.hunter, "hunter", "bin/hunter", "hunter's program: make build")
		f.IntVar(&p.agents, "agents", 10_000, "agents that enrol")
		f.IntVar(&p.hashes, "hashes", 1000, "hashes that are swept for")
		f.IntVar(&p.workers, "workers", 16, "agents that work at once")
		f.StringVar(&p.rate, "rate", "600000/min", "of the sweep")
		f.StringVar(&p.keep, "keep", "", "folder for the database; it stays")
		f.BoolVar(&p.quick, "quick", false, "without agents that sleep or die, which a run waits minutes for")
	}); err != nil {
		return err
	}
	dir := p.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "hunter-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	bareMemory, err := p.bareMemory(ctx, dir)
	if err != nil {
		return err
	}
	server, _, err := hunterServer(ctx, p.hunter, dir, 0, 0, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	fleet, err := p.enrol(ctx, server, filepath.Join(dir, "tls", "ca.pem"))
	if err != nil {
		return err
	}
	defer fleet.hangUp()
	before, err := server.memory()
	if err != nil {
		return err
	}
	fmt.Printf("%d agents enrolled; memory %d MiB, the bare handler's with as many connections %d MiB\n", p.agents, before>>20, bareMemory>>20)
	return p.sweep(ctx, dir, server, fleet, bareMemory)
}

// barePolls is how often each connection polls the bare handler until its memory is what it stays at.
const barePolls = 5

// bareMemory is what the bare handler holds with as many kept connections.
func (p campaignPlan) bareMemory(ctx context.Context, dir string) (n int64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	bareDir := filepath.Join(dir, "bare")
	if err := os.MkdirAll(bareDir, 0o700); err != nil {
		return 0, err
	}
	other, err := launch(ctx, self, []string{bareChild, "-dir", bareDir, "-hosts", strconv.Itoa(p.agents)})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, other.stop()) }()
	keys := make([]string, p.agents)
	for i := range keys {
		keys[i] = bareKey(i)
	}
	c, err := connect(ctx, other, filepath.Join(bareDir, "ca.pem"), keys)
	if err != nil {
		return 0, err
	}
	defer c.hangUp()
	for range barePolls {
		for _, l := range c.lines {
			if err := l.idlePoll(); err != nil {
				return 0, err
			}
		}
	}
	return other.memory()
}

// nature is what an agent does with its queries, and with it how it must end.
type nature struct {
	name string
	ends string // the state
}

// natures gives what the agents are: the first hundred places of each hundred.
func (p campaignPlan) natures() []nature {
	out := []nature{{"has the file", "hit"}}
	for _, n := range []nature{
		{"SQL error", "error"}, {"no such table", "unsupported"}, {"denylists all that it is sent", "denylisted"}, {"dies in one query each time", "timeout"},
		{"answers twice", "absent"}, {"is cut off in its answer", "absent"}, {"answers for another, too", "absent"}, {"sleeps", "asleep"},
	} {
		if !p.quick || n.ends != "timeout" && n.ends != "asleep" {
			out = append(out, n, n)
		}
	}
	for len(out) < 100 {
		out = append(out, nature{"honest", "absent"})
	}
	return out
}

// agent is one machine.
type agent struct {
	*line
	nature
	instance string
}

func (p campaignPlan) enrol(ctx context.Context, server *process, ca string) (*crowd, error) {
	conf, err := trust(ca)
	if err != nil {
		return nil, err
	}
	c := &crowd{server: server, lines: make([]*line, p.agents)}
	errs := make([]error, p.workers)
	var wg sync.WaitGroup
	for w := range p.workers {
		wg.Go(func() {
			for i := w; i < p.agents && errs[w] == nil; i += p.workers {
				l := &line{address: server.address, conf: conf}
				c.lines[i] = l
				if errs[w] = l.dial(ctx); errs[w] == nil {
					errs[w] = l.enrollPatiently(ctx, fmt.Sprintf("host-%06d", i))
				}
			}
		})
	}
	wg.Wait()
	return c, errors.Join(errs...)
}

// enrollPatiently enrols, again after a while when the server is asked by too many at once.
func (l *line) enrollPatiently(ctx context.Context, host string) (err error) {
	for try := range 30 {
		if err = l.enroll(benchSecret, host); err == nil {
			return nil
		}
		select {
		case <-time.After(time.Duration(min(try+1, 5)) * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := l.dial(ctx); err != nil {
			return err
		}
	}
	return err
}

// seenBy are the moments at which things were first seen.
type seenBy struct {
	polls, answers atomic.Int64
	first, last    atomic.Int64 // first hand-out, and the last first hand-out of any agent: unix ns
}

func (p campaignPlan) sweep(ctx context.Context, dir string, server *process, fleet *crowd, bareMemory int64) error {
	list := filepath.Join(dir, "hashes")
	var hashes strings.Builder
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // digests of nothing, the same each time
	for range p.hashes {
		fmt.Fprintf(&hashes, "%016x%016x%016x%016x\n", random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64())
	}
	if err := os.WriteFile(list, []byte(hashes.String()), 0o600); err != nil {
		return err
	}
	db := filepath.Join(dir, "hunter.db")
	sizeBefore := bytesOf(db)
	var seen seenBy
	working, done := context.WithCancel(ctx)
	defer done()
	var wg sync.WaitGroup
	errs := make([]error, p.workers)
	for w := range p.workers {
		wg.Go(func() { errs[w] = p.work(working, fleet, w, &seen) })
	}
	var first wave
	var waveErr error
	wg.Go(func() { first, waveErr = watchWave(working, db) })
	writtenBefore, err := server.written()
	if err != nil {
		done()
		return err
	}
	began := time.Now()
	cmd := exec.CommandContext(ctx, p.hunter, "sweep", list, "--tool", "fleet", "--db", db, "--wait", "30m", "--timeout", "60s", "--rate", p.rate,
		"--canary", "0", "--json", "--yes")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	runErr := cmd.Run()
	took := time.Since(began)
	memory, memErr := server.memory()
	written, ioErr := server.written()
	peak, peakErr := server.peak()
	done()
	wg.Wait()
	if cmd.ProcessState.ExitCode() != 1 { // hits are due
		return errors.Join(fmt.Errorf("the sweep ended with %w, and not with 1: %s", runErr, said.String()), errors.Join(errs...))
	}
	if err := errors.Join(append(errs, memErr, peakErr, ioErr, waveErr)...); err != nil {
		return err
	}
	answers := max(seen.answers.Load(), 1)
	fmt.Printf("%d polls, %d answers in %s; first hand-out after %s, the last agent's first %s later\n",
		seen.polls.Load(), answers, took.Round(time.Millisecond), time.Duration(seen.first.Load()-began.UnixNano()).Round(time.Millisecond),
		time.Duration(seen.last.Load()-seen.first.Load()).Round(time.Millisecond))
	fmt.Printf("a wave of %d hosts is there for their polls %s after the run is under way\n", first.hosts, first.took.Round(time.Millisecond))
	fmt.Printf("memory %d MiB, %+d over the bare handler; at its peak %d, %+d\n", memory>>20, (memory-bareMemory)>>20, peak>>20, (peak-bareMemory)>>20)
	fmt.Printf("an answer: %d bytes written to the disk, the database grows by %d\n", (written-writtenBefore)/answers, (bytesOf(db)-sizeBefore)/answers)
	return p.judge(out.Bytes())
}

// bytesOf is the size of a database with its log.
func bytesOf(db string) (n int64) {
	for _, f := range []string{db, db + "-wal"} {
		if info, err := os.Stat(f); err == nil {
			n += info.Size()
		}
	}
	return n
}

// judge compares the counts of the run with what the agents are.
func (p campaignPlan) judge(out []byte) error {
	var run struct {
		State    string
		Coverage map[string]any
	}
	if err := json.Unmarshal(out, &run); err != nil {
		return fmt.Errorf("%w: %.300s", err, out)
	}
	want, kinds := map[string]int{}, p.natures()
	for i := range p.agents {
		want[kinds[i%100].ends]++
	}
	var wrong []string
	for _, state := range []string{"hit", "absent", "partial", "unverified", "error", "denylisted", "unsupported", "timeout", "unasked", "asleep", "excluded"} {
		got, _ := run.Coverage[state].(float64)
		fmt.Printf("  %-12s %6.0f of %d\n", state, got, want[state])
		if int(got) != want[state] {
			wrong = append(wrong, state)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the run is %s and counts wrongly: %s", run.State, strings.Join(wrong, ", "))
	}
	return nil
}

// work drives every workers-th agent until ctx ends: poll, answer, as its nature is.
func (p campaignPlan) work(ctx context.Context, fleet *crowd, w int, seen *seenBy) error {
	kinds := p.natures()
	var mine []*agent
	for i := w; i < len(fleet.lines); i += p.workers {
		mine = append(mine, &agent{line: fleet.lines[i], nature: kinds[i%100], instance: fmt.Sprintf("instance-host-%06d", i)})
	}
	met := make([]bool, len(mine))
	for ctx.Err() == nil {
		busy := false
		for i, a := range mine {
			if ctx.Err() != nil || a.name == "sleeps" {
				continue
			}
			name, text, err := a.next()
			if err != nil {
				return err
			}
			seen.polls.Add(1)
			if name == "" {
				continue
			}
			if !met[i] && strings.Count(name, "-") > 4 && !strings.HasPrefix(name, "hunter-node-") {
				met[i] = true
				now := time.Now().UnixNano()
				seen.first.CompareAndSwap(0, now)
				seen.last.Store(max(seen.last.Load(), now))
			}
			busy = true
			if err := a.answer(ctx, name, text); err != nil {
				return err
			}
			seen.answers.Add(1)
		}
		if !busy {
			time.Sleep(200 * time.Millisecond)
		}
	}
	return nil
}

// next polls, and gives what is due.
func (a *agent) next() (name, text string, err error) {
	body, err := a.roundTrip(a.poll)
	if err != nil {
		return "", "", err
	}
	var got struct {
		Queries map[string]string
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return "", "", err
	}
	for name, text = range got.Queries {
		return name, text, nil
	}
	return "", "", nil
}

// answer answers as the agent's nature is.
func (a *agent) answer(ctx context.Context, name, text string) error {
	unix := time.Now().Unix()
	if strings.HasPrefix(name, "hunter-node-") {
		return a.send(write(a.key, name, clean(text, a.instance, unix), 0, ""))
	}
	good := write(a.key, name, clean(text, a.instance, unix), 0, "")
	switch a.name {
	case "has the file":
		return a.send(write(a.key, name, planted(text, a.instance, unix), 0, ""))
	case "SQL error":
		return a.send(write(a.key, name, nil, 1, "table time may not be modified"))
	case "no such table":
		return a.send(write(a.key, name, nil, 1, "no such table: hash"))
	case "denylists all that it is sent":
		return a.send(write(a.key, name, nil, 1, "distributed query is denylisted"))
	case "dies in one query each time":
		if strings.Contains(name, "-running-") {
			return nil
		}
	case "answers twice":
		return errors.Join(a.send(good), a.send(good))
	case "answers for another, too":
		return errors.Join(a.send(good), a.send(write(a.key, strings.Replace(name, "-a1", "-a9", 1), clean(text, a.instance, unix), 0, "")))
	case "is cut off in its answer":
		raw := request(pathWrite, good)
		if _, err := a.conn.Write(raw[:len(raw)/2]); err != nil {
			return err
		}
		if err := a.dial(ctx); err != nil {
			return err
		}
	}
	return a.send(good)
}

// send writes an answer until the server has taken it.
func (a *agent) send(body []byte) error {
	raw := request(pathWrite, body)
	for range 20 {
		answer, err := a.roundTrip(raw)
		if err != nil {
			return err
		}
		if !bytes.Contains(answer, []byte(`"error"`)) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("an answer was refused twenty times")
}
