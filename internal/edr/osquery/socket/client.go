package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	osquery "github.com/osquery/osquery-go"
)

const (
	// queryTimeout ends a query whose caller set no deadline. osqueryd itself
	// has no limit: a walk over a big disk may take minutes.
	queryTimeout = 10 * time.Minute

	// controlTimeout ends the calls that osqueryd answers from memory.
	controlTimeout = 15 * time.Second

	// socketTimeout is how long one read may be silent before the deadline is
	// looked at again, and how long a missing socket is waited for.
	socketTimeout = 2 * time.Second

	// leastSocketTimeout leaves room for osquery-go's first look at the socket,
	// which is after 200 ms.
	leastSocketTimeout = 500 * time.Millisecond
)

// ErrClosed is what calls of a closed client fail with.
var ErrClosed = errors.New("the connection to osqueryd was closed")

// StatusError is osqueryd's refusal of a query: the connection is well, the
// query is not.
type StatusError struct {
	Code    int32  // not 0
	Message string // osqueryd's words, e.g. "no such table: x"
}

// Error gives osqueryd's code and words.
func (e *StatusError) Error() string {
	return fmt.Sprintf("osqueryd answered status %d: %s", e.Code, e.Message)
}

// Options bound a client's waits. Zero fields take the defaults.
type Options struct {
	// QueryTimeout ends a Query whose context has no deadline; 10 minutes.
	QueryTimeout time.Duration
	// SocketTimeout is how long a socket that is not there is waited for, and
	// how long a call that nobody waits for any more may hold its connection; 2
	// seconds. Less than half a second is taken as half a second.
	SocketTimeout time.Duration
}

// Client asks one osqueryd, one call at a time; it may be used from several
// goroutines. A connection that failed is closed and opened anew by the next
// call. Close it when done.
type Client struct {
	path string
	opts Options

	life context.Context // ends with Close
	end  context.CancelCauseFunc

	turn chan struct{} // a token while a call runs; who holds it may touch conn
	conn *osquery.ExtensionManagerClient
}

// Dial connects to the osqueryd whose socket is at path, and asks it whether it
// is there.
func Dial(ctx context.Context, path string, opts Options) (*Client, error) {
	if path == "" {
		return nil, errors.New("connect to osqueryd: no socket path")
	}
	if opts.QueryTimeout <= 0 {
		opts.QueryTimeout = queryTimeout
	}
	if opts.SocketTimeout <= 0 {
		opts.SocketTimeout = socketTimeout
	}
	opts.SocketTimeout = max(opts.SocketTimeout, leastSocketTimeout)

	c := &Client{path: path, opts: opts, turn: make(chan struct{}, 1)}
	// Not ctx: that bounds the dialling, the client lives longer.
	c.life, c.end = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := c.ping(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// Query runs sql and gives its rows, all values as text; no rows are an empty
// slice. It ends with ctx, and after QueryTimeout when ctx has no deadline. It
// returns at once then, but osqueryd has no way to be told and works on.
//
// A query that osqueryd refuses is a *StatusError. Any other error is one of
// the connection, or ctx's; nothing is asked twice.
func (c *Client) Query(ctx context.Context, sql string) ([]map[string]string, error) {
	limit := c.opts.QueryTimeout
	if _, ok := ctx.Deadline(); ok {
		limit = 0
	}
	return call(ctx, c, limit, func(ctx context.Context, conn *osquery.ExtensionManagerClient) ([]map[string]string, error) {
		res, err := conn.QueryContext(ctx, sql)
		if err != nil {
			return nil, err
		}
		if err := check(res.Status); err != nil {
			return nil, err
		}
		if res.Response == nil {
			return []map[string]string{}, nil
		}
		return res.Response, nil
	})
}

// Options gives the values of osqueryd's flags by name, such as read_max.
func (c *Client) Options(ctx context.Context) (map[string]string, error) {
	return call(ctx, c, controlTimeout, func(ctx context.Context, conn *osquery.ExtensionManagerClient) (map[string]string, error) {
		list, err := conn.OptionsContext(ctx)
		if err != nil {
			return nil, err
		}
		values := make(map[string]string, len(list))
		for name, info := range list {
			values[name] = info.GetValue()
		}
		return values, nil
	})
}

// ping asks osqueryd whether it is there.
func (c *Client) ping(ctx context.Context) error {
	_, err := call(ctx, c, controlTimeout, func(ctx context.Context, conn *osquery.ExtensionManagerClient) (struct{}, error) {
		status, err := conn.PingContext(ctx)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, check(status)
	})
	return err
}

// Close ends the client. It does not wait: a running call fails with ErrClosed
// at once, and its connection is closed when its last read ends. It may be
// called again; the error is always nil.
func (c *Client) Close() error {
	c.end(ErrClosed)
	select {
	case c.turn <- struct{}{}:
		c.drop()
		<-c.turn
	default: // the running call drops the connection
	}
	return nil
}

// drop closes the connection that no call uses; the next call opens another.
func (c *Client) drop() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// hint says what to do about the errors of connecting that users meet. It goes
// by their words: not every osquery-go wraps its errors so that they unfold.
func hint(path string, err error) string {
	text := err.Error()
	_, serr := os.Stat(path)
	switch {
	case errors.Is(serr, fs.ErrPermission), strings.Contains(text, "permission denied"):
		return "; run hunter with osqueryd's own rights (root)"
	case strings.Contains(text, "waiting for unix socket"), strings.Contains(text, "connection refused"):
		return "; is osqueryd running, with its extensions not disabled?"
	default:
		return ""
	}
}
