//go:build !windows

package local_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	gen "github.com/osquery/osquery-go/gen/osquery"
	"github.com/osquery/osquery-go/transport"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/edr/osquery/socket"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// daemon is an osqueryd of our own: the embedded engine behind osquery's Thrift interface, on a socket.
type daemon struct {
	gen.ExtensionManager
	engine *embedded.Engine
}

func (d *daemon) Ping(context.Context) (*gen.ExtensionStatus, error) {
	return &gen.ExtensionStatus{Message: "pong"}, nil
}

func (d *daemon) Query(ctx context.Context, sql string) (*gen.ExtensionResponse, error) {
	res, err := d.engine.Query(ctx, sql)
	if err != nil {
		return &gen.ExtensionResponse{Status: &gen.ExtensionStatus{Code: 1, Message: err.Error()}}, nil //nolint:nilerr // as osqueryd tells it
	}
	return &gen.ExtensionResponse{Status: &gen.ExtensionStatus{Message: "OK"}, Response: res.Rows}, nil
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

// startDaemon serves our own osqueryd until the test's end and gives its socket.
func startDaemon(t *testing.T) string {
	t.Helper()
	path := filepath.Join(shortDir(t), "osquery.em")
	engine, err := embedded.Open(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := transport.OpenServer(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Listen(); err != nil {
		t.Fatal(err)
	}
	server := thrift.NewTSimpleServer4(gen.NewExtensionManagerProcessor(&daemon{engine: engine}), listener,
		thrift.NewTTransportFactory(), thrift.NewTBinaryProtocolFactoryConf(nil))
	done := make(chan error, 1)
	go func() { done <- server.AcceptLoop() }()
	t.Cleanup(func() {
		_ = server.Stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return path
}

// startOsqueryd runs the real daemon that OSQUERYD names, with nothing but its extension socket, and gives that.
func startOsqueryd(t *testing.T, binary string) string {
	t.Helper()
	dir := shortDir(t)
	path := filepath.Join(dir, "osquery.em")
	config := filepath.Join(dir, "osquery.conf")
	write(t, config, "{}")
	said, err := os.Create(filepath.Join(dir, "said.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "--ephemeral", "--disable_database", "--disable_watchdog", "--force", "--config_path="+config,
		"--extensions_socket="+path, "--pidfile="+filepath.Join(dir, "osqueryd.pid"), "--database_path="+filepath.Join(dir, "osquery.db"),
		"--logger_path="+dir, "--disable_events", "--host_identifier=ephemeral")
	cmd.Stdout, cmd.Stderr, cmd.Dir = said, said, dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // its end was asked for
		_ = said.Close()
	})
	for range 300 {
		if conn, err := net.Dial("unix", path); err == nil {
			_ = conn.Close()
			return path
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(said.Name())
	t.Fatalf("OSQUERYD=%s opens no extension socket within 30 s:\n%s", binary, text)
	return ""
}

// planted is what the daemon has to find: a file at rest, and a program that runs.
type planted struct {
	dir, running string
	rest, image  indicator.File
	pid          int64
}

func plant(t *testing.T) planted {
	t.Helper()
	p := planted{dir: t.TempDir()}
	text := "planted for osqueryd " + t.Name()
	write(t, filepath.Join(p.dir, "deep", ".hidden", "evil.bin"), text)
	p.rest = sums(text)
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	bin, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	bin = append(bin, t.Name()...) // a digest of its own
	p.running = filepath.Join(t.TempDir(), "evil-sleep")
	if err := os.WriteFile(p.running, bin, 0o755); err != nil {
		t.Fatal(err)
	}
	p.image = sums(string(bin))
	cmd := exec.CommandContext(t.Context(), p.running, "300")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p.pid = int64(cmd.Process.Pid)
	return p
}

// huntThrough asks a daemon F1, F2 and F3 through its socket, and checks hits and controls.
func huntThrough(t *testing.T, path string) {
	p := plant(t)
	opt := local.Options{Dial: func(ctx context.Context) (local.Asker, error) { return socket.Dial(ctx, path, socket.Options{}) }}
	search := edr.DefaultSearch()
	search.Paths = map[string][]string{"": {p.dir}}
	for name, sized := range map[string]bool{"sized": true, "unsized": false} {
		t.Run(name, func(t *testing.T) {
			rest := p.rest
			if sized {
				rest.Size = int64(len("planted for osqueryd " + strings.TrimSuffix(t.Name(), "/"+name)))
			}
			cov, hits, verdicts := hunt(t, opt, search, rest, indicator.File{MD5: p.image.MD5})
			atRest := slices.ContainsFunc(hits, func(h ledger.HitRow) bool {
				return h.FoundIn == ledger.Files && h.SHA256 == p.rest.SHA256 && strings.HasSuffix(h.Path, "/.hidden/evil.bin")
			})
			runs := slices.ContainsFunc(hits, func(h ledger.HitRow) bool {
				return h.FoundIn == ledger.Running && h.MD5 == p.image.MD5 && h.PID == p.pid && h.Cmdline != "" && !h.StartedAt.IsZero()
			})
			if cov.State != ledger.Hit || !atRest || !runs {
				t.Errorf("coverage %+v, hits %+v", cov, hits)
			}
			for _, v := range verdicts { // every control came back, and every count is there
				if v.State == ledger.Unverified || v.State == ledger.Error || v.State == ledger.Unsupported {
					t.Errorf("verdict %+v", v)
				}
			}
		})
	}
	t.Run("nothing there", func(t *testing.T) {
		only := in(p.dir)
		cov, hits, verdicts := hunt(t, opt, only, sums("nowhere at all"))
		if len(hits) != 0 || cov.State == ledger.Hit || (cov.State == ledger.Absent) != cov.Proven || cov.Counts.FilesSeen == 0 {
			t.Errorf("coverage %+v, hits %+v, verdicts %+v", cov, hits, verdicts)
		}
	})
}

func TestThroughSocketOfOurOwn(t *testing.T) {
	t.Parallel()
	huntThrough(t, startDaemon(t))
}

// The real daemon answers wherever OSQUERYD names its binary.
func TestThroughRealOsqueryd(t *testing.T) {
	t.Parallel()
	binary := os.Getenv("OSQUERYD")
	if binary == "" {
		t.Skip("the variable OSQUERYD names no osqueryd binary, so none was asked")
	}
	huntThrough(t, startOsqueryd(t, binary))
}
