package edr

import (
	"fmt"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// What is labelled tlp:red does not travel: an endpoint is asked for it without being told a digest, which costs more, so
// only the targets that need it are asked in that way. A tool that looks at this machine, or that searches what it stored,
// hands nothing to an endpoint.

// blindChunk is how many targets blind work carries: its texts hold their sizes alone.
const blindChunk = 50_000

// travels reports whether what a tool asks reaches endpoints in its words.
func (d Description) travels() bool { return d.Mode != ledger.Recorded && !d.Local }

func secret(t Target) bool { return t.File.TLP.Rank() >= indicator.TLPRed.Rank() }

// keepSecret takes out the targets that a tool may not tell its endpoints and can't ask for otherwise.
func (tp *ToolPlan) keepSecret() {
	if !tp.Tool.travels() || tp.Tool.Blind {
		return
	}
	var kept []Target
	for _, t := range tp.Targets {
		if !secret(t) {
			kept = append(kept, t)
			continue
		}
		tp.Unaskable = append(tp.Unaskable, Unaskable{
			Value: t.Ask.Value, Kind: t.Ask.Kind, Tool: tp.Tool.Name,
			Reason: fmt.Sprintf("it is tlp:red, which no endpoint may learn; %s can't ask without telling it", tp.Tool.Name),
		})
	}
	tp.Targets = kept
}

// parted gives the targets that may be told, and those that are asked for without that. blind: the endpoint is to learn
// nothing.
func (tp *ToolPlan) parted(blind bool) (open, hidden []Target) {
	switch {
	case !tp.Tool.travels():
		return tp.Targets, nil
	case blind:
		return nil, tp.Targets
	}
	for _, t := range tp.Targets {
		if secret(t) {
			hidden = append(hidden, t)
		} else {
			open = append(open, t)
		}
	}
	return open, hidden
}

// untold says why an endpoint that is to learn nothing can't be asked by a tool that tells what it asks; "" when it can.
func (d Description) untold(ep Endpoint) string {
	if ep.Blind == "" || !d.travels() || d.Blind {
		return ""
	}
	return fmt.Sprintf("it is not to learn what is hunted (%s), and %s can't ask without telling it", ep.Blind, d.Name)
}
