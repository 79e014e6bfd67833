package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/queue"
	"github.com/hunter-project/hunter/internal/results"
)

// carryRun is the job of a run that was requested: a server takes it, pivots and plans.
type carryRun struct {
	Run string `json:"run"`
}

// Kind names the job.
func (carryRun) Kind() string { return "carry_run" }

// plannedEvery is how often it is looked whether a run is planned.
const plannedEvery = 200 * time.Millisecond

// carryRun wakes the steward for a run, and is done when it is planned or over. So a server that dies before that leaves the job
// to the next one.
func (s *Server) carryRun(ctx context.Context, job carryRun) error {
	tick := time.NewTicker(plannedEvery)
	defer tick.Stop()
	s.steward.Wake()
	for {
		sum, err := s.app.Store.Run(ctx, job.Run)
		switch {
		case errors.Is(err, results.ErrNoRun):
			return queue.GiveUp(err)
		case err != nil:
			return err
		case sum.State != results.RunPlanned:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// forRun gives the campaign that knows the providers and tools of a run: those of the hunts files that it was requested with, or
// the server's own.
func (s *Server) forRun(ctx context.Context, spec campaign.Spec) (c *campaign.Campaign, release func() error, err error) {
	if len(spec.HuntsFiles) == 0 {
		return s.app.Campaign, func() error { return nil }, nil
	}
	set, faults, err := hunts.Load(spec.HuntsFiles, nil, Catalog())
	if err == nil && faults.HasErrors() {
		err = faults
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the hunts files that the run was requested with: %w", err)
	}
	opt := s.opt.Options
	opt.Set = set
	a, err := wire(ctx, opt, &App{Store: s.app.Store, borrowed: true})
	if err != nil {
		return nil, nil, err
	}
	return a.Campaign, a.Close, nil
}

// fleetNamed gives the server's agents as the tool of a name that a hunts file gave them.
func (s *Server) fleetNamed(name string) edr.Posted {
	return remote.NewTool(name, remote.ToolOptions{Nodes: s.app.Store, Interval: s.opt.Interval, Now: s.opt.Now})
}

// ErrNoServer says that no server works on a database.
var ErrNoServer = errors.New("no server is live on this results database")

// Requester asks the server on a database for runs. It makes and changes no table.
type Requester struct {
	Store *results.Store
	path  string
	queue *queue.Queue
	now   func() time.Time
}

// NewRequester asks on the store at path. Whoever gives the store closes it.
func NewRequester(store *results.Store, path string, now func() time.Time) (*Requester, error) {
	db, _ := store.DB()
	q, err := queue.Inserter(db)
	if err != nil {
		return nil, err
	}
	return &Requester{Store: store, path: path, queue: q, now: now}, nil
}

// Live says whether a server lives on the database: nil, or ErrNoServer with the one that was seen last.
func (r *Requester) Live(ctx context.Context) error {
	held, err := results.IsHeld(r.path)
	if err != nil || held {
		return err
	}
	last, there, err := r.Store.LastServer(ctx)
	switch {
	case err != nil:
		return err
	case !there:
		return fmt.Errorf("%w, and none ever was; start `hunter serve --db %s …`", ErrNoServer, r.path)
	}
	return fmt.Errorf("%w; the one last seen was %s; start `hunter serve --db %s …`", ErrNoServer, ServerText(last, r.now()), r.path)
}

// Request stores a run for the server, in one short transaction, and gives its id.
func (r *Requester) Request(ctx context.Context, spec campaign.Spec) (string, error) {
	id := uuid.Must(uuid.NewV7()).String()
	run, raw, err := campaign.Requested(spec, id, r.now())
	if err != nil {
		return "", err
	}
	err = r.Store.RequestRun(ctx, run, raw, func(ctx context.Context, tx *sql.Tx) error {
		return r.queue.InsertTx(ctx, tx, carryRun{Run: id}, true)
	})
	if err != nil {
		return "", err
	}
	return id, nil
}
