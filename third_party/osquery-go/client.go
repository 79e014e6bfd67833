package osquery

import (
	"context"
	"errors"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	gen "github.com/osquery/osquery-go/gen/osquery"
	"github.com/osquery/osquery-go/transport"
)

const (
	defaultWaitTime    = 200 * time.Millisecond
	defaultMaxWaitTime = time.Minute
)

// ExtensionManagerClient is one connection to osqueryd. It carries one call at
// a time; concurrent callers wait for each other within the lock's bounds.
//
// After an error that is not an osquery status the stream may be out of step:
// close the client and make a new one.
type ExtensionManagerClient struct {
	calls gen.ExtensionManager
	conn  thrift.TTransport
	lock  *locker

	// How long a call waits for the lock, without and with a deadline.
	wait, maxWait time.Duration
}

// ClientOption changes a client while it is made.
type ClientOption func(*ExtensionManagerClient)

// DefaultWaitTime is how long a call without a deadline waits for the calls
// before it. It is 200 ms unless set.
func DefaultWaitTime(d time.Duration) ClientOption {
	return func(c *ExtensionManagerClient) { c.wait = d }
}

// MaxWaitTime is how long a call with a deadline waits at most for the calls
// before it. It is one minute unless set.
func MaxWaitTime(d time.Duration) ClientOption {
	return func(c *ExtensionManagerClient) { c.maxWait = d }
}

// NewClient connects to osqueryd's socket at path. It waits up to
// socketOpenTimeout for the socket to appear. The same time then bounds every
// read and write on the connection; a read that has brought nothing goes on
// while the call's context has a deadline that has not passed. So a query that
// may take longer than socketOpenTimeout needs a context with a deadline.
func NewClient(path string, socketOpenTimeout time.Duration, opts ...ClientOption) (*ExtensionManagerClient, error) {
	c := &ExtensionManagerClient{wait: defaultWaitTime, maxWait: defaultMaxWaitTime}
	for _, opt := range opts {
		opt(c)
	}
	if c.wait > c.maxWait {
		return nil, errors.New("default wait time larger than max wait time")
	}
	c.lock = NewLocker(c.wait, c.maxWait)

	socket, err := transport.Open(path, socketOpenTimeout)
	if err != nil {
		return nil, err
	}
	c.conn = socket
	c.calls = gen.NewExtensionManagerClientFactory(socket, thrift.NewTBinaryProtocolFactoryConf(nil))
	return c, nil
}

// Close ends the connection. It may be called more than once, and on a client
// that has no connection.
func (c *ExtensionManagerClient) Close() {
	if c.conn != nil {
		// No look at IsOpen first: that would wait for a running read and take
		// its deadline away. The error says no more than "closed before".
		_ = c.conn.Close()
	}
}

// locked makes one call while holding the client's lock.
func locked[T any](ctx context.Context, c *ExtensionManagerClient, call func() (T, error)) (T, error) {
	if err := c.lock.Lock(ctx); err != nil {
		var zero T
		return zero, err
	}
	defer c.lock.Unlock()
	return call()
}

// Ping is PingContext without a deadline.
func (c *ExtensionManagerClient) Ping() (*gen.ExtensionStatus, error) {
	return c.PingContext(context.Background())
}

// PingContext asks osqueryd whether it is there.
func (c *ExtensionManagerClient) PingContext(ctx context.Context) (*gen.ExtensionStatus, error) {
	return locked(ctx, c, func() (*gen.ExtensionStatus, error) { return c.calls.Ping(ctx) })
}

// Call is CallContext without a deadline.
func (c *ExtensionManagerClient) Call(registry, item string, request gen.ExtensionPluginRequest) (*gen.ExtensionResponse, error) {
	return c.CallContext(context.Background(), registry, item, request)
}

// CallContext calls the plugin named item of a registry.
func (c *ExtensionManagerClient) CallContext(ctx context.Context, registry, item string, request gen.ExtensionPluginRequest) (*gen.ExtensionResponse, error) {
	return locked(ctx, c, func() (*gen.ExtensionResponse, error) { return c.calls.Call(ctx, registry, item, request) })
}

// Extensions is ExtensionsContext without a deadline.
func (c *ExtensionManagerClient) Extensions() (gen.InternalExtensionList, error) {
	return c.ExtensionsContext(context.Background())
}

// ExtensionsContext lists the registered extensions.
func (c *ExtensionManagerClient) ExtensionsContext(ctx context.Context) (gen.InternalExtensionList, error) {
	return locked(ctx, c, func() (gen.InternalExtensionList, error) { return c.calls.Extensions(ctx) })
}

// Options is OptionsContext without a deadline.
func (c *ExtensionManagerClient) Options() (gen.InternalOptionList, error) {
	return c.OptionsContext(context.Background())
}

// OptionsContext lists osqueryd's flags and their values.
func (c *ExtensionManagerClient) OptionsContext(ctx context.Context) (gen.InternalOptionList, error) {
	return locked(ctx, c, func() (gen.InternalOptionList, error) { return c.calls.Options(ctx) })
}

// RegisterExtension is RegisterExtensionContext without a deadline.
func (c *ExtensionManagerClient) RegisterExtension(info *gen.InternalExtensionInfo, registry gen.ExtensionRegistry) (*gen.ExtensionStatus, error) {
	return c.RegisterExtensionContext(context.Background(), info, registry)
}

// RegisterExtensionContext announces an extension and what it offers; the
// status carries the uuid under which osqueryd knows it.
func (c *ExtensionManagerClient) RegisterExtensionContext(ctx context.Context, info *gen.InternalExtensionInfo, registry gen.ExtensionRegistry) (*gen.ExtensionStatus, error) {
	return locked(ctx, c, func() (*gen.ExtensionStatus, error) { return c.calls.RegisterExtension(ctx, info, registry) })
}

// DeregisterExtension is DeregisterExtensionContext without a deadline.
func (c *ExtensionManagerClient) DeregisterExtension(uuid gen.ExtensionRouteUUID) (*gen.ExtensionStatus, error) {
	return c.DeregisterExtensionContext(context.Background(), uuid)
}

// DeregisterExtensionContext takes an extension back.
func (c *ExtensionManagerClient) DeregisterExtensionContext(ctx context.Context, uuid gen.ExtensionRouteUUID) (*gen.ExtensionStatus, error) {
	return locked(ctx, c, func() (*gen.ExtensionStatus, error) { return c.calls.DeregisterExtension(ctx, uuid) })
}
