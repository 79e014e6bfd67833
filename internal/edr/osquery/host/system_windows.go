package host

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const currentVersion = `SOFTWARE\Microsoft\Windows NT\CurrentVersion`

// Version gives the one row of os_version.
func Version(files Files) []any {
	v := windows.RtlGetVersion()
	k := openKey(files, registry.LOCAL_MACHINE, currentVersion)
	defer k.close()
	name := productName(k.text("ProductName"), v.BuildNumber)
	revision, known := k.number("UBR")
	installed, _ := k.number("InstallDate") // 0: not known
	arch := "64-bit"
	if unsafe.Sizeof(uintptr(0)) == 4 {
		arch = "32-bit"
	}
	return []any{
		name, fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber), int64(v.MajorVersion), int64(v.MinorVersion), int64(0),
		strconv.FormatUint(uint64(v.BuildNumber), 10), "windows", "windows", name, arch, int64(installed), number(revision, known), //nolint:gosec // a time
	}
}

// System gives the one row of system_info; uuid stands for a machine whose firmware has no id.
func System(files Files, uuid string) []any {
	f := ParseSMBIOS(firmwareTable())
	if f.UUID == "" {
		f.UUID = uuid
	}
	model, version := f.Model, f.Version
	if strings.EqualFold(f.Vendor, "lenovo") { // it puts the name that people know where others have a version
		model, version = f.Version, f.Model
	}
	cpu := openKey(files, registry.LOCAL_MACHINE, `HARDWARE\DESCRIPTION\System\CentralProcessor\0`)
	defer cpu.close()
	microcode := ""
	if b := cpu.bytes("Update Revision"); len(b) >= 8 {
		microcode = strconv.Itoa(int(b[4]))
	}
	kinds := map[string]string{"amd64": "x86_64", "386": "x86", "arm64": "ARM64"}
	cores, sockets := processors()
	host, _ := os.Hostname() // "" where it has none
	full := host
	if name, err := computerName(windows.ComputerNameDnsFullyQualified); err == nil && name != "" {
		full = name
	}
	return []any{
		full, f.UUID, kinds[runtime.GOARCH], "", strings.TrimSpace(cpu.text("ProcessorNameString")), cores, int64(runtime.NumCPU()), sockets, microcode, memory(),
		f.Vendor, model, version, f.Serial, f.BoardVendor, f.BoardModel, f.BoardVersion, f.BoardSerial, host, host, "",
	}
}

func computerName(kind uint32) (string, error) {
	buf := make([]uint16, 1024)
	n := uint32(len(buf))
	err := windows.GetComputerNameEx(kind, &buf[0], &n)
	return windows.UTF16ToString(buf[:min(int(n), len(buf))]), err
}

// firmwareTable reads the SMBIOS table behind its header; nil where there is none.
func firmwareTable() []byte {
	const provider = 'R'<<24 | 'S'<<16 | 'M'<<8 | 'B'
	get := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemFirmwareTable")
	if get.Find() != nil {
		return nil
	}
	size, _, _ := get.Call(provider, 0, 0, 0)
	if size < 8 || size > 1<<20 {
		return nil
	}
	buf := make([]byte, size)
	n, _, _ := get.Call(provider, 0, uintptr(unsafe.Pointer(&buf[0])), size)
	if n < 8 || n > size {
		return nil
	}
	return buf[8:n]
}

// memory gives the memory that is built in, in bytes; -1 when it is not known.
func memory() int64 {
	get := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetPhysicallyInstalledSystemMemory")
	var kib uint64
	if get.Find() != nil {
		return -1
	}
	ok, _, _ := get.Call(uintptr(unsafe.Pointer(&kib)))
	return number(kib<<10, ok != 0)
}

// processors counts cores and sockets; -1 when they are not known.
func processors() (cores, sockets int64) {
	get := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetLogicalProcessorInformationEx")
	count := func(relation uintptr) int64 {
		buf := make([]uint64, 1<<20/8)
		size := uint32(len(buf) * 8)
		if ok, _, _ := get.Call(relation, uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size))); ok == 0 {
			return -1
		}
		n := int64(0)
		for at := uint32(0); at+8 <= size; { // each begins with its relation and its size
			one := *(*[2]uint32)(unsafe.Add(unsafe.Pointer(&buf[0]), at))
			if one[1] < 8 {
				break
			}
			n++
			at += one[1]
		}
		return n
	}
	if get.Find() != nil {
		return -1, -1
	}
	return count(0), count(3)
}

// Uptime is how long the machine has been running.
func Uptime() time.Duration { return windows.DurationSinceBoot() }

// MachineSeed is what names this installation of Windows; "" when it is not known.
func MachineSeed() string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Cryptography`, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return ""
	}
	defer func() { _ = k.Close() }() // nothing was written
	id, _, err := k.GetStringValue("MachineGuid")
	if err != nil {
		return ""
	}
	return strings.ToLower(id)
}

// Rights says what this process can not look at.
func Rights() []string {
	if windows.GetCurrentProcessToken().IsElevated() {
		return nil
	}
	return []string{"not elevated: other users' processes and private files can not be looked at"}
}

// DriveColumns are the columns of the table logical_drives.
const DriveColumns = `device_id:T type:T description:T free_space:B size:B file_system:T boot_partition:I`

// NetworkDrive is how osquery describes a drive that is another machine's.
const NetworkDrive = "Network Connection"

// Drives lists the drives. Those of other machines are not asked for their size: that may hang.
func Drives() ([][]any, error) {
	mask, err := windows.GetLogicalDrives()
	if err != nil {
		return nil, fmt.Errorf("list drives: %w", err)
	}
	boot := strings.ToUpper(windowsFolder()[:1])
	kinds := map[uint32]string{
		windows.DRIVE_REMOVABLE: "Removable Disk", windows.DRIVE_FIXED: "Local Fixed Disk", windows.DRIVE_REMOTE: NetworkDrive,
		windows.DRIVE_CDROM: "CD-ROM Disc", windows.DRIVE_RAMDISK: "RAM Disk",
	}
	var out rows
	for i := range 26 {
		if mask&(1<<i) == 0 {
			continue
		}
		letter := string(rune('A' + i))
		root, err := windows.UTF16PtrFromString(letter + `:\`)
		if err != nil {
			continue
		}
		kind, known := kinds[windows.GetDriveType(root)]
		if !known {
			continue // no such drive after all
		}
		free, size, system := int64(-1), int64(-1), ""
		if kind != NetworkDrive {
			free, size, system = volume(root)
		}
		out = append(out, []any{letter + ":", "Unknown", kind, free, size, system, flag(letter == boot)})
	}
	return out, nil
}

func volume(root *uint16) (free, size int64, system string) {
	var avail, total, all uint64
	free, size = -1, -1
	if err := windows.GetDiskFreeSpaceEx(root, &avail, &total, &all); err == nil {
		free, size = number(all, true), number(total, true)
	}
	name := make([]uint16, 64)
	if err := windows.GetVolumeInformation(root, nil, 0, nil, nil, nil, &name[0], uint32(len(name))); err == nil {
		system = windows.UTF16ToString(name)
	}
	return free, size, system
}
