package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newManCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "man FOLDER",
		Short: "Write man pages, one for each command",
		Long: "Write hunter.1, hunter-run.1 and so on into a folder, which is made when it is not there. The month on the pages is that of\n" +
			"SOURCE_DATE_EPOCH, where it is set.",
		Args:              takes(1, 1, "a folder"),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("the folder for man pages: %w", err)
			}
			// A tree of its own: in the one that runs, the flags have the values of this command line.
			root := newRoot(&globals{streams: g.streams})
			root.InitDefaultCompletionCmd()
			root.DisableAutoGenTag = true // it would name the day
			header := &doc.GenManHeader{Section: "1", Source: "hunter " + versionNumber(), Manual: "hunter"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("write man pages: %w", err)
			}
			return nil
		},
	}
}
