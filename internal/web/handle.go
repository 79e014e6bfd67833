package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// osqueryPaths are the folders of osquery's remote API: Fleet's paths.
func osqueryPaths() []string { return []string{"/api/osquery/", "/api/v1/osquery/"} }

// readyTime bounds how long the server may take to say that it is ready.
const readyTime = 5 * time.Second

// routes says who answers a path. It is no ServeMux, as that answers some paths with an empty body.
func (s *Server) routes(osquery http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w}
		defer s.finish(a, r)
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
			say(a, http.StatusServiceUnavailable, "the server is stopping; come again")
			return
		}
		for _, p := range osqueryPaths() {
			if osquery != nil && strings.HasPrefix(r.URL.Path, p) {
				osquery.ServeHTTP(a, r)
				return
			}
		}
		w.Header().Set("Connection", "close") // a stranger holds no connection
		switch r.URL.Path {
		case "/healthz":
			status(a, "alive")
		case "/readyz":
			s.ready(a, r)
		default:
			say(a, http.StatusNotFound, "there is nothing at this path")
		}
	})
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if s.opt.Ready != nil {
		if err := s.opt.Ready(ctx); err != nil {
			s.opt.Log.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.String("error", err.Error()))
			say(w, http.StatusServiceUnavailable, "not ready; the server's log says why")
			return
		}
	}
	status(w, "ready")
}

// guarded asks agents for their certificate, where one is due.
func (s *Server) guarded(next http.Handler) http.Handler {
	if s.clients == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			w.Header().Set("Connection", "close")
			say(w, http.StatusUnauthorized, "a client certificate of this server's CA is due: --tls_client_cert and --tls_client_key")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// finish sees to it that something was answered: a panic or a handler that said nothing must not read as success.
func (s *Server) finish(a *answer, r *http.Request) {
	fault := recover()
	if fault != nil && fault != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		s.opt.Log.LogAttrs(r.Context(), slog.LevelError, "a request ended in a panic", slog.String("path", r.URL.Path), slog.String("from", r.RemoteAddr),
			slog.String("panic", fmt.Sprint(fault)), slog.String("stack", string(debug.Stack())))
	}
	switch {
	case a.hijacked:
	case fault != nil && (a.sent || fault == http.ErrAbortHandler): //nolint:errorlint // as above
		panic(http.ErrAbortHandler) // half an answer: the connection is cut, which nobody reads as success
	case fault != nil:
		a.status = 0
		say(a, http.StatusInternalServerError, "the server failed at this request; its log says why")
	case !a.sent:
		code := a.status
		if code < http.StatusBadRequest {
			s.opt.Log.LogAttrs(r.Context(), slog.LevelError, "a request was not answered", slog.String("path", r.URL.Path))
			code = http.StatusInternalServerError
		}
		a.status = 0
		say(a, code, "not answered: "+http.StatusText(code))
	}
}

// answer holds a status back until there is a body to it.
type answer struct {
	http.ResponseWriter
	status   int
	sent     bool
	hijacked bool
}

// WriteHeader notes the status.
func (a *answer) WriteHeader(code int) {
	if code < http.StatusOK { // on the way, not the answer
		a.ResponseWriter.WriteHeader(code)
		return
	}
	if a.status == 0 {
		a.status = code
	}
}

// Write sends the status and a part of the body.
func (a *answer) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	a.begin()
	return a.ResponseWriter.Write(p)
}

// begin sends the status, before the first part of the body.
func (a *answer) begin() {
	if a.sent {
		return
	}
	a.sent = true
	if a.status == 0 {
		a.status = http.StatusOK
	}
	a.ResponseWriter.WriteHeader(a.status)
}

// WriteString is Write for a text, which is not copied for it.
func (a *answer) WriteString(s string) (int, error) {
	if len(s) == 0 {
		return 0, nil
	}
	a.begin()
	return io.WriteString(a.ResponseWriter, s)
}

// Flush sends what was written so far.
func (a *answer) Flush() {
	if a.sent {
		_ = http.NewResponseController(a.ResponseWriter).Flush() // who hung up is seen at the next write
	}
}

// Hijack hands the connection over.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(a.ResponseWriter).Hijack()
	a.hijacked = err == nil
	return c, rw, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// say answers with an error in the form that osquery's agents take for one.
func say(w http.ResponseWriter, code int, text string) {
	body(w, code, map[string]string{"error": text})
}

func status(w http.ResponseWriter, text string) {
	body(w, http.StatusOK, map[string]string{"status": text})
}

func body(w http.ResponseWriter, code int, fields map[string]string) {
	text, err := json.Marshal(fields)
	if err != nil { // texts can't fail
		text = []byte(`{"error":"the answer can not be told"}`)
	}
	text = append(text, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(text) // who hung up hears nothing
}
