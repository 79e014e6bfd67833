package campaign_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
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
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/secret"
)

// rig is a fleet whose parts are joined as in a server: agents that speak osquery's remote API over TLS, the server of that API,
// the receiver, the steward and the store. Time is the fleet's clock.
type rig struct {
	*fleet
	limits remote.Limits
	agents []*remotetest.Agent
	with   map[int]bool // who has the file that is hunted
	hold   map[int]bool // who keeps what it found to itself

	mu     sync.Mutex // what an agent finds is worked out once for all
	api    *remote.Server
	web    *httptest.Server
	behind []*remotetest.Line
}

const rigSecret = "known to every agent of the rig"

// rigOptions change agent i.
type rigOptions func(r *rig, i int, o *remotetest.Options)

// newRig makes a server and n agents that have enrolled with it.
func newRig(t *testing.T, n int, limits remote.Limits, change ...rigOptions) *rig {
	t.Helper()
	r := &rig{fleet: newFleet(t, 0), limits: limits, with: map[int]bool{}, hold: map[int]bool{}}
	r.listen()
	t.Cleanup(r.close)
	for i := range n {
		r.add(i, change...)
	}
	return r
}

// add enrols agent i, whose number is its place.
func (r *rig) add(i int, change ...rigOptions) {
	r.t.Helper()
	line := &remotetest.Line{}
	opt := remotetest.Options{
		Post: func(ctx context.Context, path string, header http.Header, body []byte) ([]byte, error) {
			r.reach(line)
			return line.Post(ctx, path, header, body)
		},
		Secret: rigSecret, Identifier: fmt.Sprint("id", i), Hostname: fmt.Sprintf("ws-%03d", i), Instance: fmt.Sprint("instance ", i), Now: r.clock.time,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	opt.Faults.Hold = func(string) bool { return r.hold[i] }
	for _, c := range change {
		c(r, i, &opt)
	}
	if opt.Answer == nil {
		opt.Answer = func(text string) remotetest.Result { return r.finds(i, opt.Instance, text) }
	}
	a := remotetest.New(opt)
	if err := a.Enroll(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.agents, r.behind = append(r.agents, a), append(r.behind, line)
	all, err := r.store.Nodes(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	known := map[string]bool{}
	for _, n := range r.nodes {
		known[n.ID] = true
	}
	r.nodes = append(r.nodes, all[slices.IndexFunc(all, func(n ledger.Node) bool { return !known[n.ID] })])
}

// finds is what agent i has to say to a query.
func (r *rig) finds(i int, instance, text string) remotetest.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows := copied(r.run(text, r.with[i]))
	out := remotetest.Result{}
	for _, row := range rows {
		if row["kind"] == "meta" {
			row["owner"] = instance
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// Deliver hands what agents sent to the steward that is at work now.
func (r *rig) Deliver(ctx context.Context, n ledger.Node, got []ledger.Delivery) error {
	return r.steward.Receiver().Deliver(ctx, n, got)
}

// listen begins to answer agents.
func (r *rig) listen() {
	r.t.Helper()
	api, err := remote.New(remote.Options{
		Nodes: r.store, Outbox: r.store, Inbox: r, Interval: time.Minute, Now: r.clock.time, Limits: r.limits,
		Secrets: func() []remote.Secret { return []remote.Secret{{Name: "rig", Value: secret.New(rigSecret)}} },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(api)
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.TLS = &tls.Config{Certificates: []tls.Certificate{r.certificate()}, MinVersion: tls.VersionTLS12}
	web.StartTLS()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.api, r.web = api, web
}

// certificate makes one as hunter serve has it: httptest's own takes many times the work of a handshake.
func (r *rig) certificate() tls.Certificate {
	r.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		r.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// reach points a line to where the server is now.
func (r *rig) reach(l *remotetest.Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := r.web.Listener.Addr().String(); l.Address != at {
		l.Close()
		l.Address, l.TLS = at, r.client()
	}
}

func (r *rig) client() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(r.web.Certificate())
	return &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

// again ends the server without a word, as a crash does, and begins another one on the same store.
func (r *rig) again() {
	r.t.Helper()
	r.web.CloseClientConnections()
	r.web.Close()
	r.serve()
	r.listen()
}

func (r *rig) close() {
	for _, l := range r.behind {
		l.Close()
	}
	r.web.Close()
}

// turn lets a time pass, stores who was seen, and lets the steward look.
func (r *rig) turn(d time.Duration) {
	r.t.Helper()
	if err := r.api.Flush(r.t.Context()); err != nil {
		r.t.Log(err)
	}
	r.fleet.turn(d)
}

// steps lets agents poll, work and write, one after the other. What they say of a server that refuses them is no fault here.
func (r *rig) steps(from, to int) {
	for _, a := range r.agents[from:to] {
		_ = a.Step(r.t.Context())
	}
}

// until lets time pass by minutes until a run has ended; who polls does so in each of them.
func (r *rig) until(run string, minutes int, polling func()) results.RunSummary {
	r.t.Helper()
	for range minutes {
		polling()
		r.turn(time.Minute)
		if sum := r.summary(run); sum.State != results.RunRunning && sum.State != results.RunPlanned {
			return sum
		}
	}
	r.t.Fatalf("the run has not ended after %d minutes: %+v", minutes, r.summary(run))
	return results.RunSummary{}
}

// count gives the number that a statement on the database tells.
func (r *rig) count(text string, args ...any) (n int) {
	r.t.Helper()
	_, db := r.store.DB()
	if err := db.QueryRowContext(r.t.Context(), text, args...).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// doubled counts the hits of a run that are there more than once, through the view that people read.
func (r *rig) doubled(run string) int {
	r.t.Helper()
	return r.count(`SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM report_hits WHERE run = ? GROUP BY endpoint, tool, path, pid, sha256, found_in)`, run)
}

// faultTable collects what each fault came to.
type faultTable struct {
	mu    sync.Mutex
	lines []string
}

func (f *faultTable) note(fault, seen string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, fmt.Sprintf("%-44s %s", fault, seen))
}

func (f *faultTable) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	slices.Sort(f.lines)
	return strings.Join(f.lines, "\n")
}
