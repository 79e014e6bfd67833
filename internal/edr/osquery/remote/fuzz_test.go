package remote_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
	"github.com/hunter-project/hunter/internal/ledger"
)

func seeds(f *testing.F, pattern string) {
	f.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		f.Fatalf("%s: %v", pattern, err)
	}
	for _, name := range names {
		f.Add(fixture(f, strings.TrimPrefix(filepath.ToSlash(name), "testdata/")))
	}
}

// FuzzWrite holds the reader of writes: it never fails in silence, keeps no more than its limits, and of bodies that are
// JSON in UTF-8 it reads what encoding/json reads.
func FuzzWrite(f *testing.F) {
	seeds(f, "testdata/*/distributed_write*")
	for _, s := range []string{
		`{"queries":{"a":""},"statuses":{"a":"0"},"node_key":"NK-1"}`, `{"queries":{"a":[{"x":"\ud83d\u0041\u0000"}]},"node_key":"NK-1"}`,
		`{"hunter":{"a":{"unread":[{"path":"/x","size":1}],"unread_total":1}},"node_key":"NK-1"}`, `{"node_key":"NK-1"`, `{"queries":{"a":[{"kind":"hit","x":1e9,"y":[{}]}]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := newBench(t, func(o *remote.Options) { o.Limits = remote.Limits{Rows: 4, Hits: 2, Names: 5, WriteBody: 1 << 20} })
		b.node("one", ledger.AgentHunter, "NK-1", madeKey)
		w := b.post(apiWrite, bytes.NewReader(body))
		_, err := remotetest.Accepted(w.Body.Bytes())
		if errors.Is(err, remotetest.ErrUndefined) || (err == nil) != (w.Code == http.StatusOK) || w.Body.Len() == 0 {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		if b.server.Counts().Panics > 0 {
			t.Fatal(b.logged())
		}
		if len(b.got) > 5 {
			t.Errorf("%d answers", len(b.got))
		}
		for _, d := range b.got {
			if len(d.Rows) > 6 || len(d.Name) > 512 || d.Status == 0 && d.Cut == "" && len(d.Rows) > 0 && !bytes.Contains(body, []byte("statuses")) && !bytes.Contains(body, []byte(`\u`)) {
				t.Errorf("%+v", d)
			}
		}
		if err == nil && len(b.got) > 0 {
			same(t, body, b.got)
		}
	})
}

// same compares what was kept whole with what encoding/json reads.
func same(t *testing.T, body []byte, got []ledger.Delivery) {
	t.Helper()
	var want struct {
		Queries map[string][]map[string]string `json:"queries"`
	}
	if !utf8.Valid(body) || bytes.Contains(body, []byte(`\u`)) || json.Unmarshal(body, &want) != nil {
		return
	}
	for _, d := range got {
		rows, ok := want.Queries[d.Name]
		if !ok || d.Cut != "" || len(rows) > 2 || strings.Count(string(body), `"queries"`) != 1 {
			continue
		}
		if len(rows) != len(d.Rows) {
			t.Errorf("%q: %d rows instead of %d", d.Name, len(d.Rows), len(rows))
			continue
		}
		for i, row := range rows {
			for k, v := range row {
				if d.Rows[i][k] != v && len(v) < 1<<20 {
					t.Errorf("%q: column %q is %q instead of %q", d.Name, k, d.Rows[i][k], v)
				}
			}
		}
	}
}

// FuzzEnroll holds the reader of enrolments: whatever a machine says of itself is bounded, and nobody enrols without the
// secret.
func FuzzEnroll(f *testing.F) {
	seeds(f, "testdata/*/enroll*")
	f.Add([]byte(`{"enroll_secret":"sekret","host_identifier":"\u0000x\ud800","platform_type":2,"hunter":"1","host_details":{"system_info":{"hostname":"h"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := newBench(t)
		w := b.post(apiEnroll, bytes.NewReader(body))
		_, err := remotetest.Accepted(w.Body.Bytes())
		if errors.Is(err, remotetest.ErrUndefined) || (err == nil) != (len(b.enrols) == 1) || w.Body.Len() == 0 || b.server.Counts().Panics > 0 {
			t.Fatalf("%d %s: %v %s", w.Code, w.Body, err, b.logged())
		}
		for _, e := range b.enrols {
			h := e.Host
			for _, text := range []string{h.Identifier, h.Hostname, h.Computer, h.UUID, h.Serial, h.Platform, h.Arch, e.Version, e.Instance, h.OS} {
				if len(text) > 513 || strings.Contains(text, "\x00") {
					t.Errorf("%q", text)
				}
			}
			if h.Identifier == "" || h.CPUs < 0 || h.Memory < 0 || e.Secret != "first" || h.Hostname == "" {
				t.Errorf("%+v", e)
			}
		}
		if strings.ContainsAny(b.logged(), "\x1b\x00\x07") {
			t.Errorf("%q", b.logged())
		}
	})
}

// FuzzSmall holds the readers of a node key alone, and of logs.
func FuzzSmall(f *testing.F) {
	seeds(f, "testdata/captured/logger_*")
	f.Add([]byte(`{"node_key":"NK-1"}`))
	f.Add([]byte(`{"a":[{"b":"}"}],"node_key":"NK-1","data":[1,"x",[]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := newBench(t)
		b.node("one", ledger.AgentOsquery, "NK-1", "NK-2")
		for _, path := range []string{apiRead, apiConfig, apiLog} {
			w := b.post(path, bytes.NewReader(body))
			_, err := remotetest.Accepted(w.Body.Bytes())
			if errors.Is(err, remotetest.ErrUndefined) || (err == nil) != (w.Code == http.StatusOK) || w.Body.Len() == 0 || b.server.Counts().Panics > 0 {
				t.Fatalf("%s: %d %s: %v", path, w.Code, w.Body, err)
			}
			var want struct {
				Key *string `json:"node_key"`
			}
			if json.Unmarshal(body, &want) == nil && want.Key != nil && *want.Key == "NK-1" && bytes.Contains(body, []byte(`"node_key"`)) && bytes.Count(bytes.ToLower(body), []byte("node_key")) == 1 && !bytes.Contains(body, []byte(`\`)) && err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
}
