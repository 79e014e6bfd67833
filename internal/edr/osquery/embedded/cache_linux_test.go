//go:build sqlite_vtable

package embedded_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// memory is a cache that outlives an engine.
type memory struct {
	mu    sync.Mutex
	known map[embedded.Key]embedded.Sums
	full  bool
}

func (m *memory) Get(_ context.Context, k embedded.Key) (embedded.Sums, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.known[k]
	return s, ok
}

func (m *memory) Put(_ context.Context, k embedded.Key, s embedded.Sums) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known[k] = s
}

func (m *memory) Flush(context.Context) error {
	if m.full {
		return errors.New("no room is left")
	}
	return nil
}

// machine is a folder that is looked at by one engine after another, with one cache and one clock.
type machine struct {
	t     *testing.T
	dir   string
	cache *memory
	seam  *seam
	now   time.Time
	opt   embedded.Options
	hints embedded.Hints
}

func newMachine(t *testing.T) *machine {
	m := &machine{t: t, dir: t.TempDir(), cache: &memory{known: map[embedded.Key]embedded.Sums{}}, seam: newSeam(), now: time.Now().Add(time.Hour)}
	m.opt = embedded.Options{FS: m.seam, Cache: m.cache, Now: func() time.Time { return m.now }, Steady: func(string) bool { return true }}
	m.hints = embedded.Hints{Root: m.dir, MaxDepth: 10, MaxSize: 1 << 20, SHA256: true}
	return m
}

// look expects what a new engine says of the file f: its digest, and whether it was read or remembered.
func (m *machine) look(what, text string, read bool) {
	m.t.Helper()
	for _, hints := range []embedded.Hints{{}, m.hints} {
		e, err := embedded.Open(m.opt)
		must(m.t, err)
		before := m.seam.opened.Load()
		res, err := e.QueryAhead(m.t.Context(), "SELECT h.sha256 FROM file f CROSS JOIN hash h ON h.path = f.path WHERE f.directory = "+quote(m.dir), hints)
		must(m.t, err, e.Close())
		if got := strings.Join(flat(res), " "); got != strings.Split(sums(text), "|")[2] {
			m.t.Errorf("%s: the digest is %s, not that of %q", what, got, text)
		}
		opened, remembered := m.seam.opened.Load()-before, res.Remembered
		if (opened > 0) != read || (remembered > 0) == read {
			m.t.Errorf("%s: %d files opened, %d remembered; read should be %v", what, opened, remembered, read)
		}
		if m.cached() {
			read = false // it was read just now
		}
	}
}

// cached says whether what is read is remembered at all.
func (m *machine) cached() bool {
	return len(m.cache.known) > 0 && m.opt.Cache != nil && !m.opt.NoCache && m.opt.Fresh == nil
}

func TestRememberedDigests(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path := filepath.Join(m.dir, "f")
	write(t, path, "one")
	m.look("the first time", "one", true)
	m.look("again", "one", false)

	// In place, of the same size, and its time of change put back: the inode's own time tells.
	st, err := os.Stat(path)
	must(t, err)
	tick(t, path)
	must(t, os.WriteFile(path, []byte("two"), 0o644), os.Chtimes(path, st.ModTime(), st.ModTime()))
	m.look("changed in place", "two", true)

	// Another file under the same name.
	must(t, os.WriteFile(path+"x", []byte("six"), 0o644), os.Chtimes(path+"x", st.ModTime(), st.ModTime()), os.Rename(path+"x", path))
	m.look("replaced", "six", true)
	m.look("replaced, again", "six", false)

	// Nothing but its name: the same file, and its times say so or not; what is said is true either way.
	must(t, os.Rename(path, path+"y"))
	m.look("renamed", "six", true)

	m.opt.Fresh = []string{path + "y"}
	m.look("to be read each time", "six", true)
	m.opt.Fresh, m.opt.NoCache = nil, true
	m.look("without a cache", "six", true)
	m.opt.NoCache = false
	m.look("with it", "six", false)
}

// tick waits until the file system gives a later time than that of a file.
func tick(t *testing.T, path string) {
	t.Helper()
	st, err := os.Stat(path)
	must(t, err)
	probe := filepath.Join(t.TempDir(), "probe")
	for {
		write(t, probe, "x")
		now, err := os.Stat(probe)
		must(t, err)
		if now.ModTime().After(st.ModTime()) {
			return
		}
	}
}

func TestWhatIsNotRemembered(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(m *machine){
		"changed a moment ago":            func(m *machine) { m.now = time.Now().Add(time.Second) },
		"the clock went back":             func(m *machine) { m.now = time.Now().Add(-240 * time.Hour) },
		"a file system that nobody knows": func(m *machine) { m.opt.Steady = func(string) bool { return false } },
		"not wished for":                  func(m *machine) { m.opt.NoCache = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			write(t, filepath.Join(m.dir, "f"), "one")
			set(m)
			m.look("the first time", "one", true)
			m.look("again", "one", true)
			if n := len(m.cache.known); n > 0 {
				t.Errorf("%d files are remembered", n)
			}
		})
	}
}

// Memory and pseudo file systems change no times when a mapping is written to.
func TestSteadyFileSystems(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.opt.Steady = nil
	ask(t, open(t, m.opt), "SELECT sha256 FROM hash WHERE path IN ('/proc/version', '/proc/self/exe', '/sys/kernel/notes')")
	for k := range m.cache.known {
		if st, err := os.Stat("/proc/version"); err == nil && k.Size == st.Size() {
			t.Errorf("a pseudo file is remembered: %+v", k)
		}
	}
}

func TestCacheThatFails(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.cache.full = true
	write(t, filepath.Join(m.dir, "f"), "one")
	res := ask(t, open(t, m.opt), "SELECT sha256 FROM hash WHERE path = "+quote(m.dir+"/f"))
	if len(res.Rows) != 1 || res.CacheErr == nil || res.CacheErr.Error() != "no room is left" {
		t.Errorf("%d rows, %v", len(res.Rows), res.CacheErr)
	}
}

// A digest is remembered for its kind alone.
func TestRememberedKinds(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path := filepath.Join(m.dir, "f")
	write(t, path, "one")
	for _, c := range []struct {
		kind       string
		remembered int64
	}{{"sha256", 0}, {"md5", 0}, {"md5", 1}} {
		e, err := embedded.Open(m.opt)
		must(t, err)
		res := ask(t, e, "SELECT "+c.kind+" FROM hash WHERE path = "+quote(path))
		must(t, e.Close())
		if res.Remembered != c.remembered || flat(res)[0] == "" {
			t.Errorf("%s: %v, %d remembered", c.kind, flat(res), res.Remembered)
		}
	}
}
