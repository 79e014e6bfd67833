package remote

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound what agents may cost. Zero fields take their defaults.
type Limits struct {
	SmallBody    int64         // bytes of an enroll, config or read request; 256 KiB
	LogBody      int64         // bytes of a log request once it is decompressed; 64 MiB
	WriteBody    int64         // bytes of a write that are read to acknowledge it at all; 1 GiB
	LongFree     int64         // bytes of a body that are read as fast as they come; 8 MiB
	LongRate     rate.Limit    // bytes a second of what is longer, of all bodies together; 128 MiB
	WriteKept    int64         // bytes of one write that are kept in memory for rows; 32 MiB
	HitsKept     int64         // bytes that hit rows may have beyond that; 16 MiB
	Rows         int           // of one answer that are kept; 25,000
	Hits         int           // hit rows of one answer that are kept all the same; 10,000
	Names        int           // answers in one write; 10,000
	Memory       int64         // bytes of rows of all writes together; 256 MiB
	Bodies       int           // writes and logs that are read at once; 4096
	Deliveries   int           // writes that are stored at once; 64
	DeliveryWait time.Duration // how long a write waits for its turn to be stored; 5 s
	DeliveryTime time.Duration // how long storing may take; 30 s
	RequestTime  time.Duration // from the first byte of a request's headers to the last of its body; 20 s, agents give up after 16
	AddressRate  rate.Limit    // enrolments of one address a second; 50
	AddressBurst int           // enrolments of one address at once: many may come from behind one; 5000
	WrongBurst   int           // wrong secrets of one address that are each told and logged, one more every 10 s; 20
	NameRate     rate.Limit    // enrolments of one host identifier a second; 0.2
	NameBurst    int           // enrolments of one host identifier at once; 50
	EnrolRate    rate.Limit    // enrolments a second in all; 200
	EnrolBurst   int           // enrolments at once in all; 2000
}

func (l *Limits) settle() {
	whole(&l.SmallBody, 256<<10)
	whole(&l.LogBody, 64<<20)
	whole(&l.WriteBody, 1<<30)
	whole(&l.LongFree, 8<<20)
	whole(&l.LongRate, 128<<20)
	whole(&l.WriteKept, 32<<20)
	whole(&l.HitsKept, 16<<20)
	whole(&l.Rows, 25_000)
	whole(&l.Hits, 10_000)
	whole(&l.Names, 10_000)
	whole(&l.Memory, 256<<20)
	whole(&l.Bodies, 4096)
	whole(&l.Deliveries, 64)
	whole(&l.DeliveryWait, 5*time.Second)
	whole(&l.DeliveryTime, 30*time.Second)
	whole(&l.RequestTime, 20*time.Second)
	whole(&l.AddressRate, 50)
	whole(&l.AddressBurst, 5000)
	whole(&l.WrongBurst, 20)
	whole(&l.NameRate, 0.2)
	whole(&l.NameBurst, 50)
	whole(&l.EnrolRate, 200)
	whole(&l.EnrolBurst, 2000)
}

func whole[T int | int64 | rate.Limit | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// errTooLarge says that a body is longer than it may be.
var errTooLarge = errors.New("the body is too large")

// bounded reads at most so many bytes; one more is errTooLarge. A long body is read slowly, so that it does not keep a
// processor from all others.
type bounded struct {
	r    io.Reader
	left int64
	ctx  context.Context
	free int64         // that are not paced
	pace *rate.Limiter // nil: as fast as they come
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.free -= int64(n); b.free < 0 && b.pace != nil {
		if err := b.pace.WaitN(b.ctx, n); err != nil {
			return 0, err
		}
	}
	if int64(n) > b.left {
		n, b.left = int(b.left), 0
		return n, errTooLarge
	}
	b.left -= int64(n)
	return n, err
}

// keptLimiters is how many keys a keyed limiter remembers.
const keptLimiters = 20_000

// keyed limits how often each of many keys may do something. It remembers a bounded number of keys.
type keyed struct {
	rate  rate.Limit
	burst int

	mu sync.Mutex
	m  map[string]*rate.Limiter
}

func newKeyed(r rate.Limit, burst int) *keyed {
	return &keyed{rate: r, burst: burst, m: map[string]*rate.Limiter{}}
}

func (k *keyed) allow(key string, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.m[key]
	if l == nil {
		if len(k.m) >= keptLimiters {
			k.forget(now)
		}
		l = rate.NewLimiter(k.rate, k.burst)
		k.m[key] = l
	}
	return l.AllowN(now, 1)
}

// forget makes room: first of keys that are back at their full burst, then of any.
func (k *keyed) forget(now time.Time) {
	for key, l := range k.m {
		if l.TokensAt(now) >= float64(k.burst) {
			delete(k.m, key)
		}
	}
	for key := range k.m {
		if len(k.m) <= keptLimiters*3/4 {
			return
		}
		delete(k.m, key)
	}
}

// network is what counts as one address: of IPv6 the /64 that one machine has to itself.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// room is the memory that all writes share.
type room struct {
	mu   sync.Mutex
	left int64
}

// take gives whether there was so much left.
func (r *room) take(n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left < n {
		return false
	}
	r.left -= n
	return true
}

func (r *room) give(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left += n
}
