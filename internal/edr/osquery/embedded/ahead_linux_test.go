//go:build sqlite_vtable

package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// question is hunter's own text for a folder: files of some sizes, or of any.
func question(t testing.TB, root string, kinds []indicator.Kind, sizes ...int64) string {
	t.Helper()
	var hashes []indicator.Indicator
	for _, k := range kinds {
		hashes = append(hashes, indicator.Indicator{Kind: k, Value: strings.Repeat("a", k.HexLen())})
	}
	text, err := osquery.Text(osquery.Question{
		Stage: ledger.Files, Platform: "linux", Engine: ledger.EngineEmbedded, Root: root, Explicit: true, Hashes: hashes, Sizes: sizes,
		MaxSize: 1 << 20, MaxDepth: 1000,
	})
	must(t, err)
	return text
}

// steady is the answer without what differs from one query or engine to the next: the clock.
func steady(res *embedded.Result) []string {
	var out []string
	for _, row := range res.Rows {
		if row["kind"] == "meta" {
			row["size"], row["n"] = "", ""
		}
	}
	out = append(out, flat(res)...)
	out = append(out, unread(res)...)
	slices.Sort(out)
	return append(out, fmt.Sprint(res.UnreadTotal, " unread"))
}

// oddTree has what a walk can meet: links to files, folders, nothing and themselves, a FIFO, dot files, a big folder, files
// of the same inode, empty folders, depth.
func oddTree(t testing.TB) string {
	t.Helper()
	top := t.TempDir()
	for i := range 300 {
		write(t, filepath.Join(top, "many", fmt.Sprintf("f%03d", i)), strings.Repeat("x", i%7))
	}
	write(t, filepath.Join(top, ".hidden", "it's [odd]\n\xff"), "abc")
	write(t, filepath.Join(top, "a", "b", "c", "d", "e", "deep"), "deeper")
	write(t, filepath.Join(top, "over"), strings.Repeat("y", 2<<20))
	must(t, os.MkdirAll(filepath.Join(top, "empty", "empty"), 0o755), os.Link(filepath.Join(top, "many", "f003"), filepath.Join(top, "twin")),
		os.Symlink("many", filepath.Join(top, "to-folder")), os.Symlink("over", filepath.Join(top, "to-file")), os.Symlink("none", filepath.Join(top, "to-nothing")),
		os.Symlink("loop", filepath.Join(top, "loop")), unix.Mkfifo(filepath.Join(top, "a", "fifo"), 0o644))
	return top
}

// faulty is the real file system in which some paths can not be read, the same ones each time.
func faulty(top string) *seam {
	s := newSeam()
	bad := func(path string) error {
		switch strings.TrimPrefix(path, top+"/") {
		case "many/f010", "a/b/c", "many/f011":
			return &fs.PathError{Op: "open", Path: path, Err: errDisk}
		case "many/f012":
			return &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
		}
		return nil
	}
	s.lstat = func(path string) (embedded.Stat, error) {
		if strings.HasSuffix(path, "many/f020") {
			return embedded.Stat{}, &fs.PathError{Op: "lstat", Path: path, Err: errDisk}
		}
		return s.FS.Lstat(path)
	}
	s.open = func(path string) (embedded.File, error) {
		if err := bad(path); err != nil {
			return nil, err
		}
		return s.FS.Open(path)
	}
	s.openDir = func(path string) (embedded.Dir, error) {
		if err := bad(path); err != nil {
			return nil, err
		}
		return s.FS.OpenDir(path)
	}
	return s
}

func TestHintsNeverChangeAnAnswer(t *testing.T) {
	t.Parallel()
	top := oddTree(t)
	kinds := indicator.DigestKinds()
	texts := []string{
		question(t, top, kinds), question(t, top, kinds[:1]), question(t, top, kinds[2:], 3, 5), question(t, top+"/over", kinds, 2<<20), question(t, top+"/none", kinds),
		"SELECT f.path, f.size, h.sha256 FROM file f LEFT JOIN hash h ON h.path = f.path WHERE f.directory IN (" + quote(top) + "," + quote(top+"/many") + "," + quote(top+"/many") + ")",
		"SELECT path, md5 FROM hash WHERE directory = " + quote(top+"/many") + " UNION ALL SELECT path, sha1 FROM hash WHERE path LIKE " + quote(top+"/%%"),
	}
	seam := faulty(top)
	want := map[string][]string{}
	for _, text := range texts {
		want[text] = steady(ask(t, open(t, embedded.Options{FS: seam}), text))
	}
	hinted := open(t, embedded.Options{FS: seam})
	rapid.Check(t, func(rt *rapid.T) {
		h := embedded.Hints{
			Root:     rapid.SampledFrom([]string{top, top, top + "/many", top + "/none", top + "/over", top + "/to-folder", top + "/", "", "relative", "/proc/self/fd"}).Draw(rt, "root"),
			MaxDepth: rapid.SampledFrom([]int{1000, 1000, 0, 1, 2, -1}).Draw(rt, "depth"),
			Sizes:    rapid.SampledFrom([][]int64{nil, nil, {3, 5}, {4}, {5, 3, 1}, {-1}}).Draw(rt, "sizes"),
			MaxSize:  rapid.SampledFrom([]int64{1 << 20, 1 << 20, 0, 4, -1, 1 << 40}).Draw(rt, "max"),
			MD5:      rapid.Bool().Draw(rt, "md5"), SHA1: rapid.Bool().Draw(rt, "sha1"), SHA256: rapid.Bool().Draw(rt, "sha256"),
		}
		text := rapid.SampledFrom(texts).Draw(rt, "text")
		res, err := hinted.QueryAhead(t.Context(), text, h)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want[text], steady(res)); diff != "" {
			rt.Fatalf("%+v\n(-want +got):\n%s", h, diff)
		}
	})
	if n := seam.dirs.Load() + seam.files.Load(); n != 0 {
		t.Errorf("%d files and folders are still open", n)
	}
}

// With hints each file is read once, for the digests that will be asked for, also by the first row.
func TestLookingAheadReadsEachFileOnce(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	for i := range 400 {
		write(t, filepath.Join(top, fmt.Sprint(i%7), fmt.Sprint(i)), fmt.Sprint("text ", i))
	}
	seam := newSeam()
	var unhinted atomic.Int64
	seam.openDir = func(path string) (embedded.Dir, error) { unhinted.Add(1); return seam.FS.OpenDir(path) }
	e := open(t, embedded.Options{FS: seam})
	res, err := e.QueryAhead(t.Context(), question(t, top, indicator.DigestKinds()), embedded.Hints{
		Root: top, MaxDepth: 1000, MaxSize: 1 << 20, MD5: true, SHA1: true, SHA256: true,
	})
	must(t, err)
	hashed := ""
	for _, r := range res.Rows {
		if r["kind"] == "count" && r["name"] == "hashed" {
			hashed = r["n"]
		}
	}
	// /etc/passwd, the control, is read when it is asked for; /etc/passwd and the mounts are read for their tables too.
	if n := seam.opened.Load(); hashed != "400" || n < 401 || n > 410 {
		t.Errorf("%s files hashed, %d opened", hashed, n)
	}
	if n := unhinted.Load(); n != 8 {
		t.Errorf("8 folders were opened %d times", n)
	}
}

// What the walk leaves out is not looked at ahead of it either: another device may be a network mount that never answers.
func TestLookingAheadStaysOnTheDevice(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	write(t, filepath.Join(top, "here", "sub", "x"), "x")
	write(t, filepath.Join(top, "mount", "sub", "y"), "y")
	seam := newSeam()
	var entered atomic.Int64
	seam.lstat = func(path string) (embedded.Stat, error) {
		st, err := seam.FS.Lstat(path)
		if strings.HasPrefix(path, top+"/mount") {
			st.Device++
		}
		return st, err
	}
	seam.openDir = func(path string) (embedded.Dir, error) {
		if strings.HasPrefix(path, top+"/mount") {
			entered.Add(1)
		}
		return seam.FS.OpenDir(path)
	}
	e := open(t, embedded.Options{FS: seam})
	walk := "WITH RECURSIVE w(path) AS (SELECT " + quote(top) + " UNION ALL SELECT f.path FROM w CROSS JOIN file f ON f.directory = w.path WHERE f.type = 'directory'%s) SELECT count(*) FROM w"
	hints := embedded.Hints{Root: top, MaxDepth: 1000}
	for range 20 {
		res, err := e.QueryAhead(t.Context(), fmt.Sprintf(walk, " AND f.path <> "+quote(top+"/mount")), hints)
		must(t, err)
		if n := entered.Load(); flat(res)[0] != "3" || n != 0 {
			t.Fatalf("%s folders; the mount was entered %d times", flat(res)[0], n)
		}
	}
	res, err := e.QueryAhead(t.Context(), fmt.Sprintf(walk, ""), hints)
	must(t, err)
	if flat(res)[0] != "5" {
		t.Errorf("with the mount: %s folders", flat(res)[0])
	}
}

func TestPanicAheadIsNoPanic(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	for _, n := range []string{"a/1", "b/2", "c/3"} {
		write(t, filepath.Join(top, n), n)
	}
	seam := newSeam()
	var left atomic.Int64
	boom := func(path string) {
		if path != top && strings.HasPrefix(path, top) && left.Add(-1) >= 0 {
			panic("the disk melted")
		}
	}
	seam.openDir = func(path string) (embedded.Dir, error) { boom(path); return seam.FS.OpenDir(path) }
	seam.open = func(path string) (embedded.File, error) { boom(path); return seam.FS.Open(path) }
	e := open(t, embedded.Options{FS: seam})
	text := question(t, top, indicator.DigestKinds())
	hints := embedded.Hints{Root: top, MaxDepth: 1000, MaxSize: 1 << 20, SHA256: true, SHA1: true, MD5: true}
	want := steady(ask(t, e, text))
	for range 50 {
		left.Store(1) // one call goes wrong: ahead, or in SQLite's own walk, which must say so
		res, err := e.QueryAhead(t.Context(), text, hints)
		if err != nil {
			if !strings.Contains(err.Error(), "internal error: the disk melted") {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(want, steady(res)); diff != "" {
			t.Fatalf("after a panic that nobody was told of (-want +got):\n%s", diff)
		}
	}
	left.Store(1 << 40)
	if _, err := e.QueryAhead(t.Context(), text, hints); err == nil {
		t.Error("a disk that always melts gave an answer")
	}
	if n := seam.dirs.Load() + seam.files.Load(); n != 0 {
		t.Errorf("%d files and folders are still open", n)
	}
}

func TestCancelWhileLookingAhead(t *testing.T) {
	t.Parallel()
	top := oddTree(t)
	seam := newSeam()
	e := open(t, embedded.Options{FS: seam})
	text := question(t, top, indicator.DigestKinds())
	cancelled := 0 // near the end of the walk the last row may be there before the cancel
	for after := range int64(40) {
		ctx, cancel := context.WithCancel(t.Context())
		var calls atomic.Int64
		seam.open = func(path string) (embedded.File, error) {
			if strings.HasPrefix(path, top) && calls.Add(1) > after {
				cancel()
			}
			return seam.FS.Open(path)
		}
		switch _, err := e.QueryAhead(ctx, text, embedded.Hints{Root: top, MaxDepth: 1000, MaxSize: 1 << 20, SHA256: true}); {
		case errors.Is(err, context.Canceled):
			cancelled++
		case err != nil || after < 20:
			t.Fatalf("cancelled after %d files: %v", after, err)
		}
		cancel()
		if n := seam.dirs.Load() + seam.files.Load(); n != 0 {
			t.Fatalf("cancelled after %d files: %d files and folders are still open", after, n)
		}
	}
	if cancelled < 20 {
		t.Errorf("%d of 40 were cancelled", cancelled)
	}
}
