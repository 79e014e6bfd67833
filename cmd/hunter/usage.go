package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hunter-project/hunter/internal/diag"
)

// many is no upper limit of arguments.
const many = -1

// within names a command at the head of an error, which the word hunter precedes.
func within(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return ""
	}
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ") + ": "
}

// takes checks the number of arguments, and says what is due in words.
func takes(least, most int, due string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("%s%s is due; see %s --help", within(cmd), due, cmd.CommandPath())
		case most == 0 && len(args) > 0 && cmd.HasAvailableSubCommands():
			return unknownCommand(cmd, args[0])
		case most == 0 && len(args) > 0:
			return fmt.Errorf("%sno argument is due, and %q is given; see %s --help", within(cmd), args[0], cmd.CommandPath())
		case most != many && len(args) > most:
			return fmt.Errorf("%s%s alone is due, and %q is given beside it; see %s --help", within(cmd), due, args[most], cmd.CommandPath())
		}
		return nil
	}
}

// unknownCommand says that there is no such command, and which one may be meant.
func unknownCommand(cmd *cobra.Command, word string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if near := diag.Nearest(word, names); near != "" {
		return fmt.Errorf("%sno command %q; did you mean %s %s?", within(cmd), word, cmd.CommandPath(), near)
	}
	return fmt.Errorf("%sno command %q; %s --help lists them", within(cmd), word, cmd.CommandPath())
}

// flagFault says what is wrong with a flag, and what would be right.
func flagFault(cmd *cobra.Command, err error) error {
	see := "; see " + cmd.CommandPath() + " --help"
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &unknown):
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := diag.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			return fmt.Errorf("%s%w; did you mean --%s?", within(cmd), err, near)
		}
	case errors.As(err, &invalid):
		return fmt.Errorf("%s%s%s", within(cmd), wrongValue(invalid.GetFlag(), invalid.GetValue()), see)
	}
	return fmt.Errorf("%s%w%s", within(cmd), err, see)
}

// wrongValue says which sort of value a flag takes.
func wrongValue(f *pflag.Flag, value string) string {
	due := "a " + f.Value.Type()
	switch f.Value.Type() {
	case "int":
		due = "a whole number"
	case "bool":
		due = "true or false"
	}
	return fmt.Sprintf("--%s %q: %s is due", f.Name, value, due)
}

// newHelpCommand is cobra's, with an error for a command that is not there.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil {
				return fmt.Errorf("hunter help %s: %w", strings.Join(args, " "), err)
			}
			if len(rest) > 0 && found.HasAvailableSubCommands() {
				return unknownCommand(found, rest[0])
			}
			return found.Help()
		},
	}
}
