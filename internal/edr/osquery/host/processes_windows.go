package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ProcessColumns are the columns of the table processes.
const ProcessColumns = `pid:B name:T path:T cmdline:T state:T cwd:T root:T uid:B gid:B euid:B egid:B suid:B sgid:B on_disk:I wired_size:B
	resident_size:B total_size:B user_time:B system_time:B disk_bytes_read:B disk_bytes_written:B start_time:B parent:B pgroup:B
	threads:I nice:I elevated_token:I secure_process:I protection_type:T virtual_process:I elapsed_time:B handle_count:B
	percent_processor_time:B`

// systemProcess is the pid of the kernel's own process.
const systemProcess = 4

// Processes lists the processes: the one with the pid want, or all when want is negative. Owner tells the id (SID) behind a uid.
func Processes(ctx context.Context, want int64, now time.Time, files Files, owner func(uid int64, sid string)) ([][]any, error) {
	var out rows
	err := eachProcess(func(p *windows.SYSTEM_PROCESS_INFORMATION) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if want < 0 || want == int64(p.UniqueProcessID) { //nolint:gosec // a pid has 32 bits
			out = append(out, processRow(p, now, files, owner))
		}
		return nil
	})
	return out, err
}

// maxSnapshot bounds the list of processes and their threads.
const maxSnapshot = 256 << 20

// eachProcess takes a snapshot and walks it.
func eachProcess(visit func(*windows.SYSTEM_PROCESS_INFORMATION) error) error {
	for size := uint32(1 << 20); size <= maxSnapshot; size *= 2 {
		buf := make([]uint64, size/8) // aligned
		var used uint32
		err := windows.NtQuerySystemInformation(windows.SystemProcessInformation, unsafe.Pointer(&buf[0]), size, &used)
		if errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) || errors.Is(err, windows.STATUS_BUFFER_TOO_SMALL) {
			continue
		}
		if err != nil {
			return fmt.Errorf("list processes: %w", err)
		}
		one := uint32(unsafe.Sizeof(windows.SYSTEM_PROCESS_INFORMATION{}))
		for at := uint32(0); at+one <= size; {
			p := (*windows.SYSTEM_PROCESS_INFORMATION)(unsafe.Add(unsafe.Pointer(&buf[0]), at))
			if err := visit(p); err != nil {
				return err
			}
			if p.NextEntryOffset == 0 {
				return nil
			}
			at += p.NextEntryOffset
		}
		return errors.New("list processes: the list is cut")
	}
	return fmt.Errorf("list processes: longer than %d MiB", maxSnapshot>>20)
}

func processRow(p *windows.SYSTEM_PROCESS_INFORMATION, now time.Time, files Files, owner func(int64, string)) []any {
	pid, parent := int64(p.UniqueProcessID), int64(p.InheritedFromUniqueProcessID) //nolint:gosec // pids have 32 bits
	name := p.ImageName.String()
	if pid == 0 {
		name = "[System Process]"
	}
	d := details{uid: -1, gid: -1, nice: -1, elevated: -1, secure: -1, virtual: -1}
	if pid != 0 {
		if err := d.read(uint32(pid)); err != nil && pid != systemProcess && parent != systemProcess { //nolint:gosec // a pid has 32 bits
			files.Note(fmt.Sprintf("process %d", pid), fmt.Sprintf("%s: %v", name, err))
		}
		if d.sid != "" {
			owner(d.uid, d.sid)
		}
	}
	onDisk := int64(-1)
	if d.path != "" {
		_, err := Look(d.path, true)
		onDisk = flag(err == nil)
	}
	start, elapsed := int64(-1), int64(-1)
	if p.CreateTime > 0 {
		start = timeOf(filetime(p.CreateTime)).Unix()
		elapsed = now.Unix() - start
	}
	return []any{
		pid, name, d.path, d.cmdline, "STILL_ACTIVE", d.cwd, d.cwd, d.uid, d.gid, int64(-1), int64(-1), int64(-1), int64(-1), onDisk,
		int64(p.QuotaNonPagedPoolUsage), int64(p.WorkingSetSize), int64(p.PrivatePageCount), p.UserTime / 10_000, p.KernelTime / 10_000, //nolint:gosec // sizes
		p.ReadTransferCount, p.WriteTransferCount, start, parent, int64(-1), int64(p.NumberOfThreads), d.nice, d.elevated, d.secure, d.protection,
		d.virtual, elapsed, int64(p.HandleCount), p.UserTime + p.KernelTime,
	}
}

// details are what only a handle to a process tells.
type details struct {
	path, cmdline, cwd, sid, protection string
	uid, gid, nice                      int64
	elevated, secure, virtual           int64
}

// Classes of NtQueryInformationProcess.
const (
	classCommandLine = 60
	classProtection  = 61
)

// read asks a process; the error says why its program is not known.
func (d *details) read(pid uint32) error {
	memory := true
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ, false, pid)
	if err != nil {
		memory = false
		h, err = windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	}
	if err != nil {
		return fmt.Errorf("open the process: %w", err)
	}
	defer func() { _ = windows.CloseHandle(h) }() // nothing was written
	if nice, err := windows.GetPriorityClass(h); err == nil {
		d.nice = int64(nice)
	}
	d.readToken(h)
	peb := d.readKind(h)
	d.cmdline = commandLine(h)
	if memory && d.protection == protections()[0] {
		d.readMemory(h, peb)
	}
	if d.path, err = imagePath(h); err != nil {
		return fmt.Errorf("ask for its program: %w", err)
	}
	return nil
}

func (d *details) readToken(h windows.Handle) {
	var token windows.Token
	if err := windows.OpenProcessToken(h, windows.TOKEN_QUERY, &token); err != nil {
		return
	}
	defer func() { _ = token.Close() }() // nothing was written
	if user, err := token.GetTokenUser(); err == nil {
		d.uid, d.sid = rid(user.User.Sid), user.User.Sid.String()
	}
	if group, err := token.GetTokenPrimaryGroup(); err == nil {
		d.gid = rid(group.PrimaryGroup)
	}
	d.elevated = flag(token.IsElevated())
}

// protections are osquery's words for the kinds of protected processes.
func protections() [3]string {
	return [3]string{"PsProtectedTypeNone", "PsProtectedTypeProtectedLight", "PsProtectedTypeProtected"}
}

// basicInfo is what the kernel tells of a process. Addresses of another process are numbers here, never pointers: they may look
// like ours.
type basicInfo struct {
	_, peb, _ uintptr
	_         int32
	_, _      uintptr
}

// readKind asks for how a process is protected, and whether it is one of the kernel's or of a secure world.
func (d *details) readKind(h windows.Handle) (peb uintptr) {
	names := protections()
	d.protection = names[0]
	var level byte
	if err := windows.NtQueryInformationProcess(h, classProtection, unsafe.Pointer(&level), 1, nil); err == nil && int(level&7) < len(names) {
		d.protection = names[level&7]
	}
	var more struct {
		size uintptr
		basicInfo
		flags uint32
		_     uint32
	}
	more.size = unsafe.Sizeof(more)
	if err := windows.NtQueryInformationProcess(h, windows.ProcessBasicInformation, unsafe.Pointer(&more), uint32(more.size), nil); err == nil {
		d.secure, d.virtual = flag(more.flags&0x80 != 0), flag(more.peb == 0)
		return more.peb
	}
	var old basicInfo
	if err := windows.NtQueryInformationProcess(h, windows.ProcessBasicInformation, unsafe.Pointer(&old), uint32(unsafe.Sizeof(old)), nil); err == nil {
		d.virtual = flag(old.peb == 0)
	}
	return old.peb
}

// commandLine asks the kernel for a command line; "" where it does not tell.
func commandLine(h windows.Handle) string {
	buf := make([]uint64, (64<<10+64)/8)
	size := uint32(len(buf) * 8)
	if err := windows.NtQueryInformationProcess(h, classCommandLine, unsafe.Pointer(&buf[0]), size, &size); err != nil {
		return ""
	}
	s := (*windows.NTUnicodeString)(unsafe.Pointer(&buf[0]))
	from := uintptr(unsafe.Pointer(s.Buffer)) - uintptr(unsafe.Pointer(&buf[0]))
	if s.Buffer == nil || from > uintptr(len(buf)*8)-uintptr(s.Length) {
		return ""
	}
	return windows.UTF16ToString(unsafe.Slice(s.Buffer, s.Length/2))
}

// Where a 64-bit process keeps what it was started with: in its environment block, and in the block of parameters.
const (
	pebParameters = 0x20
	paramsFolder  = 0x38
	paramsCommand = 0x70
	paramsRead    = paramsCommand + 16
	sixtyFour     = unsafe.Sizeof(uintptr(0)) == 8
)

// readMemory reads what a process has of its own: its current folder, and its command line where the kernel did not tell. All of
// it is the process's to forge.
func (d *details) readMemory(h windows.Handle, peb uintptr) {
	if peb == 0 || !sixtyFour {
		return
	}
	at := copyFrom(h, peb+pebParameters, 8)
	if at == nil {
		return
	}
	params := copyFrom(h, uintptr(binary.LittleEndian.Uint64(at)), paramsRead)
	if params == nil {
		return
	}
	d.cwd = strings.TrimSuffix(textFrom(h, params[paramsFolder:]), `\`)
	if strings.HasSuffix(d.cwd, ":") {
		d.cwd += `\`
	}
	if d.cmdline == "" {
		d.cmdline = textFrom(h, params[paramsCommand:])
	}
}

// copyFrom reads another process's memory; nil when it is not there.
func copyFrom(h windows.Handle, from uintptr, size int) []byte {
	if size == 0 {
		return nil
	}
	buf := make([]byte, size)
	var n uintptr
	if err := windows.ReadProcessMemory(h, from, &buf[0], uintptr(size), &n); err != nil || n != uintptr(size) {
		return nil
	}
	return buf
}

// textFrom reads a text by its UNICODE_STRING: a length of two bytes, and an address behind six more.
func textFrom(h windows.Handle, s []byte) string {
	size := int(binary.LittleEndian.Uint16(s))
	return wide(copyFrom(h, uintptr(binary.LittleEndian.Uint64(s[8:])), size), binary.LittleEndian)
}

// imagePath gives the file of a process's program.
func imagePath(h windows.Handle) (string, error) {
	buf := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(buf))
	if err := windows.QueryFullProcessImageName(h, 0, &buf[0], &size); err != nil {
		return "", err
	}
	path := Short(windows.UTF16ToString(buf[:size]))
	if _, ok := Long(path); !ok {
		return "", fmt.Errorf("it has none: %q is no file", path) // minimal processes have a name alone
	}
	return path, nil
}
