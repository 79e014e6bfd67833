//go:build sqlite_vtable

package embedded

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

func statOf(st *unix.Stat_t) Stat {
	return Stat{
		Mode: modeOf(uint32(st.Mode)), Perm: uint32(st.Mode) & 0o7777, Inode: st.Ino, Device: uint64(st.Dev), //nolint:gosec // an id
		UID: int64(st.Uid), GID: int64(st.Gid), Size: st.Size, BlockSize: int64(st.Blksize), Links: int64(st.Nlink),
		ATime: time.Unix(st.Atim.Unix()), MTime: time.Unix(st.Mtim.Unix()), CTime: time.Unix(st.Ctim.Unix()),
		BTime: time.Unix(st.Btim.Unix()), Attributes: st.Flags,
	}
}

type realDir struct{ *os.File }

func newDir(fd int, path string) Dir { return realDir{os.NewFile(uintptr(fd), path)} }

func (d realDir) Names(n int) ([]string, error) { return d.Readdirnames(n) }

// steadyFS lists the file systems that note each change of a file in its times.
func steadyFS(path string) bool {
	var st unix.Statfs_t
	if err := retry(func() error { return unix.Statfs(path, &st) }); err != nil {
		return false
	}
	switch unix.ByteSliceToString(st.Fstypename[:]) {
	case "apfs", "hfs":
		return true
	}
	return false
}
