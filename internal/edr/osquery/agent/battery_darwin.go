package agent

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

// power asks pmset(1): the framework behind it takes C.
func power() Power {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/pmset", "-g", "ps").Output()
	switch {
	case err != nil:
		return PowerUnknown
	case strings.Contains(string(out), "'Battery Power'"):
		return Battery
	case strings.Contains(string(out), "'AC Power'"), strings.Contains(string(out), "'UPS Power'"):
		return Mains
	}
	return PowerUnknown
}
