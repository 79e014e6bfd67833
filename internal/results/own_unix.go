//go:build unix

package results

import (
	"os"
	"syscall"
)

// ownAlone reports whether a file belongs to who runs this program and nobody else may write to it.
func ownAlone(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0, nil
}
