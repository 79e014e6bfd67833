//go:build sqlite_vtable && (linux || darwin)

package embedded

import (
	"errors"
	"syscall"
)

// nowhere reports that a path leads to nothing at all: it is not there, or goes through a file or through a loop of
// links.
func nowhere(err error) bool {
	return gone(err) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}
