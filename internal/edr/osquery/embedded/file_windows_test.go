//go:build sqlite_vtable

package embedded_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// tempDir makes a folder that is removed as far as can be: wine does not know the call that t.TempDir removes with.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hunter") //nolint:usetesting // wine can not remove t.TempDir
	must(t, err)
	t.Cleanup(func() {
		var all []string
		_ = filepath.WalkDir(`\\?\`+dir, func(path string, _ fs.DirEntry, _ error) error {
			all = append(all, path)
			return nil
		})
		for _, path := range slices.Backward(all) {
			_ = os.Remove(path) // what stays is the system's to clean
		}
	})
	return dir
}

func TestWindowsPaths(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	dir := tempDir(t)
	file := filepath.Join(dir, "Sub", "Évil One.EXE")
	write(t, file, "text")
	slashes := filepath.ToSlash(file)
	for _, path := range []string{file, slashes, strings.ToUpper(file[:1]) + file[1:], strings.ToLower(file[:1]) + file[1:], `\\?\` + file, filepath.Join(dir, "sUB", "évil one.exe")} {
		expect(t, e, "SELECT path, size, type FROM file WHERE path = "+quote(path), path+"|4|regular")
		expect(t, e, "SELECT md5, sha1, sha256 FROM hash WHERE path = "+quote(path), sums("text"))
	}
	// As SQLite compares them, paths are as they were asked for.
	expect(t, e, "SELECT path, directory, filename FROM file WHERE directory = "+quote(filepath.Dir(file)), file+"|"+filepath.Dir(file)+"|Évil One.EXE")
	expect(t, e, "SELECT directory FROM file WHERE path = "+quote(slashes), filepath.ToSlash(filepath.Dir(file)))
	// LIKE has no case.
	expect(t, e, "SELECT filename FROM file WHERE path LIKE "+quote(strings.ToUpper(dir)+`\SUB\%.exe`), "Évil One.EXE")
	expect(t, e, "SELECT filename FROM file WHERE path LIKE "+quote(dir+`\%%`), "Sub", "Évil One.EXE")
	for _, none := range []string{file + ":stream", file + "::$DATA", `\\.\C:`, `\\.\PhysicalDrive0`, `\\.\pipe\x`, `NUL`, `C:`, filepath.Base(file), file + `\x`, dir + `\*`, dir + `\nope`, `Q:\x`} {
		for _, table := range []string{"file", "hash"} {
			res := ask(t, e, "SELECT path FROM "+table+" WHERE path = "+quote(none)+" UNION ALL SELECT path FROM "+table+" WHERE directory = "+quote(none))
			if len(res.Rows) != 0 || res.UnreadTotal != 0 {
				t.Errorf("%s: %s: %v, unread %v", table, none, flat(res), unread(res))
			}
		}
	}
	expect(t, e, `SELECT path, type FROM file WHERE path = 'C:\'`, `C:\|directory`)
	if len(rows(t, e, `SELECT path FROM file WHERE directory = 'C:\' AND path = 'C:\' || filename`)) == 0 {
		t.Error(`C:\ lists nothing`)
	}
}

// Paths longer than 260 characters are walked, hashed and shown as they are.
func TestWindowsLongPaths(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	dir := tempDir(t)
	deep := dir
	for range 8 {
		deep = filepath.Join(deep, strings.Repeat("d", 60))
	}
	file := filepath.Join(deep, "x.bin")
	must(t, os.MkdirAll(`\\?\`+deep, 0o755), os.WriteFile(`\\?\`+file, []byte("deep"), 0o644))
	expect(t, e, "SELECT path FROM file WHERE directory = "+quote(deep), file)
	expect(t, e, "SELECT md5, sha1, sha256 FROM hash WHERE path = "+quote(file), sums("deep"))
	expect(t, e, "WITH RECURSIVE w(path, type) AS (SELECT path, type FROM file WHERE directory = "+quote(dir)+
		" UNION ALL SELECT f.path, f.type FROM w CROSS JOIN file f ON f.directory = w.path WHERE w.type = 'directory') SELECT path FROM w WHERE type = 'regular'", file)
}

// A file that another program keeps to itself is unread, and said.
func TestWindowsSharingViolation(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	file := filepath.Join(tempDir(t), "locked.bin")
	write(t, file, "locked")
	name, err := windows.UTF16PtrFromString(file)
	must(t, err)
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, 0, 0)
	must(t, err)
	res := ask(t, e, "SELECT f.size, h.sha256 FROM file f CROSS JOIN hash h ON h.path = f.path WHERE f.path = "+quote(file))
	if got := flat(res); len(got) != 1 || got[0] != "6|" || res.UnreadTotal != 1 {
		t.Errorf("%v, unread %v", got, unread(res))
	}
	must(t, windows.CloseHandle(h))
	// Open for writing and shared, it is read; osquery would not.
	h, err = windows.CreateFile(name, windows.GENERIC_WRITE, windows.FILE_SHARE_READ, nil, windows.OPEN_EXISTING, 0, 0)
	must(t, err)
	expect(t, e, "SELECT md5, sha1, sha256 FROM hash WHERE path = "+quote(file), sums("locked"))
	must(t, windows.CloseHandle(h))
}

func TestWindowsColumns(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	dir := tempDir(t)
	file := filepath.Join(dir, "a.txt")
	write(t, file, "x")
	name, err := windows.UTF16PtrFromString(file)
	must(t, err, windows.SetFileAttributes(name, windows.FILE_ATTRIBUTE_HIDDEN|windows.FILE_ATTRIBUTE_READONLY))
	t.Cleanup(func() { _ = windows.SetFileAttributes(name, windows.FILE_ATTRIBUTE_NORMAL) })
	expect(t, e, "SELECT replace(attributes, 'A', ''), type, mode, block_size, symlink, inode > 0, file_id = printf('0x%016x', inode), uid >= 0, btime > 0 FROM file WHERE path = "+quote(file),
		"HR|regular|-1|-1|0|1|1|1|1") // with the archive attribute or without it
	res := ask(t, e, "SELECT u.username FROM file f CROSS JOIN users u ON u.uid = f.uid WHERE f.path = "+quote(file))
	if len(res.Rows) != 1 || res.Rows[0]["username"] == "" {
		t.Errorf("nobody owns it: %v", flat(res))
	}
	write(t, filepath.Join(dir, "x.lnk"), "no shortcut")
	expect(t, e, "SELECT shortcut_target_path, shortcut_run FROM file WHERE path = "+quote(filepath.Join(dir, "x.lnk")), "|")
}

// Links and junctions are told, and neither entered by a walk nor lost.
func TestWindowsLinks(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	dir := tempDir(t)
	write(t, filepath.Join(dir, "real", "x"), "x")
	if err := os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "link")); err != nil {
		t.Skipf("no right to make links: %v", err)
	}
	if fi, err := os.Lstat(filepath.Join(dir, "link")); err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Skip("links are not shown as such here (wine)")
	}
	expect(t, e, "SELECT filename, symlink, symlink_target_path FROM file WHERE directory = "+quote(dir), "real|0|", "link|1|"+filepath.Join(dir, "real"))
}

// What the machine holds may name any server; only a folder that is named in the query is looked for on one.
func TestWindowsOtherMachines(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	res := ask(t, e, `SELECT path FROM hash WHERE path = '\\192.0.2.1\share\x.exe' UNION ALL SELECT path FROM file WHERE path = '//192.0.2.1/share/x.exe'`)
	if len(res.Rows) != 0 || res.UnreadTotal != 2 || !strings.Contains(res.Unread[0].Reason, "another machine") {
		t.Errorf("%v, unread %v", flat(res), unread(res))
	}
}
