//go:build sqlite_vtable

package embedded_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

func TestFolderThatFailsWhileRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, n := range []string{"a", "b", "c"} {
		write(t, filepath.Join(dir, n), n)
	}
	broken := &fs.PathError{Op: "readdirent", Path: dir, Err: errDisk}
	for name, c := range map[string]struct {
		parts [][]string
		err   error
		want  []string
		told  []string
	}{
		"at once":            {[][]string{nil}, broken, []string{}, []string{"input/output error"}},
		"with the last part": {[][]string{{"a"}, {"b"}}, broken, []string{"a", "b"}, []string{"input/output error"}},
		"after a part":       {[][]string{{"a", "b"}, nil}, broken, []string{"a", "b"}, []string{"input/output error"}},
		"vanished":           {[][]string{{"a"}, nil}, fs.ErrNotExist, []string{"a"}, []string{}},
		"not at all":         {[][]string{{"a"}, {"b", "c"}}, nil, []string{"a", "b", "c"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seam := newSeam()
			seam.openDir = func(path string) (embedded.Dir, error) {
				if path == dir {
					return &listDir{parts: append([][]string{}, c.parts...), err: c.err}, nil
				}
				return seam.FS.OpenDir(path)
			}
			e := open(t, embedded.Options{FS: seam})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for _, where := range []string{"directory = " + quote(dir), "path LIKE " + quote(dir+"/%")} {
				res, err := e.Query(ctx, "SELECT filename FROM file WHERE "+where+" ORDER BY filename")
				must(t, err)
				if diff := cmp.Diff(c.want, flat(res)); diff != "" {
					t.Errorf("%s: rows (-want +got):\n%s", where, diff)
				}
				want := []string{}
				for _, r := range c.told {
					want = append(want, "file|"+dir+"|"+r)
				}
				if diff := cmp.Diff(want, unread(res)); diff != "" {
					t.Errorf("%s: unread (-want +got):\n%s", where, diff)
				}
			}
			if n := seam.dirs.Load(); n != 0 {
				t.Errorf("%d folders are still open", n)
			}
		})
	}
}

func TestFolderThatOnlyLooksEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "sub", "file"), "x")
	seam := newSeam()
	seam.openDir = func(string) (embedded.Dir, error) { return &listDir{}, nil }
	e := open(t, embedded.Options{FS: seam})
	res := ask(t, e, "SELECT path FROM file WHERE directory IN ("+quote(dir)+","+quote(dir+"/sub")+")")
	if diff := cmp.Diff([]string{"file|" + dir + "|looks empty, yet has 3 links"}, unread(res)); diff != "" || len(res.Rows) > 0 {
		t.Errorf("%d rows, unread (-want +got):\n%s", len(res.Rows), diff)
	}
}

func TestEntriesThatVanish(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "stays"), "x")
	write(t, filepath.Join(dir, "goes"), "y")
	write(t, filepath.Join(dir, "fails"), "z")
	seam := newSeam()
	seam.lstat = func(path string) (embedded.Stat, error) {
		switch filepath.Base(path) {
		case "goes":
			return embedded.Stat{}, &fs.PathError{Op: "lstat", Path: path, Err: syscall.ENOENT}
		case "fails":
			return embedded.Stat{}, &fs.PathError{Op: "lstat", Path: path, Err: errDisk}
		}
		return seam.FS.Lstat(path)
	}
	e := open(t, embedded.Options{FS: seam})
	res := ask(t, e, "SELECT filename FROM file WHERE directory = "+quote(dir))
	if diff := cmp.Diff([]string{"stays"}, flat(res)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"file|" + dir + "/fails|input/output error"}, unread(res)); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}

func TestPanicBecomesAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "a")
	write(t, filepath.Join(dir, "b"), "b")
	seam := newSeam()
	armed := ""
	boom := func(what string) {
		if armed == what {
			panic("the disk melted")
		}
	}
	seam.lstat = func(path string) (embedded.Stat, error) { boom("lstat"); return seam.FS.Lstat(path) }
	seam.stat = func(path string) (embedded.Stat, error) { boom("stat"); return seam.FS.Stat(path) }
	seam.openDir = func(path string) (embedded.Dir, error) { boom("opendir"); return seam.FS.OpenDir(path) }
	seam.open = func(path string) (embedded.File, error) { boom("open"); return seam.FS.Open(path) }
	e := open(t, embedded.Options{FS: seam})
	for what, text := range map[string]string{
		"lstat":   "SELECT path FROM file WHERE directory = " + quote(dir),
		"opendir": "SELECT path FROM file WHERE directory = " + quote(dir),
		"stat":    "SELECT path FROM file WHERE path LIKE " + quote(dir+"/%"),
		"open":    "SELECT h.sha256 FROM file f CROSS JOIN hash h ON h.path = f.path WHERE f.directory = " + quote(dir),
	} {
		armed = what
		refused(t, e, text, "internal error: the disk melted")
		armed = ""
		if got := rows(t, e, text); len(got) != 2 {
			t.Errorf("%s: after the panic: %v", what, got)
		}
	}
	armed = "open"
	refused(t, e, "SELECT * FROM users", "internal error")
	armed = ""
	if n := seam.dirs.Load() + seam.files.Load(); n != 0 {
		t.Errorf("%d files and folders are still open", n)
	}
}

func TestCancelStopsALongWalk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x"), "x")
	seam := newSeam()
	looked := make(chan struct{})
	var once sync.Once
	seam.openDir = func(path string) (embedded.Dir, error) {
		if path == dir {
			once.Do(func() { close(looked) })
			return endlessDir{"x"}, nil
		}
		return seam.FS.OpenDir(path)
	}
	seam.open = func(path string) (embedded.File, error) {
		if path != filepath.Join(dir, "x") {
			return seam.FS.Open(path)
		}
		once.Do(func() { close(looked) })
		return endless{}, nil
	}
	seam.stat = func(path string) (embedded.Stat, error) {
		st, err := seam.FS.Stat(path)
		if path == filepath.Join(dir, "x") {
			st.Inode = 0 // never from the cache
		}
		return st, err
	}
	e := open(t, embedded.Options{FS: seam, ReadMax: 1 << 62})
	for _, text := range []string{
		"SELECT count(*) FROM file WHERE directory = " + quote(dir),
		"SELECT count(*) FROM file WHERE directory = " + quote(dir) + " AND size = 77",
		"SELECT count(*) FROM hash WHERE directory = " + quote(dir),
		"SELECT sha256 FROM hash WHERE path = " + quote(dir+"/x"),
		"WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
	} {
		once, looked = sync.Once{}, make(chan struct{})
		if strings.HasPrefix(text, "WITH") {
			close(looked)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := e.Query(ctx, text)
			done <- err
		}()
		<-looked
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", text, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: still runs 20 s after it was cancelled", text)
		}
	}
	if n := seam.dirs.Load() + seam.files.Load(); n != 0 {
		t.Errorf("%d files and folders are still open", n)
	}
	expect(t, e, "SELECT 1", "1")
}

// endless is a file without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error)   { return len(p), nil }
func (endless) Stat() (embedded.Stat, error) { return regular(5), nil }
func (endless) Close() error                 { return nil }

func TestWaitingForTheEngineCanBeCancelled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seam := newSeam()
	inside, leave := make(chan struct{}), make(chan struct{})
	seam.openDir = func(path string) (embedded.Dir, error) {
		close(inside)
		<-leave
		return seam.FS.OpenDir(path)
	}
	e := open(t, embedded.Options{FS: seam})
	first := make(chan error, 1)
	go func() {
		_, err := e.Query(context.Background(), "SELECT path FROM file WHERE directory = "+quote(dir))
		first <- err
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := e.Query(ctx, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second query: %v", err)
	}
	close(leave)
	must(t, <-first)
}

func TestConcurrentQueries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want []string
	for _, n := range []string{"a", "b", "c"} {
		write(t, filepath.Join(dir, n), n)
		want = append(want, sums(n))
	}
	e := open(t, embedded.Options{})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if i%4 == 3 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*time.Millisecond)
				defer cancel()
				if _, err := e.Query(ctx, "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("an endless query: %v", err)
				}
				return
			}
			res, err := e.Query(context.Background(), "SELECT md5, sha1, sha256 FROM hash WHERE directory = "+quote(dir)+" ORDER BY path")
			if err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(want, flat(res)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
	wg.Wait()
}

func TestCloseEndsTheEngine(t *testing.T) {
	t.Parallel()
	e, err := embedded.Open(embedded.Options{})
	must(t, err)
	must(t, e.Close(), e.Close())
	if _, err := e.Query(t.Context(), "SELECT 1"); err == nil {
		t.Error("a closed engine answers")
	}
}

func TestUnreadIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 1200 {
		must(t, os.WriteFile(filepath.Join(dir, strings.Repeat("x", 1+i%200)+string(rune('a'+i/200))), nil, 0o600))
	}
	seam := newSeam()
	seam.lstat = func(path string) (embedded.Stat, error) {
		return embedded.Stat{}, &fs.PathError{Op: "lstat", Path: path, Err: errDisk}
	}
	e := open(t, embedded.Options{FS: seam})
	// The same paths twice: each is told once.
	res := ask(t, e, "SELECT path FROM file WHERE directory = "+quote(dir)+" UNION ALL SELECT path FROM file WHERE directory = "+quote(dir))
	if len(res.Rows) != 0 || len(res.Unread) != 1000 || res.UnreadTotal != 1200 {
		t.Errorf("%d rows, %d of %d unread", len(res.Rows), len(res.Unread), res.UnreadTotal)
	}
}
