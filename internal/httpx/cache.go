package httpx

import (
	"context"
	"sync"
	"time"
)

// Cached is an answer that is remembered.
type Cached struct {
	Status int
	Type   string
	Body   []byte
	At     time.Time
}

// Cache remembers answers. Get gives nil when there is none; old answers may be given, the client looks at the age.
type Cache interface {
	Get(ctx context.Context, key string) (*Cached, error)
	Put(ctx context.Context, key string, c Cached) error
}

// Memory is a Cache for one process, for those without a store. The zero value is ready for use.
type Memory struct {
	mu   sync.Mutex
	all  map[string]Cached
	size int
}

// maxMemory bounds a Memory, in bytes of bodies; over it, it begins anew.
const maxMemory = 64 << 20

// Get gives the answer to a question, nil when there is none.
func (m *Memory) Get(_ context.Context, key string) (*Cached, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, ok := m.all[key]; ok {
		return &c, nil
	}
	return nil, nil
}

// Put remembers an answer in place of an older one.
func (m *Memory) Put(_ context.Context, key string, c Cached) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	const each = 512 // an answer without a body has its weight too
	m.size += len(c.Body) + each
	if m.all == nil || m.size > maxMemory {
		m.all, m.size = map[string]Cached{}, len(c.Body)+each
	}
	m.all[key] = c
	return nil
}

type maxAgeKey struct{}

// WithMaxAge gives a context in which remembered answers hold no longer than d, whatever the client's own CacheFor says.
func WithMaxAge(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, maxAgeKey{}, d)
}

// maxAgeOf gives what WithMaxAge said, -1 without.
func maxAgeOf(ctx context.Context) time.Duration {
	if d, ok := ctx.Value(maxAgeKey{}).(time.Duration); ok {
		return d
	}
	return -1
}

// Holds reports whether something that was learnt at that time may still be used, where it holds for that long.
func Holds(ctx context.Context, at, now time.Time, long time.Duration) bool {
	if most := maxAgeOf(ctx); most >= 0 {
		long = min(long, most)
	}
	age := now.Sub(at)
	return age >= 0 && age <= long
}

// remembered gives an answer that still holds, nil when there is none. A cache that fails is asked no more questions: the
// service is.
func (c *Client) remembered(ctx context.Context, key string, req Request) *Response {
	if c.opt.Cache == nil {
		return nil
	}
	got, err := c.opt.Cache.Get(ctx, key)
	if err != nil || got == nil {
		return nil
	}
	now := c.opt.Now()
	res := &Response{Status: got.Status, Type: got.Type, Body: got.Body, Age: now.Sub(got.At)}
	if c.check(req, res) != nil {
		return nil
	}
	holds := c.opt.CacheFor
	if res.Unknown {
		holds = c.opt.UnknownFor
	}
	if !Holds(ctx, got.At, now, holds) {
		return nil
	}
	return res
}

// remember keeps an answer, unless it repeated a secret. One that the cache does not take is asked for again: that is no
// fault of the answer.
func (c *Client) remember(ctx context.Context, key string, res *Response) {
	if c.opt.Cache == nil || res.echo {
		return
	}
	_ = c.opt.Cache.Put(ctx, key, Cached{Status: res.Status, Type: res.Type, Body: res.Body, At: c.opt.Now()})
}
