//go:build sqlite_vtable

package embedded

import (
	"io"
	"io/fs"
	"time"
)

// FS is the file system as the tables see it. Errors are those of package os. It is used by several goroutines at once.
type FS interface {
	Lstat(path string) (Stat, error)
	Stat(path string) (Stat, error)
	Readlink(path string) (string, error)
	OpenDir(path string) (Dir, error)
	// Open opens a file for reading and never blocks on a FIFO or device.
	Open(path string) (File, error)
}

// Dir is an open folder. Names gives at most n entries at a time, io.EOF at the end.
type Dir interface {
	Names(n int) ([]string, error)
	io.Closer
}

// File is an open file.
type File interface {
	io.ReadCloser
	Stat() (Stat, error)
}

// Stat is what the tables need to know of a file.
type Stat struct {
	Mode                fs.FileMode
	Perm                uint32 // st_mode's permission bits, with setuid, setgid and sticky
	Inode, Device       uint64
	UID, GID, Size      int64
	BlockSize, Links    int64
	ATime, MTime, CTime time.Time
	BTime               time.Time // Windows and macOS
	Attributes          uint32    // Windows: file attributes; macOS: flags
	Owner               string    // Windows: the owner's id (SID)
}

// typeName is osquery's word for the sort of file.
func (s Stat) typeName() string {
	switch m := s.Mode; {
	case m.IsRegular():
		return "regular"
	case m.IsDir():
		return "directory"
	case m&fs.ModeSymlink != 0:
		return "unknown" // only a dangling link is looked at itself
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeNamedPipe != 0:
		return "fifo"
	case m&fs.ModeCharDevice != 0:
		return "character"
	case m&fs.ModeDevice != 0:
		return "block"
	default:
		return "unknown"
	}
}

// RealFS is this machine's file system, for tests that wrap it.
func RealFS() FS { return realFS{} }
