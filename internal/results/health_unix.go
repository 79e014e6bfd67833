//go:build !windows

package results

import (
	"math"

	"golang.org/x/sys/unix"
)

// freeBytes gives what this user may still write at a folder.
func freeBytes(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return bounded(uint64(s.Bavail), uint64(s.Bsize)), nil //nolint:gosec,unconvert // signs and widths differ by platform
}

// bounded multiplies without going over.
func bounded(blocks, size uint64) int64 {
	if size != 0 && blocks > math.MaxInt64/size {
		return math.MaxInt64
	}
	return int64(blocks * size) //nolint:gosec // checked above
}
