package osquery_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	osquery "github.com/osquery/osquery-go"
	gen "github.com/osquery/osquery-go/gen/osquery"
	"github.com/osquery/osquery-go/transport"
)

// TestMain runs the tests and then looks for goroutines that they left.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftovers(10 * time.Second); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left after the tests:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leftovers gives the stacks that still run this module's or thrift's code
// after at most wait.
func leftovers(wait time.Duration) string {
	buf := make([]byte, 1<<20)
	for end := time.Now().Add(wait); ; time.Sleep(10 * time.Millisecond) {
		var left []string
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		for _, s := range stacks[1:] { // the first is this one
			if strings.Contains(s, "osquery-go") || strings.Contains(s, "apache/thrift") {
				left = append(left, s)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return strings.Join(left, "\n\n")
		}
	}
}

// osqueryd is a stand-in of the daemon: what it answers is set by functions,
// and what it was told is kept.
type osqueryd struct {
	path  string
	query func(ctx context.Context, sql string) (*gen.ExtensionResponse, error)

	mu           sync.Mutex
	pings        int
	pingStatus   gen.ExtensionStatus
	refuse       string // message that refuses registering and deregistering
	uuid         gen.ExtensionRouteUUID
	info         *gen.InternalExtensionInfo
	registry     gen.ExtensionRegistry
	deregistered []gen.ExtensionRouteUUID
}

var _ gen.ExtensionManager = (*osqueryd)(nil)

// shortDir gives a folder whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "osq")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// newOsqueryd serves a daemon until the test's end. Clients must be closed
// before: the server waits for them.
func newOsqueryd(t *testing.T) *osqueryd {
	t.Helper()
	d := &osqueryd{path: filepath.Join(shortDir(t), "osquery.em"), uuid: 4711, pingStatus: gen.ExtensionStatus{Message: "pong"}}
	socket, err := transport.OpenServer(d.path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := socket.Listen(); err != nil {
		t.Fatal(err)
	}
	server := thrift.NewTSimpleServer4(gen.NewExtensionManagerProcessor(d), socket,
		thrift.NewTTransportFactory(), thrift.NewTBinaryProtocolFactoryConf(nil))
	server.SetLogContext(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.AcceptLoop() }()
	t.Cleanup(func() {
		_ = server.Stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return d
}

// newClient connects to the daemon until the test's end.
func (d *osqueryd) newClient(t *testing.T, timeout time.Duration, opts ...osquery.ClientOption) *osquery.ExtensionManagerClient {
	t.Helper()
	c, err := osquery.NewClient(d.path, timeout, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// told gives a copy of what the daemon was told.
func (d *osqueryd) told() (info *gen.InternalExtensionInfo, registry gen.ExtensionRegistry, deregistered []gen.ExtensionRouteUUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.info, d.registry, append([]gen.ExtensionRouteUUID(nil), d.deregistered...)
}

func (d *osqueryd) Ping(context.Context) (*gen.ExtensionStatus, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pings++
	status := d.pingStatus
	return &status, nil
}

func (d *osqueryd) Call(_ context.Context, registry, item string, request gen.ExtensionPluginRequest) (*gen.ExtensionResponse, error) {
	return good(map[string]string{"registry": registry, "item": item, "action": request["action"]}), nil
}

func (d *osqueryd) Shutdown(context.Context) error { return nil }

func (d *osqueryd) Extensions(context.Context) (gen.InternalExtensionList, error) {
	return gen.InternalExtensionList{7: {Name: "seven", Version: "1"}}, nil
}

func (d *osqueryd) Options(context.Context) (gen.InternalOptionList, error) {
	return gen.InternalOptionList{"read_max": {Value: "52428800", DefaultValue: "52428800", Type: "uint64"}}, nil
}

func (d *osqueryd) RegisterExtension(_ context.Context, info *gen.InternalExtensionInfo, registry gen.ExtensionRegistry) (*gen.ExtensionStatus, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != "" {
		return &gen.ExtensionStatus{Code: 1, Message: d.refuse}, nil
	}
	d.info, d.registry = info, registry
	return &gen.ExtensionStatus{Message: "OK", UUID: d.uuid}, nil
}

func (d *osqueryd) DeregisterExtension(_ context.Context, uuid gen.ExtensionRouteUUID) (*gen.ExtensionStatus, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deregistered = append(d.deregistered, uuid)
	if d.refuse != "" {
		return &gen.ExtensionStatus{Code: 1, Message: d.refuse}, nil
	}
	return &gen.ExtensionStatus{Message: "OK"}, nil
}

func (d *osqueryd) Query(ctx context.Context, sql string) (*gen.ExtensionResponse, error) {
	return d.query(ctx, sql)
}

func (d *osqueryd) GetQueryColumns(context.Context, string) (*gen.ExtensionResponse, error) {
	return good(map[string]string{"path": "TEXT"}, map[string]string{"size": "BIGINT"}), nil
}

// good is an answer of osqueryd with rows.
func good(rows ...map[string]string) *gen.ExtensionResponse {
	return &gen.ExtensionResponse{Status: &gen.ExtensionStatus{Message: "OK"}, Response: rows}
}

// bad is osqueryd's answer to a query that failed.
func bad(message string) *gen.ExtensionResponse {
	return &gen.ExtensionResponse{Status: &gen.ExtensionStatus{Code: 1, Message: message}}
}

// shutdownOverWire ends the extension at path as osqueryd does.
func shutdownOverWire(t *testing.T, path string) {
	t.Helper()
	socket, err := transport.Open(path, long)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	c := gen.NewExtensionClient(thrift.NewTStandardClient(thrift.NewTBinaryProtocolConf(socket, nil), thrift.NewTBinaryProtocolConf(socket, nil)))
	if err := c.Shutdown(context.Background()); err != nil {
		t.Errorf("shutdown call: %v", err)
	}
}
