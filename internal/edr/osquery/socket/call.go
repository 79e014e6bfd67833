package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	osquery "github.com/osquery/osquery-go"
	gen "github.com/osquery/osquery-go/gen/osquery"
)

// call makes one call over the client's connection, which it opens when there
// is none. It ends with ctx, with the client, and after limit when that is not 0.
//
// After an error that is not osqueryd's status the stream may be out of step,
// so the connection is closed.
func call[T any](ctx context.Context, c *Client, limit time.Duration, do func(context.Context, *osquery.ExtensionManagerClient) (T, error)) (T, error) {
	var none T
	ctx, cancel := c.bound(ctx, limit)
	defer cancel()
	if err := c.take(ctx); err != nil {
		return none, err
	}
	defer c.give()

	conn, err := c.open(ctx)
	if err != nil {
		return none, err
	}
	c.conn = nil // it belongs to the call until that has ended well
	answer, err := await(ctx, func() (T, error) { return do(ctx, conn) }, func(T) { conn.Close() })
	if _, refused := errors.AsType[*StatusError](err); err == nil || refused {
		c.conn = conn
		return answer, err
	}
	return none, fmt.Errorf("ask osqueryd at %s: %w", c.path, err)
}

// bound ends ctx with the client, and after limit when that is not 0.
func (c *Client) bound(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.life, func() { cancel(context.Cause(c.life)) })
	if limit == 0 {
		return ctx, func() { stop(); cancel(nil) }
	}
	ctx, end := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s: %w", limit, context.DeadlineExceeded))
	return ctx, func() { stop(); end(); cancel(nil) }
}

// take waits for the calls before this one. A call whose time is over is not
// begun: osqueryd would work on it for nobody.
func (c *Client) take(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for osqueryd at %s: %w", c.path, context.Cause(ctx))
	}
	if ctx.Err() != nil || c.life.Err() != nil {
		c.give()
		return fmt.Errorf("ask osqueryd at %s: %w", c.path, cmp.Or(context.Cause(c.life), context.Cause(ctx)))
	}
	return nil
}

// give lets the next call go. A Close meanwhile found the turn taken, so it is
// made up for here.
func (c *Client) give() {
	<-c.turn
	if c.life.Err() != nil {
		_ = c.Close()
	}
}

// open gives the connection there is, or a new one.
func (c *Client) open(ctx context.Context) (*osquery.ExtensionManagerClient, error) {
	if c.conn != nil {
		return c.conn, nil
	}
	conn, err := await(ctx, func() (*osquery.ExtensionManagerClient, error) {
		return osquery.NewClient(c.path, c.opts.SocketTimeout)
	}, func(conn *osquery.ExtensionManagerClient) {
		if conn != nil {
			conn.Close()
		}
	})
	if err != nil {
		return nil, fmt.Errorf("connect to osqueryd: %w%s", err, hint(c.path, err))
	}
	return conn, nil
}

// await runs do beside the caller and waits for it or for ctx's end. osquery-go
// looks at a context only between two reads, so the goroutine of do may outlive
// the wait; it then gives what do brought to abandon. When do fails in time,
// abandon is called too, before await returns.
func await[T any](ctx context.Context, do func() (T, error), abandon func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	got := make(chan result) // no buffer: who receives is the one who cares
	go func() {
		value, err := do()
		select {
		case got <- result{value, err}:
		case <-ctx.Done():
			abandon(value)
		}
	}()
	select {
	case r := <-got:
		if _, refused := errors.AsType[*StatusError](r.err); r.err == nil || refused {
			return r.value, r.err
		}
		abandon(r.value)
		if ctx.Err() != nil {
			return none, context.Cause(ctx)
		}
		return none, r.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

// check turns osqueryd's status into an error.
func check(status *gen.ExtensionStatus) error {
	switch {
	case status == nil:
		return errors.New("the answer has no status")
	case status.Code != 0:
		return &StatusError{Code: status.Code, Message: status.Message}
	default:
		return nil
	}
}
