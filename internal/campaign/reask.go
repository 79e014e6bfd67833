package campaign

import (
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// MaxAttempts is how often a fleet's endpoint is asked one query at most: as it is, once more as a probe, and in two lighter
// forms.
const MaxAttempts = 4

// firstLighter is the first attempt in other words: the probe before it must have the same.
const firstLighter = 3

// Reask is what becomes of a post that has no answer.
type Reask struct {
	Attempt int             // the next attempt; 0 is none
	Lighter bool            // in other words; else in the same
	GiveUp  *ledger.Failure // no attempt is left: what is recorded in place of an answer
}

// ReaskOf decides on a post that is lost, held or was handed out long ago. After silence the same text goes out once more as a
// probe: an agent whose worker died in it says that it refuses it. Then lighter forms. A node that has not polled since the
// hand-out is asked nothing, and nothing is given up for it: it may be at work still, and goes on when it is back. The zero
// value is to wait.
func ReaskOf(p results.OpenPost, now time.Time, timeout time.Duration) Reask {
	next := p.Attempt + 1
	if p.State == ledger.PostHeld || next > 2 {
		next = max(next, firstLighter)
	}
	switch {
	case p.State == ledger.PostHeld && next > MaxAttempts:
		return giveUp(ledger.Denylisted, "the agent refuses it in every form since its worker died in it")
	case p.State == ledger.PostLost && next > MaxAttempts:
		return giveUp(ledger.Timeout, "asked %d times; the agent came back each time without an answer", p.Attempt)
	case p.State == ledger.PostHeld, p.State == ledger.PostLost:
		return Reask{Attempt: next, Lighter: next >= firstLighter}
	case p.State == ledger.PostHanded && !p.Silent && !p.HandedAt.IsZero() && now.Sub(p.HandedAt) >= timeout:
		return giveUp(ledger.Timeout, "no answer within %s", timeout)
	}
	return Reask{}
}

func giveUp(state ledger.State, format string, args ...any) Reask {
	return Reask{GiveUp: &ledger.Failure{State: state, Message: fmt.Sprintf(format, args...)}}
}
