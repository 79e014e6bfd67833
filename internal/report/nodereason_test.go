package report

import (
	"testing"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// What a run said of a node already is not said twice.
func TestNodeReason(t *testing.T) {
	t.Parallel()
	node := func(cannot, twin string, approved bool) results.NodeRow {
		return results.NodeRow{Node: ledger.Node{Cannot: cannot, Twin: twin, Approved: approved}}
	}
	for _, c := range []struct {
		node         results.NodeRow
		reason, want string
	}{
		{node("", "two machines", true), "two machines", "two machines"},
		{node("", "two machines", true), "asleep", "two machines; asleep"},
		{node("too old", "", true), "too old", "can't be asked: too old"},
		{node("too old", "", false), "", "can't be asked: too old; not approved: asked without a digest"},
	} {
		if got := nodeReason(c.node, c.reason); got != c.want {
			t.Errorf("%q instead of %q", got, c.want)
		}
	}
}
