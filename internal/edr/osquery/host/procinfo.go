package host

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
)

// MacProcessColumns are the columns of the table processes on macOS.
const MacProcessColumns = `pid:B name:T path:T cmdline:T state:T cwd:T root:T uid:B gid:B euid:B egid:B suid:B sgid:B on_disk:I wired_size:B
	resident_size:B total_size:B user_time:B system_time:B disk_bytes_read:B disk_bytes_written:B start_time:B parent:B pgroup:B
	threads:I nice:I upid:B uppid:B cpu_type:I cpu_subtype:I translated:I`

// Where the answers of the kernel of macOS about a process hold what (sys/proc_info.h, sys/resource.h).
const (
	taskInfoSize  = 96
	taskThreads   = 84
	usageSize     = 160
	vnodePathSize = 2 * vnodePathOne
	vnodePathOne  = 1176
	vnodePathAt   = 152
	uniqueSize    = 56
	archSize      = 8
)

// usage is what a process has used; all -1 where the kernel does not tell.
type usage struct{ user, system, wired, resident, footprint, read, written int64 }

// parseUsage reads a rusage_info_v2. Times are ticks of the machine's clock; frequency is how many of them a second has.
func parseUsage(b []byte, frequency uint64) usage {
	if len(b) < usageSize || frequency == 0 {
		return usage{-1, -1, -1, -1, -1, -1, -1}
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
	ms := func(ticks uint64) int64 {
		hi, lo := bits.Mul64(ticks, 1000)
		if hi >= frequency {
			return -1
		}
		n, _ := bits.Div64(hi, lo, frequency)
		return number(n, true)
	}
	return usage{
		user: ms(at(16)), system: ms(at(24)), wired: number(at(56), true), resident: number(at(64), true), footprint: number(at(72), true),
		read: number(at(144), true), written: number(at(152), true),
	}
}

// parseFolders reads a proc_vnodepathinfo: the current and the root folder, which is empty for most.
func parseFolders(b []byte) (cwd, root string) {
	if len(b) < vnodePathSize {
		return "", ""
	}
	return zeroEnded(b[vnodePathAt:vnodePathOne]), zeroEnded(b[vnodePathOne+vnodePathAt : vnodePathSize])
}

// zeroEnded gives a text up to its NUL.
func zeroEnded(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// macState is osquery's letter for the state of a process.
func macState(s int8) string {
	if s < 1 || s > 5 {
		return "?"
	}
	return "IRSTZ"[s-1 : s]
}

// Flags writes the flags of a file of macOS as osquery does (chflags(2)); bits without a name in hexadecimal.
func Flags(flags uint32) string {
	known := []struct {
		bit  uint32
		name string
	}{
		{0x1, "NODUMP"}, {0x2, "UF_IMMUTABLE"}, {0x4, "UF_APPEND"}, {0x8, "OPAQUE"}, {0x20, "COMPRESSED"}, {0x40, "TRACKED"}, {0x80, "DATAVAULT"},
		{0x8000, "HIDDEN"}, {0x10000, "ARCHIVED"}, {0x20000, "SF_IMMUTABLE"}, {0x40000, "SF_APPEND"}, {0x80000, "SF_RESTRICTED"},
		{0x100000, "SF_NOUNLINK"}, {0x1f0000, "SF_SUPPORTED"},
	}
	var out []string
	mask := uint32(0)
	for _, f := range known {
		mask |= f.bit
		if flags&f.bit != 0 {
			out = append(out, f.name)
		}
	}
	if rest := flags &^ mask; rest != 0 {
		out = append(out, fmt.Sprintf("0x%08x", rest))
	}
	return strings.Join(out, ", ")
}
