package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// reading opens the store for reading and closes it after work.
func (g *globals) reading(ctx context.Context, work func(ctx context.Context, s *results.Store) error) (err error) {
	path, err := g.dbPath()
	if err != nil {
		return err
	}
	s, err := results.Open(ctx, path, results.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return work(ctx, s)
}

// printJSON writes v on one line.
func (g *globals) printJSON(v any) error { return report.WriteJSON(g.out, v) }

// readCommand makes a command that reads the store.
func readCommand(g *globals, use, short string, args cobra.PositionalArgs, work func(ctx context.Context, s *results.Store, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.reading(cmd.Context(), func(ctx context.Context, s *results.Store) error { return work(ctx, s, args) })
		},
	}
}

// filterFlags adds the flags that narrow a list.
func (g *globals) filterFlags(cmd *cobra.Command, f *results.Filter, since *string, names ...string) {
	for _, n := range names {
		switch n {
		case "run":
			cmd.Flags().StringVar(&f.Run, "run", "", "only this run: an id, a prefix of one, or last")
		case "hunt":
			cmd.Flags().StringVar(&f.Hunt, "hunt", "", "only this hunt")
		case "host":
			cmd.Flags().StringVar(&f.Host, "host", "", "only this host name or endpoint id")
		case "hash":
			cmd.Flags().StringVar(&f.Hash, "hash", "", "only this digest")
		case "state":
			cmd.Flags().StringVar(&f.State, "state", "", "only this state")
		case "since":
			cmd.Flags().StringVar(since, "since", "", "only what is newer: a length of time such as 7d, or a date")
		}
	}
	cmd.Flags().IntVar(&f.Limit, "limit", 0, "at most so many; 0 is all")
	cmd.Flags().BoolVar(&g.csv, "csv", false, "print CSV")
}
