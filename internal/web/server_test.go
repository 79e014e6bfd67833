package web_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/web"
)

// logs is a log that tests read while it is written.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write takes one entry.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String gives what was written.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// served is a running server and a client that trusts it.
type served struct {
	*web.Server
	client *http.Client
	roots  *x509.CertPool
	log    *logs
	stop   func() // and wait
}

func serve(t *testing.T, opt web.Options) *served {
	t.Helper()
	dir := t.TempDir()
	certs, err := web.SelfSigned(dir, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{log: &logs{}, roots: pool(t, web.CAFile(dir))}
	opt.Listen, opt.Certs, opt.Log = "127.0.0.1:0", certs, slog.New(slog.NewJSONHandler(s.log, nil))
	if s.Server, err = web.New(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}}
	s.client = &http.Client{Transport: tr}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		tr.CloseIdleConnections()
	})
	t.Cleanup(s.stop)
	return s
}

func pool(t *testing.T, path string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(text) {
		t.Fatal("no CA in", path)
	}
	return p
}

// post sends a body as an agent does, and gives the answer.
func (s *served) post(t *testing.T, path string) (status int, body string) {
	t.Helper()
	res, err := s.client.Post("https://"+s.Address()+path, "application/json", strings.NewReader(`{"node_key":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// refusal reports whether an agent takes a body for an error, so that it keeps its results.
func refusal(body string) bool {
	var v map[string]any
	if body == "" || json.Unmarshal([]byte(body), &v) != nil {
		return false
	}
	_, refused := v["error"]
	return refused
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	fault := errors.New("the disk is full")
	var mu sync.Mutex
	s := serve(t, web.Options{
		Osquery: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }),
		Ready: func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			return fault
		},
	})
	for _, path := range []string{"/api/osquery/enroll", "/api/v1/osquery/distributed/read"} {
		if code, body := s.post(t, path); code != 200 || body != path {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	for _, path := range []string{"/", "/api/osquery", "/api/v2/osquery/enroll", "/api//osquery/enroll", "/../healthz"} {
		if code, body := s.post(t, path); code != 404 || !refusal(body) {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	if code, body := s.post(t, "/healthz"); code != 200 || body != `{"status":"alive"}`+"\n" {
		t.Errorf("healthz: %d %q", code, body)
	}
	if code, body := s.post(t, "/readyz"); code != 503 || strings.Contains(body, "disk") || !strings.Contains(s.log.String(), "the disk is full") {
		t.Errorf("readyz: %d %q", code, body)
	}
	mu.Lock()
	fault = nil
	mu.Unlock()
	if code, _ := s.post(t, "/readyz"); code != 200 {
		t.Errorf("readyz: %d", code)
	}
}

// An agent takes an empty body for success, whatever the status: none is ever sent.
func TestNoAnswerIsEmpty(t *testing.T) {
	t.Parallel()
	s := serve(t, web.Options{Osquery: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/osquery/panic":
			panic("the roof")
		case "/api/osquery/nil":
			_ = []byte(nil)[len(r.Method)]
		case "/api/osquery/status":
			w.WriteHeader(http.StatusInsufficientStorage)
		case "/api/osquery/ok":
			w.WriteHeader(http.StatusOK)
		case "/api/osquery/zero":
			_, _ = w.Write(nil)
			_ = http.NewResponseController(w).Flush()
		case "/api/osquery/late":
			w.WriteHeader(http.StatusOK)
			panic("after the status")
		}
	})})
	for path, want := range map[string]int{"panic": 500, "nil": 500, "status": 507, "ok": 500, "zero": 500, "late": 500, "nothing": 500} {
		if code, body := s.post(t, "/api/osquery/"+path); code != want || !refusal(body) {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	if !strings.Contains(s.log.String(), "the roof") {
		t.Error("the panic is not in the log")
	}
}

// A panic in mid-answer cuts the connection, as half an answer might be taken for a whole one.
func TestPanicInMidAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, web.Options{Osquery: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		panic("half way")
	})})
	res, err := s.client.Post("https://"+s.Address()+"/api/osquery/log", "application/json", nil)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		err = errors.Join(err, res.Body.Close())
	}
	if err == nil {
		t.Error("half an answer reads as a whole one")
	}
}

func TestOldAndWeakTLSIsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, web.Options{})
	for name, cfg := range map[string]*tls.Config{
		"tls 1.1":  {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"cbc":      {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}},
		"no dhe":   {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}},
		"wrong ca": {RootCAs: x509.NewCertPool()},
		"name":     {ServerName: "elsewhere.example"},
	} {
		if cfg.RootCAs == nil {
			cfg.RootCAs = s.roots
		}
		c, err := tls.Dial("tcp", s.Address(), cfg)
		if err == nil {
			t.Errorf("%s: connected", name)
			_ = c.Close()
		}
	}
	c, err := tls.Dial("tcp", s.Address(), &tls.Config{RootCAs: s.roots, MaxVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n := tls.CipherSuiteName(c.ConnectionState().CipherSuite); !strings.HasPrefix(n, "TLS_ECDHE_") || strings.Contains(n, "CBC") {
		t.Error(n)
	}
}

// rest reads a connection to its end, and says how long that took to come at most.
func rest(t *testing.T, c net.Conn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(c)
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		t.Error("the server never hung up")
	}
	return string(text)
}

func TestGarbageAndSlowness(t *testing.T) {
	t.Parallel()
	s := serve(t, web.Options{
		Limits: web.Limits{Header: 700 * time.Millisecond, Request: 1500 * time.Millisecond}, // a busy machine takes 100 ms for a handshake
		Osquery: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				w.WriteHeader(http.StatusRequestTimeout)
				_, _ = io.WriteString(w, `{"error":"too slow"}`)
			}
		}),
	})
	raw := func() net.Conn {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	secure := func() net.Conn {
		c, err := tls.Dial("tcp", s.Address(), &tls.Config{RootCAs: s.roots})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	say := func(c net.Conn, text string) {
		t.Helper()
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("garbage", func(t *testing.T) {
		c := raw()
		say(c, strings.Repeat("\x00\xffgarbage\n", 200))
		rest(t, c)
	})
	t.Run("plain http", func(t *testing.T) {
		c := raw()
		say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if got := rest(t, c); !strings.Contains(got, "HTTPS") {
			t.Errorf("%q", got)
		}
	})
	t.Run("silence before tls", func(t *testing.T) { rest(t, raw()) })
	t.Run("half a head", func(t *testing.T) {
		c := secure()
		say(c, "POST /api/osquery/log HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		rest(t, c)
	})
	t.Run("half a body", func(t *testing.T) {
		c := secure()
		say(c, "POST /api/osquery/log HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{")
		if got := rest(t, c); !strings.Contains(got, `{"error":"too slow"}`) {
			t.Errorf("%q", got)
		}
	})
	t.Run("a huge head", func(t *testing.T) {
		c := secure()
		go func() { // it may hang up in the middle of this
			_, _ = io.WriteString(c, "POST /api/osquery/log HTTP/1.1\r\nHost: x\r\nX-Big: "+strings.Repeat("x", 1<<20)+"\r\n\r\n")
		}()
		rest(t, c)
	})
	if code, _ := s.post(t, "/healthz"); code != 200 {
		t.Errorf("afterwards: %d", code)
	}
	if !strings.Contains(s.log.String(), "a connection failed") {
		t.Error("nothing is in the log")
	}
}

// Those who hold connections without a word do not lock others out for longer than a head may take.
func TestCrowd(t *testing.T) {
	t.Parallel()
	s := serve(t, web.Options{Limits: web.Limits{Connections: 4, Header: 200 * time.Millisecond}})
	for range 8 {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	if code, _ := s.post(t, "/healthz"); code != 200 {
		t.Errorf("%d", code)
	}
}

func TestStopWaitsForWhatIsAnswered(t *testing.T) {
	t.Parallel()
	begun, end := make(chan struct{}), make(chan struct{})
	s := serve(t, web.Options{Osquery: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "slow") {
			close(begun)
			<-end
		}
		_, _ = io.WriteString(w, "{}")
	})})
	// A connection that is kept when the stop begins: what it then asks is refused in words.
	kept, err := tls.Dial("tcp", s.Address(), &tls.Config{RootCAs: s.roots})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	if _, err := io.WriteString(kept, "POST /api/osquery/log HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	slow := make(chan string, 1)
	go func() {
		res, err := s.client.Post("https://"+s.Address()+"/api/osquery/slow", "application/json", nil)
		if err != nil {
			slow <- err.Error()
			return
		}
		text, err := io.ReadAll(res.Body)
		slow <- string(text) + strings.TrimPrefix(errors.Join(err, res.Body.Close(), errors.New("")).Error(), "\n")
	}()
	<-begun
	stopped := make(chan struct{})
	go func() {
		s.stop()
		close(stopped)
	}()
	select {
	case <-stopped:
		t.Error("it stopped before the answer")
	case <-time.After(50 * time.Millisecond):
	}
	close(end)
	if got := <-slow; got != "{}" {
		t.Errorf("the one at work got %q", got)
	}
	if _, err := io.WriteString(kept, " }"); err != nil {
		t.Fatal(err)
	}
	<-stopped
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Address()); err == nil {
		t.Error("it still listens")
	}
}

func TestStopCutsOffThoseWhoStay(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	s := serve(t, web.Options{
		Limits: web.Limits{Grace: 50 * time.Millisecond},
		Osquery: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
		}),
	})
	got := make(chan error, 1)
	go func() {
		res, err := s.client.Post("https://"+s.Address()+"/api/osquery/slow", "application/json", nil)
		if err == nil {
			err = res.Body.Close()
		}
		got <- err
	}()
	<-begun
	s.stop()
	if err := <-got; err == nil {
		t.Error("an answer came")
	}
}

func TestListenersOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := serve(t, web.Options{Agents: "127.0.0.1:0", Osquery: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })})
	if s.Address() == s.AgentsAddress() {
		t.Fatal("one address")
	}
	if code, body := s.post(t, "/api/osquery/config"); code != 404 || !refusal(body) {
		t.Errorf("people's listener: %d %q", code, body)
	}
	res, err := s.client.Post("https://"+s.AgentsAddress()+"/api/osquery/config", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != 200 {
		t.Errorf("agents' listener: %d, %v", res.StatusCode, err)
	}
}

func TestTakenAddress(t *testing.T) {
	t.Parallel()
	s := serve(t, web.Options{})
	certs, err := web.SelfSigned(t.TempDir(), nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = web.New(t.Context(), web.Options{Listen: "127.0.0.1:0", Agents: s.Address(), Certs: certs, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), s.Address()) {
		t.Error(err)
	}
}
