//go:build sqlite_vtable

package embedded_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

func TestHashDigests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, size := range []int{0, 1, 63, 64, 65, 4096, 256<<10 - 1, 256 << 10, 256<<10 + 1, 3 << 20} {
		path := filepath.Join(dir, fmt.Sprint(size))
		text := strings.Repeat("hunter\x00\xff", size/8+1)[:size]
		write(t, path, text)
		// The three in each order, and each alone: a digest is made when it is first asked for.
		d := strings.Split(sums(text), "|")
		e := open(t, embedded.Options{})
		for _, c := range []struct{ cols, want string }{
			{"sha256", d[2]}, {"md5", d[0]}, {"sha1", d[1]}, {"md5, sha1, sha256", sums(text)}, {"sha256, md5, sha1", d[2] + "|" + d[0] + "|" + d[1]},
			{"path, directory, sha1", path + "|" + dir + "|" + d[1]}, {"count(*)", "1"},
		} {
			expect(t, e, "SELECT "+c.cols+" FROM hash WHERE path = "+quote(path), c.want)
		}
	}
}

func TestHashOfSpecialFiles(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	dir := special(t)
	empty := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	text := strings.Split(sums("text"), "|")[2]
	ctx := "SELECT path, sha256 FROM hash WHERE "
	res := ask(t, e, ctx+"directory = "+quote(dir)+" ORDER BY path")
	want := []string{dir + "/empty|" + empty, dir + "/link|" + text, dir + "/regular|" + text}
	if diff := cmp.Diff(want, flat(res)); diff != "" {
		t.Errorf("hash of a folder (-want +got):\n%s", diff)
	}
	if len(res.Unread) > 0 {
		t.Errorf("unread: %v", unread(res))
	}
	for _, n := range []string{"folder", "folder/", "fifo", "socket", "dangling", "loop", "self", "dirlink", "device", "nothing", "regular/", "loop/x"} {
		if res := ask(t, e, ctx+"path = "+quote(dir+"/"+n)); len(res.Rows) > 0 || len(res.Unread) > 0 {
			t.Errorf("%s: rows %v unread %v", n, flat(res), unread(res))
		}
	}
	expect(t, e, ctx+"path LIKE "+quote(dir+"/r%"), dir+"/regular|"+text)
	expect(t, e, ctx+"path IN ("+quote(dir+"/regular")+","+quote(dir+"/empty")+")", dir+"/regular|"+text, dir+"/empty|"+empty)
	expect(t, e, ctx+"path = "+quote(dir+"/regular")+" AND sha256 = upper("+quote(text)+")", dir+"/regular|"+text) // digests have no case
	expect(t, e, ctx+"path = "+quote(dir+"/regular")+" AND sha256 = ''")
}

func TestHashReadMax(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "most"), strings.Repeat("x", 1000))
	write(t, filepath.Join(dir, "over"), strings.Repeat("x", 1001))
	seam := newSeam()
	e := open(t, embedded.Options{ReadMax: 1000, FS: seam})
	expect(t, e, "SELECT md5, sha1, sha256 FROM hash WHERE path = "+quote(dir+"/most"), sums(strings.Repeat("x", 1000)))
	before := seam.opened.Load()
	res := ask(t, e, "SELECT md5, sha1, sha256 FROM hash WHERE path = "+quote(dir+"/over"))
	if diff := cmp.Diff([]string{"||"}, flat(res)); diff != "" || len(res.Unread) > 0 {
		t.Errorf("unread %v, rows (-want +got):\n%s", unread(res), diff)
	}
	if n := seam.opened.Load() - before; n > 0 {
		t.Errorf("a file that is too big was opened %d times", n)
	}
	// What passes the limit only while it is read is as if it were bigger from the start.
	seam.open = func(string) (embedded.File, error) {
		return &memFile{stat: regular(1000), steps: []step{{text: strings.Repeat("x", 1000)}, {text: strings.Repeat("x", 1000), size: 2000}}}, nil
	}
	res = ask(t, e, "SELECT sha256 FROM hash WHERE path = "+quote(dir+"/most")+" AND sha1 = ''")
	if diff := cmp.Diff([]string{""}, flat(res)); diff != "" {
		t.Errorf("a file that grew (-want +got):\n%s", diff)
	}
}

func TestHashOfFilesThatChange(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "abc")
	broken := &fs.PathError{Op: "read", Path: path, Err: errDisk}
	for name, c := range map[string]struct {
		tries []embedded.File // nil: it is not there
		want  string
		told  []string
	}{
		"grows once":        {[]embedded.File{&memFile{regular(3), []step{{text: "abc", size: 5}}}, &memFile{regular(5), []step{{text: "abcde"}}}}, sums("abcde"), nil},
		"grows always":      {[]embedded.File{&memFile{regular(3), []step{{text: "abcd", size: 4}}}, &memFile{regular(4), []step{{text: "abcde", size: 5}}}}, "||", []string{"changed while it was read"}},
		"shrinks":           {[]embedded.File{&memFile{regular(9), []step{{text: "abc", size: 3}}}, &memFile{regular(3), []step{{text: "abc"}}}}, sums("abc"), nil},
		"ends too early":    {[]embedded.File{&memFile{regular(9), []step{{text: "abc"}}}, &memFile{regular(9), []step{{text: "abc"}}}}, "||", []string{"changed while it was read"}},
		"vanishes":          {[]embedded.File{nil}, "||", nil},
		"vanishes later":    {[]embedded.File{&memFile{regular(3), []step{{text: "abc", size: 5}}}, nil}, "||", nil},
		"can not be read":   {[]embedded.File{&memFile{regular(3), []step{{text: "a", err: broken}}}}, "||", []string{"input/output error"}},
		"becomes a FIFO":    {[]embedded.File{&memFile{embedded.Stat{Mode: fs.ModeNamedPipe}, nil}}, "||", []string{"no longer a regular file"}},
		"no size, as /proc": {[]embedded.File{&memFile{regular(0), []step{{text: "abc"}, {text: "def"}}}}, sums("abcdef"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seam, tries := newSeam(), c.tries
			seam.open = func(string) (embedded.File, error) {
				if len(tries) == 0 {
					t.Error("opened once more than expected")
					return nil, syscall.ENOENT
				}
				f := tries[0]
				tries = tries[1:]
				if f == nil {
					return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
				}
				return f, nil
			}
			e := open(t, embedded.Options{FS: seam})
			// The three digests in one pass: the query reads sha256 of a row whose md5 and sha1 were asked before.
			res := askThree(t, e, seam, path)
			if diff := cmp.Diff([]string{c.want}, flat(res)); diff != "" {
				t.Errorf("digests (-want +got):\n%s", diff)
			}
			want := []string{}
			for _, r := range c.told {
				want = append(want, "hash|"+path+"|"+r)
			}
			if diff := cmp.Diff(want, unread(res)); diff != "" {
				t.Errorf("unread (-want +got):\n%s", diff)
			}
			if n := seam.files.Load(); n != 0 || len(tries) > 0 {
				t.Errorf("%d files are still open, %d tries are left", n, len(tries))
			}
		})
	}
}

// askThree asks for the digests of a path after those of another file of which all kinds were read: so each file that
// follows is read once for all three.
func askThree(t *testing.T, e *embedded.Engine, seam *seam, path string) *embedded.Result {
	t.Helper()
	first := filepath.Join(t.TempDir(), "first")
	write(t, first, "first")
	odd := seam.open
	seam.open = func(p string) (embedded.File, error) {
		if p == first {
			return seam.FS.Open(p)
		}
		return odd(p)
	}
	return ask(t, e, "WITH k AS MATERIALIZED (SELECT p.column1 AS path, h.md5, h.sha1, h.sha256 FROM (VALUES ("+quote(first)+"), ("+quote(path)+")) p"+
		" CROSS JOIN hash h ON h.path = p.column1) SELECT md5, sha1, sha256 FROM k WHERE path = "+quote(path))
}

func TestHashThatChangesWithinARow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "abc")
	tries := []embedded.File{&memFile{regular(3), []step{{text: "abc"}}}, nil}
	seam := newSeam()
	seam.open = func(string) (embedded.File, error) {
		f := tries[0]
		tries = tries[1:]
		if f == nil {
			return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
		}
		return f, nil
	}
	e := open(t, embedded.Options{FS: seam})
	res := ask(t, e, "SELECT sha256 <> '', md5 FROM hash WHERE path = "+quote(path))
	if diff := cmp.Diff([]string{"1|"}, flat(res)); diff != "" {
		t.Errorf("digests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"hash|" + path + "|changed while it was read"}, unread(res)); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}

func TestHashMakesOnlyTheDigestsAskedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const n = 20
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprint(i)), fmt.Sprint(i))
	}
	for _, c := range []struct {
		text  string
		opens int64
	}{
		{"SELECT path FROM hash WHERE directory = @D", 0},
		{"SELECT sha256 FROM hash WHERE directory = @D", n},
		{"SELECT md5, sha1, sha256 FROM hash WHERE directory = @D", n + 2}, // the first file shows which are asked for
		{"SELECT f.size, h.sha256 FROM file f CROSS JOIN hash h ON h.path = f.path WHERE f.directory = @D AND f.filename = '7'", 1},
		{"SELECT h.sha256 FROM file f JOIN hash h ON h.path = f.path WHERE f.directory = @D AND f.size = 2", n - 10},
		{"SELECT h.sha256 FROM hash h JOIN file f ON h.path = f.path WHERE f.directory = @D AND f.size = 2", n - 10},
		{"SELECT sha256 FROM hash WHERE path IN (SELECT path FROM file WHERE directory = @D AND size = 1)", 10},
		{"WITH k(v) AS (VALUES ('a'),('b'),('c')) SELECT h.path FROM file f CROSS JOIN hash h ON h.path = f.path WHERE f.directory = @D AND h.sha256 IN (SELECT v FROM k)", n},
	} {
		seam := newSeam()
		e := open(t, embedded.Options{FS: seam})
		ask(t, e, strings.ReplaceAll(c.text, "@D", quote(dir)))
		if got := seam.opened.Load(); got != c.opens {
			t.Errorf("%s: opened %d files instead of %d", c.text, got, c.opens)
		}
	}
}

func TestHashCache(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "one")
	seam := newSeam()
	now := time.Now()
	e := open(t, embedded.Options{FS: seam, Now: func() time.Time { return now }})
	look := func(want string, opens int64) {
		t.Helper()
		before := seam.opened.Load()
		expect(t, e, "SELECT sha256 FROM hash WHERE path = "+quote(path), strings.Split(sums(want), "|")[2])
		if got := seam.opened.Load() - before; got != opens {
			t.Errorf("%s: opened %d times instead of %d", want, got, opens)
		}
	}
	look("one", 1)
	look("one", 1) // changed a moment ago: it may change again within the same time stamp
	now = now.Add(time.Minute)
	look("one", 1)
	look("one", 0)
	// The same size and time of change, as if somebody hid it: the inode's own time tells.
	st, err := os.Stat(path)
	must(t, err)
	time.Sleep(20 * time.Millisecond) // time stamps are as fine as the system's tick
	must(t, os.WriteFile(path, []byte("two"), 0o644), os.Chtimes(path, st.ModTime(), st.ModTime()))
	look("two", 1)
	must(t, os.Rename(path, path+"x"), os.WriteFile(path, []byte("one"), 0o644))
	look("one", 1)
	expect(t, e, "SELECT md5, sha1, sha256 FROM hash WHERE path = "+quote(path), sums("one"))
}
