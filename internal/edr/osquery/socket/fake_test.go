package socket_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	gen "github.com/osquery/osquery-go/gen/osquery"
	"github.com/osquery/osquery-go/transport"
	"go.uber.org/goleak"

	"github.com/hunter-project/hunter/internal/edr/osquery/socket"
)

// long is a time that no test reaches when all is well.
const long = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// osqueryd is a daemon whose answers to queries are set by a function. It
// embeds the interface for the calls that hunter does not make.
type osqueryd struct {
	gen.ExtensionManager
	path        string
	stop        func()
	connections atomic.Int32
	pingCode    int32
	query       func(ctx context.Context, sql string) (*gen.ExtensionResponse, error)
}

// shortDir gives a folder whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "osq") //nolint:usetesting // its folders have long paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// startOsqueryd serves a daemon until the test's end, or its stop. It ends when
// all its connections are closed, so a client left open would hang the test.
func startOsqueryd(t *testing.T, path string) *osqueryd {
	t.Helper()
	d := &osqueryd{path: path}
	listener, err := transport.OpenServer(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Listen(); err != nil {
		t.Fatal(err)
	}
	server := thrift.NewTSimpleServerFactory4(factory{d}, listener, thrift.NewTTransportFactory(), thrift.NewTBinaryProtocolFactoryConf(nil))
	server.SetLogContext(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.AcceptLoop() }()
	stopped := false
	d.stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = server.Stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
	t.Cleanup(d.stop)
	return d
}

func newOsqueryd(t *testing.T) *osqueryd {
	t.Helper()
	return startOsqueryd(t, filepath.Join(shortDir(t), "osquery.em"))
}

// factory counts the daemon's connections.
type factory struct{ d *osqueryd }

func (f factory) GetProcessor(thrift.TTransport) thrift.TProcessor {
	f.d.connections.Add(1)
	return gen.NewExtensionManagerProcessor(f.d)
}

func (d *osqueryd) dial(t *testing.T, opts socket.Options) *socket.Client {
	t.Helper()
	c, err := socket.Dial(t.Context(), d.path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

func (d *osqueryd) Ping(context.Context) (*gen.ExtensionStatus, error) {
	return &gen.ExtensionStatus{Code: d.pingCode, Message: "pong"}, nil
}

func (d *osqueryd) Options(context.Context) (gen.InternalOptionList, error) {
	return gen.InternalOptionList{
		"read_max":            {Value: "52428800", DefaultValue: "52428800", Type: "uint64"},
		"disable_distributed": {Value: "true", DefaultValue: "true", Type: "bool"},
	}, nil
}

func (d *osqueryd) Query(ctx context.Context, sql string) (*gen.ExtensionResponse, error) {
	if d.query == nil {
		return good(map[string]string{"sql": sql}), nil
	}
	return d.query(ctx, sql)
}

// good is an answer with rows.
func good(rows ...map[string]string) *gen.ExtensionResponse {
	return &gen.ExtensionResponse{Status: &gen.ExtensionStatus{Message: "OK"}, Response: rows}
}

// hold makes queries of the text "held" wait until release, and says when one
// has come; others are answered at once.
func (d *osqueryd) hold(t *testing.T) (running <-chan struct{}, release func()) {
	t.Helper()
	came, gate := make(chan struct{}, 8), make(chan struct{})
	open := false
	release = func() {
		if !open {
			open = true
			close(gate)
		}
	}
	d.query = func(_ context.Context, sql string) (*gen.ExtensionResponse, error) {
		if sql == "held" {
			came <- struct{}{}
			<-gate
		}
		return good(map[string]string{"sql": sql}), nil
	}
	t.Cleanup(release)
	return came, release
}
