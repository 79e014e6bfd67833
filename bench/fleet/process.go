package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a server that runs as a child, so that its processor time and memory are its own.
type process struct {
	cmd     *exec.Cmd
	address string // host:port
	mu      sync.Mutex
	said    bytes.Buffer // the end of its standard error, for a message when it fails
	drained chan struct{}
}

// launch starts a server and waits until it writes "ready https://ADDRESS" to its standard error.
func launch(ctx context.Context, name string, args []string, env ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, name, args...), drained: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 20 * time.Second
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go p.listen(stderr, ready)
	select {
	case p.address = <-ready:
	case <-time.After(time.Minute):
	case <-ctx.Done():
	}
	if p.address == "" {
		return nil, errors.Join(fmt.Errorf("%s %s is not ready: %s", name, strings.Join(args, " "), p.words()), p.stop())
	}
	return p, nil
}

// listen drains standard error, and tells the address once it comes; "" when it ends before.
func (p *process) listen(stderr io.Reader, ready chan<- string) {
	defer close(p.drained)
	defer close(ready)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "ready https://"); ok {
			ready <- strings.TrimSpace(at)
			continue
		}
		p.mu.Lock()
		if p.said.Len() > 1<<16 {
			p.said.Reset()
		}
		fmt.Fprintln(&p.said, lines.Text())
		p.mu.Unlock()
	}
}

func (p *process) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// stop ends the server and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.drained
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", p.cmd.Path, err, p.words())
	}
	return nil
}

// cpu is the processor time that the server has used, to 10 ms: proc_pid_stat(5), utime and stime.
func (p *process) cpu() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, ok := bytes.Cut(data, []byte(") ")) // the name before may hold anything
	fields := bytes.Fields(after)
	if !ok || len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", p.cmd.Process.Pid, len(fields))
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100), nil
}

// written is how many bytes the server has given to the disk, in whole pages: proc_pid_io(5), write_bytes.
func (p *process) written() (int64, error) {
	return p.number("io", "write_bytes:")
}

// memory is what the server holds in memory now, in bytes: VmRSS of proc_pid_status(5).
func (p *process) memory() (int64, error) {
	kib, err := p.number("status", "VmRSS:")
	return kib << 10, err
}

// peak is the most that the server ever held: VmHWM.
func (p *process) peak() (int64, error) {
	kib, err := p.number("status", "VmHWM:")
	return kib << 10, err
}

// number reads one of the lines "NAME VALUE [kB]" that the kernel tells of the server.
func (p *process) number(file, name string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(line, []byte(name))
		if !ok {
			continue
		}
		return strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
	}
	return 0, fmt.Errorf("the kernel does not tell %s", name)
}
