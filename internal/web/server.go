// Package web is hunter's way in over HTTPS: listeners, their limits and their certificates. Whoever serves something gives it a
// handler; osquery's remote API is one. To an agent an empty body says that its results were taken, whatever the status, so this
// package never sends one.
package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what a server is made of.
type Options struct {
	Listen   string       // host:port of people and programs; port 0 takes a free one
	Agents   string       // host:port of agents; "" is Listen
	Certs    *Certs       // its certificate
	ClientCA string       // file of CAs: agents must show a certificate of one; "" asks for none
	Osquery  http.Handler // osquery's remote API, below both of its paths
	Ready    func(ctx context.Context) error
	Log      *slog.Logger
	Limits   Limits
}

// Limits bound what a stranger can hold. The zero value is the default of each.
type Limits struct {
	Connections int           // at once, over all listeners; more wait to be accepted. 0 is 50,000
	Header      time.Duration // to send the head of a request, TLS included; 0 is 10 s
	Request     time.Duration // to send all of a request; 0 is 60 s. osquery itself gives up after 16 s
	Response    time.Duration // to take the answer, from the request's head on; 0 is 90 s
	Idle        time.Duration // between two requests; 0 is 6 minutes, more than agents wait between two of theirs
	HeaderBytes int           // of a request's head; 0 is 16 KiB
	Grace       time.Duration // for requests that are being answered when the server stops; 0 is 15 s
}

func (l *Limits) settle() {
	for _, d := range []struct {
		of  *time.Duration
		def time.Duration
	}{
		{&l.Header, 10 * time.Second}, {&l.Request, time.Minute}, {&l.Response, 90 * time.Second}, {&l.Idle, 6 * time.Minute}, {&l.Grace, 15 * time.Second},
	} {
		if *d.of <= 0 {
			*d.of = d.def
		}
	}
	if l.Connections <= 0 {
		l.Connections = 50_000
	}
	if l.HeaderBytes <= 0 {
		l.HeaderBytes = 16 << 10
	}
}

// Server serves HTTPS on one or two listeners.
type Server struct {
	opt      Options
	clients  *x509.CertPool // nil: no client certificate is asked for
	ln       []net.Listener // people first, then agents when they have their own
	servers  []*http.Server
	draining atomic.Bool
}

// New reads what the options name and listens, so that the addresses are known; nothing is accepted before Serve.
func New(ctx context.Context, opt Options) (*Server, error) {
	opt.Limits.settle()
	s := &Server{opt: opt}
	if opt.ClientCA != "" {
		pool, err := readCAs(opt.ClientCA)
		if err != nil {
			return nil, err
		}
		s.clients = pool
	}
	slots := make(chan struct{}, opt.Limits.Connections)
	osquery := s.guarded(opt.Osquery)
	routes := []http.Handler{s.routes(osquery)}
	addresses := []string{opt.Listen}
	if opt.Agents != "" {
		routes = []http.Handler{s.routes(nil), s.routes(osquery)}
		addresses = append(addresses, opt.Agents)
	}
	for i, addr := range addresses {
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w; is another server there? give another address", addr, err), s.closeListeners())
		}
		s.ln = append(s.ln, tls.NewListener(limited{Listener: ln, slots: slots}, s.tls()))
		s.servers = append(s.servers, s.server(routes[i]))
	}
	return s, nil
}

func readCAs(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the CAs of client certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return pool, nil
}

// tls gives what osquery's agents want: TLS 1.2 or newer, authenticated ciphers with forward secrecy. A client certificate that is
// shown must be good; whether one is due is said by guarded, since people share the listener.
func (s *Server) tls() *tls.Config {
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		GetCertificate: s.opt.Certs.get,
		NextProtos:     []string{"http/1.1"},
	}
	if s.clients != nil {
		cfg.ClientCAs, cfg.ClientAuth = s.clients, tls.VerifyClientCertIfGiven
	}
	return cfg
}

func (s *Server) server(h http.Handler) *http.Server {
	l := s.opt.Limits
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: h, Protocols: protocols, ReadHeaderTimeout: l.Header, ReadTimeout: l.Request, WriteTimeout: l.Response, IdleTimeout: l.Idle,
		MaxHeaderBytes: l.HeaderBytes, DisableGeneralOptionsHandler: true, // it would answer with an empty body
		ErrorLog: faultLog(s.opt.Log),
	}
}

// Address gives host:port of people's listener, with the real port.
func (s *Server) Address() string { return s.ln[0].Addr().String() }

// AgentsAddress gives host:port of agents' listener, with the real port.
func (s *Server) AgentsAddress() string { return s.ln[len(s.ln)-1].Addr().String() }

// Serve serves until ctx ends. Then new requests are refused in words that make agents keep what they have, those at work are
// waited for as long as Limits.Grace says, and all connections are closed. An error is a listener that failed.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(s.servers)+1)
	var wg sync.WaitGroup
	for i, srv := range s.servers {
		wg.Go(func() {
			defer cancel() // one that fails ends the others
			if err := srv.Serve(s.ln[i]); !errors.Is(err, http.ErrServerClosed) {
				errs[i] = fmt.Errorf("serve on %s: %w", s.ln[i].Addr(), err)
			}
		})
	}
	wg.Go(func() { s.opt.Certs.renew(ctx, s.opt.Log) })
	<-ctx.Done()
	errs[len(s.servers)] = s.stop(context.WithoutCancel(ctx))
	wg.Wait()
	return errors.Join(errs...)
}

func (s *Server) stop(ctx context.Context) error {
	s.draining.Store(true)
	ctx, cancel := context.WithTimeout(ctx, s.opt.Limits.Grace)
	defer cancel()
	errs := make([]error, len(s.servers))
	var wg sync.WaitGroup
	for i, srv := range s.servers {
		wg.Go(func() {
			if err := srv.Shutdown(ctx); err != nil { // those who take too long are cut off
				errs[i] = srv.Close()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Close closes the listeners of a server that never served.
func (s *Server) Close() error { return s.closeListeners() }

func (s *Server) closeListeners() error {
	var errs []error
	for _, ln := range s.ln {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}
