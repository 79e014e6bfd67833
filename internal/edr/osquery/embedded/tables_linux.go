//go:build sqlite_vtable

package embedded

import (
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// platformTables lists the tables that only Linux has, or has its own way for.
func (e *Engine) platformTables() []*table {
	return []*table{
		e.processesTable(), e.startupItemsTable(), e.crontabTable(),
		{name: "users", columns: columnsOf(`uid:B gid:B uid_signed:B gid_signed:B username:T description:T directory:T shell:T
			uuid:T pid_with_namespace:I! include_remote:I!`), open: list(e.users)},
		{name: "mounts", columns: columnsOf(`device:T device_alias:T path:T type:T blocks_size:B blocks:B blocks_free:B
			blocks_available:B inodes:B inodes_free:B flags:T`), open: list(e.mounts)},
		{name: "os_version", columns: columnsOf(osVersionColumns + namespaces), open: list(e.osVersion)},
		{name: "system_info", columns: columnsOf(systemInfoColumns), open: list(e.systemInfo)},
		{name: "uptime", columns: columnsOf(uptimeColumns), open: list(e.uptime)},
	}
}

func (e *Engine) accounts(q *query, op string) []host.Account {
	return host.Passwd(e.text(q, op, "/etc/passwd"))
}

func (e *Engine) users(q *query) ([][]any, error) {
	var out [][]any
	for _, a := range e.accounts(q, "users") {
		out = append(out, []any{a.UID, a.GID, int64(int32(a.UID)), int64(int32(a.GID)), a.Name, a.Full, a.Home, a.Shell, "", 0, 0}) //nolint:gosec // the signed reading is the column's meaning
	}
	return out, nil
}

func (e *Engine) osVersion(q *query) ([][]any, error) {
	kv := map[string]string{}
	for _, p := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		for line := range strings.Lines(e.text(q, "os_version", p)) {
			if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && kv[k] == "" {
				kv[k] = strings.Trim(v, `"'`)
			}
		}
	}
	var n [3]int
	for i, part := range strings.SplitN(kv["VERSION_ID"], ".", 3) {
		n[i], _ = strconv.Atoi(part) // not a number: 0, as in osquery
	}
	return [][]any{{
		kv["NAME"], kv["VERSION"], n[0], n[1], n[2], kv["BUILD_ID"], kv["ID"], kv["ID_LIKE"], kv["VERSION_CODENAME"], machineName(), 0, "",
	}}, nil
}

func (e *Engine) systemInfo(q *query) ([][]any, error) {
	var brand, microcode string
	sockets, cores := map[string]bool{}, map[string]bool{}
	physical := ""
	for line := range strings.Lines(e.text(q, "system_info", "/proc/cpuinfo")) {
		k, v, _ := strings.Cut(line, ":")
		v = strings.TrimSpace(v)
		switch strings.TrimSpace(k) {
		case "model name":
			brand = v
		case "microcode":
			microcode = v
		case "physical id":
			physical = v
			sockets[v] = true
		case "core id":
			cores[physical+"/"+v] = true
		}
	}
	var memory int64
	if rest, ok := strings.CutPrefix(e.text(q, "system_info", "/proc/meminfo"), "MemTotal:"); ok {
		number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		kb, _ := strconv.ParseInt(number, 10, 64) // not a number: 0
		memory = kb << 10
	}
	dmi := func(name string) string {
		s, err := slurp(e.opt.FS, "/sys/class/dmi/id/"+name)
		if err != nil {
			return "" // serial numbers are for root alone
		}
		return strings.TrimSpace(s)
	}
	return [][]any{systemInfo(machineID(e.opt.FS), machineName(), brand, microcode, max(len(cores), 1), max(len(sockets), 1), memory, dmi)}, nil
}

// machineName is what the kernel calls the processor, such as x86_64: osquery's arch and cpu_type.
func machineName() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return runtime.GOARCH
	}
	return unix.ByteSliceToString(u.Machine[:])
}

func (e *Engine) uptime(q *query) ([][]any, error) {
	first, _, _ := strings.Cut(e.text(q, "uptime", "/proc/uptime"), " ")
	seconds, _ := strconv.ParseFloat(first, 64) // unreadable is noted
	return [][]any{uptimeRow(time.Duration(seconds * float64(time.Second)))}, nil
}

// systemInfo gives the one row of system_info from what is known.
func systemInfo(uuid, cpu, brand, microcode string, physical, sockets int, memory int64, dmi func(string) string) []any {
	return []any{
		hostname(), uuid, cpu, "", brand, physical, runtime.NumCPU(), sockets, microcode, memory,
		dmi("sys_vendor"), dmi("product_name"), dmi("product_version"), dmi("product_serial"), dmi("board_vendor"),
		dmi("board_name"), dmi("board_version"), dmi("board_serial"), hostname(), hostname(),
	}
}
