//go:build !windows

package main

import "runtime"

// agentState is where an agent keeps its state unless it is told.
func agentState() string {
	if runtime.GOOS == "darwin" {
		return "/Library/Application Support/hunter-agent"
	}
	return "/var/lib/hunter-agent"
}
