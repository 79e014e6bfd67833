package results_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// process makes another process of this test binary that works on the same database.
func process(t *testing.T, do, db string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), helperDo+"="+do, helperDB+"="+db)
	cmd.Stderr = os.Stderr
	return cmd
}

// TestProcesses has one process write while two read; then the writer is killed, and all that it had acknowledged is there.
func TestProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hunter.db")
	s := open(t, path, results.Options{})
	resultstest.Start(t, s, resultstest.RunOne, "sweep", resultstest.At(0), resultstest.Plan([]string{"h1"}, nil))

	writer := process(t, "write", path)
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	acknowledged := map[string]bool{}
	next := func() bool {
		if !lines.Scan() {
			return false
		}
		if !strings.HasPrefix(lines.Text(), "/tmp/") {
			t.Errorf("the writer says %q", lines.Text())
		}
		acknowledged[lines.Text()] = true
		return true
	}
	for range 20 {
		if !next() {
			t.Fatal("the writer ended by itself")
		}
	}
	readers := []*exec.Cmd{process(t, "read", path), process(t, "read", path)}
	answers := make(chan string, len(readers))
	for _, r := range readers {
		go func() {
			b, err := r.Output()
			if err != nil {
				b = append(b, err.Error()...)
			}
			answers <- string(b)
		}()
	}
	for range readers {
		if a := <-answers; !strings.HasPrefix(a, "read ") || a == "read 0\n" {
			t.Errorf("a reader says %q", a)
		}
	}
	if err := writer.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for next() {
	}
	_ = writer.Wait() // it was killed

	hits, _, err := s.Hits(t.Context(), results.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hits {
		delete(acknowledged, h.PathText)
	}
	if len(acknowledged) > 0 {
		t.Errorf("acknowledged and lost: %v", acknowledged)
	}
}

// TestProcessesOpenAtOnce has many processes make the same database at the same time.
func TestProcessesOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "hunter.db")
	done := make(chan string)
	const n = 6
	for range n {
		cmd := process(t, "open", path)
		go func() {
			b, err := cmd.Output()
			if err != nil {
				b = append(b, err.Error()...)
			}
			done <- string(b)
		}()
	}
	for range n {
		if out := <-done; out != "" {
			t.Error(out)
		}
	}
	s := open(t, path, results.Options{})
	_, rows := resultstest.Table(t, s, `SELECT version_id, count(*) AS n FROM goose_db_version GROUP BY version_id`)
	for _, r := range rows {
		if r["n"] != int64(1) {
			t.Errorf("migration %v ran %v times", r["version_id"], r["n"])
		}
	}
}

// TestCallerEnds has callers end at any moment of a write: it is done, or fails by that end and no other word.
func TestCallerEnds(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "hunter.db"), results.Options{})
	resultstest.Start(t, s, resultstest.RunOne, "sweep", resultstest.At(0), resultstest.Plan([]string{"h1"}, nil))
	ended := 0
	for i := range 400 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range i * 200 {
				runtime.Gosched()
			}
			cancel()
		}()
		err := s.MarkAsked(ctx, resultstest.RunOne, "h1", "fleet", "files-1")
		<-done
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("ended at moment %d: %v", i, err)
		}
		if err != nil {
			ended++
		}
	}
	if ended == 0 {
		t.Error("no caller ended in time")
	}
}
