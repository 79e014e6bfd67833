package httpx

import (
	"context"
	"sync"
)

// flights lets those who ask the same at the same time share one answer. What is asked ends when nobody waits for it any
// more, and not when the one who came first does.
type flights struct {
	mu   sync.Mutex
	all  map[string]*flight
	work sync.WaitGroup
}

// flight is one question under way.
type flight struct {
	cancel  context.CancelFunc
	waiting int
	done    chan struct{} // closed when res and err are set
	res     *Response
	err     error
}

func (f *flights) do(ctx context.Context, key string, ask func(context.Context) (*Response, error)) (*Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	one := f.board(ctx, key, ask)
	select {
	case <-one.done:
		return one.res, one.err
	case <-ctx.Done():
		f.leave(key, one)
		return nil, ctx.Err()
	}
}

// board joins the flight for key, or starts it.
func (f *flights) board(ctx context.Context, key string, ask func(context.Context) (*Response, error)) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one, there := f.all[key]; there {
		one.waiting++
		return one
	}
	shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
	one := &flight{cancel: cancel, waiting: 1, done: make(chan struct{})}
	if f.all == nil {
		f.all = map[string]*flight{}
	}
	f.all[key] = one
	f.work.Go(func() {
		defer cancel()
		one.res, one.err = ask(shared)
		f.forget(key, one)
		close(one.done)
	})
	return one
}

// leave is for who waits no longer.
func (f *flights) leave(key string, one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one.waiting--; one.waiting == 0 {
		one.cancel()
		if f.all[key] == one {
			delete(f.all, key)
		}
	}
}

func (f *flights) forget(key string, one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all[key] == one {
		delete(f.all, key)
	}
}

// end stops everything under way and waits for it.
func (f *flights) end() {
	f.mu.Lock()
	for _, one := range f.all {
		one.cancel()
	}
	f.mu.Unlock()
	f.work.Wait()
}
