package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/secret"
)

var errBook = errors.New("disk full: s3cret detail of the database")

// book keeps nodes, hand-outs and answers in memory, and can fail.
type book struct {
	mu          sync.Mutex
	keys        map[ledger.KeyHash]string
	nodes       map[string]ledger.Node
	due         map[string][]ledger.Handout
	soon        bool
	got         []ledger.Delivery
	from        []string
	refused     map[string]int
	seen        map[string]time.Time
	enrols      []ledger.Enrolment
	fail        error
	panics      bool
	failDeliver bool
	hold        chan struct{} // deliveries wait for it
	entered     chan struct{}
}

func newBook() *book {
	return &book{
		keys: map[ledger.KeyHash]string{}, nodes: map[string]ledger.Node{}, due: map[string][]ledger.Handout{}, refused: map[string]int{},
		seen: map[string]time.Time{}, entered: make(chan struct{}, 100),
	}
}

func (b *book) trouble() error {
	if b.panics {
		panic("the book is gone")
	}
	return b.fail
}

func (b *book) Enroll(_ context.Context, e ledger.Enrolment) (ledger.Node, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.trouble(); err != nil {
		return ledger.Node{}, err
	}
	b.enrols = append(b.enrols, e)
	n := ledger.Node{
		ID: "node of " + e.Host.Identifier, Host: e.Host, Agent: e.Agent, Version: e.Version, Instance: e.Instance, Approved: e.Approved,
		EnrolledAt: e.At, LastSeen: e.At,
	}
	maps.DeleteFunc(b.keys, func(_ ledger.KeyHash, id string) bool { return id == n.ID })
	b.keys[e.Key], b.nodes[n.ID] = n.ID, n
	return n, nil
}

func (b *book) NodeByKey(_ context.Context, key ledger.KeyHash) (ledger.Node, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.trouble(); err != nil {
		return ledger.Node{}, false, err
	}
	n, known := b.nodes[b.keys[key]]
	return n, known, nil
}

func (b *book) Nodes(context.Context) ([]ledger.Node, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []ledger.Node
	for _, id := range slices.Sorted(maps.Keys(b.nodes)) {
		out = append(out, b.nodes[id])
	}
	return out, b.fail
}

func (b *book) Seen(_ context.Context, seen map[string]time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail == nil {
		maps.Copy(b.seen, seen)
	}
	return b.fail
}

func (b *book) times() map[string]time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.seen)
}

func (b *book) Poll(_ context.Context, key ledger.KeyHash, _ time.Time) (ledger.Polled, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.trouble(); err != nil {
		return ledger.Polled{}, false, err
	}
	n, known := b.nodes[b.keys[key]]
	p := ledger.Polled{Node: n, Soon: b.soon}
	if due := b.due[n.ID]; known && len(due) > 0 {
		p.Handout, b.due[n.ID] = &due[0], due[1:]
	}
	return p, known, nil
}

func (b *book) Refused(_ context.Context, node string, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused[node]++
	return b.fail
}

func (b *book) Deliver(ctx context.Context, n ledger.Node, got []ledger.Delivery) error {
	if b.hold != nil {
		b.entered <- struct{}{}
		select {
		case <-b.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.trouble(); err != nil {
		return err
	}
	if b.failDeliver {
		return errBook
	}
	b.got = append(b.got, got...)
	for range got {
		b.from = append(b.from, n.ID)
	}
	return nil
}

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) move(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func (c *clock) sleep(ctx context.Context, d time.Duration) error { c.move(d); return ctx.Err() }

// bench is a server with what is around it.
type bench struct {
	*book
	*clock
	server *remote.Server
	log    *bytes.Buffer
	logMu  sync.Mutex
}

func (b *bench) Write(p []byte) (int, error) {
	b.logMu.Lock()
	defer b.logMu.Unlock()
	return b.log.Write(p)
}

func (b *bench) logged() string { b.logMu.Lock(); defer b.logMu.Unlock(); return b.log.String() }

func newBench(t testing.TB, change ...func(*remote.Options)) *bench {
	t.Helper()
	b := &bench{book: newBook(), clock: &clock{at: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}, log: &bytes.Buffer{}}
	opt := remote.Options{
		Nodes: b.book, Outbox: b.book, Inbox: b.book, Now: b.now, Log: slog.New(slog.NewTextHandler(b, nil)),
		Secrets: func() []remote.Secret { return []remote.Secret{{Name: "first", Value: secret.New("sekret")}} },
	}
	for _, c := range change {
		c(&opt)
	}
	s, err := remote.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	b.server = s
	return b
}

// node makes a node with the key NK-1, as the captured bodies have it.
func (b *bench) node(id string, agent string, keys ...string) {
	for _, key := range keys {
		b.keys[remote.HashKey(key)] = id
	}
	b.nodes[id] = ledger.Node{ID: id, Agent: agent, Approved: true, Host: ledger.Host{Hostname: id, Platform: "linux"}, LastSeen: b.now()}
}

// post puts one request to the server.
func (b *bench) post(path string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	return w
}

const (
	apiEnroll = "/api/osquery/enroll"
	apiConfig = "/api/osquery/config"
	apiLog    = "/api/osquery/log"
	apiRead   = "/api/osquery/distributed/read"
	apiWrite  = "/api/osquery/distributed/write"
)

// mustKeep fails unless an agent would keep what it sent, and try again with the key that it has.
func mustKeep(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	_, err := remotetest.Accepted(w.Body.Bytes())
	if err == nil || errors.Is(err, remotetest.ErrUndefined) || errors.Is(err, remotetest.ErrNodeInvalid) {
		t.Errorf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	if w.Code < 400 {
		t.Errorf("status %d for proxies", w.Code)
	}
	if strings.Contains(w.Body.String(), "s3cret") {
		t.Errorf("the network is told %s", w.Body)
	}
}

func mustDo(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if _, err := remotetest.Accepted(w.Body.Bytes()); err != nil || w.Code != http.StatusOK || w.Body.Len() == 0 {
		t.Errorf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	return w.Body.String()
}

func text(format string, args ...any) io.Reader {
	return strings.NewReader(fmt.Sprintf(format, args...))
}
