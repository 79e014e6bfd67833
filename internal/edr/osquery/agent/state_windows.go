package agent

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// ownFolder makes a folder, and lets the system, administrators and its owner alone into it.
func ownFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)")
	if err != nil {
		return fmt.Errorf("who may see %s: %w", dir, err)
	}
	list, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("who may see %s: %w", dir, err)
	}
	const change = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	if err := windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, change, nil, nil, list, nil); err != nil {
		return fmt.Errorf("who may see %s: %w", dir, err)
	}
	return nil
}

// takeLock fails when another process has the file. A process that dies lets it go.
func takeLock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
}

// syncFolder is nothing there: NTFS journals names, and folders can not be flushed.
func syncFolder(string) error { return nil }
