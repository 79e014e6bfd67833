package httpx

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
)

// Who came first and goes does not take the answer from the others.
func TestOneCallersEnd(t *testing.T) {
	t.Parallel()
	var f flights
	release := make(chan struct{})
	asked := 0
	ask := func(ctx context.Context) (*Response, error) {
		asked++
		select {
		case <-release:
			return &Response{Status: 200}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	waiting := func(n int) {
		t.Helper()
		limit, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		for limit.Err() == nil {
			f.mu.Lock()
			one := f.all["k"]
			there := one != nil && one.waiting == n
			f.mu.Unlock()
			if there {
				return
			}
			runtime.Gosched()
		}
		t.Fatalf("there are never %d who wait", n)
	}
	type result struct {
		res *Response
		err error
	}
	get := func(ctx context.Context) chan result {
		out := make(chan result, 1)
		go func() {
			res, err := f.do(ctx, "k", ask)
			out <- result{res, err}
		}()
		return out
	}
	first, cancel := context.WithCancel(t.Context())
	gone := get(first)
	waiting(1)
	stays := get(t.Context())
	waiting(2)
	cancel()
	if got := <-gone; !errors.Is(got.err, context.Canceled) {
		t.Errorf("the first: %+v", got)
	}
	waiting(1)
	close(release)
	if got := <-stays; got.err != nil || got.res.Status != 200 || asked != 1 {
		t.Errorf("the second: %+v, asked %d times", got, asked)
	}
	f.end()
}
