package agent

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// powerStatus is SYSTEM_POWER_STATUS of winbase.h.
type powerStatus struct {
	line, flag, percent, system uint8
	life, full                  uint32
}

func power() Power {
	var s powerStatus
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemPowerStatus")
	if call.Find() != nil {
		return PowerUnknown
	}
	if ok, _, _ := call.Call(uintptr(unsafe.Pointer(&s))); ok == 0 {
		return PowerUnknown
	}
	switch s.line {
	case 0:
		return Battery
	case 1:
		return Mains
	}
	return PowerUnknown
}
