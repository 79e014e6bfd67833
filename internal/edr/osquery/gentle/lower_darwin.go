package gentle

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Of sys/resource.h: a process in the background has the lowest priority for processors, disks and network.
const (
	prioProcess    = 4      // PRIO_DARWIN_PROCESS
	prioBackground = 0x1000 // PRIO_DARWIN_BG
)

// Lower lowers the priority of this process for processors and disks.
func Lower() error {
	if err := unix.Setpriority(prioProcess, 0, prioBackground); err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}
