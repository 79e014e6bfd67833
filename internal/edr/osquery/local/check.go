package local

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/ledger"
)

var _ edr.Checker = (*Tool)(nil)

// Check puts the control alone: what a query of a hunt must always find.
func (t *Tool) Check(ctx context.Context) []diag.Check {
	q := ledger.Query{ID: "check", Engine: ledger.EngineEmbedded, Platform: runtime.GOOS, Text: osquery.ControlText(runtime.GOOS)}
	who, next := "the built-in engine", "this machine can not be looked at by the built-in engine; install osqueryd, or ask it with another tool"
	if t.opt.Dial != nil {
		q.Engine = ledger.EngineOsqueryd
		who, next = "osqueryd", "is osqueryd running, with its extensions not disabled? Run hunter with its rights, or say engine: embedded"
	}
	answer, err := t.Ask(ctx, edr.Endpoint{}, q)
	switch {
	case err != nil:
		return []diag.Check{diag.Unknown("reachable", err.Error(), next)}
	case answer.Failure != nil:
		return []diag.Check{diag.Fail("reachable", who+": "+answer.Failure.Message, next)}
	}
	out := []diag.Check{controlOf(who, answer.Rows)}
	if t.opt.Dial == nil {
		out = append(out, rights(os.Geteuid()))
	}
	return out
}

// controlOf looks for the control in an answer.
func controlOf(who string, rows []ledger.Row) diag.Check {
	what, version := osquery.ControlPath(runtime.GOOS), ""
	for _, r := range rows {
		switch r["kind"] {
		case "meta":
			version = " " + r["name"]
		case "control":
			if ledger.GoodControl(r) {
				return diag.OK("control", fmt.Sprintf("%s%s hashes %s", who, version, what))
			}
		}
	}
	return diag.Fail("control", fmt.Sprintf("%s%s answers, and gives no digest of %s", who, version, what), "look at that file, and at what keeps it from being read; every run would be unverified")
}

// rights says whether this process may look everywhere; osqueryd has rights of its own.
func rights(euid int) diag.Check {
	switch {
	case euid < 0: // Windows
		return diag.Unknown("rights", "whether this process may look everywhere is not known on "+runtime.GOOS, "run hunter as administrator")
	case euid > 0:
		return diag.Unknown("rights", "not root: other users' processes and private files can not be looked at", "run hunter as root")
	}
	return diag.OK("rights", "everything may be looked at")
}
