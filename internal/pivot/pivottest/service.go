package pivottest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hunter-project/hunter/internal/httpx"
)

// service plays the service of a provider: it hands requests to a handler and remembers what was asked and answered.
type service struct {
	srv     *httptest.Server
	secrets []string // headers whose values are secret

	mu     sync.Mutex
	asked  map[string]int // by request
	order  []string       // the requests that were new
	values map[string]bool
	all    bytes.Buffer // every request line, header value and body
	sent   map[string]bool
}

func newService(h http.Handler, secretHeaders []string) *service {
	s := &service{asked: map[string]int{}, values: map[string]bool{}, sent: map[string]bool{}, secrets: append(slices.Clone(secretHeaders), "Authorization")}
	s.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.note(r)
		out := &tee{ResponseWriter: w, sum: sha256.New()}
		defer func() { s.answered(hex.EncodeToString(out.sum.Sum(nil))) }()
		h.ServeHTTP(out, r)
	}))
	return s
}

// question is what makes two requests the same: all but what is signed anew.
func question(r *http.Request) string {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // a broken body is another question
	r.Body = io.NopCloser(bytes.NewReader(body))
	return strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + string(body))
}

func (s *service) note(r *http.Request) {
	q := question(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked[q] == 0 {
		s.order = append(s.order, q)
	}
	s.asked[q]++
	s.all.WriteString(q + "\n")
	for name, values := range r.Header {
		s.all.WriteString(strings.Join(values, "\n") + "\n")
		for _, v := range values {
			if slices.ContainsFunc(s.secrets, func(h string) bool { return strings.EqualFold(h, name) }) {
				s.values[v] = true
			}
		}
	}
}

func (s *service) answered(digest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[digest] = true
}

// requests gives how often each request came since the last call, and the new ones in order.
func (s *service) requests() (asked map[string]int, order []string) {
	if s == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	asked, order = s.asked, s.order
	s.asked, s.order = map[string]int{}, nil
	return asked, order
}

// saw gives all that was sent to the service, and the values of its secret headers.
func (s *service) saw() (text string, secret []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.values {
		secret = append(secret, v)
	}
	return s.all.String(), secret
}

func (s *service) answeredWith(digest string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent[digest]
}

// tee takes the digest of what is answered.
type tee struct {
	http.ResponseWriter
	sum hash.Hash
}

func (t *tee) Write(b []byte) (int, error) {
	t.sum.Write(b)
	return t.ResponseWriter.Write(b)
}

// Unwrap lets a handler flush.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// memory is a cache that can be looked through.
type memory struct {
	mu  sync.Mutex
	all map[string]httpx.Cached
}

// Get gives a remembered answer.
func (m *memory) Get(_ context.Context, key string) (*httpx.Cached, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, ok := m.all[key]; ok {
		return &c, nil
	}
	return nil, nil
}

// Put remembers an answer.
func (m *memory) Put(_ context.Context, key string, c httpx.Cached) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[key] = c
	return nil
}

// text gives all that is remembered.
func (m *memory) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for key, c := range m.all {
		b.WriteString(key + "\n" + c.Type + "\n" + string(c.Body) + "\n")
	}
	return b.String()
}

// lines is a log that several goroutines write.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write adds to the log.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// scope is a testing.TB whose cleanups end with a trial, not with the test: goroutines are looked for in between.
type scope struct {
	testing.TB
	undo []func()
}

// Cleanup has f called when the trial ends.
func (s *scope) Cleanup(f func()) { s.undo = append(s.undo, f) }

func (s *scope) close() {
	for len(s.undo) > 0 {
		f := s.undo[len(s.undo)-1]
		s.undo = s.undo[:len(s.undo)-1]
		f()
	}
}

// ServeHTTP answers any request with the reply.
func (r Reply) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if status := r.status(); status != http.StatusNoContent {
		kind := r.Type
		if kind == "" {
			kind = "application/json"
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, r.Body) // the client may have hung up
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r Reply) status() int {
	if r.Status == 0 {
		return http.StatusOK
	}
	return r.Status
}

// status answers any request with a status and a page.
func status(n int) http.Handler {
	return Reply{Status: n, Type: "text/html", Body: "<html><head><title>" + itoa(n) + "</title></head><body>\x1b[31m" + http.StatusText(n) + "</body></html>"}
}
