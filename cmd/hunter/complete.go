package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/agent"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

// completer offers a shell what may come next. What goes wrong offers nothing.
type completer = cobra.CompletionFunc

// maxOffered bounds what a shell is offered of a store.
const maxOffered = 50

// complete gives every flag and argument of a tree of commands what a shell may offer for it.
func (g *globals) complete(root *cobra.Command) {
	flags := g.flagCompleters()
	own := map[string]completer{ // of one command, where the same flag means another thing
		"report format": words(reportFormats()...), "fetch format": words(pivot.Formats()...),
		"run hunt": g.huntsOfFiles, "plan hunt": g.huntsOfFiles, "runs state": words(runStates()...), "hosts state": words(stateWords()...),
		"init report": nil, "init path": folders, "hosts agent": words(ledger.AgentOsquery, ledger.AgentHunter),
		"agent state": folders, "agent ca": certificates,
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		switch _, arg, _ := strings.Cut(c.Use, " "); {
		case arg == "[RUN]", arg == "RUN":
			c.ValidArgsFunction = firstOnly(g.runs)
		case strings.HasPrefix(arg, "[PATH..."), arg == "[FILE]":
			c.ValidArgsFunction = huntsFiles
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			offer, special := own[c.Name()+" "+f.Name]
			if !special {
				offer = flags[f.Name]
			}
			if offer != nil {
				// It fails for a flag that is not there or has one already, and neither can be.
				_ = c.RegisterFlagCompletionFunc(f.Name, offer)
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// flagCompleters says by a flag's name what may be offered for it.
func (g *globals) flagCompleters() map[string]completer {
	return map[string]completer{
		"run": g.runs, "resume": g.runs, "hunt": g.huntsOfStore, "tool": g.tools, "provider": g.providers,
		"hunts": huntsFiles, "path": folders, "out": folders, "tls-self-signed": folders,
		"tls-cert": certificates, "tls-key": certificates, "client-ca": certificates, "ca": certificates,
		"where":      words(stageWords()...),
		"unsized":    words(string(edr.UnsizedPlaces), string(edr.UnsizedFull), string(edr.UnsizedSkip)),
		"platform":   words(string(hunts.Linux), string(hunts.Darwin), string(hunts.Windows)),
		"tlp":        words(tlpWords()...),
		"kind":       words(kindWords()...),
		"fail-on":    words("any", "hits", "coverage", "never"),
		"verdict":    words("new", "confirmed", "benign"),
		"on-battery": words(string(agent.Slow), string(agent.Wait), string(agent.Ignore)),
	}
}

// reportFormats are those of hunter report.
func reportFormats() []string { return []string{"text", "md", "html", "csv", "json"} }

func runStates() []string {
	return []string{"planned", "running", "paused", "stopped", "detached", "finished", "failed"}
}

func stageWords() []string { return texts(hunts.DefaultWhere()) }

func stateWords() []string { return texts(ledger.States()) }

func tlpWords() []string { return texts(indicator.TLPs()) }

func kindWords() []string { return texts(indicator.Kinds()) }

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// words offers a fixed list.
func words(list ...string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}

func huntsFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

func certificates(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"pem", "crt", "key"}, cobra.ShellCompDirectiveFilterFileExt
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// firstOnly offers nothing after the first argument.
func firstOnly(offer completer) completer {
	return func(cmd *cobra.Command, args []string, to string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(cmd, args, to)
	}
}

// recorded gives the newest runs of the store; none when it can not be read.
func (g *globals) recorded(cmd *cobra.Command) []results.RunSummary {
	if fromEnvironment(cmd) != nil {
		return nil
	}
	path, err := g.dbPath()
	if err != nil {
		return nil
	}
	s, err := results.Open(cmd.Context(), path, results.Options{ReadOnly: true})
	if err != nil {
		return nil
	}
	defer s.Close() // it was only read
	runs, err := s.Runs(cmd.Context(), results.Filter{Limit: maxOffered})
	if err != nil {
		return nil
	}
	return runs
}

// runs offers last and the ids of runs, each with its hunt, state and time.
func (g *globals) runs(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	out := []string{"last\tthe newest run"}
	for _, r := range g.recorded(cmd) {
		out = append(out, fmt.Sprintf("%s\t%s %s %s", r.ID, diag.Escape(r.Hunt), r.State, shortTime(r.StartedAt)))
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// huntsOfStore offers the hunts that have run.
func (g *globals) huntsOfStore(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, r := range g.recorded(cmd) {
		if name := diag.Escape(r.Hunt); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// set reads the hunts files that a command line names or that its command reads unasked; nil when there are none, or they
// are not valid.
func (g *globals) set(cmd *cobra.Command, args []string) *hunts.Set {
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "-" }) // it would be waited for
	if f := cmd.Flags().Lookup("hunts"); f != nil && (cmd.Name() != "plan" || isSweep(args)) {
		list, ok := f.Value.(pflag.SliceValue)
		if !ok || len(list.GetSlice()) == 0 {
			return nil
		}
		args = list.GetSlice()
	}
	if len(args) == 0 {
		args = huntsHere()
	}
	if len(args) == 0 {
		return nil
	}
	set, _, err := hunts.Load(args, nil, app.Catalog())
	if err != nil {
		return nil
	}
	return set
}

// huntsOfFiles offers the hunts of the files of a command line.
func (g *globals) huntsOfFiles(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	set := g.set(cmd, args)
	if set == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	out := make([]string, len(set.Hunts))
	for i, h := range set.Hunts {
		out[i] = h.Name + "\t" + diag.Escape(h.Title)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (g *globals) tools(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	out := app.Catalog().DefaultTools
	if set := g.set(cmd, args); set != nil && len(set.Tools) > 0 {
		out = nil
		for _, t := range set.Tools {
			out = append(out, t.Name+"\t"+t.Type)
		}
	}
	return append(out, app.Catalog().BuiltinTools...), cobra.ShellCompDirectiveNoFileComp
}

func (g *globals) providers(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	out := app.Catalog().DefaultProviders
	if set := g.set(cmd, args); set != nil && len(set.Providers) > 0 {
		out = nil
		for _, p := range set.Providers {
			out = append(out, p.Name+"\t"+p.Type)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
