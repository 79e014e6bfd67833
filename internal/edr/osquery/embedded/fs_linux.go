//go:build sqlite_vtable

package embedded

import (
	"io"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

func statOf(st *unix.Stat_t) Stat {
	return Stat{
		Mode: modeOf(st.Mode), Perm: st.Mode & 0o7777, Inode: st.Ino, Device: st.Dev, UID: int64(st.Uid), GID: int64(st.Gid),
		Size: st.Size, BlockSize: int64(st.Blksize), Links: int64(st.Nlink), //nolint:unconvert // the width differs by platform
		ATime: time.Unix(st.Atim.Unix()), MTime: time.Unix(st.Mtim.Unix()), CTime: time.Unix(st.Ctim.Unix()),
	}
}

// realDir reads a folder by system calls alone, and looks at its entries without walking their whole path again.
type realDir struct {
	fd   int
	path string
	buf  []byte
	left []string // read and not given yet
}

func newDir(fd int, path string) Dir { return &realDir{fd: fd, path: path} }

// Names gives what one system call brought, n at a time.
func (d *realDir) Names(n int) ([]string, error) {
	if d.buf == nil {
		d.buf = make([]byte, 32<<10)
	}
	for len(d.left) == 0 {
		var got int
		err := retry(func() (err error) { got, err = unix.Getdents(d.fd, d.buf); return err })
		if err != nil {
			return nil, &fs.PathError{Op: "readdirent", Path: d.path, Err: err}
		}
		if got <= 0 {
			return nil, io.EOF
		}
		_, _, d.left = unix.ParseDirent(d.buf[:got], -1, make([]string, 0, got/32))
	}
	names := d.left[:min(n, len(d.left))]
	d.left = d.left[len(names):]
	return names, nil
}

// Lstat looks at an entry by its name.
func (d *realDir) Lstat(name string) (Stat, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
		return Stat{}, &fs.PathError{Op: "lstat", Path: join(d.path, name), Err: err}
	}
	return statOf(&st), nil
}

func (d *realDir) Close() error { return unix.Close(d.fd) }

// steadyFS lists the file systems that note each change of a file in its times, also one by way of a mapping into memory.
// Those that live in memory do not, and of network and FUSE ones nobody knows. Mounted with nosuid and nodev may be what a
// user brought and can swap for another that was made to look the same, such as a stick.
func steadyFS(path string) bool {
	var st unix.Statfs_t
	if err := retry(func() error { return unix.Statfs(path, &st) }); err != nil {
		return false
	}
	const foreign = unix.ST_NOSUID | unix.ST_NODEV
	if st.Flags&foreign == foreign {
		return false
	}
	switch uint32(st.Type) { //nolint:gosec // a number of 32 bits; its type differs by platform
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC:
		return true
	}
	return false
}
