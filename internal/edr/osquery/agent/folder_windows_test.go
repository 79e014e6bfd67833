//go:build sqlite_vtable

package agent_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// childVar has no meaning there: no test starts a child.
const childVar = "HUNTER_TEST_AGENT_STATE"

func child() int { return 3 }

// endless computes until it is ended.
const endless = "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"

// tempDir makes a folder that is removed as far as can be: wine does not know the call that t.TempDir removes with.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hunter") //nolint:usetesting // wine can not remove t.TempDir
	must(t, err)
	t.Cleanup(func() {
		var all []string
		_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
			all = append(all, path)
			return nil
		})
		for _, path := range slices.Backward(all) {
			_ = os.Remove(path) // what stays is the system's to clean
		}
	})
	return dir
}
