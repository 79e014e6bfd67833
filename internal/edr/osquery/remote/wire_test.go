package remote_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
	"github.com/hunter-project/hunter/internal/ledger"
)

// listen serves over TLS on the loopback.
func (b *bench) listen(t *testing.T) (address string, pool *tls.Config) {
	t.Helper()
	srv := httptest.NewUnstartedServer(b.server)
	srv.Config.ReadHeaderTimeout = 200 * time.Millisecond
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig
	return srv.Listener.Addr().String(), &tls.Config{RootCAs: roots.RootCAs, ServerName: "example.com"}
}

// agent makes an agent of the stand-in's that speaks to the server over TLS.
func (b *bench) agent(t *testing.T, opt remotetest.Options) (*remotetest.Agent, *remotetest.Line) {
	t.Helper()
	address, pool := b.listen(t)
	line := &remotetest.Line{Address: address, TLS: pool}
	t.Cleanup(line.Close)
	opt.Post, opt.Secret, opt.Now, opt.Sleep = line.Post, "sekret", b.now, b.sleep
	return remotetest.New(opt), line
}

const agentID = "7c83ac63-e37d-425f-9805-70a6790ed957"

func (b *bench) put(handouts ...ledger.Handout) {
	b.book.mu.Lock()
	defer b.book.mu.Unlock()
	b.due["node of "+agentID] = append(b.due["node of "+agentID], handouts...)
}

// A whole life: enrol, config, poll, answer, and what each fault of the way leads to.
func TestLife(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	killed := true
	a, _ := b.agent(t, remotetest.Options{
		Answer: func(text string) remotetest.Result {
			if strings.HasPrefix(text, "SELEKT") {
				return remotetest.Result{Status: 1, Message: `near "SELEKT": syntax error`}
			}
			return remotetest.Result{Rows: []map[string]string{{"kind": "hit", "path": "/caf\xe9 " + text}}}
		},
		Faults: remotetest.Faults{Kill: func(_, text string) bool { return killed && strings.Contains(text, "heavy") }},
	})
	step := func() {
		t.Helper()
		if err := a.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Configure(t.Context()); err != nil || a.Pause() != time.Minute {
		t.Fatal(err, a.Pause())
	}
	b.put(ledger.Handout{Name: "h-1", Text: "one"}, ledger.Handout{Name: "h-2", Text: "SELEKT"}, ledger.Handout{Name: "h-3", Text: "heavy"}, ledger.Handout{Name: "h-4", Text: "heavy"}, ledger.Handout{Name: "h-5", Text: "heavy /* 2 */"})
	b.soon = true
	step()
	if a.Pause() != 5*time.Second {
		t.Error("not accelerated")
	}
	step()
	step() // dies
	killed = false
	for range 3 {
		step()
	}
	want := []ledger.Delivery{
		{Name: "h-1", Rows: []ledger.Row{{"kind": "hit", "path": "/caf\xe9 one"}}}, {Name: "h-2", Status: 1, Message: `near "SELEKT": syntax error`},
		{Name: "h-4", Status: 1, Message: remotetest.Denylisted}, {Name: "h-5", Rows: []ledger.Row{{"kind": "hit", "path": "/caf\xe9 heavy /* 2 */"}}},
	}
	if fmt.Sprint(len(b.got)) != "4" || a.Deaths != 1 || a.Waiting() != 0 {
		t.Fatalf("%+v, %d deaths", b.got, a.Deaths)
	}
	for i, d := range b.got {
		d.ReceivedAt = time.Time{}
		if fmt.Sprintf("%+v", d) != fmt.Sprintf("%+v", want[i]) {
			t.Errorf("%+v\nwant %+v", d, want[i])
		}
	}
}

// Results that could not be stored stay with the agent, are sent three times with pauses, come with the next ones in one
// write, and under a new key when the old one is gone.
func TestResultsAreKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	a, _ := b.agent(t, remotetest.Options{})
	if err := a.Enroll(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.put(ledger.Handout{Name: "h-1", Text: "one"}, ledger.Handout{Name: "h-2", Text: "two"})
	before := b.now()
	b.book.mu.Lock()
	b.failDeliver = true
	b.book.mu.Unlock()
	if err := a.Step(t.Context()); err == nil || a.Waiting() != 1 {
		t.Fatal(err, a.Waiting())
	}
	if took := b.now().Sub(before); took != 5*time.Second || b.refused["node of "+agentID] != 3 {
		t.Errorf("three attempts in %s, %v", took, b.refused)
	}
	b.book.mu.Lock()
	b.failDeliver = false
	clear(b.keys) // nobody knows the key any more
	b.book.mu.Unlock()
	if err := a.Step(t.Context()); err != nil || a.Waiting() != 0 || a.Enrolments != 2 {
		t.Fatal(err, a.Waiting(), a.Enrolments)
	}
	if len(b.got) != 2 || b.got[0].Name != "h-1" || b.got[1].Name != "h-2" || b.server.Counts().Writes != 1 {
		t.Errorf("%+v", b.got)
	}
}

// What is no request of an agent ends, and others notice nothing.
func TestNoise(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *remote.Options) { o.Limits.RequestTime = 200 * time.Millisecond })
	b.node("one", ledger.AgentOsquery, "NK-1")
	address, pool := b.listen(t)
	dial := func() net.Conn {
		conn, err := tls.Dial("tcp", address, pool)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for name, tc := range map[string]struct {
		plain, ends bool
		send        string
	}{
		"not TLS":       {true, true, "POST / HTTP/1.1\r\nHost: x\r\n\r\n"},
		"TLS garbage":   {true, true, "\x16\x03\x01\xff\xff" + strings.Repeat("\x00", 100)},
		"not HTTP":      {false, true, "\x00\x01\x02\r\n\r\n"},
		"slow headers":  {false, true, "POST /api/osquery/enroll HTTP/1.1\r\nHost: x\r\nX: "},
		"slow body":     {false, true, "POST /api/osquery/distributed/write HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"queries\":{"},
		"chunked, slow": {false, true, "POST /api/osquery/distributed/write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"que"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var conn net.Conn
			if tc.plain {
				var err error
				if conn, err = net.Dial("tcp", address); err != nil {
					t.Fatal(err)
				}
			} else {
				conn = dial()
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tc.send); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
			reply, err := io.ReadAll(conn) // ends when the server gives it up
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the server waits for ever")
			}
			if _, body, found := strings.Cut(string(reply), "\r\n\r\n"); found && strings.HasPrefix(tc.send, "POST /api") {
				if _, err := remotetest.Accepted([]byte(body)); err == nil {
					t.Errorf("an agent would take this for success: %q", reply)
				}
			}
		})
	}
	w := b.post(apiRead, text(`{"node_key":"NK-1"}`))
	mustDo(t, w)
}

// One connection serves poll after poll, also behind a refusal, and is not cut off by the time limit of an earlier request.
func TestConnectionIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.node("one", ledger.AgentOsquery, "NK-1")
	address, pool := b.listen(t)
	conn, err := tls.Dial("tcp", address, pool)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for _, body := range []string{`{"node_key":"NK-1"}`, `{"node_key":"NK-2"}`, `[`, `{}`, `{"node_key":"NK-1"}`} {
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", apiRead, len(body), body)
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(body, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Close {
			t.Error(body, err, resp.Header)
		}
		_ = resp.Body.Close()
	}
}
