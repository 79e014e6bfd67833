package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/queue"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/secret"
	"github.com/hunter-project/hunter/internal/web"
)

// EnrollSecret is what an agent must know to enrol, by a name that may be told.
type EnrollSecret struct {
	Name string
	Ref  secret.Ref
}

// ServerOptions say what a server is made of. Of Cert with Key, and SelfSigned, one is due.
type ServerOptions struct {
	Options
	Version       string
	Listen        string
	ListenAgents  string // "" is Listen
	Cert, Key     string // files in PEM
	SelfSigned    string // folder of a local CA
	Names         []string
	ClientCA      string
	EnrollSecrets []EnrollSecret
	Connections   int // at once; 0 is web's default
	Log           *slog.Logger
	Reload        <-chan os.Signal // each has the server read certificates and secrets again; nil is none
}

// How a server shows that it lives, and how long its runs stay with it when it does not.
const (
	beatEvery   = 3 * time.Second
	runLease    = time.Minute
	tickEvery   = time.Second
	stopTime    = 20 * time.Second // for jobs to end by themselves
	storingTime = 10 * time.Second // for the last words
)

// Server is hunter as a server: agents enrol with it, and it carries runs on them.
type Server struct {
	opt     ServerOptions
	id      string
	hold    *results.Hold
	app     *App
	certs   *web.Certs
	web     *web.Server
	agents  *remote.Server
	queue   *queue.Queue
	steward *campaign.Steward
	looker  *campaign.Looker
	secrets atomic.Pointer[[]remote.Secret]
}

// NewServer takes the hold on the database, opens it, and listens. An error says what is wrong and leaves nothing behind; that
// another server holds the database is results.ErrHeld, and the error names that server.
func NewServer(ctx context.Context, opt ServerOptions) (_ *Server, err error) {
	opt.settle()
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{opt: opt, id: uuid.Must(uuid.NewV7()).String()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := s.readSecrets(); err != nil {
		return nil, err
	}
	if s.hold, err = results.HoldDatabase(ctx, opt.DB); err != nil {
		return nil, s.heldBy(ctx, err)
	}
	own := opt.Options
	own.holder = true
	if s.app, err = New(ctx, own); err != nil {
		return nil, err
	}
	if err := s.takeOver(ctx); err != nil {
		return nil, err
	}
	if err := s.bind(); err != nil {
		return nil, err
	}
	if err := s.listen(ctx); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	err = s.app.Store.RegisterServer(ctx, results.ServerInfo{
		ID: s.id, Host: host, PID: os.Getpid(), Address: s.Address(), Version: opt.Version, StartedAt: opt.Now(),
	})
	return s, err
}

// heldBy says which server holds the database.
func (s *Server) heldBy(ctx context.Context, cause error) error {
	if !errors.Is(cause, results.ErrHeld) {
		return cause
	}
	store, err := results.Open(ctx, s.opt.DB, results.Options{ReadOnly: true, Now: s.opt.Now})
	if err != nil {
		return cause
	}
	defer store.Close() // read-only
	if i, there, err := store.LastServer(ctx); err == nil && there {
		return fmt.Errorf("%w; it is %s", cause, ServerText(i, s.opt.Now()))
	}
	return cause
}

// ServerText names a server for people.
func ServerText(i results.ServerInfo, now time.Time) string {
	text := fmt.Sprintf("hunter %s on %s, process %d, at %s, started %s", i.Version, i.Host, i.PID, i.Address, i.StartedAt.UTC().Format(time.RFC3339))
	if !i.StoppedAt.IsZero() {
		return text + ", stopped " + i.StoppedAt.UTC().Format(time.RFC3339)
	}
	return text + fmt.Sprintf(", last seen %s (%s ago)", i.BeatAt.UTC().Format(time.RFC3339), max(now.Sub(i.BeatAt), 0).Round(time.Second))
}

// takeOver ends in the database what a server left that died: nobody else holds it, so its runs are anybody's.
func (s *Server) takeOver(ctx context.Context) error {
	last, there, err := s.app.Store.LastServer(ctx)
	if err != nil || !there || !last.StoppedAt.IsZero() {
		return err
	}
	return s.app.Store.StopServer(ctx, last.ID, last.BeatAt)
}

// bind makes the parts and binds them together.
func (s *Server) bind() error {
	store := s.app.Store
	labels, err := labelsOf(s.opt.Set)
	if err != nil {
		return err
	}
	s.looker = &campaign.Looker{
		Store: store, Words: osquery.Looks{Labels: labels}, Now: s.opt.Now, NewID: s.app.Campaign.NewID, PerMinute: looksAMinute,
	}
	s.steward = campaign.NewSteward(s.app.Campaign, store, campaign.StewardOptions{
		Server: s.id, Interval: s.opt.Interval, Lease: runLease, Log: s.opt.Log, For: s.forRun, Named: s.fleetNamed, Own: s.looker.Take,
	})
	s.agents, err = remote.New(remote.Options{
		Nodes: store, Outbox: store, Inbox: s.steward.Receiver(), Secrets: func() []remote.Secret { return *s.secrets.Load() },
		Approve:  func(ledger.Enrolment) bool { return s.opt.Approval.Auto },
		Interval: s.opt.Interval, Now: s.opt.Now, Log: s.opt.Log,
	})
	if err != nil {
		return err
	}
	workers := queue.NewWorkers()
	if err := queue.Handle(workers, s.carryRun); err != nil {
		return err
	}
	db, _ := store.DB()
	s.queue, err = queue.New(db, workers, queue.Options{Log: s.opt.Log})
	return err
}

func (s *Server) listen(ctx context.Context) (err error) {
	if s.opt.SelfSigned != "" {
		s.certs, err = web.SelfSigned(s.opt.SelfSigned, s.names(), s.opt.Now)
	} else {
		s.certs, err = web.FromFiles(s.opt.Cert, s.opt.Key, s.opt.Now)
	}
	if err != nil {
		return err
	}
	s.web, err = web.New(ctx, web.Options{
		Listen: s.opt.Listen, Agents: s.opt.ListenAgents, Certs: s.certs, ClientCA: s.opt.ClientCA, Osquery: s.agents,
		Ready: s.ready, Log: s.opt.Log, Limits: web.Limits{Connections: s.opt.Connections},
	})
	return err
}

// names are those that the certificate needs beside the machine's own: what was given, and the address that is listened on.
func (s *Server) names() []string {
	out := s.opt.Names
	for _, addr := range []string{s.opt.Listen, s.opt.ListenAgents} {
		host, _, err := net.SplitHostPort(addr)
		if ip := net.ParseIP(host); err == nil && host != "" && (ip == nil || !ip.IsUnspecified()) {
			out = append(slices.Clip(out), host)
		}
	}
	return out
}

// ready says whether the store can be read.
func (s *Server) ready(ctx context.Context) error {
	_, _, err := s.app.Store.LastServer(ctx)
	return err
}

// Address gives the server's address for people, as https://host:port with the real port.
func (s *Server) Address() string { return address(s.web.Address()) }

// AgentsAddress gives the server's address for agents.
func (s *Server) AgentsAddress() string { return address(s.web.AgentsAddress()) }

// address makes an address that can be used on this machine.
func address(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		addr = net.JoinHostPort("localhost", port)
	}
	return "https://" + addr
}

// Run serves until ctx ends, and then ends in order: agents are told to keep what they have, what they had sent is stored, jobs end
// or are left to the next server. ready is called once agents are answered.
func (s *Server) Run(ctx context.Context, ready func()) error {
	if err := s.queue.Start(ctx); err != nil {
		return errors.Join(err, s.close())
	}
	s.agents.Start()
	inner, stop := context.WithCancel(context.WithoutCancel(ctx)) // the parts behind the listeners end after them
	defer stop()
	var behind sync.WaitGroup
	behind.Go(func() { s.beat(inner) })
	behind.Go(func() { s.look(inner) })
	behind.Go(func() { s.reloading(inner) })
	behind.Go(func() {
		ticks := time.NewTicker(tickEvery)
		defer ticks.Stop()
		s.steward.Run(inner, ticks.C)
	})
	ready()
	s.opt.Log.LogAttrs(ctx, slog.LevelInfo, "serving", slog.String("address", s.Address()), slog.String("agents", s.AgentsAddress()), slog.String("server", s.id))
	err := s.web.Serve(ctx)
	s.opt.Log.LogAttrs(ctx, slog.LevelInfo, "stopping")
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	stop()
	err = errors.Join(err, s.queue.Stop(ending))
	behind.Wait()
	return errors.Join(err, s.end(context.WithoutCancel(ctx)))
}

// end stores the last words and closes everything.
func (s *Server) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storingTime)
	defer cancel()
	err := s.agents.Close(ctx)
	return errors.Join(err, s.app.Store.StopServer(ctx, s.id, s.opt.Now()), s.close())
}

func (s *Server) close() error {
	var errs []error
	if s.web != nil {
		_ = s.web.Close() // served, and closed by that, or never served
	}
	if s.app != nil {
		errs = append(errs, s.app.Close())
	}
	if s.hold != nil {
		errs = append(errs, s.hold.Close())
	}
	return errors.Join(errs...)
}

// beat shows in the database that the server lives.
func (s *Server) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.app.Store.BeatServer(ctx, s.id, s.opt.Now()); err != nil && ctx.Err() == nil {
			s.opt.Log.LogAttrs(ctx, slog.LevelError, "the server can not show that it lives", slog.String("error", err.Error()))
		}
	}
}

// reloading reads files again when it is told to. Faults are in the log.
func (s *Server) reloading(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.opt.Reload:
			_ = s.Reload() // logged
		}
	}
}

// Reload reads certificates and enroll secrets again. After an error those from before still hold.
func (s *Server) Reload() error {
	err := errors.Join(s.certs.Reload(), s.readSecrets())
	if err != nil {
		s.opt.Log.LogAttrs(context.Background(), slog.LevelError, "not reloaded", slog.String("error", err.Error()))
		return err
	}
	s.opt.Log.LogAttrs(context.Background(), slog.LevelInfo, "reloaded", slog.Time("certificate_ends", s.certs.Ends()))
	return nil
}

// goodSecret is how long a secret should be, in bytes: shorter ones can be guessed.
const goodSecret = 12

// readSecrets fetches the enroll secrets. Every fault is told at once, and no secret.
func (s *Server) readSecrets() error {
	var out []remote.Secret
	var faults []error
	names := map[string]bool{}
	for _, e := range s.opt.EnrollSecrets {
		v, err := e.Ref.For("enroll secret " + e.Name).Resolve()
		value := strings.TrimSpace(v.Reveal()) // as osquery reads its file
		switch {
		case err != nil:
			faults = append(faults, err)
		case value == "":
			faults = append(faults, fmt.Errorf("enroll secret %s: it is empty; `openssl rand -hex 32` makes a good one", e.Name))
		case names[e.Name]:
			faults = append(faults, fmt.Errorf("enroll secret %s: two have this name; write NAME=%s", e.Name, e.Ref))
		case len(value) < goodSecret:
			s.opt.Log.LogAttrs(context.Background(), slog.LevelWarn, "an enroll secret is short enough to be guessed; openssl rand -hex 32 makes a good one", slog.String("secret", e.Name))
		}
		names[e.Name] = true
		out = append(out, remote.Secret{Name: e.Name, Value: secret.New(value)})
	}
	if len(out) == 0 {
		faults = append(faults, errors.New("no enroll secret is given; agents need one to enrol"))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	s.secrets.Store(&out)
	return nil
}
