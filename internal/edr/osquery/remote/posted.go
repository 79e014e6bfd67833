package remote

import (
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/ledger"
)

var (
	_ edr.Uniform   = (*Tool)(nil)
	_ edr.Rechecker = (*Tool)(nil)
)

// Answer reads what an agent delivered.
func (t *Tool) Answer(q ledger.Query, d ledger.Delivery) ledger.Answer { return osquery.Answer(q, d) }

// Likeness is what the words for a node depend on: its platform and its sort of agent.
func (t *Tool) Likeness(ep edr.Endpoint) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return ep.Platform + " " + t.agent[ep.ID]
}

// Recheck words the second question about paths that had vanished.
func (t *Tool) Recheck(q ledger.Query, paths []string) (ledger.Query, bool) {
	return osquery.Recheck(q, paths)
}

const neverSeen = "not seen since it enrolled"

// asleep says since when a node has not come to ask, "" for one that is awake.
func asleep(n ledger.Node, now time.Time, interval time.Duration) string {
	if now.Sub(n.LastSeen) <= ledger.Silence(interval) {
		return ""
	}
	if n.LastSeen.IsZero() {
		return neverSeen
	}
	return "last seen " + n.LastSeen.UTC().Format(time.DateOnly)
}
