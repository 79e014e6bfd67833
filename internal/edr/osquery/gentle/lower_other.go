//go:build unix && !linux && !darwin

package gentle

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Lower lowers the priority of this process for processors.
func Lower() error {
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 10); err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}
