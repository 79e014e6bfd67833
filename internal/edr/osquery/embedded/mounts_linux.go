//go:build sqlite_vtable

package embedded

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mounts lists /proc/self/mounts (proc(5)). Network mounts are not asked for their size: that may hang.
func (e *Engine) mounts(q *query) ([][]any, error) {
	var out [][]any
	for line := range strings.Lines(e.text(q, "mounts", "/proc/self/mounts")) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		path := unescapeMount(f[1])
		var st unix.Statfs_t
		if !remote(f[2]) {
			if err := unix.Statfs(path, &st); err != nil {
				st = unix.Statfs_t{}
			}
		}
		out = append(out, []any{
			unescapeMount(f[0]), unescapeMount(f[0]), path, f[2], int64(st.Bsize), int64(st.Blocks), int64(st.Bfree), //nolint:gosec,unconvert // sizes
			int64(st.Bavail), int64(st.Files), int64(st.Ffree), f[3], //nolint:gosec // sizes
		})
	}
	return out, nil
}

func remote(fstype string) bool {
	for _, p := range []string{"nfs", "cifs", "smb", "fuse", "autofs", "9p", "ceph", "afs", "gluster"} {
		if strings.HasPrefix(fstype, p) {
			return true
		}
	}
	return false
}

// unescapeMount undoes the octal escapes of spaces, tabs, newlines and backslashes.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
