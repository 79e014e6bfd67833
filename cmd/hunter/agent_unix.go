//go:build !windows

package main

import (
	"context"
	"io"
	"runtime"
)

// agentState is where an agent keeps its state unless it is told.
func agentState() string {
	if runtime.GOOS == "darwin" {
		return "/Library/Application Support/hunter-agent"
	}
	return "/var/lib/hunter-agent"
}

// asService runs work; the system's service manager speaks to it by signals.
func asService(ctx context.Context, logs io.Writer, work func(ctx context.Context, logs io.Writer) error) error {
	return work(ctx, logs)
}
