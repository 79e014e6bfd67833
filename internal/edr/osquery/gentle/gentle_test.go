package gentle_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
)

// machine is a clock that moves when somebody sleeps or works.
type machine struct {
	mu   sync.Mutex
	now  time.Time
	cpu  time.Duration
	read int64
}

func (m *machine) options() gentle.Options {
	return gentle.Options{
		Now: func() time.Time { m.mu.Lock(); defer m.mu.Unlock(); return m.now },
		CPU: func() time.Duration { m.mu.Lock(); defer m.mu.Unlock(); return m.cpu },
		Sleep: func(ctx context.Context, d time.Duration) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.now = m.now.Add(d)
			return ctx.Err()
		},
	}
}

// work reads n bytes from a disk without limits, and computes.
func (m *machine) work(n int, cpu time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now, m.cpu, m.read = m.now.Add(cpu), m.cpu+cpu, m.read+int64(n)
}

// At no moment more was read, or more processor time used, than the limits allow and one piece of work.
func TestBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{now: time.Unix(1_764_000_000, 0)}
		began := m.now
		l := gentle.Limits{
			BytesPerSecond: rapid.Int64Range(1000, 500<<20).Draw(t, "rate"), CPU: float64(rapid.IntRange(1, 100).Draw(t, "percent")) / 100,
		}
		p := gentle.New(l, m.options())
		for range rapid.IntRange(1, 200).Draw(t, "pieces") {
			n, cpu := rapid.IntRange(0, 256<<10).Draw(t, "bytes"), time.Duration(rapid.IntRange(0, 20).Draw(t, "ms"))*time.Millisecond
			m.work(n, cpu)
			if err := p.Wait(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			passed := m.now.Sub(began).Seconds()
			if most := float64(l.BytesPerSecond)*passed + 1<<20; float64(m.read) > most+1 {
				t.Fatalf("%d bytes in %.3f s at %+v", m.read, passed, l)
			}
			if most := l.CPU*passed + 0.1; m.cpu.Seconds() > most+1e-6 {
				t.Fatalf("%s of a processor in %.3f s at %+v", m.cpu, passed, l)
			}
		}
	})
}

// An hour without work allows no more at once than a moment.
func TestNothingIsSavedUp(t *testing.T) {
	t.Parallel()
	m := &machine{now: time.Unix(1_764_000_000, 0)}
	p := gentle.New(gentle.Limits{BytesPerSecond: 10 << 20, CPU: 1}, m.options())
	m.now = m.now.Add(time.Hour)
	began := m.now
	for range 100 {
		m.work(1<<20, 0)
		if err := p.Wait(t.Context(), 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	if took := m.now.Sub(began); took < 9*time.Second || took > 11*time.Second {
		t.Errorf("100 MiB at 10 MiB a second take %s", took)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	m := &machine{now: time.Unix(1_764_000_000, 0)}
	p := gentle.New(gentle.Limits{CPU: 7}, m.options())
	began := m.now
	for range 100 {
		m.work(0, 10*time.Millisecond)
		if err := p.Wait(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if took := m.now.Sub(began); took < 3*time.Second || took > 4*time.Second {
		t.Errorf("a second of work at a quarter of a processor takes %s", took)
	}
}

// Many that work at once share the limits.
func TestShared(t *testing.T) {
	t.Parallel()
	m := &machine{now: time.Unix(1_764_000_000, 0)}
	p := gentle.New(gentle.Limits{BytesPerSecond: 1 << 20, CPU: 1}, m.options())
	began := m.now
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				m.work(1<<20, 0)
				if err := p.Wait(t.Context(), 1<<20); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if took := m.now.Sub(began); took < 90*time.Second {
		t.Errorf("100 MiB at 1 MiB a second take %s", took)
	}
}

// A pause ends with its context.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := gentle.New(gentle.Limits{BytesPerSecond: 1, CPU: 1}, gentle.Options{})
	cancel()
	for _, n := range []int{0, 1 << 30} {
		if err := p.Wait(ctx, n); !errors.Is(err, context.Canceled) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// Work that never pauses is told, and a pause makes up for it.
func TestOverdrawn(t *testing.T) {
	t.Parallel()
	m := &machine{now: time.Unix(1_764_000_000, 0)}
	p := gentle.New(gentle.Limits{BytesPerSecond: 1000, CPU: 0.5}, m.options())
	m.work(1<<30, 10*time.Second)
	for range 2 { // asking changes nothing
		if got := p.Overdrawn(); got != 9900*time.Millisecond { // less what is free; time that passed before is not saved up
			t.Errorf("overdrawn by %s", got)
		}
	}
	m.now = m.now.Add(4 * time.Second)
	if got := p.Overdrawn(); got != 7900*time.Millisecond {
		t.Errorf("after 4 s: overdrawn by %s", got)
	}
	m.now = m.now.Add(time.Hour)
	if got := p.Overdrawn(); got != 0 {
		t.Errorf("after an hour: overdrawn by %s", got)
	}
}
