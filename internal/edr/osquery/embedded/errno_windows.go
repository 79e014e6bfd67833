//go:build sqlite_vtable

package embedded

import "syscall"

// errNotDir says that a part of a path is no folder: such a path does not exist.
const errNotDir = syscall.Errno(267) // ERROR_DIRECTORY
