//go:build sqlite_vtable && !linux

package embedded_test

// dropRights is for Linux alone.
func dropRights() bool { return false }
