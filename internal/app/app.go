// Package app is the wiring: it knows every concrete provider and tool, and binds the rooms together. Nothing else.
package app

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/files"
	"github.com/hunter-project/hunter/internal/pivot/own"
	"github.com/hunter-project/hunter/internal/results"
)

// Options say what an App is made of.
type Options struct {
	DB       string     // path of the results database
	Set      *hunts.Set // nil: no hunts file; this machine and the local intelligence store
	Progress func(campaign.Event)
	Now      func() time.Time // nil is time.Now
	Approval results.Approval // which agents may be sent hashes for their labels
	Interval time.Duration    // of agents' polls; 0 is remote.DefaultInterval
	NoCache  bool             // no digest is kept from one query to the next
	Gentle   *gentle.Limits   // of reading on this machine; nil: as fast as it goes
	Meter    func(embedded.Work)

	pace   embedded.Pace // made of Gentle
	holder bool          // the database is held by a server, which these are of
}

func (opt *Options) settle() {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Progress == nil {
		opt.Progress = func(campaign.Event) {}
	}
	if opt.Interval <= 0 {
		opt.Interval = remote.DefaultInterval
	}
}

// App is hunter, wired.
type App struct {
	Store    *results.Store
	Intel    *files.Store
	Campaign *campaign.Campaign
	tools    []edr.Tool
	closers  []io.Closer     // of providers
	borrowed bool            // the store is another's to close
	Imported []files.Summary // what the providers' paths brought
}

// New opens the store and makes the providers and tools. Providers with paths import them when they have changed.
func New(ctx context.Context, opt Options) (*App, error) {
	opt.settle()
	store, err := results.Open(ctx, opt.DB, results.Options{Now: opt.Now, Approval: opt.Approval, Holder: opt.holder})
	if err != nil {
		return nil, err
	}
	return wire(ctx, opt, &App{Store: store})
}

// wire makes the providers and tools of a set on a's store. What was made is closed after an error.
func wire(ctx context.Context, opt Options, a *App) (*App, error) {
	store := a.Store
	w, r := store.DB()
	a.Intel = files.NewStore(files.DB{W: w, R: r}, opt.Now)
	providers, err := a.providers(ctx, opt)
	tools, toolsErr := makeTools(ctx, opt, store)
	a.tools = tools
	if err := errors.Join(results.Explain(err), toolsErr); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.Campaign = &campaign.Campaign{
		Store: store, Providers: providers, Own: own.New(store, embedded.MachineID()), Tools: a.tools, ByName: byName(opt, store), Progress: opt.Progress, Now: opt.Now,
		Cap:   readCap(opt),
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
	}
	return a, nil
}

// readCap is how fast a gentle run reads at most.
func readCap(opt Options) int64 {
	if opt.Gentle == nil {
		return 0
	}
	return opt.Gentle.Settled().BytesPerSecond
}

// Close frees everything, the store last.
func (a *App) Close() error {
	var errs []error
	for _, t := range a.tools {
		errs = append(errs, t.Close())
	}
	for _, c := range a.closers {
		errs = append(errs, c.Close())
	}
	if a.Store != nil && !a.borrowed {
		errs = append(errs, a.Store.Close())
	}
	return errors.Join(errs...)
}

// Providers gives the wired providers.
func (a *App) Providers() []pivot.Provider { return a.Campaign.Providers }
