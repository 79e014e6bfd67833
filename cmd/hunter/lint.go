package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
)

func newLintCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "lint [PATH...|-]",
		Short: "Check hunts files and tell every fault at once",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, p := range defaultHunts() {
					if _, err := os.Stat(p); err == nil {
						args = []string{p}
						break
					}
				}
			}
			set, list, err := hunts.Load(args, g.in, app.Catalog())
			if err != nil {
				return err
			}
			if g.json {
				if err := g.printJSON(lintJSON{Schema: "hunter.lint/1", OK: !list.HasErrors(), Faults: orNone(list)}); err != nil {
					return err
				}
			} else if err := diag.Render(g.out, list, g.colorOn(g.out)); err != nil {
				return err
			}
			if list.HasErrors() {
				return exitError{campaign.ExitError}
			}
			if !g.json {
				g.hint("sound: %s, %s", count(len(set.Files), "file"), count(len(set.Hunts), "hunt"))
			}
			return nil
		},
	}
}

// lintJSON is what lint --json prints.
type lintJSON struct {
	Schema string    `json:"schema"`
	OK     bool      `json:"ok"`
	Faults diag.List `json:"faults"`
}

func orNone(l diag.List) diag.List {
	if l == nil {
		return diag.List{}
	}
	return l
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
