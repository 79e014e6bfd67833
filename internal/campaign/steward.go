package campaign

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// Steward carries the runs of one server: it pivots and plans them, lets endpoints go, asks again what was lost, and ends them.
// What it decides is in the store before it has any effect, so that another server can go on at any moment.
type Steward struct {
	campaign Campaign // its store is the steward's
	store    FleetStore
	receiver *Receiver
	opt      StewardOptions
	wake     chan struct{}
	work     sync.WaitGroup // pivots, plans and questions to tools that are no fleet

	runs   map[string]*carried // owned by the goroutine of Run, as the next four
	fleets map[string]bool     // by name: tools whose endpoints come and ask
	lates  map[string]*lateRun // by id
	looked time.Time           // the last tick; zero: none, or the clock was not followed yet
	heard  time.Time           // since then agents could be heard without a break
}

// StewardOptions are how a steward works; every field but Own, For and Named must be set.
type StewardOptions struct {
	Server   string        // its id in the store
	Interval time.Duration // of the agents' polls
	Lease    time.Duration // how long a run stays with a server that has died
	Log      *slog.Logger
	// For gives the campaign that knows the providers and tools which a run was requested with, until it is released; nil is the
	// steward's own for all. Named gives a fleet of such a run by its name; see ReceiverOptions.
	For   func(ctx context.Context, spec Spec) (c *Campaign, release func() error, err error)
	Named func(name string) edr.Posted
	// Own takes what hunter asked agents for itself; see ReceiverOptions.
	Own func(ctx context.Context, n ledger.Node, p results.PostedQuery, d ledger.Delivery) error
}

// Bounds of a steward's work in one tick, so that none takes long.
const (
	latePerTick = 20 // runs that have finished and still ask late endpoints
	atOnce      = 32 // writes that share a commit
)

// NewSteward makes a steward of what a campaign knows. The campaign itself is not used any more by others.
func NewSteward(c *Campaign, store FleetStore, opt StewardOptions) *Steward {
	s := &Steward{campaign: *c, store: store, opt: opt, wake: make(chan struct{}, 1), runs: map[string]*carried{}, fleets: map[string]bool{}, lates: map[string]*lateRun{}}
	s.campaign.Store, s.campaign.Progress, s.campaign.Foretell = store, func(Event) {}, 0
	var posted []edr.Posted
	for _, t := range slices.Concat(c.Tools, c.ByName) {
		if p, ok := t.(edr.Posted); ok {
			posted = append(posted, p)
			s.fleets[p.Describe().Name] = true
		}
	}
	s.receiver = NewReceiver(store, ReceiverOptions{Tools: posted, Named: opt.Named, Own: opt.Own})
	return s
}

// Receiver takes in what agents deliver for the steward's runs.
func (s *Steward) Receiver() *Receiver { return s.receiver }

// Wake makes the steward look at once, such as for a new run.
func (s *Steward) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run carries runs until ctx ends: it looks at each tick and each Wake. It returns once all that it began has ended, and its
// runs are anybody's.
func (s *Steward) Run(ctx context.Context, ticks <-chan time.Time) {
	for {
		s.tick(ctx)
		select {
		case <-ctx.Done():
			s.leave(ctx)
			return
		case <-ticks:
		case <-s.wake:
		}
	}
}

// leave waits for what was begun, and lets the runs go.
func (s *Steward) leave(ctx context.Context) {
	s.work.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	for id := range s.runs {
		if err := s.store.ReleaseRun(ctx, id, s.opt.Server); err != nil {
			s.opt.Log.WarnContext(ctx, "a run stays with this server until its lease is over", slog.String("run", id), slog.Any("error", err))
		}
	}
}

// tick looks once at everything. A fault of one run is told and tried again at the next tick; it keeps no other back.
func (s *Steward) tick(ctx context.Context) {
	now := s.campaign.Now()
	told := func(run string, err error) {
		if err != nil && ctx.Err() == nil {
			s.opt.Log.ErrorContext(ctx, "carry a run", slog.String("run", run), slog.Any("error", err))
		}
	}
	told("", s.follow(ctx, now))
	told("", s.claim(ctx, now))
	for _, id := range slices.Sorted(maps.Keys(s.runs)) {
		told(id, s.step(ctx, s.runs[id]))
	}
	told("", s.late(ctx, now, told))
	told("", s.codes(ctx, told))
	expired, err := s.store.Expired(ctx, now)
	told("", err)
	for _, id := range expired {
		told(id, s.close(ctx, id, "its late endpoints are asked no more"))
	}
}

// claim takes the runs that nobody carries.
func (s *Steward) claim(ctx context.Context, now time.Time) error {
	ids, err := s.store.Claimable(ctx, now)
	if err != nil {
		return err
	}
	var faults []error
	for _, id := range ids {
		if s.runs[id] != nil { // its lease ran out: step sees whether it can be renewed
			continue
		}
		ok, err := s.store.ClaimRun(ctx, id, s.opt.Server, now.Add(s.opt.Lease))
		if err == nil && ok {
			err = s.adopt(ctx, id, now)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// adopt reads what a run is.
func (s *Steward) adopt(ctx context.Context, id string, now time.Time) error {
	sum, err := s.store.Run(ctx, id)
	if err != nil {
		return err
	}
	spec, err := Thaw(sum.Definition)
	if err != nil {
		return s.store.FinishRun(ctx, id, results.RunFailed, ExitError, err.Error())
	}
	s.know(spec)
	r := &carried{id: id, spec: spec, fleet: spec.Fleet.Settled(), started: sum.StartedAt, state: sum.State, renewed: now, canaryAt: now}
	r.pace.rate = r.fleet.Rate
	if r.aside, err = s.store.Asides(ctx, id); err != nil {
		return err
	}
	switch r.state { // a server may have died between two writes
	case results.RunRunning:
		err = s.store.Unpark(ctx, id, now)
	case results.RunPaused:
		_, err = s.store.Park(ctx, id)
	}
	if err != nil {
		return err
	}
	s.runs[id] = r
	return nil
}

// know takes up the fleets that a run names.
func (s *Steward) know(spec Spec) {
	for _, name := range spec.Fleets {
		s.fleets[name] = true
	}
}

// with hands a copy of the campaign of a run to work.
func (s *Steward) with(ctx context.Context, spec Spec, work func(c *Campaign) error) error {
	own := s.campaign
	if s.opt.For == nil {
		return work(&own)
	}
	c, release, err := s.opt.For(ctx, spec)
	if err != nil {
		return err
	}
	own = *c
	own.Store, own.Progress, own.Foretell = s.store, func(Event) {}, 0
	return errors.Join(work(&own), release())
}

// drop lets a run out of hand.
func (s *Steward) drop(r *carried) {
	if r.cancel != nil {
		r.cancel()
	}
	delete(s.runs, r.id)
}

// carried is a run in a steward's hands. Whatever it holds can be read from the store again.
type carried struct {
	id       string
	spec     Spec
	fleet    Fleet
	started  time.Time
	state    results.RunState
	renewed  time.Time
	planning chan planned       // nil: nothing is under way
	alert    *alertHost         // nil: no size is to be learned, or no more
	beside   chan error         // the tools that are no fleet; nil before they were begun
	besideAt time.Time          // before that they are not begun again
	besideOK bool               // they have nothing left
	cancel   context.CancelFunc // of planning and beside
	ready    bool               // waiting was read
	waiting  []results.Target   // awake, in the plan's order, and not let go
	canaryAt time.Time
	pace     pace
	seeds    []indicator.Indicator
	aside    []results.Aside
	checked  time.Time // when silent and returned were read
	silent   int
	mute     int
	returned []results.Target
}
