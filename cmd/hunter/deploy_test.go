package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"howett.net/plist"
)

// agentCommand gives the command that the files of deploy/ start.
func agentCommand(t *testing.T) *cobra.Command {
	t.Helper()
	cmd, _, err := newRoot(&globals{}).Find([]string{"agent"})
	if err != nil {
		t.Fatal(err)
	}
	return cmd
}

// The property list is one, and starts the agent with flags that there are.
func TestLaunchd(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/org.hunter-project.agent.plist")
	if err != nil {
		t.Fatal(err)
	}
	var job struct {
		Label     string
		Program   []string `plist:"ProgramArguments"`
		RunAtLoad bool
		KeepAlive bool
	}
	if _, err := plist.Unmarshal(text, &job); err != nil {
		t.Fatal(err)
	}
	if job.Label != "org.hunter-project.agent" || !job.RunAtLoad || !job.KeepAlive || len(job.Program) < 3 || job.Program[1] != "agent" {
		t.Errorf("%+v", job)
	}
	if err := agentCommand(t).ParseFlags(job.Program[2:]); err != nil {
		t.Error(err)
	}
}

// The unit is one as far as systemd is here to say so, and starts the agent with flags that there are.
func TestUnit(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/hunter-agent.service")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\nExecStart=")
	line, _, _ := strings.Cut(rest, "\n")
	words := strings.Fields(line)
	if !ok || len(words) < 3 || words[0] != "/usr/bin/hunter" || words[1] != "agent" {
		t.Fatalf("%q", line)
	}
	if err := agentCommand(t).ParseFlags(words[2:]); err != nil {
		t.Error(err)
	}
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here: the unit was not verified")
	}
	self, err := os.Executable() // any program does
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "hunter-agent.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(string(text), words[0], self, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), verify, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), "hunter-agent.service:") {
		t.Errorf("%v: %s", err, out)
	}
}
