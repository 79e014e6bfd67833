package remote_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
	"github.com/hunter-project/hunter/internal/ledger"
)

// broken gives some bytes and then an error.
type broken struct{ r io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("connection reset")
	}
	return n, err
}

func zipped(body string) io.Reader {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(body))
	_ = z.Close()
	return &b
}

// No refusal may look like success to an agent, nor make it drop its key.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const good = `{"node_key":"NK-1"}`
	const write = `{"queries":{"q":[{"a":"b"}]},"statuses":{"q":0},"node_key":"NK-1"}`
	small := func(o *remote.Options) { o.Limits.SmallBody, o.Limits.LogBody, o.Limits.WriteBody = 100, 100, 100 }
	full := func(b *bench) { b.fail = errBook }
	panics := func(b *bench) { b.panics = true }
	long := `{"x":"` + strings.Repeat("y", 200) + `","node_key":"NK-1"}`
	for name, tc := range map[string]struct {
		path, body string
		change     func(*remote.Options)
		then       func(*bench)
		header     []string
		breaks     bool
	}{
		"unknown path":           {path: "/api/osquery/carve", body: good},
		"no such place":          {path: "/api/", body: good},
		"bare prefix":            {path: "/api/osquery/", body: good},
		"read: nothing":          {path: apiRead},
		"read: garbage":          {path: apiRead, body: "\x16\x03\x01\x00"},
		"read: a list":           {path: apiRead, body: `["node_key"]`},
		"read: null":             {path: apiRead, body: `null`},
		"read: no key":           {path: apiRead, body: `{}`},
		"read: empty key":        {path: apiRead, body: `{"node_key":""}`},
		"read: key is an object": {path: apiRead, body: `{"node_key":{"$ne":1}}`},
		"read: half":             {path: apiRead, body: `{"node_key":"NK`},
		"read: line breaks":      {path: apiRead, body: `{"node_key":"NK-1"`, breaks: true},
		"read: large":            {path: apiRead, body: long, change: small},
		"read: store fails":      {path: apiRead, body: good, then: full},
		"read: panic":            {path: apiRead, body: good, then: panics},
		"read: zipped":           {path: apiRead, body: good, header: []string{"Content-Encoding", "gzip"}},
		"config: store fails":    {path: apiConfig, body: good, then: full},
		"config: panic":          {path: apiConfig, body: good, then: panics},
		"config: large":          {path: apiConfig, body: long, change: small},
		"log: store fails":       {path: apiLog, body: good, then: full},
		"log: large":             {path: apiLog, body: long, change: small},
		"log: no gzip":           {path: apiLog, body: good, header: []string{"Content-Encoding", "gzip"}},
		"log: brotli":            {path: apiLog, body: good, header: []string{"Content-Encoding", "br"}},
		"log: no key":            {path: apiLog, body: `{"data":[]}`},
		"enroll: nothing":        {path: apiEnroll},
		"enroll: garbage":        {path: apiEnroll, body: "GET / HTTP/1.1"},
		"enroll: no secret":      {path: apiEnroll, body: `{"host_identifier":"x"}`},
		"enroll: empty secret":   {path: apiEnroll, body: `{"enroll_secret":"","host_identifier":"x"}`},
		"enroll: wrong secret":   {path: apiEnroll, body: `{"enroll_secret":"sekret1","host_identifier":"x"}`},
		"enroll: no secrets are set": {path: apiEnroll, body: `{"enroll_secret":"","host_identifier":"x"}`, change: func(o *remote.Options) {
			o.Secrets = func() []remote.Secret { return []remote.Secret{{Name: "unset"}} }
		}},
		"enroll: no identifier":       {path: apiEnroll, body: `{"enroll_secret":"sekret"}`},
		"enroll: NULs are nothing":    {path: apiEnroll, body: `{"enroll_secret":"sekret","host_identifier":"\u0000\u0000"}`},
		"enroll: long identifier":     {path: apiEnroll, body: `{"enroll_secret":"sekret","host_identifier":"` + strings.Repeat("x", 300) + `"}`},
		"enroll: very long one":       {path: apiEnroll, body: `{"enroll_secret":"sekret","host_identifier":"` + strings.Repeat("x", 10_000) + `"}`},
		"enroll: store fails":         {path: apiEnroll, body: `{"enroll_secret":"sekret","host_identifier":"x"}`, then: full},
		"enroll: panic":               {path: apiEnroll, body: `{"enroll_secret":"sekret","host_identifier":"x"}`, then: panics},
		"enroll: large":               {path: apiEnroll, body: long, change: small},
		"write: nothing":              {path: apiWrite},
		"write: garbage":              {path: apiWrite, body: write[:40] + "\x00"},
		"write: half":                 {path: apiWrite, body: write[:40]},
		"write: line breaks":          {path: apiWrite, body: write[:40], breaks: true},
		"write: no key":               {path: apiWrite, body: `{"queries":{}}`},
		"write: endless without key":  {path: apiWrite, body: long, change: small},
		"write: store fails":          {path: apiWrite, body: write, then: full},
		"write: panic":                {path: apiWrite, body: write, then: panics},
		"write: no memory":            {path: apiWrite, body: write, change: func(o *remote.Options) { o.Limits.Memory = 1 }},
		"write: deep":                 {path: apiWrite, body: `{"stats":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `,"node_key":"NK-1"}`},
		"write: too many levels only": {path: apiWrite, body: `{"stats":` + strings.Repeat(`{"a":`, 100_000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change := tc.change
			if change == nil {
				change = func(*remote.Options) {}
			}
			b := newBench(t, change)
			b.node("one", ledger.AgentOsquery, "NK-1")
			if tc.then != nil {
				tc.then(b)
			}
			body := io.Reader(strings.NewReader(tc.body))
			if tc.breaks {
				body = broken{body}
			}
			mustKeep(t, b.post(tc.path, body, tc.header...))
			if len(b.got) > 0 {
				t.Errorf("stored all the same: %+v", b.got)
			}
		})
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.node("one", ledger.AgentOsquery, "NK-1")
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodHead, http.MethodOptions, "BREW"} {
		for _, path := range []string{apiRead, apiWrite, apiConfig, apiLog, apiEnroll, "/api/v1/osquery/config"} {
			r := httptest.NewRequest(method, path, text(`{"node_key":"NK-1"}`))
			w := httptest.NewRecorder()
			b.server.ServeHTTP(w, r)
			mustKeep(t, w)
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
				t.Errorf("%s %s: %d %v", method, path, w.Code, w.Header())
			}
		}
	}
}

// A key that nobody has makes the agent enrol again, on every call that has one, and nothing else does.
func TestUnknownKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, path := range []string{apiRead, apiWrite, apiConfig, apiLog} {
		for _, key := range []string{"NK-9", strings.Repeat("k", 1000), "\xff", "\x01"} {
			w := b.post(path, strings.NewReader(`{"queries":{"q":[]},"node_key":"`+key+`"}`))
			if _, err := remotetest.Accepted(w.Body.Bytes()); !errors.Is(err, remotetest.ErrNodeInvalid) {
				t.Errorf("%s with %.20q: %d %s", path, key, w.Code, w.Body)
			}
		}
	}
	if c := b.server.Counts(); c.Unknown != 16 || len(b.got) != 0 {
		t.Errorf("%+v", c)
	}
}

// What failed is for the log: once a second, not once an agent.
func TestFailuresAreLoggedQuietly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fail = errBook
	for range 1000 {
		mustKeep(t, b.post(apiRead, text(`{"node_key":"NK-1"}`)))
	}
	if n := strings.Count(b.logged(), "s3cret detail"); n < 1 || n > 10 {
		t.Errorf("%d lines", n)
	}
	if c := b.server.Counts(); c.Failed != 1000 {
		t.Errorf("%+v", c)
	}
}
