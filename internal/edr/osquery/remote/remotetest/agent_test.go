package remotetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
)

// wire is what an agent speaks to: it gives one reply after another, notes what it was sent, and has a clock.
type wire struct {
	replies map[string][]string // by path; the last one stays
	errs    map[string]int      // how often a path breaks first
	sent    []string            // path and body
	at      time.Time
}

func (w *wire) post(_ context.Context, path string, h http.Header, body []byte) ([]byte, error) {
	path = strings.TrimPrefix(path, "/api/osquery")
	w.sent = append(w.sent, path+" "+string(body))
	if w.errs[path] > 0 {
		w.errs[path]--
		return nil, errors.New("connection reset")
	}
	if want := "NodeKey "; path != "/enroll" && !strings.HasPrefix(h.Get("Authorization"), want) {
		return nil, fmt.Errorf("no key in the headers: %v", h)
	}
	list := w.replies[path]
	if len(list) == 0 {
		return []byte(`{}`), nil
	}
	if len(list) > 1 {
		w.replies[path] = list[1:]
	}
	return []byte(list[0]), nil
}

func (w *wire) writes() []string {
	var out []string
	for _, s := range w.sent {
		if body, ok := strings.CutPrefix(s, "/distributed/write "); ok {
			out = append(out, body)
		}
	}
	return out
}

func agent(w *wire, change ...func(*remotetest.Options)) *remotetest.Agent {
	w.at = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	if w.replies == nil {
		w.replies = map[string][]string{}
	}
	w.replies["/enroll"] = []string{`{"node_key":"K1"}`, `{"node_key":"K2"}`}
	opt := remotetest.Options{
		Post: w.post, Secret: "s", Now: func() time.Time { return w.at },
		Sleep: func(ctx context.Context, d time.Duration) error { w.at = w.at.Add(d); return ctx.Err() },
		Answer: func(text string) remotetest.Result {
			return remotetest.Result{Rows: []map[string]string{{"v": text}}}
		},
	}
	for _, c := range change {
		c(&opt)
	}
	return remotetest.New(opt)
}

func reads(queries ...string) []string {
	var out []string
	for _, q := range queries {
		out = append(out, `{"queries":{`+q+`}}`)
	}
	return append(out, `{"queries":{}}`)
}

// What an agent takes for success; the rows are those of the facts about the real one.
func TestAccepted(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``: "ok", `{}`: "ok", `{"queries":{}}`: "ok", `{"node_invalid":false}`: "ok", `{"x":"error"}`: "ok",
		`{"error":"busy"}`: "keeps", `{"error":7}`: "keeps", `{"error":null}`: "keeps", `<html>502`: "keeps", `Not Found`: "keeps", "\n": "keeps",
		`{"node_invalid":true}`: "enrols", `{"node_invalid":true,"error":"x"}`: "enrols",
		`null`: "undefined", `[]`: "undefined", `"ok"`: "undefined", `{"node_invalid":"true"}`: "undefined", `{"node_invalid":1}`: "undefined",
	} {
		_, err := remotetest.Accepted([]byte(body))
		got := "keeps"
		switch {
		case err == nil:
			got = "ok"
		case errors.Is(err, remotetest.ErrNodeInvalid):
			got = "enrols"
		case errors.Is(err, remotetest.ErrUndefined):
			got = "undefined"
		}
		if got != want {
			t.Errorf("%q: %s instead of %s", body, got, want)
		}
	}
}

// Queries run by the bytes of their names, one write for all; what stands behind an entry that is no text is lost.
func TestOrder(t *testing.T) {
	t.Parallel()
	w := &wire{replies: map[string][]string{"/distributed/read": reads(`"b":"two","B":"one","é":"three","c":7,"a":"never"`)}}
	a := agent(w)
	if err := a.Step(t.Context()); err == nil || !strings.Contains(err.Error(), "not a string") {
		t.Fatal(err)
	}
	want := `{"queries":{"B":[{"v":"one"}],"b":[{"v":"two"}],"é":[{"v":"three"}]},"statuses":{"B":0,"b":0,"é":0},"messages":{"B":"","b":"","é":""},` +
		`"stats":{"B":{"wall_time_ms":0,"user_time":0,"system_time":0,"memory":0},"b":{"wall_time_ms":0,"user_time":0,"system_time":0,"memory":0},"é":{"wall_time_ms":0,"user_time":0,"system_time":0,"memory":0}},"node_key":"K1"}`
	if diff := cmp.Diff([]string{want}, w.writes()); diff != "" {
		t.Error(diff)
	}
}

// The body of a write is byte for byte what a real osqueryd sent for the same results.
func TestWriteBodyAsCaptured(t *testing.T) {
	t.Parallel()
	captured, err := os.ReadFile("../testdata/captured/distributed_write_resent_after_500.json")
	if err != nil {
		t.Fatal(err)
	}
	one := func(name string) remotetest.Result {
		return remotetest.Result{Rows: []map[string]string{{name: map[string]string{"one": "1", "two": "2"}[name]}}}
	}
	got := remotetest.WriteBody(map[string]remotetest.Result{"w2": one("two"), "w1": one("one")}, "NK-1", false)
	if diff := cmp.Diff(string(captured), string(got)); diff != "" {
		t.Error(diff)
	}
	legacy := remotetest.WriteBody(map[string]remotetest.Result{"a": {}, "b": {Status: 1}}, "K", true)
	if string(legacy) != `{"queries":{"a":"","b":""},"statuses":{"a":"0","b":"1"},"node_key":"K"}` {
		t.Errorf("%s", legacy)
	}
}

// Three attempts at 0, 1 and 5 s; then the results wait, and go out with the next ones; the newest of one name counts.
func TestUnacknowledged(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]string{"error": `{"error":"busy"}`, "html": `<html>502 Bad Gateway</html>`} {
		w := &wire{replies: map[string][]string{
			"/distributed/read":  reads(`"a":"one"`, `"b":"two","a":"again"`),
			"/distributed/write": {refusal, refusal, refusal, `{}`},
		}}
		a := agent(w)
		before := w.at
		if err := a.Step(t.Context()); err == nil || a.Waiting() != 1 || w.at.Sub(before) != 5*time.Second || len(w.writes()) != 3 {
			t.Fatalf("%s: %v, %d waiting, %s, %q", name, err, a.Waiting(), w.at.Sub(before), w.writes())
		}
		if err := a.Step(t.Context()); err != nil || a.Waiting() != 0 {
			t.Fatal(name, err)
		}
		if last := w.writes()[3]; !strings.HasPrefix(last, `{"queries":{"a":[{"v":"again"}],"b":[{"v":"two"}]}`) {
			t.Errorf("%s: %s", name, last)
		}
	}
}

// An empty answer, whatever its status, is success: that is why none may ever be sent.
func TestEmptyReplyLosesResults(t *testing.T) {
	t.Parallel()
	w := &wire{replies: map[string][]string{"/distributed/read": reads(`"a":"one"`), "/distributed/write": {``}}}
	a := agent(w)
	if err := a.Step(t.Context()); err != nil || a.Waiting() != 0 || len(w.writes()) != 1 {
		t.Error(err, a.Waiting(), w.writes())
	}
}

// node_invalid: the next attempt enrols first, and the same results go out under the new key.
func TestEnrolsAgain(t *testing.T) {
	t.Parallel()
	w := &wire{replies: map[string][]string{"/distributed/read": reads(`"a":"one"`), "/distributed/write": {`{"node_invalid":true}`, `{}`}}}
	a := agent(w)
	if err := a.Step(t.Context()); err != nil || a.Enrolments != 2 || a.Key() != "K2" || a.Waiting() != 0 {
		t.Fatal(err, a.Enrolments, a.Key())
	}
	all := w.writes()
	if len(all) != 2 || !strings.HasSuffix(all[0], `"node_key":"K1"}`) || strings.Replace(all[0], "K1", "K2", 1) != all[1] {
		t.Error(all)
	}
}

// The worker dies in the second of three: only the third is ever told, and the second's text is refused for a day.
func TestKilled(t *testing.T) {
	t.Parallel()
	w := &wire{replies: map[string][]string{"/distributed/read": reads(`"a":"one","b":"heavy","c":"three"`, ``, `"d":"heavy","e":"heavy "`)}}
	kill := true
	a := agent(w, func(o *remotetest.Options) {
		o.Faults.Kill = func(_, text string) bool { return kill && text == "heavy" }
	})
	for range 3 {
		if err := a.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	kill = false
	all := w.writes()
	if a.Deaths != 1 || len(all) != 2 || !strings.HasPrefix(all[0], `{"queries":{"c":[{"v":"three"}]}`) {
		t.Fatal(a.Deaths, all)
	}
	if !strings.HasPrefix(all[1], `{"queries":{"d":[],"e":[{"v":"heavy "}]},"statuses":{"d":1,"e":0},"messages":{"d":"distributed query is denylisted","e":""},"stats":{"d":{},`) {
		t.Error(all[1])
	}
	w.at = w.at.Add(25 * time.Hour)
	w.replies["/distributed/read"] = reads(`"f":"heavy"`)
	if err := a.Step(t.Context()); err != nil || !strings.Contains(w.writes()[2], `"f":[{"v":"heavy"}]`) {
		t.Error(err, w.writes()[2])
	}
}

// Enrolment is tried up to twelve times, at 1, 4, 9 s and so on.
func TestEnrolmentRefused(t *testing.T) {
	t.Parallel()
	w := &wire{}
	a := agent(w)
	w.replies["/enroll"] = []string{`{"error":"no"}`, `{"node_key":""}`, `{"node_invalid":true}`, `{"error":"no"}`}
	before := w.at
	if err := a.Enroll(t.Context()); err == nil || len(w.sent) != 12 {
		t.Fatal(err, len(w.sent))
	}
	if took := w.at.Sub(before); took != 506*time.Second { // 1 + 4 + 9 + … + 121
		t.Error(took)
	}
	if !json.Valid([]byte(strings.TrimPrefix(w.sent[0], "/enroll "))) {
		t.Error(w.sent[0])
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	w := &wire{replies: map[string][]string{"/distributed/read": reads(`"a":"one","b":"two"`)}}
	holding, lost := true, 0
	a := agent(w, func(o *remotetest.Options) {
		o.Faults = remotetest.Faults{
			Hold:      func(name string) bool { return holding && name == "a" },
			Lie:       func(_ string, r remotetest.Result) remotetest.Result { r.Rows[0]["v"] = "lie"; return r },
			Add:       func(r map[string]remotetest.Result) { r["foreign"] = remotetest.Result{} },
			LoseReply: func() bool { lost++; return lost == 3 }, // of the write
			Send:      func(path string, b []byte) []byte { return bytes.ReplaceAll(b, []byte("two"), []byte("2")) },
		}
	})
	if err := a.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	holding = false
	if err := a.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := w.writes()
	if len(all) != 3 || all[0] != all[1] || !strings.HasPrefix(all[0], `{"queries":{"b":[{"v":"lie"}],"foreign":[]}`) || !strings.HasPrefix(all[2], `{"queries":{"a":[{"v":"lie"}],"foreign":[]}`) {
		t.Error(all)
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	w := &wire{replies: map[string][]string{
		"/config":           {`{"options":{"distributed_interval":30}}`},
		"/distributed/read": {`{"queries":{},"accelerate":20}`, `{"queries":{},"accelerate":"900"}`, `{"queries":{}}`},
	}}
	a := agent(w)
	if err := a.Configure(t.Context()); err != nil || a.Pause() != 30*time.Second {
		t.Error(err, a.Pause())
	}
	ctx, cancel := context.WithCancel(t.Context())
	polled := w.at
	post := w.post
	a = agent(w, func(o *remotetest.Options) {
		o.Sleep = func(ctx context.Context, d time.Duration) error {
			if w.at = w.at.Add(d); len(w.sent) > 8 {
				cancel()
			}
			return ctx.Err()
		}
		o.Post = post
	})
	if err := a.Run(ctx); !errors.Is(err, context.Canceled) || a.Polls < 6 || w.at.Sub(polled) < 80*time.Second {
		t.Error(err, a.Polls, w.at.Sub(polled))
	}
	if err := a.Log(t.Context(), "status", json.RawMessage(`{"message":"x"}`)); err != nil || w.sent[len(w.sent)-1] != `/log {"data":[{"message":"x"}],"log_type":"status","node_key":"K1"}` {
		t.Error(err, w.sent[len(w.sent)-1])
	}
}

// A connection that breaks makes the request go out twice, at once; a kept one is used again.
func TestLine(t *testing.T) {
	t.Parallel()
	var got atomic.Int64
	var conns atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if n := got.Add(1); err != nil || r.Method != http.MethodPost || n == 3 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(body)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	line := &remotetest.Line{Address: srv.Listener.Addr().String()}
	defer line.Close()
	for range 4 {
		out, err := line.Post(t.Context(), "/x", http.Header{}, []byte("body"))
		if err != nil || string(out) != "body" {
			t.Error(string(out), err)
		}
	}
	if got.Load() != 5 || conns.Load() != 2 {
		t.Errorf("%d requests on %d connections", got.Load(), conns.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := line.Post(ctx, "/x", http.Header{}, nil); err == nil {
		t.Error("sent for a caller who has gone")
	}
}
