package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/secret"
)

// serveFlags are those of serve.
type serveFlags struct {
	hunts, secrets, names []string
	approve               []string
	listen, listenAgents  string
	cert, key, selfSigned string
	clientCA, interval    string
	connections           int
}

func newServeCommand(g *globals) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Be the server that agents enrol with and that carries runs on them",
		Long: "Listen for osquery's agents, and carry the runs that hunter sweep --tool fleet and hunter run request on the same\n" +
			"database. One line, ready https://ADDR:PORT, on standard error says that it accepts; the log follows there, in JSON.\n" +
			"SIGTERM and Ctrl-C end it in order: what agents have sent is stored, and runs go on at the next start.\n" +
			"SIGHUP has it read certificates and enroll secrets again.",
		Args: takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return g.serve(cmd.Context(), &f) },
	}
	fl := cmd.Flags()
	huntsFlag(cmd, &f.hunts)
	fl.StringVar(&f.listen, "listen", ":8443", "address and port to listen on; port 0 takes a free one")
	fl.StringVar(&f.listenAgents, "listen-agents", "", "address and port for agents alone; without it they come to --listen")
	fl.StringVar(&f.cert, "tls-cert", "", "file with the server's certificate and its chain, in PEM")
	fl.StringVar(&f.key, "tls-key", "", "file with the key of --tls-cert, in PEM")
	fl.StringVar(&f.selfSigned, "tls-self-signed", "", "folder of a local CA, made when it is not there; agents are given its ca.pem")
	fl.StringArrayVar(&f.names, "tls-name", nil, "host name or address that the certificate of --tls-self-signed names, beside this machine's own (repeatable)")
	fl.StringVar(&f.clientCA, "client-ca", "", "file of CAs, in PEM; agents must show a certificate of one")
	fl.StringArrayVar(&f.secrets, "enroll-secret", nil, "what an agent must know to enrol: env:NAME or file:PATH, or NAME=env:… to call it something (repeatable)")
	fl.StringSliceVar(&f.approve, "enroll-approve", []string{"auto"}, "which agents may be sent hashes: auto (all that enrol), manual (hunter hosts approve), or label:NAME; others are asked without, and what they have is compared here")
	fl.StringVar(&f.interval, "distributed-interval", "60s", "how often agents ask for queries")
	fl.IntVar(&f.connections, "max-connections", 50_000, "most connections at once; more wait")
	return cmd
}

// options reads the flags. Every fault is told at once.
func (f *serveFlags) options() (app.ServerOptions, error) {
	opt := app.ServerOptions{
		Version: versionNumber(), Listen: f.listen, ListenAgents: f.listenAgents, Cert: f.cert, Key: f.key, SelfSigned: f.selfSigned, Names: f.names,
		ClientCA: f.clientCA, Connections: f.connections,
	}
	var faults []error
	approval, err := results.ParseApproval(f.approve)
	if err != nil {
		faults = append(faults, fmt.Errorf("--enroll-approve: %w", err))
	}
	opt.Approval = approval
	for _, l := range []struct{ flag, value string }{{"listen", f.listen}, {"listen-agents", f.listenAgents}} {
		if _, _, err := net.SplitHostPort(l.value); l.value != "" && err != nil {
			faults = append(faults, fmt.Errorf("--%s %q is not ADDR:PORT, such as 0.0.0.0:8443 or :8443", l.flag, l.value))
		}
	}
	switch {
	case f.selfSigned != "" && f.cert+f.key != "":
		faults = append(faults, errors.New("--tls-self-signed and --tls-cert contradict each other; give one"))
	case f.selfSigned == "" && f.cert+f.key == "":
		faults = append(faults, errors.New("agents speak HTTPS alone: give --tls-cert and --tls-key, or --tls-self-signed DIR for a local CA"))
	case f.selfSigned == "" && (f.cert == "" || f.key == ""):
		faults = append(faults, errors.New("--tls-cert and --tls-key belong together; give both"))
	case f.selfSigned == "" && len(f.names) > 0:
		faults = append(faults, errors.New("--tls-name is for --tls-self-signed; a certificate of your own names what it names"))
	}
	d, err := hunts.ParseDuration(f.interval)
	if err != nil || d.Std() < time.Second || d.Std() > time.Hour {
		faults = append(faults, fmt.Errorf("--distributed-interval %q: from 1s to 1h", f.interval))
	} else {
		opt.Interval = d.Std()
	}
	if f.connections < 1 {
		faults = append(faults, fmt.Errorf("--max-connections %d: a number from 1 is due", f.connections))
	}
	if len(f.secrets) == 0 {
		faults = append(faults, errors.New("--enroll-secret env:NAME or file:PATH is due: without one no agent can enrol"))
	}
	for _, s := range f.secrets {
		e, err := enrollSecret(s)
		if err != nil {
			faults = append(faults, err)
		}
		opt.EnrollSecrets = append(opt.EnrollSecrets, e)
	}
	return opt, errors.Join(faults...)
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// enrollSecret reads [NAME=]env:VARIABLE or [NAME=]file:PATH. Its errors never repeat what may be a secret.
func enrollSecret(s string) (app.EnrollSecret, error) {
	name, rest, named := strings.Cut(s, "=")
	if !named || !secretName.MatchString(name) {
		name, rest, named = "", s, false
	}
	ref, err := secret.ParseRef(rest)
	if err != nil {
		return app.EnrollSecret{}, fmt.Errorf("--enroll-secret: %w", err)
	}
	if !named { // the variable, or the file
		_, name, _ = strings.Cut(ref.String(), ":")
		name = filepath.Base(name)
	}
	return app.EnrollSecret{Name: name, Ref: ref}, nil
}

func (g *globals) serve(ctx context.Context, f *serveFlags) error {
	opt, err := f.options()
	if err != nil {
		return err
	}
	if opt.DB, err = g.dbPath(); err != nil {
		return err
	}
	if opt.Set, err = g.toolsFrom(f.hunts); err != nil {
		return err
	}
	level := slog.LevelInfo
	if g.quiet {
		level = slog.LevelWarn
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	opt.Reload = hup
	opt.Log = slog.New(slog.NewJSONHandler(g.err, &slog.HandlerOptions{Level: level}))
	ctx, stop := interruptible(ctx)
	defer stop()
	s, err := app.NewServer(ctx, opt)
	if err != nil {
		return err
	}
	beside, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { keepGarbageSmall(beside) })
	defer wg.Wait()
	defer end()
	return s.Run(ctx, func() {
		line := "ready " + s.Address()
		if s.AgentsAddress() != s.Address() {
			line += " agents " + s.AgentsAddress()
		}
		fmt.Fprintln(g.err, line) // the contract's line
	})
}
