package host

import (
	"fmt"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Machine is what the kernel calls the processor, such as arm64.
func Machine() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return runtime.GOARCH
	}
	return unix.ByteSliceToString(u.Machine[:])
}

// MachineSeed is the id of the hardware; "" when it is not known.
func MachineSeed() string {
	var id [16]byte
	var wait unix.Timespec
	//nolint:staticcheck // the call of libSystem takes cgo
	if _, _, errno := unix.Syscall(unix.SYS_GETHOSTUUID, uintptr(unsafe.Pointer(&id[0])), uintptr(unsafe.Pointer(&wait)), 0); errno != 0 {
		return ""
	}
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]))
}

// System gives the one row of system_info. The serial number and the versions of the hardware stand in IOKit, which takes cgo.
func System(files Files, uuid string) []any {
	if id := MachineSeed(); id != "" {
		uuid = id
	}
	host, _ := os.Hostname() // "" where it has none
	computer, local := MacNames(files)
	if computer == "" {
		computer, _, _ = strings.Cut(host, ".")
	}
	if local == "" {
		local, _, _ = strings.Cut(host, ".")
	}
	kind := Machine()
	return []any{
		host, uuid, kind, "", strings.TrimSpace(sysctl("machdep.cpu.brand_string")), sysctlNumber("hw.physicalcpu"), sysctlNumber("hw.logicalcpu"),
		sysctlNumber("hw.packages"), sysctl("machdep.cpu.microcode_version"), sysctlNumber("hw.memsize"), "Apple Inc.", sysctl("hw.model"), "", "",
		"", "", "", "", computer, local,
	}
}

func sysctl(name string) string {
	s, err := unix.Sysctl(name)
	if err != nil {
		return ""
	}
	return s
}

// sysctlNumber reads a number of 32 or 64 bits; -1 when it is not known.
func sysctlNumber(name string) int64 {
	if n, err := unix.SysctlUint64(name); err == nil {
		return number(n, true)
	}
	if n, err := unix.SysctlUint32(name); err == nil {
		return int64(n)
	}
	return -1
}

// Uptime is how long the machine has been running.
func Uptime(now time.Time) time.Duration {
	boot, err := unix.SysctlTimeval("kern.boottime")
	if err != nil {
		return 0
	}
	return now.Sub(time.Unix(boot.Unix()))
}

// Known gives the account of a user by number, also one of a directory; false when nobody knows it.
func Known(uid int64) (Account, bool) {
	u, err := user.LookupId(strconv.FormatInt(uid, 10))
	if err != nil {
		return Account{}, false
	}
	gid, err := strconv.ParseInt(u.Gid, 10, 64)
	if err != nil {
		gid = -1
	}
	return Account{UID: uid, GID: gid, Name: u.Username, Full: u.Name, Home: u.HomeDir}, true
}

// tccDatabase can only be read by who may read every folder of a Mac; it is there on each.
const tccDatabase = "/Library/Application Support/com.apple.TCC/TCC.db"

// Rights says what this process can not look at.
func Rights() []string {
	var out []string
	if os.Geteuid() != 0 {
		out = append(out, "not root: other users' processes and private files can not be looked at")
	}
	if f, err := os.Open(tccDatabase); err != nil {
		out = append(out, "no Full Disk Access: macOS keeps folders such as Desktop, Documents and Downloads from this program")
	} else {
		_ = f.Close() // nothing was written
	}
	return out
}

// Mounts lists what is mounted. Network mounts are not asked for their size: that may hang.
func Mounts() ([][]any, error) {
	n, err := unix.Getfsstat(nil, unix.MNT_NOWAIT)
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	list := make([]unix.Statfs_t, n+16)
	if n, err = unix.Getfsstat(list, unix.MNT_NOWAIT); err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	var out rows
	for i := range list[:min(n, len(list))] {
		m := &list[i]
		device := unix.ByteSliceToString(m.Mntfromname[:])
		out = append(out, []any{
			device, device, unix.ByteSliceToString(m.Mntonname[:]), unix.ByteSliceToString(m.Fstypename[:]), int64(m.Bsize), number(m.Blocks, true),
			number(m.Bfree, true), number(m.Bavail, true), number(m.Files, true), number(m.Ffree, true), strconv.FormatUint(uint64(m.Flags), 10),
		})
	}
	return out, nil
}

// Newest gives the path whose file was written last.
func Newest(paths []string) string {
	newest, best := "", time.Time{}
	for _, p := range paths {
		if fi, err := os.Lstat(p); err == nil && (newest == "" || fi.ModTime().After(best)) {
			newest, best = p, fi.ModTime()
		}
	}
	if newest == "" && len(paths) > 0 {
		return paths[0]
	}
	return newest
}
