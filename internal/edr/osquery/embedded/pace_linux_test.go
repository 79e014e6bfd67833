//go:build sqlite_vtable

package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// metred is the real file system, which counts what is read, and how many files are open at once.
type metred struct {
	embedded.FS
	read       atomic.Int64
	open, most atomic.Int64
}

type metredFile struct {
	embedded.File
	fs *metred
}

func (c *metred) Open(path string) (embedded.File, error) {
	f, err := c.FS.Open(path)
	if err != nil {
		return nil, err
	}
	c.most.Store(max(c.most.Load(), c.open.Add(1)))
	return &metredFile{f, c}, nil
}

func (f *metredFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	f.fs.read.Add(int64(n))
	return n, err
}

func (f *metredFile) Close() error {
	f.fs.open.Add(-1)
	return f.File.Close()
}

// slow checks at each pause that it was told of all that was read.
type slow struct {
	t     *testing.T
	fs    *metred
	told  int64
	calls int
	stop  int // the call at which it ends, 0 never
}

func (s *slow) Wait(ctx context.Context, n int) error {
	s.calls++
	s.told += int64(n)
	if read := s.fs.read.Load(); read != s.told {
		s.t.Errorf("%d bytes were read and %d told", read, s.told)
	}
	if s.calls == s.stop {
		return context.Canceled
	}
	return ctx.Err()
}

// An engine with a pace works in one goroutine, pauses after every piece, and answers the same.
func TestPace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bytes := int64(0)
	for i := range 30 {
		text := strings.Repeat("x", 20_000*i)
		write(t, filepath.Join(dir, fmt.Sprint(i%4), "sub", fmt.Sprint(i)), text)
		bytes += int64(len(text))
	}
	text := "WITH RECURSIVE w(path, size, type) AS (SELECT path, size, type FROM file WHERE directory = " + quote(dir) +
		" UNION ALL SELECT f.path, f.size, f.type FROM w CROSS JOIN file f ON f.directory = w.path WHERE w.type = 'directory')" +
		" SELECT w.path, h.sha256 FROM w LEFT JOIN hash h ON h.path = w.path WHERE w.type = 'regular' ORDER BY w.path"
	hints := embedded.Hints{Root: dir, MaxDepth: 100, MaxSize: 1 << 20, SHA256: true}
	want, err := open(t, embedded.Options{}).QueryAhead(t.Context(), text, hints)
	if err != nil {
		t.Fatal(err)
	}
	fs := &metred{FS: embedded.RealFS()}
	pace := &slow{t: t, fs: fs}
	var files, metered atomic.Int64
	meter := func(w embedded.Work) { files.Add(w.Files); metered.Add(w.Bytes) }
	got, err := open(t, embedded.Options{FS: fs, Pace: pace, Meter: meter}).QueryAhead(t.Context(), text, hints)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(flat(want), flat(got)); diff != "" || len(got.Rows) != 30 {
		t.Errorf("the answer of an engine with a pace (-without +with):\n%s", diff)
	}
	if pace.told != bytes || pace.calls < 40 || fs.most.Load() != 1 {
		t.Errorf("%d of %d bytes told in %d calls, %d files open at once", pace.told, bytes, pace.calls, fs.most.Load())
	}
	if files.Load() != 30 || metered.Load() != bytes {
		t.Errorf("the meter is told of %d files and %d of %d bytes", files.Load(), metered.Load(), bytes)
	}
	fast := atomic.Int64{}
	if _, err := open(t, embedded.Options{Meter: func(w embedded.Work) { fast.Add(w.Files) }}).QueryAhead(t.Context(), text, hints); err != nil || fast.Load() != 30 {
		t.Errorf("looking ahead, the meter is told of %d files, %v", fast.Load(), err)
	}
	for _, stop := range []int{1, 20} {
		fs := &metred{FS: embedded.RealFS()}
		ctx, cancel := context.WithCancel(t.Context())
		e := open(t, embedded.Options{FS: fs, Pace: stopping{&slow{t: t, fs: fs, stop: stop}, cancel}})
		if _, err := e.Query(ctx, text); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted at pause %d: %v", stop, err)
		}
	}
}

// stopping ends the query when its pause ends early.
type stopping struct {
	*slow
	cancel func()
}

func (s stopping) Wait(ctx context.Context, n int) error {
	err := s.slow.Wait(ctx, n)
	if err != nil {
		s.cancel()
	}
	return err
}
