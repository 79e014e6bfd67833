// Package gentle keeps a search of this machine from being felt by those who work on it: it bounds how fast files are read
// and how much of a processor is used, and lowers the process's priority. It makes a search slower and changes no answer.
package gentle

import (
	"context"
	"math"
	"sync"
	"time"
)

// Limits bound a search.
type Limits struct {
	BytesPerSecond int64   // of files that are read
	CPU            float64 // share of one processor, over 0 and up to 1
}

// Defaults of a gentle search.
const (
	DefaultBytesPerSecond = 50 << 20
	DefaultCPU            = 0.25
)

// Settled gives the limits in effect.
func (l Limits) Settled() Limits {
	if l.BytesPerSecond <= 0 {
		l.BytesPerSecond = DefaultBytesPerSecond
	}
	if l.CPU <= 0 || l.CPU > 1 {
		l.CPU = DefaultCPU
	}
	return l
}

// What may be used at once before the first pause.
const (
	burstCPU   = 100 * time.Millisecond
	burstBytes = 1 << 20
)

// Options are seams for tests; zero fields take the machine's own.
type Options struct {
	Now   func() time.Time
	CPU   func() time.Duration                             // processor time that the process has used
	Sleep func(ctx context.Context, d time.Duration) error // ctx's end is its error
}

// Pace makes whoever works pause as long as the limits demand. It is safe for concurrent use; all work shares the limits.
type Pace struct {
	opt Options

	mu    sync.Mutex
	bytes allowance
	cpu   allowance
	used  time.Duration // processor time that was accounted for
}

// New makes a pace.
func New(l Limits, opt Options) *Pace {
	l = l.Settled()
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.CPU == nil {
		opt.CPU = cpuTime
	}
	if opt.Sleep == nil {
		opt.Sleep = sleep
	}
	now := opt.Now()
	return &Pace{
		opt: opt, used: opt.CPU(),
		bytes: allowance{rate: float64(l.BytesPerSecond), burst: min(burstBytes, float64(l.BytesPerSecond)), at: now},
		cpu:   allowance{rate: l.CPU, burst: burstCPU.Seconds(), at: now},
	}
}

// Wait accounts for n bytes that were read and for the processor time used since the last call, and pauses until both are
// within the limits. It is called between two small pieces of work. Its error is ctx's end.
func (p *Pace) Wait(ctx context.Context, n int) error {
	p.mu.Lock()
	now := p.opt.Now()
	used := p.opt.CPU()
	pause := max(p.bytes.take(now, float64(n)), p.cpu.take(now, max(used-p.used, 0).Seconds()))
	p.used = max(used, p.used)
	p.mu.Unlock()
	if pause <= 0 {
		return ctx.Err()
	}
	return p.opt.Sleep(ctx, pause)
}

// Overdrawn is the processor time that was used beyond the share, and that no pause has made up for yet: by work that does not
// call Wait.
func (p *Pace) Overdrawn() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	used := p.opt.CPU()
	p.cpu.take(p.opt.Now(), max(used-p.used, 0).Seconds())
	p.used = max(used, p.used)
	return time.Duration(max(p.cpu.spent-p.cpu.burst, 0) * float64(time.Second))
}

// allowance fills at a rate up to its burst. What is taken beyond it is a debt, which must be waited for.
type allowance struct {
	rate, burst float64
	spent       float64 // of the burst; over it is a debt
	at          time.Time
}

// take gives how long to wait after using n.
func (a *allowance) take(now time.Time, n float64) time.Duration {
	if passed := now.Sub(a.at).Seconds(); passed > 0 {
		a.spent = max(a.spent-passed*a.rate, 0)
		a.at = now
	}
	a.spent += n
	if a.spent <= a.burst {
		return 0
	}
	return time.Duration(math.Ceil((a.spent - a.burst) / a.rate * float64(time.Second)))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
