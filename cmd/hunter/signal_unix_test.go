//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// Ctrl-C while hunter waits for standard input ends it: nothing is at stake yet.
func TestInterruptedWhileItReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := hunterCommand(t, filepath.Join(dir, "h.db"), "sweep", "-", "--path", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(cmd.Start(), cmd.Process.Signal(os.Interrupt)); err != nil {
		t.Fatal(err)
	}
	if status := endOf(t, cmd); !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("%v", cmd.ProcessState)
	}
	_ = in.Close() // the process is gone
}

// The first Ctrl-C detaches a run, which says how it goes on.
func TestInterruptedRunIsDetached(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(512<<20), f.Close()); err != nil { // holes: long to read, nothing on the disk
			t.Fatal(err)
		}
	}
	cmd := hunterCommand(t, filepath.Join(dir, "h.db"), "sweep", strings.Repeat("ab", 32), "--path", dir, "--max-size", "1GiB")
	cmd.Env = append(cmd.Env, "HUNTER_QUIET=false")
	told := &until{word: "hunted on", seen: make(chan struct{})}
	var out bytes.Buffer
	cmd.Stderr, cmd.Stdout = told, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-told.seen // the plan is told: the run is recorded
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if status := endOf(t, cmd); status.ExitStatus() != 3 || !strings.Contains(out.String(), "detached") || !strings.Contains(out.String(), "hunter run --resume") {
		t.Errorf("%v\n%s%s", cmd.ProcessState, out.String(), told.all.String())
	}
}

func endOf(t *testing.T, cmd *exec.Cmd) syscall.WaitStatus {
	t.Helper()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// until closes seen when a word was written.
type until struct {
	word string
	seen chan struct{}
	all  bytes.Buffer
	done bool
}

func (u *until) Write(p []byte) (int, error) {
	u.all.Write(p)
	if !u.done && strings.Contains(u.all.String(), u.word) {
		u.done = true
		close(u.seen)
	}
	return len(p), nil
}

// Who follows a list ends it with Ctrl-C, and a service manager with SIGTERM: that is no error.
func TestInterruptedFollow(t *testing.T) {
	t.Parallel()
	path, s := followDB(t)
	for i, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		for _, list := range []string{"hits", "findings", "runs"} {
			cmd := hunterCommand(t, path, list, "--follow")
			told := &until{word: fmt.Sprintf(`"/tmp/%d"`, i+2), seen: make(chan struct{})}
			begun := &until{word: "\n", seen: make(chan struct{})}
			if list == "runs" {
				told.word = fmt.Sprintf(`"hits_total":%d`, i+2)
			}
			cmd.Stdout = io.MultiWriter(told, begun)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-begun.seen
			hit(t, s, resultstest.RunOne, "h1", fmt.Sprintf("/tmp/%d", i+2), i+2) // the same one thrice is one
			<-told.seen
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if status := endOf(t, cmd); !status.Exited() || status.ExitStatus() != 0 {
				t.Errorf("%s --follow, %s: %v", list, sig, cmd.ProcessState)
			}
		}
	}
}
