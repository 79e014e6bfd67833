package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
)

func newDoctorCommand(g *globals) *cobra.Command {
	var wait string
	cmd := &cobra.Command{
		Use:   "doctor [PATH...|-]",
		Short: "Check that the database, every provider and every tool would answer",
		Long: "Look at everything that a run hangs on, and ask no endpoint for any hash: is the database sound and writable, is each provider\n" +
			"and tool of the hunts files reachable, are its credentials taken, is its control found, do the clocks agree. Without a path it\n" +
			"reads what hunter run reads; without hunts files it looks at this machine and the local intelligence store. It exits 0 when all is\n" +
			"well, 3 when something is not, or could not be found out, and 2 when the hunts files are not valid.",
		RunE: func(cmd *cobra.Command, args []string) error { return g.doctor(cmd.Context(), args, wait) },
	}
	cmd.Flags().StringVar(&wait, "timeout", "1m", "how long each provider and tool may take")
	return cmd
}

func (g *globals) doctor(ctx context.Context, args []string, wait string) error {
	limit, err := hunts.ParseDuration(wait)
	if err != nil || limit <= 0 {
		return fmt.Errorf("--timeout %q is no length of time such as 30s", wait)
	}
	if len(args) == 0 {
		args = huntsHere()
	}
	if len(args) == 0 {
		g.hint("no hunts file is given or here: this machine and the local intelligence store are looked at")
	}
	set, err := g.toolsFrom(args)
	if err != nil {
		return err
	}
	path, err := g.dbPath()
	if err != nil {
		return err
	}
	found, err := app.Doctor(ctx, app.Options{DB: path, Set: set}, limit.Std())
	if err != nil {
		return err
	}
	if err := g.showFindings(found); err != nil {
		return err
	}
	if slices.ContainsFunc(found, func(f app.Finding) bool { return f.State != diag.CheckOK }) {
		return exitError{campaign.ExitUnproven}
	}
	return nil
}

func (g *globals) showFindings(found []app.Finding) error {
	if g.json {
		ok := !slices.ContainsFunc(found, func(f app.Finding) bool { return f.State != diag.CheckOK })
		return g.printJSON(struct {
			Schema string        `json:"schema"`
			OK     bool          `json:"ok"`
			Checks []app.Finding `json:"checks"`
		}{"hunter.doctor/1", ok, found})
	}
	var rows [][]string
	for _, f := range found {
		text := f.Detail
		if f.Next != "" {
			text += "; next: " + f.Next
		}
		of := f.Of
		if f.Of != "database" { // its path is in the text, it would make the column wide
			of += " " + diag.Escape(f.Name)
		}
		rows = append(rows, []string{strings.ToUpper(string(f.State)), of, f.What, diag.Escape(text)})
	}
	return g.table("STATE\tOF\tCHECK\tFOUND", rows)
}
