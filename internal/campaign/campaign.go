package campaign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

// Store is what a campaign needs of the results store.
type Store interface {
	CreateRun(ctx context.Context, run results.Run) error
	SetRunState(ctx context.Context, run string, state results.RunState, detail string) error
	SaveRaw(ctx context.Context, raw results.Raw) error
	SavePivot(ctx context.Context, run string, p results.Pivoted) error
	SavePlan(ctx context.Context, run string, plan results.SavedPlan) error
	MarkAsked(ctx context.Context, run, endpoint, tool, query string) error
	RecordAnswer(ctx context.Context, a results.AnswerRecord) error
	RecordSearch(ctx context.Context, a results.SearchRecord) error
	SetCoverages(ctx context.Context, run string, standings []results.Standing) error
	FinishRun(ctx context.Context, run string, state results.RunState, exitCode int, reason string) error
	LatestProof(ctx context.Context, endpoint, tool, proof string, since, until time.Time) (*results.Proof, error)
	ReadSpeed(ctx context.Context, endpoint, tool string, gentle bool) (bytesPerSecond int64, err error)
	Run(ctx context.Context, run string) (results.RunSummary, error)
	Targets(ctx context.Context, run string) ([]results.Target, error)
	Queries(ctx context.Context, run string) ([]results.StoredQuery, error)
}

// Campaign runs hunts. Its fields are set once, before the first call.
type Campaign struct {
	Store     Store
	Providers []pivot.Provider
	Own       pivot.Provider // what hunter learned itself; asked beside the others, nil is none
	Tools     []edr.Tool
	ByName    []edr.Tool  // asked only when a run names them
	Progress  func(Event) // never nil after New; called from one goroutine
	Now       func() time.Time
	NewID     func() string // UUIDv7
	Foretell  time.Duration // how long a run may count beforehand what it will read; 0 counts nothing
	Cap       int64         // bytes a second that a gentle run reads at most; 0 is none
}

// Outcome is how a run ended, or where it stands when it was detached.
type Outcome struct {
	Run      string
	Summary  results.RunSummary
	ExitCode int
	Detached bool
}

// Run carries a new run through. When ctx ends, the run is detached: what was answered is recorded, the rest is listed
// as unasked, and Resume goes on under the same id.
func (c *Campaign) Run(ctx context.Context, spec Spec) (Outcome, error) {
	id, err := c.create(ctx, spec)
	if err != nil {
		return Outcome{Run: id, ExitCode: ExitError}, err
	}
	return c.carry(ctx, id, spec)
}

// Queue pivots and plans a new run, stores what it would ask, and leaves it detached: Resume asks.
func (c *Campaign) Queue(ctx context.Context, spec Spec) (Outcome, error) {
	id, err := c.create(ctx, spec)
	if err != nil {
		return Outcome{Run: id, ExitCode: ExitError}, err
	}
	if err := c.plan(ctx, id, spec); err != nil {
		return c.stop(ctx, id, err)
	}
	return c.detach(ctx, id)
}

// create stores a new run with the definition that it is frozen with.
func (c *Campaign) create(ctx context.Context, spec Spec) (id string, err error) {
	if _, err := c.tools(spec); err != nil { // a name that nobody has starts no run
		return "", err
	}
	if _, err := c.providers(spec); err != nil {
		return "", err
	}
	return c.store(ctx, spec, false)
}

// Request stores a new run for a server to carry, which knows the tools and providers; the store, the clock and the ids of c are
// all that is needed. The run is planned once a server takes it.
func (c *Campaign) Request(ctx context.Context, spec Spec) (id string, err error) {
	return c.store(ctx, spec, true)
}

func (c *Campaign) store(ctx context.Context, spec Spec, served bool) (id string, err error) {
	def, err := spec.freeze()
	if err != nil {
		return "", err
	}
	id = c.NewID()
	if err := c.Store.CreateRun(ctx, results.Run{
		ID: id, Hunt: spec.Hunt, Title: spec.Title, State: results.RunPlanned, StartedAt: c.Now(),
		TLP: spec.TLP, Case: spec.Case, DoneWhen: spec.DoneWhen.Verified, Definition: def, Served: served,
	}); err != nil {
		return "", err
	}
	if spec.Seed.Raw != nil {
		if err := c.Store.SaveRaw(ctx, results.Raw{Digest: spec.Seed.Raw.Digest, Body: spec.Seed.Raw.Body}); err != nil {
			_, err = c.fail(ctx, id, err)
			return id, err
		}
	}
	return id, nil
}

// Resume goes on with a run that was detached or whose process died. Nothing that was answered is asked again.
func (c *Campaign) Resume(ctx context.Context, run string) (Outcome, error) {
	sum, err := c.Store.Run(ctx, run)
	if err != nil {
		return Outcome{}, err
	}
	if sum.State == results.RunFinished {
		code := ExitProven
		if sum.ExitCode != nil {
			code = *sum.ExitCode
		}
		return Outcome{Run: sum.ID, Summary: sum, ExitCode: code}, nil
	}
	spec, err := Thaw(sum.Definition)
	if err != nil {
		return Outcome{}, err
	}
	queries, err := c.Store.Queries(ctx, sum.ID)
	if err != nil {
		return Outcome{}, err
	}
	targets, err := c.Store.Targets(ctx, sum.ID)
	if err != nil {
		return Outcome{}, err
	}
	if len(queries) == 0 && len(targets) == 0 { // it died before the plan was stored
		return c.carry(ctx, sum.ID, spec)
	}
	if err := c.Store.SetRunState(ctx, sum.ID, results.RunRunning, "resumed"); err != nil {
		return Outcome{}, err
	}
	return c.ask(ctx, sum.ID, spec)
}

// carry pivots, plans, asks and finishes.
func (c *Campaign) carry(ctx context.Context, id string, spec Spec) (Outcome, error) {
	if err := c.plan(ctx, id, spec); err != nil {
		return c.stop(ctx, id, err)
	}
	return c.ask(ctx, id, spec)
}

// plan pivots and plans, and stores both before anything is asked.
func (c *Campaign) plan(ctx context.Context, id string, spec Spec) error {
	prep, err := c.Prepare(ctx, spec)
	if err != nil {
		return err
	}
	if err := c.Store.SavePivot(ctx, id, prep.pivoted()); err != nil {
		return err
	}
	if err := c.Store.SavePlan(ctx, id, prep.saved()); err != nil {
		return err
	}
	if err := c.Store.SetRunState(ctx, id, results.RunRunning, "planned"); err != nil {
		return err
	}
	c.Progress(Event{Kind: EventPlanned, Run: id, Prepared: prep})
	if c.Foretell > 0 {
		counting, cancel := context.WithTimeout(ctx, c.Foretell)
		defer cancel()
		if f, ok := c.Estimate(counting, prep); ok {
			c.Progress(Event{Kind: EventEstimated, Run: id, Forecast: f})
		}
	}
	return nil
}

// stop ends a run before anything was asked: detached when the caller wanted it, failed otherwise.
func (c *Campaign) stop(ctx context.Context, id string, cause error) (Outcome, error) {
	if detached(ctx, cause) {
		return c.detach(ctx, id)
	}
	return c.fail(ctx, id, cause)
}

// detached tells an end that the caller wanted from a failure.
func detached(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// fail records that the run failed and why; the error goes on to the caller.
func (c *Campaign) fail(ctx context.Context, id string, cause error) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	err := c.Store.FinishRun(ctx, id, results.RunFailed, ExitError, cause.Error())
	return Outcome{Run: id, ExitCode: ExitError}, errors.Join(cause, err)
}

// detach records that the run waits to be resumed.
func (c *Campaign) detach(ctx context.Context, id string) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := c.Store.SetRunState(ctx, id, results.RunDetached, "interrupted"); err != nil {
		return Outcome{Run: id, ExitCode: ExitError}, err
	}
	sum, err := c.Store.Run(ctx, id)
	if err != nil {
		return Outcome{Run: id, ExitCode: ExitError}, err
	}
	code := ExitUnproven
	if sum.HitsTotal > 0 {
		code = ExitHits
	}
	return Outcome{Run: id, Summary: sum, ExitCode: code, Detached: true}, nil
}

// closing is how long the last words of an interrupted run may take.
const closing = 10 * time.Second

// loadNever reads the lists of known-good digests.
func loadNever(paths []string) (*pivot.NeverList, error) {
	merged := &pivot.NeverList{}
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			return nil, fmt.Errorf("open never list: %w", err)
		}
		list, errs := pivot.LoadNever(f, p)
		if err := errors.Join(append(errs, f.Close())...); err != nil {
			return nil, fmt.Errorf("read never list: %w", err)
		}
		merged.Merge(list)
	}
	return merged, nil
}
