package osquery_test

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	osquery "github.com/osquery/osquery-go"
	gen "github.com/osquery/osquery-go/gen/osquery"
)

// long is a time that no test reaches when all is well.
const long = 30 * time.Second

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// wantErr fails the test unless err is there and its text contains want.
func wantErr(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error = %v, want one with %q", err, want)
	}
}

func TestClientCalls(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	c := d.newClient(t, long)
	ctx := within(t, long)

	ping, err := c.PingContext(ctx)
	if err != nil || ping.Code != 0 || ping.Message != "pong" {
		t.Errorf("Ping = %v, %v", ping, err)
	}
	options, err := c.OptionsContext(ctx)
	if err != nil || options["read_max"].Value != "52428800" || options["read_max"].Type != "uint64" {
		t.Errorf("Options = %v, %v", options, err)
	}
	exts, err := c.ExtensionsContext(ctx)
	if err != nil || exts[7].Name != "seven" {
		t.Errorf("Extensions = %v, %v", exts, err)
	}
	cols, err := c.GetQueryColumnsContext(ctx, "SELECT path, size FROM file")
	if want := (gen.ExtensionPluginResponse{{"path": "TEXT"}, {"size": "BIGINT"}}); err != nil || !reflect.DeepEqual(cols.Response, want) {
		t.Errorf("GetQueryColumns = %v, %v", cols, err)
	}
	res, err := c.CallContext(ctx, "table", "t", gen.ExtensionPluginRequest{"action": "columns"})
	if want := (map[string]string{"registry": "table", "item": "t", "action": "columns"}); err != nil || !reflect.DeepEqual(res.Response[0], want) {
		t.Errorf("Call = %v, %v", res, err)
	}
	stat, err := c.DeregisterExtensionContext(ctx, 99)
	if _, _, gone := d.told(); err != nil || stat.Code != 0 || !reflect.DeepEqual(gone, []gen.ExtensionRouteUUID{99}) {
		t.Errorf("DeregisterExtension = %v, %v; told %v", stat, err, gone)
	}
}

func TestQueryAnswers(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	rows := gen.ExtensionPluginResponse{{"path": "/a\x00\xff", "size": ""}, {"path": "ü", "size": "5"}}
	d.query = func(_ context.Context, sql string) (*gen.ExtensionResponse, error) {
		switch sql {
		case "two":
			return good(rows...), nil
		case "one":
			return good(rows[1]), nil
		case "none":
			return good(), nil
		case "nothing":
			return nil, nil
		case "no answer":
			return nil, fmt.Errorf("broken")
		}
		return bad("near \"" + sql + "\": syntax error"), nil
	}
	c := d.newClient(t, long)
	ctx := within(t, long)

	if got, err := c.QueryRowsContext(ctx, "two"); err != nil || !reflect.DeepEqual(got, []map[string]string(rows)) {
		t.Errorf("two: %v, %v", got, err)
	}
	if got, err := c.QueryRowContext(ctx, "one"); err != nil || got["size"] != "5" {
		t.Errorf("one: %v, %v", got, err)
	}
	if got, err := c.QueryContext(ctx, "none"); err != nil || got.Response == nil || len(got.Response) != 0 {
		t.Errorf("none: %#v, %v; want an empty list, not nil", got, err)
	}
	if got, err := c.QueryContext(ctx, "selekt"); err != nil || got.Status.Code != 1 || got.Status.Message != `near "selekt": syntax error` {
		t.Errorf("selekt: %v, %v; want the failure in the status alone", got, err)
	}
	for sql, want := range map[string]string{
		"selekt":    `query returned error: near "selekt": syntax error`,
		"nothing":   "transport error in query: query failed: unknown result",
		"no answer": "transport error in query: Internal error processing query: broken",
	} {
		if _, err := c.QueryRowsContext(ctx, sql); err == nil || err.Error() != want {
			t.Errorf("QueryRows(%s) = %v, want %q", sql, err, want)
		}
	}
	for sql, want := range map[string]string{"two": "expected 1 row, got 2", "none": "expected 1 row, got 0"} {
		if _, err := c.QueryRow(sql); err == nil || err.Error() != want {
			t.Errorf("QueryRow(%s) = %v, want %q", sql, err, want)
		}
	}
}

// A slow answer is fatal without a deadline and awaited with one; afterwards
// the late answer spoils the first client's stream.
func TestQueryDeadlines(t *testing.T) {
	t.Parallel()
	const socketTimeout = 600 * time.Millisecond
	d := newOsqueryd(t)
	release := make(chan struct{})
	d.query = func(_ context.Context, sql string) (*gen.ExtensionResponse, error) {
		if sql == "slow" {
			<-release
		}
		return good(map[string]string{"sql": sql}), nil
	}
	impatient, short, patient := d.newClient(t, socketTimeout), d.newClient(t, socketTimeout), d.newClient(t, socketTimeout)

	answered := make(chan error, 1)
	go func() {
		_, err := patient.QueryRowsContext(within(t, long), "slow")
		answered <- err
	}()
	_, err := short.QueryContext(within(t, socketTimeout/2), "slow")
	wantErr(t, err, "i/o timeout")
	_, err = impatient.Query("slow") // this ends one socket timeout after patient's first
	wantErr(t, err, "i/o timeout")
	_, err = impatient.Query("next")
	wantErr(t, err, "i/o timeout")

	close(release)
	if err := <-answered; err != nil {
		t.Errorf("query with a deadline: %v", err)
	}
	_, err = impatient.QueryContext(within(t, long), "last")
	wantErr(t, err, "out of order sequence response")
}

func TestCallsWaitForEachOther(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	running, release := make(chan struct{}), make(chan struct{})
	d.query = func(context.Context, string) (*gen.ExtensionResponse, error) {
		close(running)
		<-release
		return good(), nil
	}
	c := d.newClient(t, long, osquery.DefaultWaitTime(time.Millisecond), osquery.MaxWaitTime(5*time.Millisecond))
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := c.QueryContext(within(t, long), "x"); err != nil {
			t.Errorf("the running query: %v", err)
		}
	})
	<-running
	_, err := c.Ping()
	wantErr(t, err, "timeout after 1ms")
	_, err = c.PingContext(within(t, long))
	wantErr(t, err, "timeout after maximum of 5ms")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	slow := d.newClient(t, long)
	if _, err := slow.PingContext(t.Context()); err != nil {
		t.Errorf("ping over another connection: %v", err)
	}
	_, err = c.PingContext(gone)
	wantErr(t, err, "context canceled: context canceled")
	close(release)
	wg.Wait()
	if _, err := c.PingContext(within(t, long)); err != nil && !strings.Contains(err.Error(), "timeout after maximum") {
		t.Errorf("ping afterwards: %v", err)
	}
}

func TestCloseEndsRunningCall(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	running, release := make(chan struct{}), make(chan struct{})
	d.query = func(context.Context, string) (*gen.ExtensionResponse, error) {
		close(running)
		<-release
		return good(), nil
	}
	defer close(release)
	c := d.newClient(t, long)
	ended := make(chan error, 1)
	go func() {
		_, err := c.Query("x")
		ended <- err
	}()
	<-running
	c.Close()
	wantErr(t, <-ended, "use of closed")
	c.Close()
	_, err := c.Ping()
	wantErr(t, err, "Connection not open")
	new(osquery.ExtensionManagerClient).Close()
}

func TestNewClientFails(t *testing.T) {
	t.Parallel()
	_, err := osquery.NewClient("x", time.Second, osquery.DefaultWaitTime(2*time.Minute))
	wantErr(t, err, "default wait time larger than max wait time")

	missing := filepath.Join(shortDir(t), "none.em")
	_, err = osquery.NewClient(missing, time.Millisecond)
	if want := "waiting for unix socket to be available: " + missing + ": context deadline exceeded"; err == nil || err.Error() != want {
		t.Errorf("missing socket: %v, want %q", err, want)
	}
	_, err = osquery.NewClient(shortDir(t), long) // there, but no socket
	wantErr(t, err, "opening socket transport: dial unix ")
}
