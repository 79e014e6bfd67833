//go:build !windows

package transport_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/osquery/osquery-go/transport"
)

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

// A socket that appears later is waited for.
func TestOpenWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(shortDir(t), "late.em")
	opened := make(chan error, 1)
	go func() {
		s, err := transport.Open(path, 30*time.Second)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := <-opened; err != nil {
		t.Errorf("Open: %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(dir, "dead.em")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()

	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "waiting for unix socket to be available: " + filepath.Join(dir, "none") + ": context deadline exceeded",
		file:                       "opening socket transport: dial unix " + file,
		dead:                       "opening socket transport: dial unix " + dead,
	} {
		timeout := 30 * time.Second
		if strings.HasSuffix(path, "none") {
			timeout = time.Millisecond
		}
		if _, err := transport.Open(path, timeout); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Open(%s) = %v, want %q", path, err, want)
		}
	}
}
