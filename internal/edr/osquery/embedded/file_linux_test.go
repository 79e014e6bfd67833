//go:build sqlite_vtable

package embedded_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

func TestFileColumns(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	path := filepath.Join(t.TempDir(), "a file")
	write(t, path, "seven b")
	at, mt := time.Unix(1_600_000_001, 0), time.Unix(1_600_000_002, 500)
	must(t, os.Chmod(path, 0o4751), os.Link(path, path+" too"), os.Chtimes(path, at, mt), os.Chmod(path, 0o751|os.ModeSetuid))
	var st unix.Stat_t
	must(t, unix.Stat(path, &st))
	want := map[string]string{
		"path": path, "directory": filepath.Dir(path), "filename": "a file", "inode": fmt.Sprint(st.Ino), "uid": fmt.Sprint(st.Uid),
		"gid": fmt.Sprint(st.Gid), "mode": "4751", "device": fmt.Sprint(st.Dev), "size": "7", "block_size": fmt.Sprint(st.Blksize),
		"atime": "1600000001", "mtime": "1600000002", "ctime": fmt.Sprint(st.Ctim.Sec), "btime": "0", "hard_links": "2",
		"symlink": "0", "type": "regular", "symlink_target_path": "",
	}
	res := ask(t, e, "SELECT * FROM file WHERE path = "+quote(path))
	if len(res.Rows) != 1 {
		t.Fatalf("%d rows", len(res.Rows))
	}
	if diff := cmp.Diff(want, res.Rows[0]); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	// The same file by way of its folder and of a pattern.
	for _, where := range []string{"directory = " + quote(filepath.Dir(path)), "path LIKE " + quote(filepath.Dir(path)+"/%")} {
		res := ask(t, e, "SELECT * FROM file WHERE "+where+" AND filename = 'a file'")
		if diff := cmp.Diff([]map[string]string{want}, res.Rows); diff != "" {
			t.Errorf("%s (-want +got):\n%s", where, diff)
		}
	}
}

// special makes one of each sort of file.
func special(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "regular"), "text")
	write(t, filepath.Join(dir, "empty"), "")
	write(t, filepath.Join(dir, "folder", "inside"), "inside")
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600),
		os.Symlink("regular", filepath.Join(dir, "link")),
		os.Symlink(filepath.Join(dir, "folder"), filepath.Join(dir, "dirlink")),
		os.Symlink("nothing", filepath.Join(dir, "dangling")),
		os.Symlink("loop", filepath.Join(dir, "loop")),
		os.Symlink(".", filepath.Join(dir, "self")),
		os.Symlink("/dev/null", filepath.Join(dir, "device")))
	listen, err := net.Listen("unix", filepath.Join(dir, "socket"))
	must(t, err)
	t.Cleanup(func() {
		if err := listen.Close(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFileTypes(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	dir := special(t)
	res := ask(t, e, "SELECT filename, type, symlink, symlink_target_path FROM file WHERE directory = "+quote(dir)+" ORDER BY filename")
	want := []string{
		"dangling|unknown|1|nothing", "device|character|1|/dev/null", "dirlink|directory|1|" + dir + "/folder", "empty|regular|0|", "fifo|fifo|0|",
		"folder|directory|0|", "link|regular|1|regular", "loop|unknown|1|loop", "regular|regular|0|", "self|directory|1|.", "socket|socket|0|",
	}
	if diff := cmp.Diff(want, flat(res)); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	if len(res.Unread) > 0 {
		t.Errorf("unread: %v", unread(res))
	}
	// A link gives its target's size, a dangling one its own.
	expect(t, e, "SELECT filename, size FROM file WHERE directory = "+quote(dir)+" AND filename IN ('link','dangling')", "link|4", "dangling|7")
	// What lies behind a loop, or behind a file, is nothing: no row, and nothing unread.
	for _, p := range []string{"/loop/x", "/regular/x", "/nothing/x", "/nothing"} {
		for _, where := range []string{"path = " + quote(dir+p), "directory = " + quote(dir+p), "path LIKE " + quote(dir+p+"/%")} {
			if res := ask(t, e, "SELECT path FROM file WHERE "+where); len(res.Rows) > 0 || len(res.Unread) > 0 {
				t.Errorf("%s: rows %v unread %v", where, flat(res), unread(res))
			}
		}
	}
	// As in osquery: a folder named as a folder may be a link.
	expect(t, e, "SELECT path FROM file WHERE directory = "+quote(dir+"/dirlink"), dir+"/dirlink/inside")
}

func TestFileConstraintIsNeeded(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	const words = "without a required column in the WHERE clause"
	for _, where := range []string{
		"", "WHERE size > 5", "WHERE path <> '/etc/passwd'", "WHERE path IS '/etc/passwd'", "WHERE path > '/etc'", "WHERE path GLOB '/etc/*'",
		"WHERE path IS NOT NULL", "WHERE path NOT LIKE '/etc/%'", "WHERE lower(path) = '/etc/passwd'", "WHERE path || '' = '/etc/passwd'",
		"WHERE path LIKE '/etc/%' ESCAPE '!'", "WHERE path = '/etc/passwd' OR size = 5", "LIMIT 3", "LIMIT 1 OFFSET 2", "WHERE rowid = 5",
		"WHERE path BETWEEN '/etc' AND '/etd'",
	} {
		for _, table := range []string{"file", "hash"} {
			if table == "hash" && strings.Contains(where, "size") {
				continue
			}
			refused(t, e, "SELECT * FROM "+table+" "+where, words)
		}
	}
}

func TestFilePaths(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	dir := t.TempDir()
	for _, n := range []string{"a", "b", ".hidden", "sub/c", "sub/.d", "sub/deep/e", ".dot/f", ".dot/.g/h"} {
		write(t, filepath.Join(dir, n), n)
	}
	must(t, os.Symlink(dir, filepath.Join(dir, "sub", "up")))
	under := func(names ...string) []string {
		var out []string
		for _, n := range names {
			out = append(out, dir+"/"+n)
		}
		return out
	}
	paths := func(where string) string { return "SELECT path FROM file WHERE " + where }
	expect(t, e, paths("path IN ("+quote(dir+"/a")+","+quote(dir+"/none")+","+quote(dir+"/b")+","+quote(dir+"/a")+")"), under("a", "b")...)
	expect(t, e, paths("directory = "+quote(dir)), under("a", "b", ".hidden", "sub", ".dot")...)
	expect(t, e, paths("directory IN ("+quote(dir+"/sub")+","+quote(dir+"/.dot")+")"), under("sub/c", "sub/.d", "sub/deep", "sub/up", ".dot/f", ".dot/.g")...)
	// One level: dot entries are not matched, folders end in a separator.
	expect(t, e, paths("path LIKE "+quote(dir+"/%")), under("a", "b", "sub/")...)
	expect(t, e, paths("path LIKE "+quote(dir+"/.%")), under(".hidden", ".dot/")...)
	expect(t, e, paths("path LIKE "+quote(dir+"/%/%")), under("sub/c", "sub/deep/", "sub/up/")...)
	expect(t, e, paths("path LIKE "+quote(dir+"/s%b/c")), under("sub/c")...)
	expect(t, e, paths("path LIKE "+quote(dir+"/%%/c")), under("sub/c")...)
	expect(t, e, paths("path LIKE "+quote(dir+"/a")), under("a")...)
	expect(t, e, paths("path LIKE "+quote(dir+"/%a%")), under("a")...)
	// All below: dot entries from the second level on, links followed, each folder entered once.
	expect(t, e, paths("path LIKE "+quote(dir+"/%%")), under("a", "b", "sub/", "sub/c", "sub/.d", "sub/deep/", "sub/deep/e", "sub/up/",
		"sub/up/.dot/", "sub/up/.dot/.g/", "sub/up/.dot/.g/h", "sub/up/.dot/f", "sub/up/.hidden", "sub/up/a", "sub/up/b", "sub/up/sub/")...)
	// A pattern on the folder: the files in what it matches, and SQL's own LIKE of the column must hold.
	expect(t, e, paths("directory LIKE "+quote(dir+"/%")), under("sub/c", "sub/.d", "sub/deep", "sub/up")...)
	expect(t, e, "SELECT DISTINCT directory FROM file WHERE directory LIKE "+quote(dir+"/s%b"), dir+"/sub")
	expect(t, e, paths("directory LIKE "+quote(dir+"/%/")))
	expect(t, e, "SELECT DISTINCT directory FROM file WHERE directory LIKE '/e%c'", "/etc")
	// Neither a name that is no path nor nothing at all.
	for _, where := range []string{"path = ''", "path = NULL", "directory = NULL", "path LIKE NULL", "path LIKE ''", "path IN (NULL)", "path = 5", "path = x'2f'",
		"directory = x'2f'", "path IN ()", "path = " + quote(dir+"/A"), "path = char(47,0)", "directory = ''"} {
		expect(t, e, paths(where))
	}
}

func TestFileDirectoryOfPath(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	for path, want := range map[string]string{"/etc": "/", "/etc/": "/", "/etc/passwd": "/etc", "/etc//passwd": "/etc", "/etc/../etc/passwd": "/etc/../etc", "/": ""} {
		expect(t, e, "SELECT path, directory FROM file WHERE path = "+quote(path), path+"|"+want)
	}
	if got := rows(t, e, "SELECT path FROM file WHERE directory = '/'"); !slices.Contains(got, "/etc") {
		t.Errorf("the root has no /etc: %v", got)
	}
	expect(t, e, "SELECT path, directory FROM file WHERE directory = '/etc/' AND filename = 'passwd'", "/etc/passwd|/etc/")
}

func TestFileOddNames(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	dir := t.TempDir()
	names := []string{"new\nline", "it's", `double"quote`, "bad\xff\xfeutf8", "per%cent", "under_score", "[glob]*?", "back\\slash", " ", "ünï", "tab\t", "-", "~", "x (deleted)"}
	var want []string
	for _, n := range names {
		write(t, filepath.Join(dir, n), n)
		want = append(want, filepath.Join(dir, n)+"|"+n)
	}
	expect(t, e, "SELECT path, filename FROM file WHERE directory = "+quote(dir), want...)
	expect(t, e, "SELECT path, filename FROM file WHERE path LIKE "+quote(dir+"/%"), want...)
	for i, n := range names {
		expect(t, e, "SELECT path, filename FROM file WHERE path = "+quote(filepath.Join(dir, n)), want[i])
		expect(t, e, "SELECT md5, sha1, sha256 FROM hash WHERE path = "+quote(filepath.Join(dir, n)), sums(n))
	}
	// In a pattern % is any run of characters, and _ is itself: a name is never found by its neighbours.
	write(t, filepath.Join(dir, "underXscore"), "")
	expect(t, e, "SELECT filename FROM file WHERE path LIKE "+quote(dir+"/under_score"), "under_score")
	expect(t, e, "SELECT filename FROM file WHERE path LIKE "+quote(dir+"/under_%"), "under_score")
	expect(t, e, "SELECT filename FROM file WHERE path LIKE "+quote(dir+"/per%cent"), "per%cent")
	// Bytes that are no UTF-8 are told apart.
	write(t, filepath.Join(dir, "bad\xfd\xfeutf8"), "")
	expect(t, e, "SELECT filename FROM file WHERE path LIKE "+quote(dir+"/bad\xff%"), "bad\xff\xfeutf8")
	expect(t, e, "SELECT filename FROM file WHERE path LIKE "+quote(dir+"/%\xff\xfeutf8"), "bad\xff\xfeutf8")
}

func TestFileDeepPaths(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	top := t.TempDir()
	// Folders are made one in the other: their path gets longer than the system takes in one piece.
	fd, err := unix.Open(top, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	path := top
	name := strings.Repeat("d", 200)
	for len(path) < 4400 {
		must(t, unix.Mkdirat(fd, name, 0o755))
		next, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(t, err, unix.Close(fd))
		fd, path = next, path+"/"+name
	}
	must(t, unix.Close(fd))
	walk := "WITH RECURSIVE w(path) AS (SELECT " + quote(top) + " UNION ALL SELECT f.path FROM w CROSS JOIN file f ON f.directory = w.path) SELECT max(length(path)) FROM w"
	res := ask(t, e, walk)
	got, err := strconv.Atoi(flat(res)[0])
	must(t, err)
	if got < 3800 || got > 4095 {
		t.Errorf("the walk came to a path of %d bytes", got)
	}
	if len(res.Unread) != 1 || res.Unread[0].Reason != "file name too long" || len(res.Unread[0].Path) < 4096 {
		t.Errorf("unread: %v", unread(res))
	}
	long := top + "/" + strings.Repeat("x", 300)
	if res := ask(t, e, "SELECT path FROM file WHERE path = "+quote(long)); len(res.Rows) != 0 {
		t.Errorf("a name that can not be: %v", flat(res))
	}
}

func TestFileProc(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	self := fmt.Sprintf("/proc/%d", os.Getpid())
	exe, err := os.Readlink(self + "/exe")
	must(t, err)
	expect(t, e, "SELECT type, symlink, symlink_target_path FROM file WHERE path = "+quote(self+"/exe"), "regular|1|"+exe)
	expect(t, e, "SELECT type, size FROM file WHERE path = "+quote(self+"/stat"), "regular|0")
	if got := rows(t, e, "SELECT filename FROM file WHERE directory = "+quote(self)); !slices.Contains(got, "cmdline") {
		t.Errorf("names in %s: %v", self, got)
	}
	text, err := os.ReadFile("/proc/version")
	must(t, err)
	expect(t, e, "SELECT md5, sha1, sha256 FROM hash WHERE path = '/proc/version'", sums(string(text)))
}

func TestFileManyEntries(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes 20,000 files")
	}
	e := open(t, embedded.Options{})
	dir := t.TempDir()
	const n = 20_000
	for i := range n {
		must(t, os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), nil, 0o600))
	}
	where := " FROM file WHERE directory = " + quote(dir)
	expect(t, e, "SELECT count(*), count(DISTINCT path), count(DISTINCT rowid), sum(CAST(filename AS INTEGER))"+where, fmt.Sprintf("%d|%d|%d|%d", n, n, n, n*(n-1)/2))
	expect(t, e, "SELECT count(*) FROM file WHERE path LIKE "+quote(dir+"/%"), strconv.Itoa(n))
	if got := rows(t, e, "SELECT path"+where+" LIMIT 5 OFFSET 3000"); len(got) != 5 {
		t.Errorf("LIMIT 5 gave %d rows", len(got))
	}
}
