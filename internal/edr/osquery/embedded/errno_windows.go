//go:build sqlite_vtable

package embedded

import "github.com/hunter-project/hunter/internal/edr/osquery/host"

// nowhere reports that a path leads to nothing at all: it is not there, can not be, or goes through a file.
func nowhere(err error) bool { return host.Nowhere(err) }
