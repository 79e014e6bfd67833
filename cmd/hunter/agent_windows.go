package main

import (
	"os"
	"path/filepath"
)

// agentState is where an agent keeps its state unless it is told.
func agentState() string {
	data := os.Getenv("ProgramData")
	if data == "" {
		data = `C:\ProgramData`
	}
	return filepath.Join(data, "hunter-agent")
}
