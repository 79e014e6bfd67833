package app_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/secret"
	"github.com/hunter-project/hunter/internal/web"
)

// serverIn gives what a server in a folder is made of; its secret is in the file secret there.
func serverIn(t *testing.T, dir string) app.ServerOptions {
	t.Helper()
	file := filepath.Join(dir, "secret")
	put(t, file, "the first secret\n")
	ref, err := secret.ParseRef("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	return app.ServerOptions{
		Options: app.Options{DB: filepath.Join(dir, "hunter.db")}, Version: "test", Listen: "127.0.0.1:0", SelfSigned: filepath.Join(dir, "tls"),
		EnrollSecrets: []app.EnrollSecret{{Name: "first", Ref: ref}}, Log: slog.New(slog.DiscardHandler),
	}
}

// warnings keeps what is logged.
type warnings struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *warnings) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *warnings) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runServer runs a server until the returned function is called.
func runServer(t *testing.T, opt app.ServerOptions) (s *app.Server, stop func()) {
	t.Helper()
	s, err := app.NewServer(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func() { close(ready) }) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	<-ready
	return s, stop
}

// enrols reports whether an agent with a secret may enrol.
func enrols(t *testing.T, s *app.Server, dir, secret string) bool {
	t.Helper()
	text, err := os.ReadFile(web.CAFile(filepath.Join(dir, "tls")))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	line := &remotetest.Line{Address: strings.TrimPrefix(s.AgentsAddress(), "https://"), TLS: &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}}
	defer line.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a := remotetest.New(remotetest.Options{Post: line.Post, Secret: secret, Identifier: secret, Sleep: func(context.Context, time.Duration) error {
		cancel() // once is enough
		return context.Canceled
	}})
	return a.Enroll(ctx) == nil
}

func TestServerTakesNewSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opt := serverIn(t, dir)
	warned := &warnings{}
	opt.Log = slog.New(slog.NewTextHandler(warned, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, stop := runServer(t, opt)
	if !enrols(t, s, dir, "the first secret") || enrols(t, s, dir, "the second secret") {
		t.Error("the first secret, and it alone, is good")
	}
	put(t, filepath.Join(dir, "secret"), " \n")
	if err := s.Reload(); err == nil || !enrols(t, s, dir, "the first secret") {
		t.Errorf("an empty file: %v", err)
	}
	if got := warned.String(); strings.Contains(got, "short enough") { // what could not be read is not short
		t.Errorf("a warning of no use: %s", got)
	}
	put(t, filepath.Join(dir, "secret"), "the second secret\n")
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if enrols(t, s, dir, "the first secret") || !enrols(t, s, dir, "the second secret") {
		t.Error("the second secret, and it alone, is good")
	}
	if _, err := app.NewServer(t.Context(), opt); !errors.Is(err, results.ErrHeld) || !strings.Contains(err.Error(), s.Address()) {
		t.Errorf("a second server: %v", err)
	}
	stop()
	next, stop := runServer(t, opt)
	if !enrols(t, next, dir, "the second secret") {
		t.Error("the next server takes nobody")
	}
	stop()
}

// A server that can not begin leaves nothing that keeps the next one away.
func TestServerThatCanNotBegin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, spoil := range map[string]func(*app.ServerOptions){
		"an address of another machine": func(o *app.ServerOptions) { o.Listen = "192.0.2.1:0" },
		"no secret":                     func(o *app.ServerOptions) { o.EnrollSecrets = nil },
		"no certificate":                func(o *app.ServerOptions) { o.SelfSigned, o.Cert, o.Key = "", "none.pem", "none.key" },
		"no CA of clients":              func(o *app.ServerOptions) { o.ClientCA = "none.pem" },
		"two of one name":               func(o *app.ServerOptions) { o.EnrollSecrets = append(o.EnrollSecrets, o.EnrollSecrets[0]) },
		"no database":                   func(o *app.ServerOptions) { o.DB = dir },
	} {
		opt := serverIn(t, dir)
		spoil(&opt)
		if _, err := app.NewServer(t.Context(), opt); err == nil {
			t.Errorf("%s: it begins", name)
		}
		if held, err := results.IsHeld(serverIn(t, dir).DB); err != nil || held {
			t.Errorf("%s: the database is held, %v", name, err)
		}
	}
	_, stop := runServer(t, serverIn(t, dir))
	stop()
}

// A run is asked for in one piece, and only where a server lives.
func TestRequester(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opt := serverIn(t, dir)
	s, stop := runServer(t, opt)
	store, err := results.Open(t.Context(), opt.DB, results.Options{NoMigrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r, err := app.NewRequester(store, opt.DB, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Live(t.Context()); err != nil {
		t.Error(err)
	}
	id, err := r.Request(t.Context(), campaign.Spec{Hunt: "sweep", Tools: []string{app.Fleet}, Fleets: []string{app.Fleet}, DoneWhen: campaign.DoneWhen{Verified: 1}})
	if err != nil {
		t.Fatal(err)
	}
	w, err := store.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for {
		run, err := store.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if run.State.Over() {
			break
		}
		if err := w.Wait(t.Context(), time.Millisecond, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	address := s.Address()
	stop()
	if err := r.Live(t.Context()); !errors.Is(err, app.ErrNoServer) || !strings.Contains(err.Error(), address) {
		t.Error(err)
	}
}
