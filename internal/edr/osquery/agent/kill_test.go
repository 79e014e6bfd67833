//go:build sqlite_vtable && !windows

package agent_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/agent"
	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
	"github.com/hunter-project/hunter/internal/secret"
)

// Variables of a child process that is an agent.
const (
	childVar  = "HUNTER_TEST_AGENT_STATE"
	serverVar = "HUNTER_TEST_AGENT_SERVER"
	caVar     = "HUNTER_TEST_AGENT_CA"
	secretVar = "HUNTER_TEST_AGENT_SECRET"
)

// child is an agent that runs until it is told to end, or killed.
func child() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ref, err := secret.ParseRef("env:" + secretVar)
	if err != nil {
		return 3
	}
	a, err := agent.New(agent.Config{
		Server: os.Getenv(serverVar), CA: os.Getenv(caVar), Secret: ref, State: os.Getenv(childVar), Version: "1.2.3",
		Limits: gentle.Limits{CPU: 1}, Interval: time.Second, Overdraft: time.Hour, Rand: func() float64 { return 0 },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	if err := a.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	if err := a.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// alive is a child process that is an agent.
type alive struct {
	*exec.Cmd
	ended chan struct{} // closed when it has
	err   error
}

// kill is kill -9.
func (a *alive) kill(t *testing.T) {
	t.Helper()
	must(t, a.Process.Kill())
	<-a.ended
}

// live starts a child on the state of a configuration.
func live(t *testing.T, c agent.Config) *alive {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+c.State, serverVar+"="+c.Server, caVar+"="+c.CA, secretVar+"="+password)
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	a := &alive{Cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(a.ended)
		a.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-a.ended
	})
	return a
}

// endless computes until it is ended.
const endless = "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"

// began waits until a query runs.
func began(t *testing.T, c agent.Config, a *alive) {
	t.Helper()
	until(t, "a query to begin", func() bool {
		select {
		case <-a.ended:
			t.Fatalf("the agent has ended: %v", a.err)
		default:
		}
		entries, err := os.ReadDir(c.State + "/running")
		return err == nil && len(entries) == 1 && entries[0].Name()[len(entries[0].Name())-1] != 'p' // .tmp
	})
}

// The agent dies in a query: the text is not run again for a day, and the server is told, also when it asks under another name.
func TestKilledInAQuery(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	s.ask("q-a1", endless)
	cmd := live(t, c)
	began(t, c, cmd)
	cmd.kill(t)
	if len(spoolOf(t, c)) != 0 || len(marksOf(t, c)) != 1 {
		t.Fatalf("%v, %v", spoolOf(t, c), marksOf(t, c))
	}
	must(t, once(t, c))
	rows, status, message := s.one(t, "q-a1")
	if len(rows) != 0 || status != 1 || message != "distributed query is denylisted" {
		t.Errorf("%v, %d, %q", rows, status, message)
	}
	s.writes = nil
	s.ask("q-a2", endless) // the same text as a probe
	must(t, once(t, c))
	if _, status, message := s.one(t, "q-a2"); status != 1 || message != "distributed query is denylisted" {
		t.Errorf("%d, %q", status, message)
	}
	if w := s.took(t)[0]; len(w.Stats["q-a2"]) != 0 || w.Stats["q-a2"] == nil {
		t.Errorf("%+v", w.Stats)
	}
	s.writes = nil
	s.ask("q-a3", "SELECT 1 AS x /* attempt 3 */")
	must(t, once(t, c))
	if rows, status, _ := s.one(t, "q-a3"); status != 0 || len(rows) != 1 {
		t.Errorf("%v, %d", rows, status)
	}
	// A day later it may run, and has nothing left of that; a clock that was set back makes it no longer than a day.
	s.writes = nil
	now := time.Now()
	c.Now = func() time.Time { return now.Add(25 * time.Hour) }
	c.QueryTimeout = 50 * time.Millisecond
	s.ask("q-a4", endless)
	must(t, once(t, c))
	if _, status, message := s.one(t, "q-a4"); status != 1 || message != "the query was ended: it took longer than 50ms" || len(marksOf(t, c)) != 0 {
		t.Errorf("%d, %q", status, message)
	}
}

// The agent dies while it sends, before and after the server has taken it: the answer is sent again, as it was.
func TestKilledInASend(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{false, true} {
		s := newServer(t)
		c, _ := config(t, s)
		s.ask("q", "SELECT 'found' AS x, unix_time AS now FROM time")
		inside := make(chan bool)
		s.refusing(func(w http.ResponseWriter, path string) bool {
			if path != "distributed/write" {
				return false
			}
			s.mu.Lock()
			if taken {
				s.writes = append(s.writes, s.tried[0])
			}
			delete(s.due, "q")
			s.mu.Unlock()
			inside <- true
			<-inside
			return true
		})
		cmd := live(t, c)
		select {
		case <-inside:
		case <-cmd.ended:
			t.Fatalf("the agent has ended: %v", cmd.err)
		}
		cmd.kill(t)
		s.refusing(nil)
		inside <- true
		must(t, once(t, c))
		if len(s.tried) != 2 || string(s.tried[0]) != string(s.tried[1]) || len(spoolOf(t, c)) != 0 || len(marksOf(t, c)) != 0 {
			t.Errorf("taken %v: %s, %v, %v", taken, s.tried, spoolOf(t, c), marksOf(t, c))
		}
	}
}

// Told to end in mid-query, the agent ends in order: the query is no one's fault, and the next life answers it.
func TestStoppedInAQuery(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	s.ask("q", endless)
	cmd := live(t, c)
	began(t, c, cmd)
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	<-cmd.ended
	must(t, cmd.err)
	if len(spoolOf(t, c)) != 0 || len(marksOf(t, c)) != 0 || len(s.tried) != 0 {
		t.Fatalf("%v, %v, %s", spoolOf(t, c), marksOf(t, c), s.tried)
	}
	delete(s.due, "q") // it has it
	c.QueryTimeout = 50 * time.Millisecond
	must(t, once(t, c))
	if _, status, message := s.one(t, "q"); status != 1 || message != "the query was ended: it took longer than 50ms" {
		t.Errorf("%d, %q", status, message)
	}
	must(t, once(t, c))
	if len(s.writes) != 1 {
		t.Errorf("answered again: %s", s.writes)
	}
}
