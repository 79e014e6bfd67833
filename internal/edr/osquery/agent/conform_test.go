//go:build sqlite_vtable && !windows

package agent_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/agent"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/secret"
)

// book is one node in memory: what is due for it, and what came back.
type book struct {
	mu      sync.Mutex
	node    ledger.Node
	key     ledger.KeyHash
	due     []ledger.Handout // the first is handed out until it is answered
	got     []ledger.Delivery
	enrols  []ledger.Enrolment
	polls   int
	refused int
	full    bool // deliveries fail
}

func (b *book) Enroll(_ context.Context, e ledger.Enrolment) (ledger.Node, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enrols = append(b.enrols, e)
	b.key, b.node = e.Key, ledger.Node{ID: "1", Host: e.Host, Agent: e.Agent, Version: e.Version, Instance: e.Instance, Approved: true}
	return b.node, nil
}

func (b *book) NodeByKey(_ context.Context, key ledger.KeyHash) (ledger.Node, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.node, key == b.key, nil
}

func (b *book) Nodes(context.Context) ([]ledger.Node, error) { return []ledger.Node{b.node}, nil }

func (b *book) Seen(context.Context, map[string]time.Time) error { return nil }

func (b *book) Poll(_ context.Context, key ledger.KeyHash, _ time.Time) (ledger.Polled, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := ledger.Polled{Node: b.node}
	if key == b.key {
		b.polls++
		if len(b.due) > 0 {
			p.Handout = &b.due[0]
		}
	}
	return p, key == b.key, nil
}

func (b *book) Refused(context.Context, string, time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused++
	return nil
}

func (b *book) Deliver(_ context.Context, _ ledger.Node, got []ledger.Delivery) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full {
		return errors.New("disk full")
	}
	for _, d := range got {
		if len(b.due) > 0 && b.due[0].Name == d.Name {
			b.due = b.due[1:]
		}
	}
	b.got = append(b.got, got...)
	return nil
}

func (b *book) ask(name, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.due = append(b.due, ledger.Handout{Name: name, Text: text})
}

func (b *book) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// last gives what came back under a name, and how often.
func (b *book) last(name string) (d ledger.Delivery, times int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, got := range b.got {
		if got.Name == name {
			d = got
			times++
		}
	}
	return d, times
}

// endpoint is an agent under test.
type endpoint struct {
	turn    func() error // it polls, answers and sends
	restart func()
	// die makes it die in the query that is due.
	die  func(t *testing.T)
	kind string
}

// fleet is hunter's server side, and its address and certificate.
func fleet(t *testing.T) (b *book, address, ca string) {
	t.Helper()
	b = &book{}
	s, err := remote.New(remote.Options{
		Nodes: b, Outbox: b, Inbox: b, Secrets: func() []remote.Secret { return []remote.Secret{{Name: "first", Value: secret.New(password)}} },
	})
	must(t, err)
	web := httptest.NewUnstartedServer(s)
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	web.StartTLS()
	t.Cleanup(web.Close)
	ca = filepath.Join(tempDir(t), "ca.pem")
	must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600))
	return b, web.Listener.Addr().String(), ca
}

// osqueryd is the stand-in for a real one.
func osqueryd(t *testing.T, address, _ string) endpoint {
	t.Helper()
	line := &remotetest.Line{Address: address, TLS: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // loopback
	t.Cleanup(line.Close)
	dies := false
	a := remotetest.New(remotetest.Options{
		Post: line.Post, Secret: password, Sleep: func(context.Context, time.Duration) error { return nil },
		Answer: func(string) remotetest.Result { return remotetest.Result{Rows: []map[string]string{{"x": "1"}}} },
		Faults: remotetest.Faults{Kill: func(string, string) bool { return dies }},
	})
	turn := func() error { return a.Step(context.Background()) }
	return endpoint{turn: turn, restart: a.Restart, kind: ledger.AgentOsquery, die: func(*testing.T) {
		dies = true
		_ = turn() // it died
		dies = false
	}}
}

// own is hunter's agent; each turn is a life of its own.
func own(t *testing.T, address, ca string) endpoint {
	t.Helper()
	ref, err := secret.ParseRef("file:" + filepath.Join(tempDir(t), "secret"))
	must(t, err)
	must(t, os.WriteFile(strings.TrimPrefix(ref.String(), "file:"), []byte(password), 0o600))
	c := agent.Config{Server: address, CA: ca, Secret: ref, State: filepath.Join(tempDir(t), "state"), Version: "1.2.3", OnBattery: agent.Ignore}
	return endpoint{turn: func() error { return once(t, c) }, restart: func() {}, kind: ledger.AgentHunter, die: func(t *testing.T) {
		cmd := live(t, c)
		began(t, c, cmd)
		cmd.kill(t)
	}}
}

// What an agent must do for hunter's server, whichever it is: each rule is one that campaigns build on.
func TestConformance(t *testing.T) {
	t.Parallel()
	agents := map[string]func(t *testing.T, address, ca string) endpoint{"osqueryd": osqueryd, "hunter": own}
	rules := map[string]func(t *testing.T, b *book, e endpoint){
		"enrols and polls": func(t *testing.T, b *book, e endpoint) {
			must(t, e.turn())
			must(t, e.turn())
			if len(b.enrols) != 1 || b.polls != 2 || b.node.Agent != e.kind || b.node.Platform == "" || b.node.Hostname == "" || b.node.Instance == "" || len(b.got) != 0 {
				t.Errorf("%+v, %d polls, %+v", b.enrols, b.polls, b.node)
			}
		},
		"answers once": func(t *testing.T, b *book, e endpoint) {
			b.ask("a", "SELECT '1' AS x")
			b.ask("b", "SELECT 1 AS x")
			for range 3 {
				must(t, e.turn())
			}
			for _, name := range []string{"a", "b"} {
				if d, n := b.last(name); n != 1 || d.Status != 0 || len(d.Rows) != 1 || d.Rows[0]["x"] != "1" {
					t.Errorf("%s: %d times, %+v", name, n, d)
				}
			}
		},
		"sends again what was refused": func(t *testing.T, b *book, e endpoint) {
			b.ask("a", "SELECT 1 AS x")
			b.set(func() { b.full = true })
			if e.turn() == nil || b.refused == 0 {
				t.Error("the refusal was taken for an acknowledgement")
			}
			b.set(func() { b.full, b.due = false, nil })
			must(t, e.turn())
			must(t, e.turn())
			if d, n := b.last("a"); n != 1 || len(d.Rows) != 1 {
				t.Errorf("%d times, %+v", n, d)
			}
		},
		"answers late": func(t *testing.T, b *book, e endpoint) {
			b.ask("a", "SELECT 1 AS x")
			b.set(func() { b.full = true })
			for range 5 {
				if e.turn() == nil {
					t.Error("content")
				}
			}
			b.set(func() { b.full, b.due = false, nil })
			b.ask("b", "SELECT 1 AS x")
			must(t, e.turn())
			for _, name := range []string{"a", "b"} {
				if _, n := b.last(name); n != 1 {
					t.Errorf("%s: %d times", name, n)
				}
			}
		},
		"enrols again and loses nothing": func(t *testing.T, b *book, e endpoint) {
			b.ask("a", "SELECT 1 AS x")
			b.set(func() { b.full = true })
			_ = e.turn() // it is refused
			b.set(func() { b.full, b.key = false, ledger.KeyHash{} })
			for range 2 {
				must(t, e.turn())
			}
			if d, n := b.last("a"); n == 0 || len(d.Rows) != 1 || len(b.enrols) != 2 {
				t.Errorf("%d times, %+v, %d enrolments", n, d, len(b.enrols))
			}
		},
		"does not die twice of one text": func(t *testing.T, b *book, e endpoint) {
			b.ask("a1", endless)
			e.die(t)
			e.restart()
			b.set(func() { b.due = nil })
			b.ask("a2", endless)
			b.ask("a3", "SELECT 1 AS x /* attempt 3 */")
			must(t, e.turn())
			must(t, e.turn())
			if d, n := b.last("a2"); n != 1 || d.Status != 1 || d.Message != remotetest.Denylisted || len(d.Rows) != 0 {
				t.Errorf("the same text: %d times, %+v", n, d)
			}
			if d, n := b.last("a3"); n != 1 || d.Status != 0 || len(d.Rows) != 1 {
				t.Errorf("another text: %d times, %+v", n, d)
			}
			if d, n := b.last("a1"); n > 0 && d.Message != remotetest.Denylisted {
				t.Errorf("the query in which it died: %+v", d)
			}
		},
	}
	for who, start := range agents {
		for rule, check := range rules {
			t.Run(who+" "+rule, func(t *testing.T) {
				t.Parallel()
				b, address, ca := fleet(t)
				check(t, b, start(t, address, ca))
			})
		}
	}
}

// Hunter's own agent tells what it could not read, and reads as big files as the server says.
func TestToldBesideRows(t *testing.T) {
	t.Parallel()
	b, address, ca := fleet(t)
	ref, err := secret.ParseRef("file:" + filepath.Join(tempDir(t), "secret"))
	must(t, err)
	must(t, os.WriteFile(strings.TrimPrefix(ref.String(), "file:"), []byte(password), 0o600))
	c := agent.Config{
		Server: address, CA: ca, Secret: ref, State: filepath.Join(tempDir(t), "state"), Version: "1.2.3", OnBattery: agent.Ignore, FS: faultyFS{dir: "/x"},
	}
	b.ask("a", "SELECT path FROM file WHERE directory = '/nowhere'")
	b.due[0].MaxSize = 100 << 20
	must(t, once(t, c))
	d, n := b.last("a")
	if n != 1 || d.UnreadTotal != 1 || len(d.Unread) != 1 || d.Unread[0].Path != "/nowhere" || d.Unread[0].Op != "file" || d.Status != 0 || b.node.Version != "1.2.3" {
		t.Errorf("%d times, %+v", n, d)
	}
}
