//go:build sqlite_vtable

package embedded

import (
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
