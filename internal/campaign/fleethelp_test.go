package campaign_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

// clock is a time that goes on when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fleet is nodes that ask a store what to do, as agents do, and one server that carries runs for them.
type fleet struct {
	t       *testing.T
	clock   *clock
	store   *results.Store
	tool    *remote.Tool
	steward *campaign.Steward
	nodes   []ledger.Node
	root    string
	digest  string // of the file that is there when an agent is said to have it
	rows    map[string][]ledger.Row
	servers int
	sources []pivot.Provider
}

func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	f := &fleet{t: t, clock: &clock{now: noon()}, root: t.TempDir(), rows: map[string][]ledger.Row{}}
	for name, text := range map[string]string{"a.txt": "a", "deep/b.txt": "bb", "deep/er/c.txt": "ccc"} {
		path := filepath.Join(f.root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte(evil))
	f.digest = hex.EncodeToString(sum[:])
	store, err := results.Open(t.Context(), filepath.Join(t.TempDir(), "h.db"), results.Options{Now: f.clock.time})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	f.store = store
	f.tool = remote.NewTool("fleet", remote.ToolOptions{Nodes: store, Now: f.clock.time})
	for i := range n {
		f.enroll(i)
	}
	f.serve()
	return f
}

const evil = "the file that is hunted on a fleet"

func keyOf(i int) ledger.KeyHash { return sha256.Sum256(fmt.Append(nil, "key ", i)) }

func (f *fleet) enroll(i int) {
	f.t.Helper()
	n, err := f.store.Enroll(f.t.Context(), ledger.Enrolment{
		Key: keyOf(i), Host: ledger.Host{Identifier: fmt.Sprint("id", i), Hostname: fmt.Sprintf("ws-%03d", i), Platform: "linux"},
		Agent: ledger.AgentOsquery, Version: "5.23.0", Approved: true, At: f.clock.time(),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.nodes = append(f.nodes, n)
}

// serve begins another server, in the place of one that died.
func (f *fleet) serve() { f.serveTool(f.tool) }

// knowing begins one that has intelligence.
func (f *fleet) knowing(sources ...pivot.Provider) {
	f.sources = sources
	f.serve()
}

// serveTool begins one that knows these tools.
func (f *fleet) serveTool(tools ...edr.Tool) {
	f.servers++
	c := &campaign.Campaign{
		Store: f.store, Tools: tools, Providers: f.sources, Progress: func(campaign.Event) {}, Now: f.clock.time,
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
	}
	f.steward = campaign.NewSteward(c, f.store, campaign.StewardOptions{
		Server: fmt.Sprint("server", f.servers), Interval: time.Minute, Lease: 15 * time.Second, Log: slog.New(slog.NewTextHandler(testLog{f.t}, nil)),
	})
	f.steward.Begin(f.t.Context())
}

// testLog writes a log to a test.
type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// spec hunts for a digest in the fleet's folder.
func (f *fleet) spec(digest string) campaign.Spec {
	s := specFor([]string{f.root}, digest)
	s.Tools = []string{"fleet"}
	return s
}

// request stores a run for a server.
func (f *fleet) request(s campaign.Spec) string {
	f.t.Helper()
	c := &campaign.Campaign{Store: f.store, Now: f.clock.time, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }}
	id, err := c.Request(f.t.Context(), s)
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// turn lets a time pass, in which the nodes that are named poll, and the server look at it.
func (f *fleet) turn(d time.Duration) {
	f.clock.pass(d)
	f.steward.Turn(f.t.Context())
}

// poll gives what node i is to run now.
func (f *fleet) poll(i int) *ledger.Handout {
	f.t.Helper()
	at := f.clock.time()
	p, known, err := f.store.Poll(f.t.Context(), keyOf(i), at)
	if err != nil || !known {
		f.t.Fatal(known, err)
	}
	if err := f.store.Seen(f.t.Context(), map[string]time.Time{f.nodes[i].ID: at}); err != nil {
		f.t.Fatal(err)
	}
	return p.Handout
}

// run gives what an agent finds; with says that the hunted file is there.
func (f *fleet) run(text string, with bool) []ledger.Row {
	f.t.Helper()
	key := fmt.Sprint(with, text)
	if rows, ok := f.rows[key]; ok {
		return rows
	}
	engine, err := embedded.Open(embedded.Options{})
	if err != nil {
		f.t.Fatal(err)
	}
	defer engine.Close() // read-only
	path := filepath.Join(f.root, "deep", "evil.bin")
	if with {
		if err := os.WriteFile(path, []byte(evil), 0o600); err != nil {
			f.t.Fatal(err)
		}
		defer os.Remove(path)
	}
	rows, err := daemon{engine}.Query(context.Background(), text)
	if err != nil {
		f.t.Fatalf("%v in\n%s", err, text)
	}
	f.rows[key] = rows
	return rows
}

// deliver sends what node i found.
func (f *fleet) deliver(i int, d ledger.Delivery) {
	f.t.Helper()
	if err := f.try(i, d); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) try(i int, d ledger.Delivery) error {
	if d.ReceivedAt.IsZero() {
		d.ReceivedAt = f.clock.time()
	}
	return f.steward.Receiver().Deliver(f.t.Context(), f.nodes[i], []ledger.Delivery{d})
}

// work lets node i poll and answer until nothing is due; it gives how many questions it answered.
func (f *fleet) work(i int, with bool) int {
	f.t.Helper()
	for n := 0; ; n++ {
		h := f.poll(i)
		if h == nil || n > 50 {
			return n
		}
		f.deliver(i, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, with)})
	}
}

// all lets every node of a range work.
func (f *fleet) all(from, to int) {
	f.t.Helper()
	for i := from; i < to; i++ {
		f.work(i, false)
	}
}

func (f *fleet) summary(run string) results.RunSummary {
	f.t.Helper()
	sum, err := f.store.Run(f.t.Context(), run)
	if err != nil {
		f.t.Fatal(err)
	}
	return sum
}

// target gives how node i stands.
func (f *fleet) target(run string, i int) results.Target {
	f.t.Helper()
	targets, err := f.store.Targets(f.t.Context(), run)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, t := range targets {
		if t.Endpoint == f.nodes[i].ID {
			return t
		}
	}
	f.t.Fatalf("node %d is no target", i)
	return results.Target{}
}

// wants fails when a run does not stand as said.
func (f *fleet) wants(run string, state results.RunState, code int, states map[ledger.State]int) {
	f.t.Helper()
	sum := f.summary(run)
	got := -1
	if sum.ExitCode != nil {
		got = *sum.ExitCode
	}
	ok := sum.State == state && got == code
	for s, n := range states {
		ok = ok && sum.States[s] == n
	}
	if !ok {
		f.t.Fatalf("state %s, exit code %d, %v, error %q; want %s, %d, %v", sum.State, got, sum.States, sum.Error, state, code, states)
	}
}

// events gives the events of a kind.
func (f *fleet) events(run, kind string) []results.Event {
	f.t.Helper()
	all, err := f.store.Events(f.t.Context(), run, 0, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	var out []results.Event
	for _, e := range all {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}
