//go:build sqlite_vtable

package agent_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/agent"
	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
	"github.com/hunter-project/hunter/internal/secret"
)

const password = "open-sesame"

// server follows the server's side of osquery's remote API: one query a poll, given until it is answered.
type server struct {
	*httptest.Server
	ca string // path of its certificate

	mu      sync.Mutex
	keys    int             // that were given
	valid   map[string]bool // node keys
	enrols  []map[string]json.RawMessage
	headers []http.Header
	polls   int
	configs int
	due     map[string]string // name -> text
	more    string            // members of the reply of a poll
	config  string
	writes  [][]byte // acknowledged bodies
	tried   [][]byte // all bodies of writes
	// refuse answers a request instead of the server; false when it leaves it to the server.
	refuse func(w http.ResponseWriter, path string) bool
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{valid: map[string]bool{}, due: map[string]string{}, config: `{"options":{"distributed_interval":60}}`}
	s.Server = httptest.NewUnstartedServer(s)
	s.Server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	s.ca = filepath.Join(tempDir(t), "ca.pem")
	if err := os.WriteFile(s.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var req map[string]json.RawMessage
	if err != nil || json.Unmarshal(body, &req) != nil || r.Method != http.MethodPost {
		http.Error(w, `{"error":"a JSON object is due"}`, http.StatusBadRequest)
		return
	}
	path, _ := strings.CutPrefix(r.URL.Path, "/api/osquery/")
	s.mu.Lock()
	refuse := s.refuse
	s.headers = append(s.headers, r.Header)
	if path == "distributed/write" {
		s.tried = append(s.tried, body)
	}
	s.mu.Unlock()
	if refuse != nil && refuse(w, path) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var key, pass string
	_ = json.Unmarshal(req["node_key"], &key)
	_ = json.Unmarshal(req["enroll_secret"], &pass)
	if path == "enroll" {
		s.enrols = append(s.enrols, req)
		if pass != password {
			fmt.Fprint(w, `{"node_invalid":true}`)
			return
		}
		s.keys++
		key = fmt.Sprintf("key-number-%d", s.keys)
		s.valid[key] = true
		fmt.Fprintf(w, `{"node_key":%q}`, key)
		return
	}
	if !s.valid[key] || r.Header.Get("Authorization") != "NodeKey "+key {
		fmt.Fprint(w, `{"node_invalid":true}`)
		return
	}
	switch path {
	case "config":
		s.configs++
		fmt.Fprint(w, s.config)
	case "distributed/read":
		s.polls++
		queries := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(s.due)) {
			queries[name] = s.due[name]
			break
		}
		text, _ := json.Marshal(queries)
		fmt.Fprintf(w, `{"queries":%s%s}`, text, s.more)
	case "distributed/write":
		var names map[string]json.RawMessage
		_ = json.Unmarshal(req["queries"], &names)
		for name := range names {
			delete(s.due, name)
		}
		s.writes = append(s.writes, body)
		fmt.Fprint(w, "{}")
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// ask makes a query due.
func (s *server) ask(name, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due[name] = text
}

func (s *server) refusing(f func(w http.ResponseWriter, path string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = f
}

// written is a write as a server reads it.
type written struct {
	Queries  map[string][]map[string]string `json:"queries"`
	Statuses map[string]int                 `json:"statuses"`
	Messages map[string]string              `json:"messages"`
	Stats    map[string]map[string]int64    `json:"stats"`
	Hunter   map[string]struct {
		Unread []struct {
			Path, Op, Reason string
			Size             int64
		} `json:"unread"`
		UnreadTotal int    `json:"unread_total"`
		Remembered  int64  `json:"remembered"`
		Cut         string `json:"cut"`
	} `json:"hunter"`
	Key string `json:"node_key"`
}

// took gives the acknowledged writes.
func (s *server) took(t testing.TB) []written {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []written
	for _, body := range s.writes {
		var w written
		if err := json.Unmarshal(body, &w); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		out = append(out, w)
	}
	return out
}

// one gives the only acknowledged write, which is about one name.
func (s *server) one(t testing.TB, name string) (rows []map[string]string, status int, message string) {
	t.Helper()
	all := s.took(t)
	if len(all) != 1 || len(all[0].Queries) != 1 {
		t.Fatalf("%d writes instead of one: %s", len(all), s.writes)
	}
	rows, ok := all[0].Queries[name]
	if !ok {
		t.Fatalf("no answer for %s: %s", name, s.writes[0])
	}
	return rows, all[0].Statuses[name], all[0].Messages[name]
}

// logs collects what an agent says.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// config gives the configuration of an agent of a server, with a state folder of its own.
func config(t testing.TB, s *server) (agent.Config, *logs) {
	t.Helper()
	dir := tempDir(t)
	pass := filepath.Join(dir, "secret")
	if err := os.WriteFile(pass, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := secret.ParseRef("file:" + pass)
	if err != nil {
		t.Fatal(err)
	}
	out := &logs{}
	return agent.Config{
		Server: s.Listener.Addr().String(), CA: s.ca, Secret: ref, State: filepath.Join(dir, "state"), Version: "1.2.3",
		Limits: gentle.Limits{CPU: 1, BytesPerSecond: 1 << 30}, OnBattery: agent.Ignore,
		Log: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, out
}

// open gives an agent that the test closes, unless it is closed before.
func open(t testing.TB, c agent.Config) *agent.Agent {
	t.Helper()
	a, err := agent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// once lives for one turn: what a restart of the agent does.
func once(t testing.TB, c agent.Config) error {
	t.Helper()
	a := open(t, c)
	err := a.Once(context.Background())
	must(t, a.Close())
	return err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// spoolOf lists the answers that wait on disk.
func spoolOf(t testing.TB, c agent.Config) []string { return files(t, filepath.Join(c.State, "spool")) }

// marksOf lists the marks of queries that were begun.
func marksOf(t testing.TB, c agent.Config) []string {
	return files(t, filepath.Join(c.State, "running"))
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// until waits for something that another goroutine brings about.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	end := time.Now().Add(time.Minute)
	for !done() {
		if time.Now().After(end) {
			t.Fatalf("waited a minute for %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// newServerOf is a server that speaks no newer version of TLS.
func newServerOf(t testing.TB, version uint16) *server {
	t.Helper()
	s := &server{valid: map[string]bool{}, due: map[string]string{}}
	s.Server = httptest.NewUnstartedServer(s)
	s.Server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version} //nolint:gosec // an old server
	s.StartTLS()
	t.Cleanup(s.Close)
	s.ca = filepath.Join(tempDir(t), "ca.pem")
	must(t, os.WriteFile(s.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	return s
}

// strangersCA gives the path of a certificate that no server of the tests has.
func strangersCA(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	must(t, err)
	path := filepath.Join(tempDir(t), "stranger.pem")
	must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return path
}
