package osquery_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	osquery "github.com/osquery/osquery-go"
	gen "github.com/osquery/osquery-go/gen/osquery"
	"github.com/osquery/osquery-go/plugin/table"
)

func sizes() *table.Plugin {
	columns := []table.ColumnDefinition{table.TextColumn("path", table.IndexColumn()), table.BigIntColumn("size")}
	return table.NewPlugin("sizes", columns, func(_ context.Context, q table.QueryContext) ([]map[string]string, error) {
		asked := q.Constraints["path"].Constraints
		if len(asked) == 0 {
			return nil, errors.New("a path is needed")
		}
		return []map[string]string{{"path": asked[0].Expression, "size": "5"}}, nil
	})
}

func (d *osqueryd) newServer(t *testing.T, opts ...osquery.ServerOption) *osquery.ExtensionManagerServer {
	t.Helper()
	s, err := osquery.NewExtensionManagerServer("hunter-test", d.path, append([]osquery.ServerOption{osquery.ServerTimeout(long)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs the server and gives a connection to it and its end.
func (d *osqueryd) start(t *testing.T, s *osquery.ExtensionManagerServer) (*osquery.ExtensionManagerClient, <-chan error) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.Run() }()
	c, err := osquery.NewClient(fmt.Sprintf("%s.%d", d.path, d.uuid), long)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, ended
}

func TestServerLife(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	s := d.newServer(t, osquery.ExtensionVersion("1.2"))
	s.RegisterPlugin(sizes())
	c, ended := d.start(t, s)
	ctx := within(t, long)

	info, registry, _ := d.told()
	if info.Name != "hunter-test" || info.Version != "1.2" || info.SdkVersion != "" || info.MinSdkVersion != "" {
		t.Errorf("registered as %v", info)
	}
	want := gen.ExtensionRegistry{
		"logger": {}, "config": {}, "distributed": {},
		"table": {"sizes": {
			{"id": "column", "name": "path", "type": "TEXT", "op": "1"},
			{"id": "column", "name": "size", "type": "BIGINT", "op": "0"},
		}},
	}
	if !reflect.DeepEqual(registry, want) {
		t.Errorf("registered %v, want %v", registry, want)
	}

	if stat, err := c.PingContext(ctx); err != nil || stat.Code != 0 || stat.Message != "OK" {
		t.Errorf("ping = %v, %v", stat, err)
	}
	generate := gen.ExtensionPluginRequest{"action": "generate", "context": `{"constraints":[{"name":"path","list":[{"op":2,"expr":"/a"}],"affinity":"TEXT"}]}`}
	res, err := c.CallContext(ctx, "table", "sizes", generate)
	if err != nil || !reflect.DeepEqual(res, good(map[string]string{"path": "/a", "size": "5"})) {
		t.Errorf("generate = %v, %v", res, err)
	}
	for _, tc := range []struct{ registry, item, context, want string }{
		{"table", "none", "", "Unknown registry item: none"},
		{"sql", "sizes", "", "Unknown registry: sql"},
		{"table", "sizes", "{}", "error generating table: a path is needed"},
		{"table", "sizes", "{", "error parsing context JSON: "},
	} {
		res, err := c.CallContext(ctx, tc.registry, tc.item, gen.ExtensionPluginRequest{"action": "generate", "context": tc.context})
		if err != nil || res.Status.Code != 1 || !strings.HasPrefix(res.Status.Message, tc.want) {
			t.Errorf("call %s/%s = %v, %v, want %q", tc.registry, tc.item, res, err, tc.want)
		}
	}

	c.Close()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run = %v, want nil after a clean end", err)
	}
	if _, _, gone := d.told(); !reflect.DeepEqual(gone, []gen.ExtensionRouteUUID{4711}) {
		t.Errorf("deregistered %v", gone)
	}
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("second Shutdown: %v", err)
	}
	if err := s.Start(); err == nil || err.Error() != "cannot start, shutdown in progress" {
		t.Errorf("Start afterwards = %v", err)
	}
	if _, err := os.Stat(fmt.Sprintf("%s.%d", d.path, d.uuid)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the extension's socket is still there: %v", err)
	}
}

// osqueryd ends an extension by a call on the extension's own socket.
func TestShutdownByOsqueryd(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	s := d.newServer(t)
	c, ended := d.start(t, s)
	if _, err := c.PingContext(within(t, long)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	shutdownOverWire(t, fmt.Sprintf("%s.%d", d.path, d.uuid))
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
	if _, _, gone := d.told(); len(gone) != 1 {
		t.Errorf("deregistered %v, want once", gone)
	}
}

func TestRunEndsWhenPingFails(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	d.pingStatus = gen.ExtensionStatus{Code: 3}
	s := d.newServer(t, osquery.ServerPingInterval(time.Millisecond))
	if err := s.Run(); err == nil || err.Error() != "ping returned status 3" {
		t.Errorf("Run = %v", err)
	}

	client := d.newClient(t, long)
	client.Close()
	s = d.newServer(t, osquery.WithClient(client))
	wantErr(t, s.Run(), "registering extension: ")
	wantErr(t, s.Shutdown(t.Context()), "deregistering extension: ")
}

func TestServerRefused(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	d.refuse = "Duplicate extension registered"
	s := d.newServer(t)
	if err := s.Run(); err == nil || err.Error() != "status 1 registering extension: Duplicate extension registered" {
		t.Errorf("Run = %v", err)
	}

	client := d.newClient(t, long)
	s = d.newServer(t, osquery.WithClient(client))
	if err := s.Shutdown(t.Context()); err == nil || err.Error() != "status 1 deregistering extension: Duplicate extension registered" {
		t.Errorf("Shutdown = %v", err)
	}
	if _, err := client.Ping(); err != nil {
		t.Errorf("the given client was closed: %v", err)
	}
}

func TestServerSocketTaken(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	taken := fmt.Sprintf("%s.%d", d.path, d.uuid)
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := d.newServer(t)
	err := s.Start()
	wantErr(t, err, "opening server socket ("+taken+"): ")
	if _, _, gone := d.told(); !reflect.DeepEqual(gone, []gen.ExtensionRouteUUID{4711}) {
		t.Errorf("deregistered %v", gone)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestNewServerFails(t *testing.T) {
	t.Parallel()
	long97, long98 := strings.Repeat("p", 97), strings.Repeat("p", 98)
	_, err := osquery.NewExtensionManagerServer("x", long98)
	wantErr(t, err, "socket path "+long98+" (98 characters) exceeded the maximum socket path character length of 97")
	_, err = osquery.NewExtensionManagerServer("x", long97, osquery.ServerTimeout(time.Millisecond))
	wantErr(t, err, "waiting for unix socket to be available: "+long97)
	_, err = osquery.NewExtensionManagerServer("x", filepath.Join(shortDir(t), "none"), osquery.ServerTimeout(time.Millisecond))
	wantErr(t, err, "context deadline exceeded")
}

type oddPlugin struct{ *table.Plugin }

func (oddPlugin) RegistryName() string { return "sql" }

func TestRegisterPluginPanics(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	s := d.newServer(t)
	defer func() {
		if got := recover(); got != "invalid registry name: sql" {
			t.Errorf("panic = %v", got)
		}
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown before Start: %v", err)
		}
	}()
	s.RegisterPlugin(oddPlugin{sizes()})
}
