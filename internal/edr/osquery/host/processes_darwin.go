package host

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Calls and flavors of proc_info, the system call behind libproc.
const (
	callInfo  = 2
	callUsage = 9

	flavorTask    = 4
	flavorFolders = 9
	flavorPath    = 11
	flavorUnique  = 17
	flavorArch    = 19
	flavorUsage   = 2

	flagTranslated = 0x20000
)

// procInfo asks the kernel about a process; nil where it does not tell.
func procInfo(call, flavor uintptr, pid int32, size int) []byte {
	buf := make([]byte, size)
	arg := uintptr(size)
	if call == callUsage {
		arg = 0
	}
	//nolint:staticcheck // libproc, which Apple would have asked, takes cgo
	_, _, errno := unix.Syscall6(unix.SYS_PROC_INFO, call, uintptr(pid), flavor, 0, uintptr(unsafe.Pointer(&buf[0])), arg)
	if errno != 0 {
		return nil
	}
	return buf
}

// Processes lists the processes: the one with the pid want, or all when want is negative.
func Processes(ctx context.Context, want int64, files Files) ([][]any, error) {
	list, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	frequency, err := unix.SysctlUint64("hw.tbfrequency")
	if err != nil {
		frequency = 1_000_000_000
	}
	var out rows
	for i := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if want < 0 || want == int64(list[i].Proc.P_pid) {
			out = append(out, processRow(&list[i], frequency, files))
		}
	}
	return out, nil
}

func processRow(k *unix.KinfoProc, frequency uint64, files Files) []any {
	p, e := &k.Proc, &k.Eproc
	image, onDisk := imagePath(p, files)
	name := zeroEnded(p.P_comm[:])
	switch {
	case p.P_pid == 0:
		name = "kernel_task"
	case image != "":
		name = path.Base(image)
	}
	cmdline := ""
	if data, err := unix.SysctlRaw("kern.procargs2", int(p.P_pid)); err == nil {
		_, cmdline = ParseArguments(data)
	}
	cwd, root := parseFolders(procInfo(callInfo, flavorFolders, p.P_pid, vnodePathSize))
	u := parseUsage(procInfo(callUsage, flavorUsage, p.P_pid, usageSize), frequency)
	threads, unique, parent, cpu, sub := int64(-1), int64(-1), int64(-1), int64(-1), int64(-1)
	if b := procInfo(callInfo, flavorTask, p.P_pid, taskInfoSize); b != nil {
		threads = int64(binary.LittleEndian.Uint32(b[taskThreads:]))
	}
	if b := procInfo(callInfo, flavorUnique, p.P_pid, uniqueSize); b != nil {
		unique, parent = number(binary.LittleEndian.Uint64(b[16:]), true), number(binary.LittleEndian.Uint64(b[24:]), true)
	}
	if b := procInfo(callInfo, flavorArch, p.P_pid, archSize); b != nil {
		cpu, sub = int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
	}
	gid := int64(-1)
	if e.Ucred.Ngroups > 0 {
		gid = int64(e.Ucred.Groups[0])
	}
	return []any{
		int64(p.P_pid), name, image, cmdline, macState(p.P_stat), cwd, root, int64(e.Pcred.P_ruid), int64(e.Pcred.P_rgid), int64(e.Ucred.Uid), gid,
		int64(e.Pcred.P_svuid), int64(e.Pcred.P_svgid), onDisk, u.wired, u.resident, u.footprint, u.user, u.system, u.read, u.written,
		p.P_starttime.Sec, int64(e.Ppid), int64(e.Pgid), threads, int64(p.P_nice), unique, parent, cpu, sub, flag(p.P_flag&flagTranslated != 0),
	}
}

// imagePath gives the file of a process's program. The kernel and a zombie have none; one that the kernel does not tell is noted.
func imagePath(p *unix.ExternProc, files Files) (file string, onDisk int64) {
	const zombie = 5
	if p.P_pid == 0 || p.P_stat == zombie {
		return "", -1
	}
	b := procInfo(callInfo, flavorPath, p.P_pid, 4096)
	if b == nil {
		if err := unix.Kill(int(p.P_pid), 0); err != unix.ESRCH {
			files.Note(fmt.Sprintf("process %d", p.P_pid), zeroEnded(p.P_comm[:])+": the kernel does not tell its program")
		}
		return "", -1
	}
	file = zeroEnded(b)
	_, err := os.Lstat(file)
	return file, flag(err == nil)
}
