package gentle

import (
	"fmt"
	"time"

	"golang.org/x/sys/windows"
)

// Lower puts this process into background mode: the lowest priority for processors, memory and disks.
func Lower() error {
	if err := windows.SetPriorityClass(windows.CurrentProcess(), windows.PROCESS_MODE_BACKGROUND_BEGIN); err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}

// cpuTime is the processor time that this process has used.
func cpuTime() time.Duration {
	var created, ended, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &ended, &kernel, &user); err != nil {
		return 0
	}
	return ticks(kernel) + ticks(user)
}

// ticks reads a length of time, which is not what Filetime.Nanoseconds is for: that counts from 1970.
func ticks(t windows.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
