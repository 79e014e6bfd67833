//go:build sqlite_vtable

package embedded_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// nobodyDir names the folder that the child without rights looks at; it is set in the child alone.
const nobodyDir = "HUNTER_TEST_NOBODY_DIR"

// dropRights makes this process that of an ordinary user when it is the child of a test. The program was started as
// root, since an ordinary user may not enter the folder where go test builds it.
func dropRights() bool {
	if os.Getenv(nobodyDir) == "" {
		return false
	}
	const nobody = 65534
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setresgid(nobody, nobody, nobody), syscall.Setresuid(nobody, nobody, nobody)} {
		if err != nil {
			fmt.Fprintln(os.Stderr, "drop rights:", err)
			os.Exit(3)
		}
	}
	return true
}

// asNobody runs one test again as a user without rights, with dir to look at. It reports whether this is that user.
func asNobody(t *testing.T, plant func(dir string)) (dir string, child bool) {
	t.Helper()
	if dir := os.Getenv(nobodyDir); dir != "" {
		return dir, true
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become a user without rights")
	}
	dir = t.TempDir()
	must(t, os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755))
	plant(dir)
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), exe, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), nobodyDir+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as a user without rights: %v\n%s", err, out)
	}
	return dir, false
}

func TestPermissionDenied(t *testing.T) {
	t.Parallel()
	dir, child := asNobody(t, func(dir string) {
		write(t, filepath.Join(dir, "open"), "open")
		write(t, filepath.Join(dir, "secret"), "secret")
		write(t, filepath.Join(dir, "closed", "x"), "x")
		write(t, filepath.Join(dir, "listed", "x"), "x") // may be listed, not entered
		write(t, filepath.Join(dir, "blind", "x"), "x")  // may be entered, not listed
		must(t, os.Chmod(filepath.Join(dir, "secret"), 0o600), os.Chmod(filepath.Join(dir, "closed"), 0o700),
			os.Chmod(filepath.Join(dir, "listed"), 0o744), os.Chmod(filepath.Join(dir, "blind"), 0o711))
	})
	if !child {
		return
	}
	e := open(t, embedded.Options{})
	check := func(text string, wantRows, wantUnread []string) {
		t.Helper()
		res := ask(t, e, text)
		if diff := cmp.Diff(wantRows, flat(res)); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", text, diff)
		}
		if diff := cmp.Diff(wantUnread, unread(res)); diff != "" {
			t.Errorf("%s: unread (-want +got):\n%s", text, diff)
		}
		if res.UnreadTotal != len(wantUnread) {
			t.Errorf("%s: %d unread in all", text, res.UnreadTotal)
		}
	}
	none := []string{}
	denied := func(op, name string) []string {
		return []string{op + "|" + filepath.Join(dir, name) + "|permission denied"}
	}
	check("SELECT filename FROM file WHERE directory = "+quote(dir+"/closed"), none, denied("file", "closed"))
	check("SELECT filename FROM file WHERE directory = "+quote(dir+"/listed"), none, denied("file", "listed/x"))
	check("SELECT filename FROM file WHERE directory = "+quote(dir+"/blind"), none, denied("file", "blind"))
	check("SELECT filename FROM file WHERE path LIKE "+quote(dir+"/closed/%"), none, denied("file", "closed"))
	check("SELECT filename FROM file WHERE path LIKE "+quote(dir+"/closed/%%"), none, denied("file", "closed"))
	check("SELECT filename FROM file WHERE path = "+quote(dir+"/closed/x"), none, denied("file", "closed/x"))
	check("SELECT filename FROM file WHERE path = "+quote(dir+"/blind/x"), []string{"x"}, none)
	check("SELECT sha256 FROM hash WHERE path = "+quote(dir+"/secret"), []string{""}, denied("hash", "secret"))
	check("SELECT sha256 FROM hash WHERE path = "+quote(dir+"/closed/x"), none, denied("hash", "closed/x"))
	check("SELECT filename, uid FROM file WHERE path = "+quote(dir+"/secret"), []string{"secret|0"}, none)
	check("SELECT md5, sha1, sha256 FROM hash WHERE path = "+quote(dir+"/open"), []string{sums("open")}, none)

	// The first process belongs to root: who it is may be seen, what it runs may not, and that is told.
	res := ask(t, e, "SELECT pid, uid, path FROM processes WHERE pid = 1")
	if diff := cmp.Diff([]string{"1|0|"}, flat(res)); diff != "" {
		t.Errorf("process 1 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"processes|/proc/1/exe|permission denied"}, unread(res)); diff != "" {
		t.Errorf("process 1: unread (-want +got):\n%s", diff)
	}
}
