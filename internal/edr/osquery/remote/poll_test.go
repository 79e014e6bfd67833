package remote_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/ledger"
)

// A query goes out with exactly its bytes; what is more than osquery knows goes to hunter's own agents alone.
func TestHandout(t *testing.T) {
	t.Parallel()
	const sql = "SELECT \"a\\b\" <>&\u2028\n\t\x01 FROM x WHERE p = '/caf\xe9'"
	const quoted = `"SELECT \"a\\b\" <>&` + "\u2028" + `\n\u0009\u0001 FROM x WHERE p = '/caf` + "\xe9" + `'"`
	for name, tc := range map[string]struct {
		agent string
		soon  bool
		max   int64
		want  string
	}{
		"osquery":            {ledger.AgentOsquery, false, 7, `{"queries":{"hunter-1":` + quoted + `}}`},
		"soon":               {ledger.AgentOsquery, true, 0, `{"queries":{"hunter-1":` + quoted + `},"accelerate":60}`},
		"hunter":             {ledger.AgentHunter, true, 7, `{"queries":{"hunter-1":` + quoted + `},"accelerate":60,"hunter":{"hunter-1":{"max_size":7}}}`},
		"hunter, no maximum": {ledger.AgentHunter, false, 0, `{"queries":{"hunter-1":` + quoted + `}}`},
	} {
		b := newBench(t)
		b.node("one", tc.agent, "NK-1")
		b.due["one"], b.soon = []ledger.Handout{{Name: "hunter-1", Text: sql, MaxSize: tc.max}}, tc.soon
		got := mustDo(t, b.post(apiRead, text(`{"node_key":"NK-1"}`)))
		if got != tc.want || !json.Valid([]byte(got)) {
			t.Errorf("%s: %s", name, got)
		}
		want := map[bool]string{false: `{"queries":{}}`, true: `{"queries":{},"accelerate":60}`}[tc.soon]
		if got := mustDo(t, b.post(apiRead, text(`{"node_key":"NK-1"}`))); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// The key may stand anywhere in the body, or in the headers alone.
func TestWhereTheKeyIs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.node("one", ledger.AgentOsquery, "NK-1")
	for _, body := range []string{
		`{"node_key":"NK-1"}`, ` { "a" : [1,{"node_key":"NK-2"}] , "node_key" : "NK-1" } `, `{"node_key":"NK-2","node_key":"NK\u002d1"}`, `{"node_key_":"NK-2","node_key":"NK-1","z":null}`,
	} {
		mustDo(t, b.post(apiRead, strings.NewReader(body)))
	}
	mustDo(t, b.post(apiRead, text(`{"node_key":""}`), "Authorization", "nodekey  NK-1"))
	mustKeep(t, b.post(apiRead, text(`{"node_key":""}`), "Authorization", "Bearer NK-1"))
	if w := b.post(apiRead, text(`{"node_key":"NK-2"}`), "Authorization", "NodeKey NK-1"); !strings.Contains(w.Body.String(), "node_invalid") {
		t.Errorf("the body's key is what counts: %s", w.Body)
	}
}

// When nodes were seen is stored every few seconds and at the end, each once with its newest time.
func TestSeenIsStoredInBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *remote.Options) { o.Flush = 5 * time.Second })
		b.node("one", ledger.AgentOsquery, "NK-1")
		b.node("two", ledger.AgentOsquery, "NK-2")
		b.server.Start()
		b.server.Start()
		poll := func(key string) { mustDo(t, b.post(apiRead, text(`{"node_key":%q}`, key))) }
		poll("NK-1")
		b.move(time.Second)
		poll("NK-1")
		second := b.now()
		b.move(-time.Second) // a clock that is set back
		poll("NK-1")
		b.move(time.Second)
		mustDo(t, b.post(apiConfig, text(`{"node_key":"NK-2"}`)))
		if len(b.times()) != 0 {
			t.Error("stored at once")
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if len(b.times()) != 1 || !b.times()["one"].Equal(second) {
			t.Errorf("only polls and writes count: %v", b.times())
		}
		mustDo(t, b.post(apiWrite, text(`{"queries":{},"node_key":"NK-2"}`)))
		b.book.mu.Lock()
		b.fail = errBook
		b.book.mu.Unlock()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if !strings.Contains(b.logged(), "tried again") || len(b.times()) != 1 {
			t.Error(b.logged())
		}
		if err := b.server.Close(t.Context()); err == nil {
			t.Error("what could not be stored is told at the end")
		}
		b.book.mu.Lock()
		b.fail = nil
		b.book.mu.Unlock()
		if err := b.server.Close(t.Context()); err != nil || !b.times()["two"].Equal(second) {
			t.Errorf("%v %v", err, b.times())
		}
	})
}

func TestNewNeedsItsSeams(t *testing.T) {
	t.Parallel()
	if _, err := remote.New(remote.Options{}); err == nil {
		t.Error("made without a store")
	}
}
