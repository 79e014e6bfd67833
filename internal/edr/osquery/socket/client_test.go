package socket_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	gen "github.com/osquery/osquery-go/gen/osquery"

	"github.com/hunter-project/hunter/internal/edr/osquery/socket"
)

// wantErr fails the test unless err is want, if that is there, and has text.
func wantErr(t *testing.T, err, want error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) || want != nil && !errors.Is(err, want) {
		t.Errorf("error = %v, want %v with %q", err, want, text)
	}
}

// asks puts a query whose answer must be good.
func asks(t *testing.T, c *socket.Client) {
	t.Helper()
	rows, err := c.Query(t.Context(), "SELECT 1")
	if err != nil || len(rows) != 1 || rows[0]["sql"] != "SELECT 1" {
		t.Errorf("Query = %v, %v", rows, err)
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	rows := []map[string]string{{"path": "/a\xff\x1b", "size": ""}, {"path": "/b", "size": "5"}}
	d.query = func(_ context.Context, sql string) (*gen.ExtensionResponse, error) {
		switch sql {
		case "two":
			return good(rows...), nil
		case "none":
			return good(), nil
		}
		return &gen.ExtensionResponse{Status: &gen.ExtensionStatus{Code: 1, Message: "no such table: " + sql}}, nil
	}
	c := d.dial(t, socket.Options{})

	if got, err := c.Query(t.Context(), "two"); err != nil || !reflect.DeepEqual(got, rows) {
		t.Errorf("two: %v, %v", got, err)
	}
	if got, err := c.Query(t.Context(), "none"); err != nil || got == nil || len(got) != 0 {
		t.Errorf("none: %#v, %v; want no rows, not nil", got, err)
	}
	got, err := c.Query(t.Context(), "x")
	status, ok := errors.AsType[*socket.StatusError](err)
	if !ok || *status != (socket.StatusError{Code: 1, Message: "no such table: x"}) || got != nil {
		t.Errorf("x: %v, %v, want a StatusError", got, err)
	}
	wantErr(t, err, nil, "osqueryd answered status 1: no such table: x")
	if got, err := c.Query(t.Context(), "two"); err != nil || len(got) != 2 {
		t.Errorf("after a refusal: %v, %v", got, err)
	}
	if n := d.connections.Load(); n != 1 {
		t.Errorf("%d connections, want one for all", n)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	got, err := d.dial(t, socket.Options{}).Options(t.Context())
	want := map[string]string{"read_max": "52428800", "disable_distributed": "true"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Options = %v, %v", got, err)
	}
}

// A connection that breaks fails one call; the next one has a new connection.
func TestReconnect(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func() (*gen.ExtensionResponse, error){
		"hangs up":  func() (*gen.ExtensionResponse, error) { return nil, thrift.ErrAbandonRequest },
		"fails":     func() (*gen.ExtensionResponse, error) { return nil, errors.New("broken") },
		"no answer": func() (*gen.ExtensionResponse, error) { return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newOsqueryd(t)
			d.query = func(_ context.Context, sql string) (*gen.ExtensionResponse, error) {
				if sql == "break" {
					return answer()
				}
				return good(map[string]string{"sql": sql}), nil
			}
			c := d.dial(t, socket.Options{})
			rows, err := c.Query(t.Context(), "break")
			if rows != nil {
				t.Errorf("rows %v with an error", rows)
			}
			wantErr(t, err, nil, "ask osqueryd at "+d.path+": ")
			if _, ok := errors.AsType[*socket.StatusError](err); ok {
				t.Errorf("%v is a StatusError", err)
			}
			asks(t, c)
			if n := d.connections.Load(); n != 2 {
				t.Errorf("%d connections, want 2", n)
			}
		})
	}
}

func TestOsquerydRestarts(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	d.query = func(context.Context, string) (*gen.ExtensionResponse, error) { return nil, thrift.ErrAbandonRequest }
	c := d.dial(t, socket.Options{SocketTimeout: time.Millisecond}) // taken as half a second
	_, err := c.Query(t.Context(), "last words")
	wantErr(t, err, nil, "ask osqueryd")
	d.stop()
	_, err = c.Query(t.Context(), "anyone there")
	wantErr(t, err, nil, "is osqueryd running")
	startOsqueryd(t, d.path)
	t.Cleanup(func() { _ = c.Close() }) // before the daemon's own end
	asks(t, c)
}

// Cancelling ends a call at once, though osqueryd goes on: the call returns
// while its answer is still held back, and the next one does not wait for it.
func TestCancel(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	running, _ := d.hold(t)
	c := d.dial(t, socket.Options{SocketTimeout: long})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := c.Query(ctx, "held")
		ended <- err
	}()
	<-running
	cancel()
	wantErr(t, <-ended, context.Canceled, "ask osqueryd at "+d.path)
	asks(t, c)
	if n := d.connections.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	d.hold(t)
	var asked atomic.Int32
	held := d.query
	d.query = func(ctx context.Context, sql string) (*gen.ExtensionResponse, error) {
		asked.Add(1)
		return held(ctx, sql)
	}
	c := d.dial(t, socket.Options{QueryTimeout: 20 * time.Millisecond, SocketTimeout: long})
	_, err := c.Query(t.Context(), "held")
	wantErr(t, err, context.DeadlineExceeded, "no answer within 20ms")

	c = d.dial(t, socket.Options{SocketTimeout: long})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Query(ctx, "held")
	wantErr(t, err, context.DeadlineExceeded, "osqueryd at "+d.path)
	before := asked.Load()
	_, err = c.Query(ctx, "held") // its time is over: nothing is asked
	wantErr(t, err, context.DeadlineExceeded, "osqueryd at "+d.path)
	if now := asked.Load(); now != before {
		t.Errorf("asked %d times with a dead context", now-before)
	}
}

// An answer may take longer than one read may be silent.
func TestSlowAnswer(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	d.query = func(_ context.Context, sql string) (*gen.ExtensionResponse, error) {
		time.Sleep(800 * time.Millisecond) // more than half a second, the socket's timeout
		return good(map[string]string{"sql": sql}), nil
	}
	asks(t, d.dial(t, socket.Options{SocketTimeout: 1}))
}

// A connection that nobody waits for any more is closed after SocketTimeout,
// even when osqueryd never answers: the daemon's end would wait for it.
func TestAbandonedConnectionCloses(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	gone := make(chan struct{})
	d.query = func(ctx context.Context, _ string) (*gen.ExtensionResponse, error) {
		<-ctx.Done() // thrift ends it when the connection is closed
		close(gone)
		return nil, thrift.ErrAbandonRequest
	}
	c := d.dial(t, socket.Options{QueryTimeout: 10 * time.Millisecond, SocketTimeout: 1})
	_, err := c.Query(t.Context(), "held")
	wantErr(t, err, context.DeadlineExceeded, "")
	select {
	case <-gone:
	case <-time.After(long):
		t.Error("the connection is still open")
	}
}

func TestOneCallAtATime(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	running, release := d.hold(t)
	c := d.dial(t, socket.Options{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if rows, err := c.Query(t.Context(), "held"); err != nil || len(rows) != 1 {
			t.Errorf("held: %v, %v", rows, err)
		}
	})
	<-running
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := c.Query(ctx, "SELECT 1")
	wantErr(t, err, context.DeadlineExceeded, "wait for osqueryd at "+d.path)
	release()
	for range 8 {
		wg.Go(func() { asks(t, c) })
	}
	wg.Wait()
	if n := d.connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	running, _ := d.hold(t)
	c := d.dial(t, socket.Options{SocketTimeout: long})
	ended := make(chan error, 1)
	go func() {
		_, err := c.Query(t.Context(), "held")
		ended <- err
	}()
	<-running
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wantErr(t, <-ended, socket.ErrClosed, "")
	_, err := c.Query(t.Context(), "SELECT 1")
	wantErr(t, err, socket.ErrClosed, d.path)
	_, err = c.Options(t.Context())
	wantErr(t, err, socket.ErrClosed, d.path)
}

// Closing at any moment leaves no connection: the daemon's end waits for all.
func TestCloseAtAnyMoment(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	c := d.dial(t, socket.Options{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				if _, err := c.Query(t.Context(), "SELECT 1"); err != nil {
					wantErr(t, err, socket.ErrClosed, "")
					return
				}
			}
		})
	}
	asks(t, c)
	for range 3 {
		wg.Go(func() { _ = c.Close() })
	}
	wg.Wait()
}
