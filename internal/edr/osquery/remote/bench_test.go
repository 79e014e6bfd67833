package remote_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/ledger"
)

// nothing is an outbox in which nothing is due.
type nothing struct{ *book }

func (nothing) Poll(context.Context, ledger.KeyHash, time.Time) (ledger.Polled, bool, error) {
	return ledger.Polled{Node: ledger.Node{ID: "one"}}, true, nil
}

// drop takes a reply and keeps nothing.
type drop struct{ h http.Header }

func (d drop) Header() http.Header         { return d.h }
func (d drop) Write(p []byte) (int, error) { return len(p), nil }
func (d drop) WriteHeader(int)             {}

type body struct{ strings.Reader }

func (*body) Close() error { return nil }

// BenchmarkPoll is one poll of which nothing comes, without the connection and the store.
func BenchmarkPoll(b *testing.B) {
	x := newBench(b, func(o *remote.Options) { o.Outbox = nothing{} })
	const text = `{"node_key":"tT3cY0Rk1eEXAMPLEnodekey0000000001xxxxxxxxx"}`
	read := &body{}
	r := httptest.NewRequest(http.MethodPost, apiRead, read)
	w := drop{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		read.Reset(text)
		r.Body = read
		x.server.ServeHTTP(w, r)
	}
}

// BenchmarkWrite reads an answer of 1000 rows.
func BenchmarkWrite(b *testing.B) {
	x := newBench(b)
	x.node("one", ledger.AgentOsquery, "NK-1")
	var text strings.Builder
	text.WriteString(`{"queries":{"a":[{"kind":"meta"}`)
	for range 1000 {
		text.WriteString(`,{"kind":"unhashed","name":"/home","path":"/home/ana/disk.img","size":"84480000","md5":"","sha1":"","sha256":"","pid":"0","owner":"","n":"1"}`)
	}
	text.WriteString(`]},"statuses":{"a":0},"messages":{"a":""},"stats":{"a":{}},"node_key":"NK-1"}`)
	all := text.String()
	r := httptest.NewRequest(http.MethodPost, apiWrite, nil)
	b.SetBytes(int64(len(all)))
	b.ReportAllocs()
	for b.Loop() {
		read := &body{}
		read.Reset(all)
		r.Body = read
		x.server.ServeHTTP(drop{http.Header{}}, r)
		x.got = nil
	}
}
