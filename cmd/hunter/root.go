package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
)

// streams are the three standard streams; results go to out alone.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// globals are the flags that every command takes.
type globals struct {
	streams
	db   string
	json bool
	csv  bool // of commands that list

	csvBegun bool // the header stands
	quiet    bool
	noColor  bool
	noCache  bool // of commands that ask endpoints
	gentle   *gentle.Limits
	meter    func(embedded.Work) // is told what is read on this machine
}

// exitError carries an exit code that is no failure of the command, such as 1 for hits.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// run executes one command line and gives its exit code.
func run(ctx context.Context, args []string, s streams) int {
	g := &globals{streams: s}
	root := newRoot(g)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	var exit exitError
	switch {
	case err == nil:
		return campaign.ExitProven
	case errors.As(err, &exit):
		return exit.code
	}
	if list, ok := errors.AsType[diag.List](err); ok {
		_ = diag.Render(s.err, list, g.colorOn(s.err)) // nowhere left to say it
		return campaign.ExitError
	}
	for _, line := range errorLines(err) {
		fmt.Fprintf(s.err, "hunter: %s\n", diag.Escape(line)) // nowhere left to say it
	}
	return campaign.ExitError
}

func newRoot(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:               "hunter",
		Short:             "Take one alert hash to every endpoint it touched, and prove what you say",
		SilenceUsage:      true,
		SilenceErrors:     true,
		Args:              takes(0, 0, ""),
		Version:           versionText(),
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd) },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagFault)
	root.SetHelpCommand(newHelpCommand())
	f := root.PersistentFlags()
	f.StringVar(&g.db, "db", "", "results database: a path (default hunter.db in the state folder)")
	f.BoolVar(&g.json, "json", false, "print JSON")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "no progress and no hints on stderr")
	f.BoolVar(&g.noColor, "no-color", false, "no colours (environment NO_COLOR)")
	root.AddCommand(
		newRunCommand(g), newSweepCommand(g), newPlanCommand(g), newPivotCommand(g), newIntelCommand(g), newLintCommand(g),
		newRunsCommand(g), newHitsCommand(g), newFindingsCommand(g), newHostsCommand(g), newWhyCommand(g), newSayCommand(g),
		newReportCommand(g), newServeCommand(g), newEnrollKitCommand(g), newVersionCommand(g), newDoctorCommand(g), newInitCommand(g), newManCommand(g), newAgentCommand(g),
	)
	g.complete(root)
	return root
}

// byHand is the annotation of flags that have no variable.
const byHand = "hunter_by_hand"

// fromEnvironment sets every flag that was not given from its variable: --max-size from HUNTER_MAX_SIZE.
func fromEnvironment(cmd *cobra.Command) error {
	var faults faultList
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "HUNTER_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, there := os.LookupEnv(name)
		if f.Changed || !there || value == "" || f.Name == "help" || f.Name == "version" || f.Annotations[byHand] != nil {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			faults.add("environment %s: %s", name, wrongValue(f, value))
		}
	})
	return faults.err()
}

// dbPath gives the database's path: flag, environment, or the state folder of the XDG base directories.
func (g *globals) dbPath() (string, error) {
	if kind, _, ok := strings.Cut(g.db, "://"); ok { // it may hold a password, so the rest is not told
		return "", fmt.Errorf("--db %s://…: this version keeps its results in SQLite alone; give a path", kind)
	}
	if g.db != "" {
		return g.db, nil
	}
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the state folder: %w; give --db PATH", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "hunter", "hunter.db"), nil
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (g *globals) colorOn(w io.Writer) bool {
	return !g.noColor && os.Getenv("NO_COLOR") == "" && isTerminal(w)
}

// hint tells a person something beside the results.
func (g *globals) hint(format string, args ...any) {
	if !g.quiet {
		fmt.Fprintf(g.err, format+"\n", args...) // a hint
	}
}
