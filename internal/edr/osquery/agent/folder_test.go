//go:build sqlite_vtable && !windows

package agent_test

import "testing"

// tempDir makes a folder for one test.
func tempDir(t testing.TB) string { return t.TempDir() }
