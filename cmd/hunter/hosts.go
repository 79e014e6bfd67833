package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// nodeFlags narrow the hosts to nodes: agents that enrolled.
type nodeFlags struct {
	filter       results.NodeFilter
	seen, unseen string
}

func (n *nodeFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&n.filter.Platforms, "platform", nil, "only this platform: linux, darwin, windows (repeatable)")
	f.StringArrayVar(&n.filter.Labels, "label", nil, "only agents with this label (repeatable: with any of them)")
	f.StringArrayVar(&n.filter.Versions, "version", nil, "only agents of this version, such as 5.23.0 or 5.23 (repeatable)")
	f.StringVar(&n.filter.Agent, "agent", "", "only this sort of agent: osquery, hunter")
	f.StringVar(&n.seen, "seen-since", "", "only agents heard of since: a length of time such as 7d, or a date")
	f.StringVar(&n.unseen, "unseen-since", "", "only agents not heard of since: a length of time such as 30d, or a date")
	f.BoolVar(&n.filter.CannotAlone, "cannot", false, "only agents that can't be asked: too old, no table, no digests")
	f.BoolVar(&n.filter.Unapproved, "unapproved", false, "only agents that are not approved, which are asked without being told a digest")
}

// settle reads the times, and refuses words that no node could have.
func (n *nodeFlags) settle() error {
	var errs []error
	var err error
	if n.filter.SeenSince, err = timeFlag("seen-since", n.seen); err != nil {
		errs = append(errs, err)
	}
	if n.filter.UnseenSince, err = timeFlag("unseen-since", n.unseen); err != nil {
		errs = append(errs, err)
	}
	for _, p := range n.filter.Platforms {
		errs = append(errs, known("platform", p, []string{"linux", "darwin", "windows"}))
	}
	return errors.Join(append(errs, known("agent", n.filter.Agent, []string{ledger.AgentOsquery, ledger.AgentHunter}))...)
}

func newHostsCommand(g *globals) *cobra.Command {
	var f results.Filter
	var since string
	var n nodeFlags
	cmd := readCommand(g, "hosts", "List endpoints and what is proven about them", takes(0, 0, ""), func(ctx context.Context, s *results.Store, _ []string) error {
		if err := errors.Join(known("state", f.State, ledger.States()), n.settle(), settle(ctx, s, &f, since)); err != nil {
			return err
		}
		hosts, err := s.HostsAndNodes(ctx, f, n.filter)
		if err != nil {
			return err
		}
		g.none(len(hosts), "endpoint matches")
		switch {
		case g.csv:
			return report.HostsCSV(g.out, hosts)
		case g.json:
			for _, h := range hosts {
				if err := g.printJSON(report.HostOf(h)); err != nil {
					return err
				}
			}
			return nil
		}
		head, rows := report.HostsTable(hosts)
		return g.table(strings.Join(head, "\t"), rows)
	})
	cmd.Long = "List each endpoint and tool with its standing in the newest run that has it, and the agents that enrolled with hunter serve,\n" +
		"also those that no run has asked yet."
	g.filterFlags(cmd, &f, &since, "run", "hunt", "host", "state", "since")
	n.add(cmd)
	cmd.AddCommand(newApproveCommand(g), newUnapproveCommand(g), newForgetCommand(g))
	return cmd
}

func newApproveCommand(g *globals) *cobra.Command {
	cmd := nodesCommand(g, "approve HOST...", "Let enrolled hosts be told the digests that are hunted", "approved", (*results.Store).Approve)
	cmd.Long = "HOST is an endpoint id, a host name or a host identifier. A host that is not approved is asked without being told a digest: what it\n" +
		"hashed comes back, and is compared here. Names are what a host says of itself: where it matters, approve by id."
	return cmd
}

func newUnapproveCommand(g *globals) *cobra.Command {
	return nodesCommand(g, "unapprove HOST...", "Take the approval of hosts back", "not approved", (*results.Store).Unapprove)
}

func newForgetCommand(g *globals) *cobra.Command {
	cmd := nodesCommand(g, "forget HOST...", "Remove hosts that are gone, with their keys and labels", "forgotten", (*results.Store).Forget)
	cmd.Long = "What runs recorded of a host stays. Its agent, where it still runs, has to enrol anew, and is another endpoint then."
	return cmd
}

// nodesCommand makes a command that changes nodes. It never changes the form of a database that a server may hold.
func nodesCommand(g *globals, use, short, done string, change func(*results.Store, context.Context, []string) ([]string, error)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: takes(1, many, "a host"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			path, err := g.dbPath()
			if err != nil {
				return err
			}
			s, err := results.Open(cmd.Context(), path, results.Options{NoMigrate: true})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			ids, err := change(s, cmd.Context(), args)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if g.json {
					err = errors.Join(err, g.printJSON(map[string]string{"schema": "hunter.node/1", "endpoint": id, "state": done}))
					continue
				}
				_, printed := fmt.Fprintf(g.out, "%s %s\n", id, done)
				err = errors.Join(err, printed)
			}
			return err
		},
	}
}
