package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
)

const (
	powerEvery = 30 * time.Second // between two looks at the battery while a query runs
	onBattery  = 5                // the limits are divided by it
)

// errOverdrawn ends a query that computes without a pause.
var errOverdrawn = errors.New("the query was ended: it used too much of the processor")

// pacer makes a query pause as its limits demand; on battery they are tighter.
type pacer struct {
	limits gentle.Limits
	slows  bool // on battery
	power  func() Power
	now    func() time.Time

	mu     sync.Mutex
	pace   *gentle.Pace
	slow   bool
	looked time.Time
}

func newPacer(c Config) *pacer {
	p := &pacer{limits: c.Limits, slows: c.OnBattery != Ignore, power: c.Power, now: c.Now}
	p.begin()
	return p
}

// begin looks at the battery anew and forgets what was used before.
func (p *pacer) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pace = nil
	p.look()
}

// look makes the pace for what the machine runs on. The caller holds the lock.
func (p *pacer) look() {
	p.looked = p.now()
	slow := p.slows && p.power() == Battery
	if p.pace != nil && slow == p.slow {
		return
	}
	p.slow = slow
	p.pace = gentle.New(p.share(), gentle.Options{})
}

// share is what may be used now. The caller holds the lock.
func (p *pacer) share() gentle.Limits {
	l := p.limits
	if p.slow {
		l.CPU, l.BytesPerSecond = l.CPU/onBattery, max(l.BytesPerSecond/onBattery, 1)
	}
	return l
}

// Wait pauses after n bytes were read.
func (p *pacer) Wait(ctx context.Context, n int) error {
	p.mu.Lock()
	if passed := p.now().Sub(p.looked); passed > powerEvery || passed < 0 {
		p.look()
	}
	pace := p.pace
	p.mu.Unlock()
	return pace.Wait(ctx, n)
}

// overdrawn reports whether more than so much processor time was used beyond the share, without a pause.
func (p *pacer) overdrawn(most time.Duration) bool {
	p.mu.Lock()
	pace := p.pace
	p.mu.Unlock()
	return pace.Overdrawn() > most
}

// watch ends a query that does not pause: SQLite computes without reading anything. It returns when ctx ends.
func (p *pacer) watch(ctx context.Context, most time.Duration, end context.CancelCauseFunc) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if p.overdrawn(most) {
				end(fmt.Errorf("%w: %s beyond its share of %.0f%%", errOverdrawn, most, p.limits.CPU*100))
				return
			}
		}
	}
}
