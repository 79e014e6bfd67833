package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// Agent is this machine as an endpoint of a hunter server.
type Agent struct {
	cfg    Config
	log    *slog.Logger
	client *client
	state  *state
	pace   *pacer
	self   identity // all but the key
	about  []byte   // of this machine, as an enrolment tells it

	engine    *embedded.Engine // one, for files up to engineMax
	engineMax int64

	keyed sync.Mutex // held while an enrolment is under way
	key   string     // "" until enrolled

	mu    sync.Mutex
	said  settings  // of the server's configuration
	hurry time.Time // until when to poll faster

	// Of the goroutine that polls alone.
	held    *answer        // which the disk did not take: it is sent first, and nothing is asked for before
	refused map[string]int // how often the server refused each file of the spool
	asked   bool           // for the configuration
	blind   bool           // it was said that the battery can not be told
	onHold  bool           // it was said that no query is asked for
}

// New opens the agent's state and its engine. It contacts nobody. Close gives both back.
func New(c Config) (*Agent, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c = c.settled()
	roots, err := pool(c.CA)
	if err != nil {
		return nil, err
	}
	st, err := openState(c.State)
	if err != nil {
		return nil, err
	}
	a := &Agent{cfg: c, log: c.Log, client: newClient(c.Server, c.Version, roots), state: st, pace: newPacer(c), refused: map[string]int{}}
	if err := a.prepare(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	if a.key == "" { // told now rather than in an hour's log
		if _, err := c.Secret.For("the enrol secret").Resolve(); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return a, nil
}

// prepare finds out who the agent is and what it runs on.
func (a *Agent) prepare() error {
	if err := a.identify(); err != nil {
		return err
	}
	if err := a.open(embedded.DefaultReadMax); err != nil {
		return err
	}
	var err error
	a.about, err = a.describe(context.Background())
	return err
}

// Close gives the state folder back. No other method may run.
func (a *Agent) Close() error {
	a.client.close()
	var err error
	if a.engine != nil {
		err = a.engine.Close()
	}
	return errors.Join(err, a.state.close())
}

// open sees to an engine that reads files up to most bytes.
func (a *Agent) open(most int64) error {
	if a.engine != nil && most <= a.engineMax {
		return nil
	}
	e, err := embedded.Open(embedded.Options{
		ReadMax: most, Version: a.cfg.Version, Instance: a.self.Instance, Now: a.cfg.Now, Pace: a.pace, FS: a.cfg.FS,
		MaxRows: a.cfg.MaxRows, MaxBytes: a.cfg.MaxAnswer, MaxKept: maxKept, MaxHeap: max(a.cfg.MaxHeap, 0),
		Fresh: controls(),
	})
	if err != nil {
		return err
	}
	old := a.engine
	a.engine, a.engineMax = e, most
	if old != nil {
		if err := old.Close(); err != nil {
			return fmt.Errorf("open an engine for bigger files: %w", err)
		}
	}
	return nil
}

// Run polls until ctx ends, and then ends in order: a query that runs is left, and asked again by the next Run.
func (a *Agent) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer stop()
	a.recover()
	if a.cfg.Sleep(ctx, a.spread(min(a.interval(), 10*time.Second), 0, 1)) != nil { // machines that start together do not come together
		return nil
	}
	others.Go(func() { a.keepConfigured(ctx) })
	for failures := 0; ctx.Err() == nil; {
		next, err := a.turn(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			failures++
			next = backoff(failures)
			a.log.LogAttrs(ctx, slog.LevelWarn, "no luck with the server", slog.String("error", a.redact(err)), slog.Int("failures", failures), slog.Duration("again_in", next))
		} else {
			failures = 0
		}
		if a.cfg.Sleep(ctx, a.spread(next, 0.9, 1.1)) != nil {
			break
		}
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "ended in order")
	return nil
}

// Once enrols where that is due, polls once, answers what it was given, and sends it.
func (a *Agent) Once(ctx context.Context) error {
	a.recover()
	if _, err := a.turn(ctx); err != nil {
		return errors.New(a.redact(err))
	}
	left, _, err := a.state.waiting()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case len(left) > 0 || a.held != nil:
		return errors.New("an answer was not taken by the server; it is kept and sent by the next run")
	}
	return nil
}

// backoff is how long to wait after so many failures in a row: 1, 4, 9 … seconds, up to ten minutes.
func backoff(failures int) time.Duration {
	n := min(failures, 25)
	return min(time.Duration(n*n)*time.Second, maxBackoff)
}

// spread gives a length of time between from and to times d.
func (a *Agent) spread(d time.Duration, from, to float64) time.Duration {
	return time.Duration(float64(d) * (from + (to-from)*a.cfg.Rand()))
}

// interval is the time between two polls.
func (a *Agent) interval() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.cfg.Interval
	if a.said.interval > 0 {
		d = a.said.interval
	}
	if a.cfg.Now().Before(a.hurry) {
		d = min(d, soon)
	}
	return d
}

// keepConfigured reads the server's configuration again from time to time, also while a query runs.
func (a *Agent) keepConfigured(ctx context.Context) {
	for {
		a.mu.Lock()
		d := a.said.refresh
		a.mu.Unlock()
		if d <= 0 {
			d = refreshEvery
		}
		if a.cfg.Sleep(ctx, a.spread(d, 0.9, 1.1)) != nil {
			return
		}
		if a.enrolled() { // whoever polls sees to that
			a.configure(ctx)
		}
	}
}

// configure reads the server's configuration. Without one the agent goes on as it is.
func (a *Agent) configure(ctx context.Context) {
	o, err := a.call(ctx, configPath, keyBody, askWithin, maxReply)
	var said settings
	if err == nil {
		said, err = parseConfig(o)
	}
	if err != nil {
		if ctx.Err() == nil {
			a.log.LogAttrs(ctx, slog.LevelWarn, "the configuration could not be read", slog.String("error", a.redact(err)))
		}
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.said != said {
		a.said = said
		a.log.LogAttrs(ctx, slog.LevelInfo, "configured", slog.Duration("interval", said.interval), slog.Duration("refresh", said.refresh))
	}
}

func keyBody(key string) []byte {
	return append(appendText([]byte(`{"node_key":`), key), '}')
}
