//go:build sqlite_vtable

package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
)

// What a server sends does no harm, and a text of a query is the one that was sent.
func FuzzReply(f *testing.F) {
	f.Add(200, []byte(`{"queries":{"a":"SELECT 1"},"accelerate":30,"hunter":{"a":{"max_size":5}},"options":{"distributed_interval":"60"}}`))
	f.Add(200, []byte("{\"queries\":{\"a\":\"\xff\\u00e9\\ud83d\\ude00\xfe\\\"\"}}"))
	f.Add(500, []byte(`{"node_invalid":true}`))
	f.Add(200, []byte(`{"error":1}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		o, err := judge(status, body)
		if err != nil {
			if o != nil {
				t.Error("both an object and an error")
			}
			return
		}
		if !json.Valid(body) || status != 200 {
			t.Fatalf("acknowledged: %d %q", status, body)
		}
		p, err := parsePoll(o)
		if err == nil {
			for _, q := range p.queries {
				if q.Name == "" || len(q.Text) == 0 || q.MaxSize < 0 {
					t.Errorf("%+v", q)
				}
			}
		}
		if p.hurry < 0 || p.hurry > time.Hour {
			t.Errorf("accelerate %s", p.hurry)
		}
		if s, err := parseConfig(o); err == nil && (s.interval < 0 || s.interval > maxInterval || s.refresh < 0) {
			t.Errorf("%+v", s)
		}
		for _, raw := range o {
			var want string
			if text, ok := rawText(raw); ok && utf8.Valid(raw) && (json.Unmarshal(raw, &want) != nil || want != string(text)) {
				t.Errorf("%q is not %q", text, raw)
			}
			if text, ok := rawText(raw); ok { // written and read again it is the same
				again, ok := rawText(appendText(nil, text))
				if !ok || !bytes.Equal(again, text) {
					t.Errorf("%q became %q", text, again)
				}
			}
		}
	})
}

// A file of the spool that is not as it was written is not taken for an answer.
func FuzzSpool(f *testing.F) {
	whole := answer{Name: []byte("q"), Message: []byte("\xff"), Beside: []byte("{}"), rows: []byte("{\"a\":\"1\"}\n{\"a\":\"2\"}\n")}
	data, err := whole.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := decode(data)
		if err != nil {
			return
		}
		for a.halve() {
			_ = a.body("key")
		}
	})
}

// An answer as it is sent, byte by byte.
func TestBody(t *testing.T) {
	t.Parallel()
	a := answer{Name: []byte("q\""), Status: 1, Message: []byte("m"), Wall: 7, Ran: true, Beside: appendBeside(nil, nil, 3, 4, ""), rows: []byte("{\"a\":\"\xff\"}\n{}\n")}
	want := "{\"queries\":{\"q\\\"\":[{\"a\":\"\xff\"},{}]},\"statuses\":{\"q\\\"\":1},\"messages\":{\"q\\\"\":\"m\"},\"stats\":{\"q\\\"\":{\"wall_time_ms\":7}}," +
		"\"hunter\":{\"q\\\"\":{\"unread\":[],\"unread_total\":3,\"remembered\":4}},\"node_key\":\"k\"}"
	if got := string(a.body("k")); got != want || !json.Valid([]byte(got)) {
		t.Errorf("%s\ninstead of\n%s", got, want)
	}
	empty := denylistedAnswer("q", time.Now())
	want = `{"queries":{"q":[]},"statuses":{"q":1},"messages":{"q":"distributed query is denylisted"},"stats":{"q":{}},"node_key":"k"}`
	if got := string(empty.body("k")); got != want {
		t.Errorf("%s\ninstead of\n%s", got, want)
	}
	data, err := a.encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := decode(data)
	if err != nil || !bytes.Equal(back.body("k"), a.body("k")) {
		t.Errorf("%s, %v", back.body("k"), err)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	got := string(appendRow(nil, []string{"b", "a", "b", "c"}, map[string]string{"a": "\x00\x1f\"\\", "b": "2"}))
	if want := `{"b":"2","a":"\u0000\u001f\"\\","c":""}`; got != want {
		t.Errorf("%s instead of %s", got, want)
	}
}

// On battery a query has a fifth of its limits, and has them back on mains.
func TestPaceOnBattery(t *testing.T) {
	t.Parallel()
	now, on := time.Now(), Mains
	p := newPacer(Config{
		Limits: gentle.Limits{CPU: 0.5, BytesPerSecond: 1000}, OnBattery: Slow, Power: func() Power { return on }, Now: func() time.Time { return now },
	})
	check := func(cpu float64, bytes int64) {
		t.Helper()
		if err := p.Wait(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		if l := p.share(); l.CPU != cpu || l.BytesPerSecond != bytes {
			t.Errorf("%+v instead of %v, %v", l, cpu, bytes)
		}
	}
	check(0.5, 1000)
	on = Battery
	check(0.5, 1000) // it is not looked at for every piece of work
	now = now.Add(time.Minute)
	check(0.1, 200)
	on, now = Mains, now.Add(-time.Hour) // a clock that was set back
	check(0.5, 1000)
	on = Battery
	p.begin() // another query
	check(0.1, 200)
}
