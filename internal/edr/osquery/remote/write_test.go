package remote_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/ledger"
)

// taken posts a write of a known node and gives what was stored.
func taken(t *testing.T, agent, body string, change ...func(*remote.Options)) []ledger.Delivery {
	t.Helper()
	b := newBench(t, change...)
	b.node("one", agent, "NK-1")
	mustDo(t, b.post(apiWrite, strings.NewReader(body)))
	for i := range b.got {
		b.got[i].ReceivedAt = time.Time{}
	}
	return b.got
}

func TestWriteShapes(t *testing.T) {
	t.Parallel()
	row := func(kv ...string) ledger.Row {
		r := ledger.Row{}
		for i := 0; i < len(kv); i += 2 {
			r[kv[i]] = kv[i+1]
		}
		return r
	}
	for name, tc := range map[string]struct {
		body string // without its end
		want []ledger.Delivery
	}{
		"nothing":               {`{"queries":{}`, nil},
		"only a key":            {`{"x":1`, nil},
		"two names, one failed": {`{"queries":{"a":[],"b":[{"x":"1"}]},"statuses":{"a":1,"b":0},"messages":{"a":"no such table: t","b":""}`, []ledger.Delivery{{Name: "a", Status: 1, Message: "no such table: t"}, {Name: "b", Rows: []ledger.Row{row("x", "1")}}}},
		"rows behind statuses":  {`{"statuses":{"a":0},"queries":{"a":[{"x":"1"}]}`, []ledger.Delivery{{Name: "a", Rows: []ledger.Row{row("x", "1")}}}},
		"only a status":         {`{"queries":"","statuses":{"a":"1"}`, []ledger.Delivery{{Name: "a", Status: 1}}},
		"no status":             {`{"queries":{"a":[{"x":"1"}]}`, []ledger.Delivery{{Name: "a", Rows: []ledger.Row{row("x", "1")}, Cut: "no status came with it"}}},
		"status is no number":   {`{"queries":{"a":[]},"statuses":{"a":"ok"}`, []ledger.Delivery{{Name: "a", Status: 1, Message: "its status is no number"}}},
		"status is an object":   {`{"queries":{"a":[]},"statuses":{"a":{}}`, []ledger.Delivery{{Name: "a", Status: 1, Message: "its status is no number"}}},
		"null for rows":         {`{"queries":{"a":null},"statuses":{"a":0}`, []ledger.Delivery{{Name: "a"}}},
		"a number for rows":     {`{"queries":{"a":17},"statuses":{"a":0}`, []ledger.Delivery{{Name: "a", Cut: "its rows are no list of rows"}}},
		"an object for rows":    {`{"queries":{"a":{"b":[]}},"statuses":{"a":0}`, []ledger.Delivery{{Name: "a", Cut: "its rows are no list of rows"}}},
		"text for rows":         {`{"queries":{"a":"b"},"statuses":{"a":0}`, []ledger.Delivery{{Name: "a", Cut: "its rows are no list of rows"}}},
		"a row is no object":    {`{"queries":{"a":[{"x":"1"},["y"],{"x":"2"}]},"statuses":{"a":0}`, []ledger.Delivery{{Name: "a", Rows: []ledger.Row{row("x", "1"), row("x", "2")}, Cut: "its rows are no list of rows"}}},
		"values are no text":    {`{"queries":{"a":[{"x":1.50,"y":null,"z":true}]},"statuses":{"a":0}`, []ledger.Delivery{{Name: "a", Rows: []ledger.Row{row("x", "1.50", "y", "", "z", "true")}}}},
		"a value is a list":     {`{"queries":{"a":[{"x":[1,{"y":"]}"}],"z":"1"}]},"statuses":{"a":0}`, []ledger.Delivery{{Name: "a", Rows: []ledger.Row{row("z", "1")}, Cut: "answer too large: a value or a row of it"}}},
		"one name twice":        {`{"queries":{"a":[{"x":"1"}],"a":[{"x":"2"}]},"statuses":{"a":0,"a":1}`, []ledger.Delivery{{Name: "a", Status: 1, Rows: []ledger.Row{row("x", "1"), row("x", "2")}, Cut: "it came twice in one write"}}},
		"the worse status":      {`{"queries":{"a":[]},"statuses":{"a":1,"a":0}`, []ledger.Delivery{{Name: "a", Status: 1}}},
		"a column twice":        {`{"queries":{"a":[{"x":"1","x":"2"}]},"statuses":{"a":0}`, []ledger.Delivery{{Name: "a", Rows: []ledger.Row{row("x", "2")}}}},
		"escapes": {`{"queries":{"a":[{"p":"a\u0000b\ud83d\ude00\ud83d\u0041\ude00\/\b\f\n\r\t\"\\\u00e9` + "\xff\xfe\x01" + `"}]},"statuses":{"a":0}`,
			[]ledger.Delivery{{Name: "a", Rows: []ledger.Row{row("p", "a\x00b\U0001f600\xed\xa0\xbdA\xed\xb8\x80/\b\f\n\r\t\"\\é\xff\xfe\x01")}}}},
		"an empty name":         {`{"queries":{"":[]},"statuses":{"":0}`, []ledger.Delivery{{}}},
		"white space":           {" {\n\t\"queries\" : { \"a\" : [ { \"x\" : \"1\" } , { } ] } , \"statuses\" : { \"a\" : 0 }\r\n", []ledger.Delivery{{Name: "a", Rows: []ledger.Row{row("x", "1"), row()}}}},
		"others may not say it": {`{"queries":{"a":[]},"statuses":{"a":0},"hunter":{"a":{"unread":[{"path":"/x"}],"unread_total":1}}`, []ledger.Delivery{{Name: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := taken(t, ledger.AgentOsquery, tc.body+`,"node_key":"NK-1"}`)
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What hunter's own agent tells beside its rows.
func TestWriteBeside(t *testing.T) {
	t.Parallel()
	got := taken(t, ledger.AgentHunter, `{"hunter":{"a":{"unread":[{"path":"/x`+"\xff"+`","op":"hash","reason":"denied","size":7,"more":[1]},{}],"unread_total":1200,
		"left_out":[{"path":"/mnt","reason":"nfs"}],"remembered":12,"later":{}},"b":7},"queries":{"a":[]},"statuses":{"a":0},"node_key":"NK-1"}`)
	want := []ledger.Delivery{{
		Name: "a", Unread: []ledger.Unread{{Path: "/x\xff", Op: "hash", Reason: "denied", Size: 7}, {}}, UnreadTotal: 1200,
		LeftOut: []ledger.LeftOut{{Path: "/mnt", Reason: "nfs"}}, Remembered: 12,
	}, {Name: "b"}}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// rows is a long answer: hits come last.
type long struct {
	parts []part
	left  string
}

type part struct {
	text  string
	times int64
}

func (l *long) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if l.left == "" {
			for len(l.parts) > 0 && l.parts[0].times == 0 {
				l.parts = l.parts[1:]
			}
			if len(l.parts) == 0 {
				break
			}
			l.parts[0].times--
			l.left = l.parts[0].text
		}
		c := copy(p[n:], l.left)
		l.left, n = l.left[c:], n+c
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func answerOf(parts ...part) *long {
	all := append([]part{{`{"queries":{"a":[{"kind":"meta"}`, 1}}, parts...)
	return &long{parts: append(all, part{`],"b":[{"x":"1"}]},"statuses":{"a":0,"b":0},"node_key":"NK-1"}`, 1})}
}

// An answer beyond all limits is read to its end and acknowledged: its rows are cut, its hits are kept, what else came in
// the write is whole.
func TestTooManyRows(t *testing.T) {
	t.Parallel()
	for name, lim := range map[string]remote.Limits{"rows": {Rows: 100, Hits: 7}, "bytes": {WriteKept: 60_000, Hits: 7}, "hit bytes": {Rows: 100, HitsKept: 7 * 700}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(o *remote.Options) { o.Limits = lim })
			b.node("one", ledger.AgentOsquery, "NK-1")
			hit := part{`,{"kind":"hit","path":"/tmp/` + strings.Repeat("x", 150) + `"}`, 50}
			mustDo(t, b.post(apiWrite, answerOf(part{`,{"kind":"unhashed","path":"/tmp/y"}`, 5000}, hit)))
			a, rest := b.got[0], b.got[1]
			hits := 0
			for _, r := range a.Rows {
				if r["kind"] == "hit" {
					hits++
				}
			}
			if !strings.HasPrefix(a.Cut, "answer too large: ") || hits != 7 || len(a.Rows) > 120 || len(a.Rows) < 100 {
				t.Errorf("%d rows, %d hits, %q", len(a.Rows), hits, a.Cut)
			}
			if rest.Cut != "" && name != "bytes" {
				t.Errorf("%+v", rest)
			}
			if c := b.server.Counts(); c.Cut < 1 || c.Writes != 1 {
				t.Errorf("%+v", c)
			}
		})
	}
}

// A gigabyte is read through, in little memory.
func TestGigabyte(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a gigabyte")
	}
	b := newBench(t, func(o *remote.Options) { o.Limits.LongRate = 1 << 40 })
	b.node("one", ledger.AgentOsquery, "NK-1")
	value := strings.Repeat("v", 1<<20-100)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	mustDo(t, b.post(apiWrite, answerOf(part{`,{"kind":"seen","path":"` + value + `"}`, 1000}, part{`,{"kind":"hit","path":"/tmp/x"}`, 3})))
	runtime.GC()
	runtime.ReadMemStats(&after)
	a := b.got[0]
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 || !strings.Contains(a.Cut, "MiB") || a.Rows[len(a.Rows)-1]["kind"] != "hit" || a.Rows[len(a.Rows)-3]["kind"] != "hit" {
		t.Errorf("%d bytes are kept, %q, %d rows", grown, a.Cut, len(a.Rows))
	}
	if all := int64(after.TotalAlloc) - int64(before.TotalAlloc); all > 512<<20 {
		t.Errorf("%d bytes were allocated in all", all)
	}
}

// One that does not end within the limit is acknowledged where the headers say whose it is.
func TestEndless(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *remote.Options) { o.Limits.WriteBody = 1 << 20 })
	b.node("one", ledger.AgentOsquery, "NK-1")
	endless := func() io.Reader {
		return answerOf(part{`,{"kind":"hit","path":"/tmp/x"}`, 1}, part{`,{"kind":"y"}`, 1 << 40})
	}
	mustKeep(t, b.post(apiWrite, endless()))
	w := b.post(apiWrite, endless(), "Authorization", "NodeKey NK-1")
	mustDo(t, w)
	if len(b.got) != 1 || !strings.HasPrefix(b.got[0].Cut, "answer too large: 1024.0 KiB") || b.got[0].Rows[1]["kind"] != "hit" || w.Header().Get("Connection") != "close" {
		t.Errorf("%d answers, %v, %q", len(b.got), w.Header(), b.got[0].Cut)
	}
}

func TestManyNames(t *testing.T) {
	t.Parallel()
	got := taken(t, ledger.AgentOsquery, `{"queries":{"a":[],"b":[],"c":[{"x":"`+strings.Repeat("y", 1000)+`"}]},"statuses":{"a":0,"b":0,"c":0},"node_key":"NK-1"}`,
		func(o *remote.Options) { o.Limits.Names = 2 })
	if len(got) != 2 || got[1].Name != "b" || got[1].Cut != "" {
		t.Errorf("%+v", got)
	}
}

func TestLongNamesAndValues(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("n", 5000)
	columns := strings.Repeat(`"c":"",`, 70) + `"d":""`
	got := taken(t, ledger.AgentOsquery, `{"queries":{"`+name+`":[{"`+name+`":"1"}],"b":[{"v":"`+strings.Repeat("v", 2<<20)+`"}],"c":[{`+columns+`}]},
		"statuses":{"`+name+`":0,"b":0,"c":0},"messages":{"b":"`+strings.Repeat("m", 1<<20)+`"},"node_key":"NK-1"}`)
	if len(got) != 3 || len(got[0].Name) != 512 || len(got[1].Rows[0]["v"]) != 1<<20 || got[1].Cut == "" || len(got[1].Message) != 4096 || got[2].Cut == "" {
		t.Errorf("%d answers", len(got))
	}
}

// When more wants to be stored than may be at once, the rest is refused and noted, and nothing waits for ever.
func TestBusy(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *remote.Options) { o.Limits.Deliveries, o.Limits.DeliveryWait = 1, time.Millisecond })
	b.node("one", ledger.AgentOsquery, "NK-1")
	b.node("two", ledger.AgentOsquery, "NK-2")
	b.hold = make(chan struct{})
	var first sync.WaitGroup
	first.Go(func() { mustDo(t, b.post(apiWrite, text(`{"queries":{"a":[]},"statuses":{"a":0},"node_key":"NK-1"}`))) })
	<-b.entered
	mustKeep(t, b.post(apiWrite, text(`{"queries":{"a":[]},"statuses":{"a":0},"node_key":"NK-2"}`)))
	close(b.hold)
	first.Wait()
	if b.refused["two"] != 1 || b.refused["one"] != 0 || len(b.got) != 1 || b.server.Counts().Refused != 1 {
		t.Errorf("%+v, %d stored", b.refused, len(b.got))
	}
	b.hold = nil
	mustDo(t, b.post(apiWrite, text(`{"queries":{"a":[]},"statuses":{"a":0},"node_key":"NK-2"}`)))
}

// A write that was not stored is noted as refused, with whom.
func TestRefusedIsNoted(t *testing.T) {
	t.Parallel()
	const body = `{"queries":{"a":[{"x":"y"}]},"statuses":{"a":0},"node_key":"NK-1"}`
	b := newBench(t, func(o *remote.Options) { o.Limits.Memory = 1 })
	b.node("one", ledger.AgentOsquery, "NK-1")
	mustKeep(t, b.post(apiWrite, text(body)))
	if b.refused["one"] != 1 || len(b.got) != 0 {
		t.Error(b.refused)
	}
	full := newBench(t)
	full.node("one", ledger.AgentOsquery, "NK-1")
	full.failDeliver = true
	mustKeep(t, full.post(apiWrite, text(body)))
	if full.refused["one"] != 1 {
		t.Error(full.refused)
	}
}

// Memory that a write took is given back, however it ends.
func TestMemoryIsGivenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *remote.Options) { o.Limits.Memory = 4 << 20 })
	b.node("one", ledger.AgentOsquery, "NK-1")
	for i := range 20 {
		body := answerOf(part{`,{"kind":"y","path":"` + strings.Repeat("z", 1000) + `"}`, 1000})
		if i%2 == 0 {
			mustKeep(t, b.post(apiWrite, broken{io.LimitReader(body, 500_000)}))
			continue
		}
		mustDo(t, b.post(apiWrite, body))
	}
}

// An agent that goes away while its answers are stored does not keep them from being stored.
func TestAgentGoesAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.node("one", ledger.AgentOsquery, "NK-1")
	b.hold = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, apiWrite, text(`{"queries":{"a":[]},"statuses":{"a":0},"node_key":"NK-1"}`))
	var all sync.WaitGroup
	all.Go(func() { b.server.ServeHTTP(httptest.NewRecorder(), r) })
	<-b.entered
	cancel()
	close(b.hold)
	all.Wait()
	if len(b.got) != 1 {
		t.Error("not stored")
	}
}

// A write that comes again, as after a broken connection, is handed on again: who stores it knows that.
func TestSentTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.node("one", ledger.AgentOsquery, "NK-1")
	for range 2 {
		mustDo(t, b.post(apiWrite, text(`{"queries":{"a":[]},"statuses":{"a":0},"node_key":"NK-1"}`)))
	}
	if len(b.got) != 2 {
		t.Error(fmt.Sprint(b.got))
	}
}

// When too many bodies are being read, a write is refused at once, and noted where its headers say whose it is.
func TestTooManyBodies(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *remote.Options) { o.Limits.Bodies = 1 })
	b.node("one", ledger.AgentOsquery, "NK-1")
	const body = `{"queries":{"a":[]},"statuses":{"a":0},"node_key":"NK-1"}`
	slow, end := io.Pipe()
	var first sync.WaitGroup
	first.Go(func() { mustDo(t, b.post(apiWrite, slow)) })
	if _, err := io.WriteString(end, body[:10]); err != nil { // it is being read
		t.Fatal(err)
	}
	mustKeep(t, b.post(apiWrite, text(body), "Authorization", "NodeKey NK-1"))
	mustKeep(t, b.post(apiWrite, text(body)))
	mustKeep(t, b.post(apiLog, text(`{"data":[],"node_key":"NK-1"}`)))
	if w := b.post(apiWrite, text(body), "Authorization", "NodeKey NK-9"); w.Code != http.StatusServiceUnavailable {
		t.Error(w.Code)
	}
	mustDo(t, b.post(apiRead, text(`{"node_key":"NK-1"}`))) // polls go on
	if _, err := io.WriteString(end, body[10:]); err != nil {
		t.Fatal(err)
	}
	_ = end.Close()
	first.Wait()
	if b.refused["one"] != 1 || len(b.got) != 1 || b.server.Counts().Refused != 2 {
		t.Errorf("%v, %d stored, %+v", b.refused, len(b.got), b.server.Counts())
	}
}

// A little gzip that is a lot of log is not unpacked to its end.
func TestGzipBomb(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *remote.Options) { o.Limits.LogBody = 1 << 20 })
	b.node("one", ledger.AgentOsquery, "NK-1")
	w := b.post(apiLog, zipped(`{"data":[],"x":"`+strings.Repeat("0", 8<<20)+`","node_key":"NK-1"}`), "Content-Encoding", "gzip")
	mustKeep(t, w)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Error(w.Code)
	}
	cut := zipped(`{"data":[1,2,3],"node_key":"NK-1"}`)
	mustKeep(t, b.post(apiLog, io.LimitReader(cut, 30), "Content-Encoding", "gzip"))
}
