package campaign

import (
	"context"
	"time"

	"github.com/hunter-project/hunter/internal/results"
)

// Inbox is what a Receiver needs of the results store.
type Inbox interface {
	// Posted gives what a node was handed under a name.
	Posted(ctx context.Context, node, name string) (results.PostedQuery, bool, error)
	// EndpointQueries gives all that a run asks one endpoint, each query with all verdicts so far.
	EndpointQueries(ctx context.Context, run, endpoint, tool string) ([]results.StoredQuery, error)
	// Answers gives the answers of an endpoint to a query, oldest first.
	Answers(ctx context.Context, run, endpoint, tool, query string) ([]results.StoredAnswer, error)
	// RecordDelivery stores an answer and what the node is asked next, in one transaction.
	RecordDelivery(ctx context.Context, d results.DeliveryRecord) (results.Recorded, error)
	// Foreign counts and reports an answer that the node was never asked for.
	Foreign(ctx context.Context, node, name, why string, at time.Time) error
}
