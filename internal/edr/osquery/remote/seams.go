package remote

import (
	"context"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// Nodes is where enrolled agents are kept.
type Nodes interface {
	// Enroll gives the node that an agent is: an old one when its key has fallen silent, else a new one.
	Enroll(ctx context.Context, e ledger.Enrolment) (ledger.Node, error)
	// NodeByKey looks a node up; known is false for a key that nobody was given, or that was replaced.
	NodeByKey(ctx context.Context, key ledger.KeyHash) (n ledger.Node, known bool, err error)
	// Nodes lists all.
	Nodes(ctx context.Context) ([]ledger.Node, error)
	// Seen stores when nodes, by id, last polled or wrote.
	Seen(ctx context.Context, seen map[string]time.Time) error
}

// Outbox is where due queries wait for their nodes.
type Outbox interface {
	// Poll gives what is due; a hand-out is stored before it returns.
	Poll(ctx context.Context, key ledger.KeyHash, at time.Time) (p ledger.Polled, known bool, err error)
	// Refused notes that a write of a node was not taken, so that it keeps its results.
	Refused(ctx context.Context, node string, at time.Time) error
}

// Inbox is where answers go.
type Inbox interface {
	// Deliver stores answers; nil means that all are stored for good. The same answers may come more than once.
	Deliver(ctx context.Context, n ledger.Node, got []ledger.Delivery) error
}
