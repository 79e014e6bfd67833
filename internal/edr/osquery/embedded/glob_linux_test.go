//go:build sqlite_vtable

package embedded_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

func TestRowIDsAreStable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "a")
	write(t, filepath.Join(dir, "b"), "b")
	for _, table := range []string{"file", "hash"} {
		e := open(t, embedded.Options{})
		byDir := rows(t, e, "SELECT path, rowid FROM "+table+" WHERE directory = "+quote(dir)+" ORDER BY path")
		write(t, filepath.Join(dir, ".first"), "comes and goes")
		byPath := rows(t, e, "SELECT path, rowid FROM "+table+" WHERE path IN ("+quote(dir+"/b")+","+quote(dir+"/a")+") ORDER BY path")
		byLike := rows(t, e, "SELECT path, rowid FROM "+table+" WHERE path LIKE "+quote(dir+"/%")+" ORDER BY path")
		if diff := cmp.Diff(byDir, byPath); table == "file" && diff != "" || len(byPath) != 2 || byPath[0] == byPath[1] {
			t.Errorf("%s: by folder and by path (-folder +path):\n%s", table, diff)
		}
		if diff := cmp.Diff(byPath, byLike); diff != "" {
			t.Errorf("%s: by path and by pattern (-path +pattern):\n%s", table, diff)
		}
		// Both terms find both rows; each is told once.
		expect(t, e, "SELECT path FROM "+table+" WHERE directory = "+quote(dir)+" AND path <> "+quote(dir+"/.first")+" OR path = "+quote(dir+"/a")+" OR path LIKE "+quote(dir+"/b"),
			dir+"/a", dir+"/b")
		must(t, os.Remove(dir+"/.first"))
	}
	// What one engine's ids are says nothing about another's: nobody can make two names of one id beforehand.
	text := "SELECT rowid FROM file WHERE path = '/etc/passwd'"
	if a, b := rows(t, open(t, embedded.Options{}), text), rows(t, open(t, embedded.Options{}), text); cmp.Equal(a, b) {
		t.Errorf("two engines have the same row id %v", a)
	}
}

func TestPatternsAreBounded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("lists a million names")
	}
	dir := t.TempDir()
	seam := newSeam()
	seam.openDir = func(path string) (embedded.Dir, error) {
		if path == dir {
			return endlessDir{"x"}, nil
		}
		return seam.FS.OpenDir(path)
	}
	e := open(t, embedded.Options{FS: seam})
	for _, pattern := range []string{"/%", "/%%"} {
		res, err := e.Query(t.Context(), "SELECT path FROM file WHERE path LIKE "+quote(dir+pattern))
		if !errors.Is(err, embedded.ErrTooLarge) {
			t.Errorf("%s: error %v, rows %v", pattern, err, res)
		}
	}
	if n := seam.dirs.Load(); n != 0 {
		t.Errorf("%d folders are still open", n)
	}
	expect(t, e, "SELECT 1", "1")
}
