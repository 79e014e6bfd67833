package campaign

import (
	"context"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
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
	// Foreign counts and reports answers that the node was never asked for.
	Foreign(ctx context.Context, node string, names []string, why string, at time.Time) error
}

// FleetStore is what a Steward needs of the results store.
type FleetStore interface {
	Store
	Inbox
	// ClaimRun makes a server the one that carries a run until a moment; false when it can't be.
	ClaimRun(ctx context.Context, run, server string, until time.Time) (bool, error)
	// RenewRun prolongs that; false when another has the run by now.
	RenewRun(ctx context.Context, run, server string, until time.Time) (bool, error)
	// ReleaseRun lets a run go.
	ReleaseRun(ctx context.Context, run, server string) error
	// Claimable gives the runs for servers that are not over and that none carries.
	Claimable(ctx context.Context, now time.Time) ([]string, error)
	// Late gives the runs that have finished and still ask endpoints that were asleep.
	Late(ctx context.Context, now time.Time) ([]string, error)
	// Expired gives the runs that are over and whose targets are still open.
	Expired(ctx context.Context, now time.Time) ([]string, error)
	// Wish gives what a person wants of a run.
	Wish(ctx context.Context, run string) (string, error)
	// Obeyed takes a wish back, unless there is another one by now.
	Obeyed(ctx context.Context, run, wish string) error
	// SetWish stores it; "" takes it back, whatever it is.
	SetWish(ctx context.Context, run, wish string) error

	// FleetCounts says where a run stands.
	FleetCounts(ctx context.Context, run string) (results.FleetCounts, error)
	// Unreleased gives the targets that were not let go, in the plan's order, those that sleep last; 0 is all.
	Unreleased(ctx context.Context, run string, limit int) ([]results.Target, error)
	// SetBack brings what is stored as of the future, since the clock was set back, to a moment.
	SetBack(ctx context.Context, now time.Time) error
	// Returned gives the targets that slept and whose node has polled since the run began.
	Returned(ctx context.Context, run string) ([]results.Target, error)
	// Unsettled gives the targets that were let go and have something left to answer.
	Unsettled(ctx context.Context, run string) ([]results.Unsettled, error)
	// Doze brings in line which of those let go before a moment are asleep.
	Doze(ctx context.Context, run string, before time.Time) (int, error)
	// Release lets endpoints go.
	Release(ctx context.Context, run, tool string, endpoints []string, wave int, at time.Time) (int, error)
	// Open gives the posts that are lost, held, or were handed out before a moment.
	Open(ctx context.Context, run string, handedBefore time.Time) ([]results.OpenPost, error)
	// Repost puts a new attempt in place of a post.
	Repost(ctx context.Context, node, name string, next results.Post) error
	// Park takes the posts of a paused run out of the outbox, Unpark puts them back, Drop ends its asking for good.
	Park(ctx context.Context, run string) (int, error)
	Unpark(ctx context.Context, run string, at time.Time) error
	Drop(ctx context.Context, run string) (int, error)
	// Replan stores other questions for targets that were not let go.
	Replan(ctx context.Context, run string, targets []results.Target, queries []results.StoredQuery, why string) (int, error)
	// SetLate stores until when endpoints are asked.
	SetLate(ctx context.Context, run string, until time.Time) error
	// SetExitCode stores another exit code of a run that is over.
	SetExitCode(ctx context.Context, run string, code int, reason string) error
	// Unjudged gives runs that got answers after their end which their exit codes do not know of, Judged stores that one does now.
	Unjudged(ctx context.Context, limit int) ([]results.Unjudged, error)
	Judged(ctx context.Context, u results.Unjudged) error
	// Files gives the file objects that a run knows of.
	Files(ctx context.Context, run string) ([]indicator.File, error)
	// SetAside stores which hashes are set aside for a person, Asides gives them.
	SetAside(ctx context.Context, run string, list []results.Aside) error
	Asides(ctx context.Context, run string) ([]results.Aside, error)
	// AppendEvent adds to the ledger of a run.
	AppendEvent(ctx context.Context, e results.Event) (int64, error)
}
