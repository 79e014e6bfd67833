package web

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"sync"

	stdlog "log" //nolint:depguard // net/http takes no other logger

	"golang.org/x/time/rate"
)

// limited bounds how many connections are open at once. More wait in the system's queue: agents behind a slow crowd come in late
// instead of not at all.
type limited struct {
	net.Listener
	slots chan struct{}
}

// Accept waits for a free place, then for a connection. It takes the place first: while none is free, Close does not wake it,
// but the connections' own limits do.
func (l limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &counted{Conn: c, free: func() { <-l.slots }}, nil
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	once sync.Once
	free func()
}

// Close closes the connection.
func (c *counted) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.free)
	return err
}

// faults turns what net/http complains of into log entries. An agent with the wrong CA is news; a scanner that sends garbage
// thousands of times is the same news once.
type faults struct {
	log   *slog.Logger
	limit *rate.Limiter
	mu    sync.Mutex
	left  int // entries that were left out since the last
}

func faultLog(log *slog.Logger) *stdlog.Logger {
	return stdlog.New(&faults{log: log, limit: rate.NewLimiter(1, 10)}, "", 0)
}

// Write takes one complaint.
func (f *faults) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.limit.Allow() {
		f.left++
		return len(p), nil
	}
	attrs := []slog.Attr{slog.String("fault", string(bytes.TrimSpace(p)))}
	if f.left > 0 {
		attrs = append(attrs, slog.Int("left_out", f.left))
	}
	f.left = 0
	f.log.LogAttrs(context.Background(), slog.LevelInfo, "a connection failed", attrs...)
	return len(p), nil
}
