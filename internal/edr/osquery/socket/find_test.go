package socket_test

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/hunter-project/hunter/internal/edr/osquery/socket"
)

func TestFind(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	file, there := filepath.Join(dir, "file"), filepath.Join(dir, "there.em")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", there)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	link := filepath.Join(dir, "link.em")
	if err := os.Symlink(there, link); err != nil {
		t.Fatal(err)
	}

	for path, want := range map[string]bool{
		there:                      true,
		link:                       true,
		filepath.Join(dir, "none"): false,
		file:                       false,
		dir:                        false,
		there + "\x00":             false,
	} {
		if got, ok := socket.Find(path); got != path || ok != want {
			t.Errorf("Find(%q) = %q, %t, want %t", path, got, ok, want)
		}
	}
}

func TestFindDefault(t *testing.T) {
	t.Parallel()
	got, _ := socket.Find("")
	want := map[string]string{
		"linux":   "/var/osquery/osquery.em",
		"darwin":  "/var/osquery/osquery.em",
		"freebsd": "/var/run/osquery.em",
	}[runtime.GOOS]
	if got != want {
		t.Errorf("Find without a path looked for %q, want %q", got, want)
	}
}
