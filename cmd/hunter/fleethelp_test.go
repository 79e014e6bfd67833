//go:build !windows

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
)

// server is `hunter serve` in a process of its own.
type server struct {
	db, address string // address is host:port
	cmd         *exec.Cmd
	roots       *x509.CertPool
	ended       chan struct{} // closed when its standard error has ended

	mu  sync.Mutex
	log bytes.Buffer
}

const testSecret = "open, said the fleet"

// serving starts a server on the database of a folder; args go beside those that it needs.
func serving(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := &server{db: filepath.Join(dir, "hunter.db"), ended: make(chan struct{})}
	ca := filepath.Join(dir, "tls")
	s.cmd = hunterCommand(t, s.db, append([]string{
		"serve", "--listen", "127.0.0.1:0", "--tls-self-signed", ca, "--enroll-secret", "env:FLEET_SECRET", "--distributed-interval", "1s", "--quiet=false",
	}, args...)...)
	s.cmd.Env = append(s.cmd.Env, "FLEET_SECRET="+testSecret)
	errs, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.ended
		_ = s.cmd.Wait() // it may have ended before
	})
	ready := make(chan string, 1)
	go func() {
		defer close(s.ended)
		lines := bufio.NewScanner(errs)
		for lines.Scan() {
			if address, ok := strings.CutPrefix(lines.Text(), "ready https://"); ok {
				ready <- address
			}
			s.mu.Lock()
			s.log.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
		}
	}()
	select {
	case s.address = <-ready:
	case <-s.ended:
		t.Fatalf("the server ended:\n%s", s.said())
	case <-time.After(time.Minute):
		t.Fatalf("the server is not ready:\n%s", s.said())
	}
	text, err := os.ReadFile(filepath.Join(ca, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AppendCertsFromPEM(text)
	return s
}

// said is what the server wrote to standard error so far.
func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// stop ends the server in order, and gives its exit code.
func (s *server) stop(t *testing.T) int {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		t.Fatalf("the server does not stop:\n%s", s.said())
	}
	_ = s.cmd.Wait() // the code says it
	return s.cmd.ProcessState.ExitCode()
}

// kill ends the server as a crash does.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	_ = s.cmd.Wait() // it was killed
}

// fleet is agents with the embedded engine, each with a folder of its own: what is said of the first one's folder means it.
type fleet struct {
	base  string
	hosts []string
	lossy bool // every third reply to what an agent wrote gets lost, so that it writes the same again
	stop  func()

	mu      sync.Mutex
	address string // where they find the server
	roots   *x509.CertPool
	wrote   int
	lost    int // replies
}

// loses reports whether the reply to this write gets lost.
func (f *fleet) loses() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wrote++; !f.lossy || f.wrote%3 != 0 {
		return false
	}
	f.lost++
	return true
}

// folder is that of host i; the names are of one length.
func (f *fleet) folder(i int) string { return filepath.Join(f.base, fmt.Sprintf("host%03d", i)) }

// plant writes a file on a host.
func (f *fleet) plant(t *testing.T, host int, name, text string) {
	t.Helper()
	path := filepath.Join(f.folder(host), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newFleet makes n machines. They do not run yet.
func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	f := &fleet{base: t.TempDir(), stop: func() {}}
	for i := range n {
		f.hosts = append(f.hosts, fmt.Sprintf("host-%03d", i))
		f.plant(t, i, "readme", "a file of "+f.hosts[i])
	}
	return f
}

// find tells the agents where the server is.
func (f *fleet) find(s *server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.address, f.roots = s.address, s.roots
}

// run enrols the agents and has them poll until stop.
func (f *fleet) run(t *testing.T, s *server) {
	t.Helper()
	f.find(s)
	engine, err := embedded.Open(embedded.Options{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	f.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(f.stop)
	for i := range f.hosts {
		line := &roaming{fleet: f}
		a := remotetest.New(remotetest.Options{
			Post: line.post, Secret: testSecret, Identifier: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), Hostname: f.hosts[i], Instance: instance(i),
			Answer: func(text string) remotetest.Result { return f.answer(ctx, engine, i, text) },
			Sleep:  briefly,
		})
		if err := a.Enroll(ctx); err != nil {
			t.Fatalf("%v\n%s", err, s.said())
		}
		running.Go(func() {
			defer line.close()
			_ = a.Run(ctx) // until the end
		})
	}
}

// instance is osquery's instance_id on host i.
func instance(i int) string { return fmt.Sprintf("instance-%d", i) }

// briefly waits as an agent does, with less patience.
func briefly(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(d, 50*time.Millisecond)):
		return nil
	}
}

// answer runs a query on host i.
func (f *fleet) answer(ctx context.Context, e *embedded.Engine, i int, text string) remotetest.Result {
	theirs, ours := f.folder(0), f.folder(i)
	res, err := e.Query(ctx, strings.ReplaceAll(text, theirs, ours))
	if err != nil {
		return remotetest.Result{Status: 1, Message: err.Error()}
	}
	for _, row := range res.Rows {
		if row["kind"] == "meta" { // all share one engine, and each is an agent of its own
			row["owner"] = instance(i)
		}
		for name, value := range row {
			row[name] = strings.ReplaceAll(value, ours, theirs)
		}
	}
	return remotetest.Result{Rows: res.Rows}
}

// roaming is a line to wherever the server is now.
type roaming struct {
	fleet *fleet
	line  remotetest.Line
}

func (r *roaming) post(ctx context.Context, path string, header http.Header, body []byte) ([]byte, error) {
	r.fleet.mu.Lock()
	address, roots := r.fleet.address, r.fleet.roots
	r.fleet.mu.Unlock()
	if address != r.line.Address {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		r.line.Close()
		r.line.Address, r.line.TLS = address, &tls.Config{RootCAs: roots, ServerName: host}
	}
	out, err := r.line.Post(ctx, path, header, body)
	if err == nil && strings.HasSuffix(path, "/distributed/write") && r.fleet.loses() {
		r.line.Close()
		return nil, errors.New("the reply got lost")
	}
	return out, err
}

func (r *roaming) close() { r.line.Close() }
