// Command fleet is a load generator: agents that poll and answer over kept TLS connections, against `hunter serve` and
// beside it against a bare TLS handler. It prints ratios; docs/benchmarks.md says which were seen where.
//
//	go run -tags sqlite_vtable ./bench/fleet idle -agents 2000 -hosts 100,1000,10000,100000
//	go run -tags sqlite_vtable ./bench/fleet campaign -agents 10000 -hashes 1000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say what to measure: idle or campaign")
	}
	switch name, rest := args[0], args[1:]; name {
	case "idle":
		return idle(ctx, rest)
	case "campaign":
		return campaign(ctx, rest)
	case bareChild:
		return bare(ctx, rest)
	default:
		return fmt.Errorf("%q is not idle or campaign", name)
	}
}

// flags reads the flags of one measurement.
func flags(name string, args []string, define func(*flag.FlagSet)) error {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	define(fs)
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("%s takes flags alone, not %q", name, fs.Arg(0))
	}
	return nil
}
