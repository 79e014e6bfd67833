package socket_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/socket"
)

// quick waits half a second for a socket that is not there.
var quick = socket.Options{SocketTimeout: 1}

func TestDialFails(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	file, dead := filepath.Join(dir, "file"), filepath.Join(dir, "dead.em")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()

	for path, want := range map[string]string{
		"":                         "no socket path",
		filepath.Join(dir, "none"): filepath.Join(dir, "none") + ": context deadline exceeded; is osqueryd running",
		file:                       "connect to osqueryd: opening socket transport: dial unix " + file,
		dead:                       "connection refused; is osqueryd running",
	} {
		c, err := socket.Dial(t.Context(), path, quick)
		if c != nil {
			t.Errorf("Dial(%q) gave a client", path)
		}
		wantErr(t, err, nil, want)
	}
}

func TestDialWithoutRights(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may enter any folder")
	}
	dir := filepath.Join(shortDir(t), "closed")
	if err := os.Mkdir(dir, 0); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "osquery.em")
	_, err := socket.Dial(t.Context(), path, quick)
	wantErr(t, err, nil, "run hunter with osqueryd's own rights")
	if _, ok := socket.Find(path); ok {
		t.Error("found what can not be seen")
	}
}

func TestDialRefusedByPing(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	d.pingCode = 2
	_, err := socket.Dial(t.Context(), d.path, socket.Options{})
	status, ok := errors.AsType[*socket.StatusError](err)
	if !ok || status.Code != 2 {
		t.Errorf("Dial = %v, want status 2", err)
	}
}

func TestDialCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := socket.Dial(ctx, filepath.Join(shortDir(t), "none"), quick)
	wantErr(t, err, context.Canceled, "")
}

// The context of Dial bounds the dialling alone.
func TestClientOutlivesDialContext(t *testing.T) {
	t.Parallel()
	d := newOsqueryd(t)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := socket.Dial(ctx, d.path, socket.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	cancel()
	asks(t, c)
}

// What listens may be no osqueryd at all.
func TestDialStrangers(t *testing.T) {
	t.Parallel()
	for name, talk := range map[string][]byte{
		"silent":    nil,
		"http":      []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
		"zeros":     make([]byte, 1<<12),
		"huge name": []byte("\x80\x01\x00\x02\x7f\xff\xff\xff"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(shortDir(t), "stranger.em")
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer func() { _ = conn.Close() }()
				_, _ = conn.Write(talk)
				for buf := make([]byte, 64); ; { // until the client hangs up
					if _, err := conn.Read(buf); err != nil {
						return
					}
				}
			})
			defer wg.Wait()
			defer func() { _ = l.Close() }()

			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if c, err := socket.Dial(ctx, path, quick); err == nil || c != nil {
				t.Errorf("Dial = %v, %v", c, err)
			}
		})
	}
}
