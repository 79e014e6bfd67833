//go:build sqlite_vtable

package agent_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/agent"
	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
)

// pauses is a sleep that does not: it takes down how long it was to be, and ends the agent after so many.
type pauses struct {
	mu    sync.Mutex
	of    []time.Duration
	most  int
	end   context.CancelFunc
	after func(n int)
}

func (p *pauses) sleep(ctx context.Context, d time.Duration) error {
	if d == 5*time.Minute || d == 4*time.Minute+30*time.Second || d == 5*time.Minute+30*time.Second { // of the goroutine that reads the configuration again
		<-ctx.Done()
		return ctx.Err()
	}
	p.mu.Lock()
	p.of = append(p.of, d)
	n := len(p.of)
	p.mu.Unlock()
	if p.after != nil {
		p.after(n)
	}
	if n >= p.most {
		p.end()
	}
	return ctx.Err()
}

// lived runs an agent through so many pauses and gives them.
func lived(t *testing.T, c agent.Config, most int, after func(n int)) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := &pauses{most: most, end: cancel, after: after}
	c.Sleep = p.sleep
	if c.Rand == nil {
		c.Rand = func() float64 { return 0.5 } // in the middle
	}
	a := open(t, c)
	must(t, a.Run(ctx))
	must(t, a.Close())
	return p.of
}

// After failures the agent waits 1, 4, 9 … seconds, at most ten minutes, and is back at once when the server is.
func TestBackOff(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, said := config(t, s)
	s.refuse = func(w http.ResponseWriter, _ string) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	got := lived(t, c, 32, func(n int) {
		if n == 30 {
			s.refusing(nil)
		}
	})
	for i, d := range got[1:30] {
		if want := min(time.Duration((i+1)*(i+1))*time.Second, 10*time.Minute); d != want {
			t.Errorf("failure %d: %s instead of %s", i+1, d, want)
		}
	}
	if got[0] != 5*time.Second || got[30] != time.Minute || s.polls != 2 {
		t.Errorf("%v, %d polls\n%s", got, s.polls, said)
	}
}

// The interval is the server's, spread by a tenth; a server that asks for haste is polled every five seconds for as long as it says.
func TestIntervals(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	c.Interval = 40 * time.Second
	s.config = `{"options":{"distributed_interval":"30"},"schedule":{}}`
	var mu sync.Mutex // of what two goroutines of the agent read
	chance, now := 0.0, time.Now()
	c.Rand = func() float64 { mu.Lock(); defer mu.Unlock(); return chance }
	c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	got := lived(t, c, 6, func(n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		mu.Lock()
		defer mu.Unlock()
		switch n {
		case 2:
			chance = 1
		case 3:
			s.more, chance = `,"accelerate":10`, 0.5
		case 4:
			s.more = ""
		case 5:
			now = now.Add(11 * time.Second)
		}
	})
	want := []time.Duration{0, 27 * time.Second, 33 * time.Second, 5 * time.Second, 5 * time.Second, 30 * time.Second}
	if !slices.Equal(got, want) {
		t.Errorf("%v instead of %v", got, want)
	}
	// Without a word of the server's its own holds, and a start is spread.
	s = newServer(t)
	c.Server, c.CA, s.config = s.Listener.Addr().String(), s.ca, `{}`
	c.Rand = func() float64 { return 1 }
	if got := lived(t, c, 2, nil); got[0] != 10*time.Second || got[1] != 44*time.Second {
		t.Errorf("%v", got)
	}
}

// An answer that the server refuses for good does not keep the agent from others.
func TestOneRefusedAnswer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	s.ask("a", "SELECT 'poison' AS x")
	s.refuse = func(w http.ResponseWriter, path string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if path != "distributed/write" || !strings.Contains(string(s.tried[len(s.tried)-1]), "poison") {
			return false
		}
		delete(s.due, "a")
		_, err := w.Write([]byte(`{"error":"not this one"}`))
		return err == nil
	}
	now := time.Now()
	c.Now = func() time.Time { return now }
	lived(t, c, 15, func(n int) {
		if n == 2 {
			s.ask("b", "SELECT 'good' AS x")
		}
	})
	rows, _, _ := s.one(t, "b")
	if len(rows) != 1 || len(spoolOf(t, c)) != 1 {
		t.Errorf("%v, %v", rows, spoolOf(t, c))
	}
	// It is kept for thirty days, and a clock that is set forward does not drop it at the first refusal.
	now = now.Add(31 * 24 * time.Hour)
	lived(t, c, 5, nil)
	if len(spoolOf(t, c)) != 1 {
		t.Error("dropped when the clock was set forward")
	}
	lived(t, c, 12, nil)
	if len(spoolOf(t, c)) != 0 {
		t.Errorf("never dropped")
	}
}

// While too much waits for the server, no query is asked for.
func TestFullSpool(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, said := config(t, s)
	c.MaxSpool = 10
	s.ask("a", "SELECT 1 AS x")
	s.refuse = func(w http.ResponseWriter, path string) bool {
		if path != "distributed/write" {
			return false
		}
		_, err := w.Write([]byte(`{"error":"busy"}`))
		return err == nil
	}
	lived(t, c, 4, nil)
	if s.polls != 1 || len(s.tried) != 3 || !strings.Contains(said.String(), "answers wait for the server") {
		t.Errorf("%d polls, %d tries\n%s", s.polls, len(s.tried), said)
	}
	s.refusing(nil)
	must(t, once(t, c))
	if s.polls != 2 || len(s.writes) != 1 {
		t.Errorf("%d polls, %d writes", s.polls, len(s.writes))
	}
}

// On battery: wait asks for nothing, slow and ignore do; where it can not be told, that is said.
func TestOnBattery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		on    agent.On
		power agent.Power
		polls int
		said  string
	}{
		{agent.Wait, agent.Battery, 0, "runs on its battery"}, {agent.Wait, agent.Mains, 3, ""}, {agent.Slow, agent.Battery, 3, ""},
		{agent.Ignore, agent.Battery, 3, ""}, {agent.Wait, agent.PowerUnknown, 3, "can not be told"},
	} {
		s := newServer(t)
		c, said := config(t, s)
		c.OnBattery = tt.on
		c.Power = func() agent.Power { return tt.power }
		lived(t, c, 4, nil)
		if s.polls != tt.polls || strings.Count(said.String(), "battery") > 1 || !strings.Contains(said.String(), tt.said) {
			t.Errorf("%+v: %d polls\n%s", tt, s.polls, said)
		}
	}
}

// A query that computes without end is ended by its time, or by its share of the processor.
func TestEndless(t *testing.T) {
	t.Parallel()
	for want, limit := range map[string]func(c *agent.Config){
		"it took longer than 20ms":  func(c *agent.Config) { c.QueryTimeout = 20 * time.Millisecond },
		"too much of the processor": func(c *agent.Config) { c.Overdraft, c.Limits = time.Millisecond, gentle.Limits{CPU: 0.01} },
	} {
		s := newServer(t)
		c, _ := config(t, s)
		limit(&c)
		s.ask("q", endless)
		must(t, once(t, c))
		if rows, status, message := s.one(t, "q"); len(rows) != 0 || status != 1 || !strings.Contains(message, want) || len(marksOf(t, c)) != 0 {
			t.Errorf("%v, %d, %q", rows, status, message)
		}
	}
}

// Only the given certificates are trusted, for the given name, with TLS 1.2 or newer.
func TestTrust(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	_, port, err := net.SplitHostPort(c.Server)
	must(t, err)
	elsewhere := c
	elsewhere.Server = "localhost:" + port // the certificate is for 127.0.0.1 and example.com
	if err := once(t, elsewhere); err == nil || !strings.Contains(err.Error(), "certificate is valid for") {
		t.Errorf("another name: %v", err)
	}
	old := newServerOf(t, tls.VersionTLS11)
	c2, _ := config(t, old)
	if err := once(t, c2); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
	stranger := c
	stranger.CA = strangersCA(t)
	if err := once(t, stranger); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("another authority: %v", err)
	}
	if len(s.headers)+len(old.headers) != 0 {
		t.Error("a request was sent to a server that was not verified")
	}
	must(t, once(t, c))
}

// A machine that goes to sleep, or is told to end, ends while it waits and while it polls.
func TestEnds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := config(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	inside := make(chan bool, 1)
	release := make(chan bool)
	s.refuse = func(_ http.ResponseWriter, path string) bool {
		if path == "distributed/read" {
			inside <- true
			<-release
		}
		return false
	}
	c.Sleep = func(ctx context.Context, d time.Duration) error {
		if d <= 10*time.Second {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}
	a := open(t, c)
	ended := make(chan error)
	go func() { ended <- a.Run(ctx) }()
	<-inside
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	close(release)
	must(t, a.Close())
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	a = open(t, c)
	if err := a.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := a.Once(ctx); !errors.Is(err, context.Canceled) && (err == nil || !strings.Contains(err.Error(), "canceled")) {
		t.Error(err)
	}
	must(t, a.Close())
}
