package gentle

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	niceness  = 10
	ioProcess = 1       // IOPRIO_WHO_PROCESS, which is a thread
	ioIdle    = 3 << 13 // IOPRIO_CLASS_IDLE: the disk is ours when nobody else wants it
)

// Lower lowers the priority of this process for processors and disks. It can not be raised again.
func Lower() error {
	done := map[int]bool{}
	for { // priorities belong to threads, and a new one has that of the thread that made it: until none is left that is not lowered
		found := false
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("lower the priority: %w", err)
		}
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil || done[tid] {
				continue
			}
			done[tid], found = true, true
			if err := lower(tid); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("lower the priority: %w", err)
			}
		}
		if !found {
			return nil
		}
	}
}

func lower(tid int) error {
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, tid) // 20 less the niceness, as the system call gives it
	if err != nil {
		return err
	}
	if 20-raw < niceness {
		if err := unix.Setpriority(unix.PRIO_PROCESS, tid, niceness); err != nil {
			return err
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioProcess, uintptr(tid), ioIdle); errno != 0 {
		return errno
	}
	return nil
}
