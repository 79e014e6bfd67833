package campaign

import (
	"context"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// LookStore is what a Looker needs of the results store.
type LookStore interface {
	DueLooks(ctx context.Context, at time.Time, limit int) ([]ledger.Node, error)
	LookSent(ctx context.Context, nodes []string, at time.Time) error
	TakeLook(ctx context.Context, node string, l ledger.Look, at time.Time) error
	// Send puts errands in the way of their nodes, Done stores that one was answered.
	Send(ctx context.Context, errands []results.Errand, at time.Time) (int, error)
	Done(ctx context.Context, node, name string, at time.Time) (first bool, err error)
}

// LookWords words what a node is asked about itself, and reads the answers. It does no input or output.
type LookWords interface {
	Queries(n ledger.Node) []ledger.Query
	Read(n ledger.Node, q ledger.Query, d ledger.Delivery) ledger.Look
}

// Looker asks nodes about themselves: when they have enrolled, and once a day. What they can and their labels are known before
// a hunt, which its plan then says. Its fields are set once.
type Looker struct {
	Store     LookStore
	Words     LookWords
	Now       func() time.Time
	NewID     func() string // UUIDv7
	PerMinute int           // nodes that are asked in a minute at most, so that hunts have the way for themselves
}

// Post sends what is due to at most PerMinute nodes; it is called once a minute. It gives how many nodes that were.
func (l *Looker) Post(ctx context.Context) (int, error) {
	now := l.Now()
	nodes, err := l.Store.DueLooks(ctx, now, l.PerMinute)
	if err != nil || len(nodes) == 0 {
		return 0, err
	}
	var errands []results.Errand
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = n.ID
		for _, q := range l.Words.Queries(n) {
			errands = append(errands, l.errand(n.ID, q))
		}
	}
	if _, err := l.Store.Send(ctx, errands, now); err != nil {
		return 0, err
	}
	return len(nodes), l.Store.LookSent(ctx, ids, now)
}

func (l *Looker) errand(node string, q ledger.Query) results.Errand {
	return results.Errand{Node: node, Name: "hunter-node-look-" + l.NewID(), Query: q}
}

// Take stores the answer to an errand: it is ReceiverOptions.Own. nil means that all is stored for good. An answer that comes
// again is read again, which changes nothing.
func (l *Looker) Take(ctx context.Context, n ledger.Node, p results.PostedQuery, d ledger.Delivery) error {
	look := l.Words.Read(n, p.Query, d)
	if why := doubt(n, d.Rows); why != "" { // either of two machines may say this: neither is believed
		look = ledger.Look{Note: "not taken: " + why}
	}
	if err := l.Store.TakeLook(ctx, n.ID, look, d.ReceivedAt); err != nil {
		return err
	}
	if len(look.Again) > 0 && p.AnsweredAt.IsZero() {
		var again []results.Errand
		for _, q := range look.Again {
			again = append(again, l.errand(n.ID, q))
		}
		if _, err := l.Store.Send(ctx, again, d.ReceivedAt); err != nil {
			return err
		}
	}
	_, err := l.Store.Done(ctx, n.ID, d.Name, d.ReceivedAt) // last: until then it is asked for again
	return err
}
