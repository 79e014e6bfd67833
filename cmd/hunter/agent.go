package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/edr/osquery/agent"
	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
	"github.com/hunter-project/hunter/internal/secret"
)

// agentFlags are those of an endpoint without osquery.
type agentFlags struct {
	server, ca, secret, state  string
	interval, timeout, battery string
	memory                     string
	gentle                     gentleFlags
	once                       bool
}

func newAgentCommand(g *globals) *cobra.Command {
	f := &agentFlags{}
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Be an endpoint of a hunter server, on a machine without osquery",
		Long: "Enrol with hunter serve, poll it, and answer its queries by the built-in tables, read-only, at a low priority and within limits.\n" +
			"The server is verified against the certificates of --ca alone. An answer is kept in the state folder until the server has\n" +
			"acknowledged it. A query in which the agent dies is not run again for a day. Logs go to standard error, as JSON with --json.\n" +
			"SIGTERM and Ctrl-C end it in order; it then exits 0. It exits 2 when it can not start, or when --once had no luck.",
		Args: takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return g.agent(cmd.Context(), f) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.server, "server", "", "the server: HOST:PORT")
	fs.StringVar(&f.ca, "ca", "", "PEM file with the certificates that the server is verified against, as hunter enroll-kit writes it")
	fs.StringVar(&f.secret, "enroll-secret", "", "what a machine must know to enrol: env:NAME or file:/path")
	fs.StringVar(&f.state, "state", agentState(), "folder of this agent alone, for its node key and for answers that are not sent yet")
	fs.StringVar(&f.interval, "interval", "1m", "time between two polls where the server does not say")
	fs.StringVar(&f.timeout, "query-timeout", "1h", "how long one query may take")
	fs.StringVar(&f.gentle.cpu, "cpu-share", "", "most of one processor that a query uses, such as 25%, which is the default")
	fs.StringVar(&f.gentle.rate, "read-rate", "", "most bytes a second that a query reads, such as 50MiB, which is the default")
	fs.StringVar(&f.memory, "memory", "256MiB", "memory that the agent tries to keep within")
	fs.StringVar(&f.battery, "on-battery", string(agent.Slow), "what to do while the machine runs on its battery: slow, wait, ignore")
	fs.BoolVar(&f.once, "once", false, "enrol, poll once, answer what is due, and end")
	return cmd
}

// read makes the agent's configuration of the flags. Every fault is told at once.
func (f *agentFlags) read() (agent.Config, error) {
	c := agent.Config{Server: f.server, CA: f.ca, State: f.state, OnBattery: agent.On(f.battery), Version: versionNumber()}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for flag, value := range map[string]string{"server": f.server, "ca": f.ca, "enroll-secret": f.secret, "state": f.state} {
		if value == "" {
			fault("--%s is due; see hunter agent --help", flag)
		}
	}
	if f.secret != "" {
		var err error
		if c.Secret, err = secret.ParseRef(f.secret); err != nil {
			fault("--enroll-secret: %w", err)
		}
	}
	interval, err := hunts.ParseDuration(f.interval)
	if err != nil || interval <= 0 {
		fault("--interval %q: a length of time is due, such as 1m", f.interval)
	}
	timeout, err := hunts.ParseDuration(f.timeout)
	if err != nil || timeout <= 0 {
		fault("--query-timeout %q: a length of time is due, such as 1h", f.timeout)
	}
	if memory, err := hunts.ParseByteSize(f.memory); err != nil || memory < leastMemory {
		fault("--memory %q: a size of at least %d MiB is due, such as 256MiB", f.memory, leastMemory>>20)
	}
	switch c.OnBattery {
	case agent.Slow, agent.Wait, agent.Ignore:
	default:
		fault("--on-battery %q: slow, wait or ignore is due", f.battery)
	}
	if err := f.gentle.read(); err != nil {
		faults = append(faults, err)
	}
	c.Interval, c.QueryTimeout, c.Limits = interval.Std(), timeout.Std(), f.gentle.limits
	return c, errors.Join(faults...)
}

// leastMemory is what an agent can work in.
const leastMemory = 64 << 20

func (g *globals) agent(ctx context.Context, f *agentFlags) (err error) {
	c, err := f.read()
	if err != nil {
		return err
	}
	return agent.AsService(ctx, g.err, func(ctx context.Context, logs io.Writer) error { return g.beAgent(ctx, f, c, logs) })
}

// scratch has SQLite put what does not fit into memory into the state folder: a service may write nowhere else.
func scratch(state string) error {
	if os.Getenv("SQLITE_TMPDIR") != "" {
		return nil
	}
	dir, err := filepath.Abs(state)
	if err != nil {
		return fmt.Errorf("the state folder: %w", err)
	}
	return os.Setenv("SQLITE_TMPDIR", dir)
}

// beAgent runs the agent until ctx ends, or for one turn.
func (g *globals) beAgent(ctx context.Context, f *agentFlags, c agent.Config, logs io.Writer) (err error) {
	level := slog.LevelInfo
	if g.quiet {
		level = slog.LevelWarn
	}
	opt := &slog.HandlerOptions{Level: level}
	c.Log = slog.New(slog.NewTextHandler(logs, opt))
	if g.json {
		c.Log = slog.New(slog.NewJSONHandler(logs, opt))
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	memory, err := hunts.ParseByteSize(f.memory)
	if err != nil {
		return err
	}
	debug.SetMemoryLimit(int64(memory))
	c.MaxHeap = int64(memory) / 4
	if err := scratch(c.State); err != nil {
		return err
	}
	a, err := agent.New(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := gentle.Lower(); err != nil {
		c.Log.LogAttrs(ctx, slog.LevelWarn, "the priority could not be lowered; the limits hold all the same", slog.String("error", err.Error()))
	}
	c.Log.LogAttrs(ctx, slog.LevelInfo, "the agent begins", slog.String("version", c.Version), slog.String("server", c.Server), slog.String("state", c.State))
	if f.once {
		return a.Once(ctx)
	}
	return a.Run(ctx)
}
