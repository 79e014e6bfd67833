//go:build sqlite_vtable

package embedded_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

func TestProcessesOfThisMachine(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	// A process of ours: a copy of sleep that is deleted while it runs, in its own folder and with its own words.
	sleep, err := exec.LookPath("sleep")
	must(t, err)
	bin, err := os.ReadFile(sleep)
	must(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, "our sleep")
	must(t, os.WriteFile(path, bin, 0o755))
	cmd := exec.CommandContext(t.Context(), path, "100", "")
	cmd.Args = []string{"our (odd) name) 1", "100"}
	cmd.Dir = dir
	before := time.Now().Unix()
	must(t, cmd.Start())
	t.Cleanup(func() {
		must(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
	})
	pid := strconv.Itoa(cmd.Process.Pid)
	where := " FROM processes WHERE pid = " + pid
	stat, err := os.ReadFile("/proc/self/stat") // the child inherits our niceness; field 19, counted behind the name
	must(t, err)
	nice := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))[16]
	expect(t, e, "SELECT pid, name, path, cmdline, cwd, root, uid, euid, gid, on_disk, parent, threads, nice, wired_size"+where,
		fmt.Sprintf("%s|our sleep|%s|our (odd) name) 1 100|%s|/|%d|%d|%d|1|%d|1|%s|0", pid, path, dir, os.Getuid(), os.Geteuid(), os.Getgid(), os.Getpid(), nice))
	must(t, os.Remove(path))
	expect(t, e, "SELECT path, on_disk"+where, path+"|0")
	expect(t, e, "SELECT md5, sha1, sha256 FROM hash WHERE path = '/proc/"+pid+"/exe'", sums(string(bin)))
	row := ask(t, e, "SELECT *"+where).Rows[0]
	if started := number(t, row["start_time"]); started < before-2 || started > before+3 {
		t.Errorf("started at %d, which is %d s after it was", started, started-before)
	}
	if !strings.Contains("RSDI", row["state"]) || number(t, row["resident_size"]) < 0 || number(t, row["total_size"]) <= 0 {
		t.Errorf("row %v", row)
	}
	cgroup, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err == nil && !strings.Contains(string(cgroup), ":"+row["cgroup_path"]+"\n") {
		t.Errorf("cgroup_path %q of\n%s", row["cgroup_path"], cgroup)
	}
	// All of them: ourselves and the first one among them, each once, as in /proc.
	all := ask(t, e, "SELECT pid, path, start_time FROM processes WHERE pid >= 0")
	var pids []string
	for _, r := range all.Rows {
		pids = append(pids, r["pid"])
		if r["pid"] == strconv.Itoa(os.Getpid()) && r["path"] == "" {
			t.Error("we have no program")
		}
	}
	slices.Sort(pids)
	if n := len(pids); n != len(slices.Compact(pids)) || !slices.Contains(pids, "1") || !slices.Contains(pids, pid) || !slices.Contains(pids, strconv.Itoa(os.Getpid())) {
		t.Errorf("pids %v", pids)
	}
	expect(t, e, "SELECT pid FROM processes WHERE pid IN (1, 4194305, 0, -1)", "1")
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	must(t, err)
	return n
}

// stat is a line of /proc/PID/stat.
func stat(pid int, name, state string, parent, flags int) string {
	return fmt.Sprintf("%d (%s) %s %d 7 8 0 -1 %d 1 2 3 4 150 250 0 0 20 -5 3 0 12345 1000000 20 18446744073709551615 1 1 0\n", pid, name, state, parent, flags)
}

func TestProcessesOfOddMachines(t *testing.T) {
	t.Parallel()
	p := pretend{
		files: map[string]string{
			"/proc/stat":     "cpu 1 2 3\nbtime 1600000000\nprocesses 5\n",
			"/proc/1/stat":   stat(1, "init", "S", 0, 0),
			"/proc/1/status": "Name:\tinit\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n", "/proc/1/cmdline": "/sbin/init\x00--x\x00\x00", "/proc/1/cgroup": "3:cpu:/c\n0::/unified\n",
			"/proc/1/io":   "rchar: 1\nread_bytes: 77\nwrite_bytes: 88\n",
			"/proc/2/stat": stat(2, "kthreadd", "S", 0, 0x200000),
			"/proc/3/stat": stat(3, "a ) R (b\n", "R", 2, 0), // a child of 2 that is no kernel thread
			"/proc/4/stat": stat(4, "gone", "Z", 1, 0),
			"/proc/5/stat": "5 (cut) S 1\n",
			"/proc/6/stat": "no brackets",
			"/proc/7/stat": stat(7, "removed", "S", 1, 0),
			"/proc/notes":  "", "/proc/0/stat": stat(0, "zero", "S", 1, 0), "/proc/99999999999999999999/stat": "",
			"/sbin/init": "x",
		},
		links: map[string]string{"/proc/1/exe": "/sbin/init", "/proc/1/cwd": "/", "/proc/1/root": "/", "/proc/7/exe": "/tmp/x (deleted)"},
		errs: map[string]error{"/proc/2/exe": syscall.EACCES, "/proc/3/exe": syscall.EACCES, "/proc/4/exe": syscall.EACCES, "/proc/8/stat": syscall.EPERM,
			"/proc/9/stat": syscall.ESRCH, "/proc/7/cmdline": syscall.EACCES, "/proc/7/cgroup": syscall.EIO, "/proc/7/status": syscall.EACCES},
	}
	for _, pid := range []string{"2", "3", "4", "7"} {
		p.files["/proc/"+pid+"/cmdline"], p.files["/proc/"+pid+"/status"] = "", "Uid:\t0\t0\nGid:\n"
	}
	delete(p.files, "/proc/7/cmdline")
	delete(p.files, "/proc/7/status")
	e := open(t, embedded.Options{FS: p})
	page := os.Getpagesize()
	res := ask(t, e, "SELECT pid, name, path, cmdline, state, uid, gid, euid, egid, suid, sgid, on_disk, resident_size, total_size, user_time, system_time,"+
		" disk_bytes_read, disk_bytes_written, start_time, parent, pgroup, threads, nice, cgroup_path FROM processes ORDER BY pid")
	rest := fmt.Sprintf("%d|1000000|1500|2500|", 20*page)
	want := []string{
		"1|init|/sbin/init|/sbin/init --x|S|1|5|2|6|3|7|1|" + rest + "77|88|1600000123|0|7|3|-5|/unified",
		"2|kthreadd|||S|0|0|0|0|0|0|-1|" + rest + "0|0|1600000123|0|7|3|-5|",
		"3|a ) R (b\n|||R|0|0|0|0|0|0|-1|" + rest + "0|0|1600000123|2|7|3|-5|",
		"4|gone|||Z|0|0|0|0|0|0|-1|" + rest + "0|0|1600000123|1|7|3|-5|",
		"7|removed|/tmp/x||S|0|0|0|0|0|0|0|" + rest + "0|0|1600000123|1|7|3|-5|",
	}
	if diff := cmp.Diff(want, flat(res)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	told := []string{"processes|/proc/3/exe|permission denied", "processes|/proc/5/stat|is not what proc(5) says", "processes|/proc/6/stat|is not what proc(5) says",
		"processes|/proc/7/status|permission denied", "processes|/proc/8/stat|operation not permitted"}
	if diff := cmp.Diff(told, unread(res)); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	here := open(t, embedded.Options{})
	root, err := user.LookupId("0")
	must(t, err)
	expect(t, here, "SELECT uid, gid, username, directory FROM users WHERE uid = 0", "0|0|"+root.Username+"|"+root.HomeDir)
	p := pretend{files: map[string]string{"/etc/passwd": "root:x:0:0:the, admin:/root:/bin/sh\n# a comment:x:1:1:::\nbad line\n+::::::\nnobody:x:4294967294:65534::/nonexistent:\nlast:x:7:8:ü:/home/last:/bin/zsh"}}
	e := open(t, embedded.Options{FS: p})
	expect(t, e, "SELECT uid, gid, uid_signed, gid_signed, username, description, directory, shell, uuid FROM users",
		"0|0|0|0|root|the, admin|/root|/bin/sh|", "4294967294|65534|-2|65534|nobody||/nonexistent||", "7|8|7|8|last|ü|/home/last|/bin/zsh|")
	for err, told := range map[error][]string{syscall.ENOENT: {}, syscall.EACCES: {"users|/etc/passwd|permission denied"}} {
		e := open(t, embedded.Options{FS: pretend{errs: map[string]error{"/etc/passwd": err}}})
		res := ask(t, e, "SELECT * FROM users")
		if diff := cmp.Diff(told, unread(res)); diff != "" || len(res.Rows) > 0 {
			t.Errorf("%v: %d rows, unread (-want +got):\n%s", err, len(res.Rows), diff)
		}
	}
}

// tooLong is a machine on which one text file has no end.
type tooLong struct {
	pretend
	path string
}

func (l tooLong) Open(path string) (embedded.File, error) {
	if path == l.path {
		return manyLines{}, nil
	}
	return l.pretend.Open(path)
}

// manyLines is a file of one user after another.
type manyLines struct{}

func (manyLines) Read(p []byte) (int, error) {
	n := copy(p, strings.Repeat("u:x:1:1:::\n"+strings.Repeat("#", 5000)+"\n", len(p)/5000+1))
	if n == 0 {
		return 0, io.ErrShortBuffer
	}
	return n, nil
}

func (manyLines) Stat() (embedded.Stat, error) { return regular(0), nil }
func (manyLines) Close() error                 { return nil }

func TestTextThatIsTooLongIsToldNotCutInSilence(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{FS: tooLong{path: "/etc/passwd"}})
	res := ask(t, e, "SELECT count(*) > 100 FROM users")
	if diff := cmp.Diff([]string{"users|/etc/passwd|longer than 16 MiB"}, unread(res)); diff != "" || flat(res)[0] != "1" {
		t.Errorf("rows %v, unread (-want +got):\n%s", flat(res), diff)
	}
}

func TestCrontab(t *testing.T) {
	t.Parallel()
	p := pretend{
		files: map[string]string{
			"/etc/crontab":                    "# m h\nSHELL=/bin/sh\n17 *\t* * *\troot  cd / && run  x\n@reboot\troot /sbin/boot now\n\n  */5 1,2 * jan mon x\nbroken 1 2\n1 2 3 4 5\n",
			"/etc/cron.d/job":                 "0 0 1 1 * www /x\n",
			"/var/spool/cron/crontabs/eve":    "*/1 * * * * /home/eve/.x\n",
			"/var/spool/cron/crontabs/.hide":  "1 1 1 1 1 /hidden",
			"/var/spool/cron/crontabs/d/file": "1 1 1 1 1 /not read",
		},
		errs: map[string]error{"/etc/cron.d/secret": syscall.EACCES, "/var/at/tabs": syscall.EPERM},
	}
	e := open(t, embedded.Options{FS: p})
	res := ask(t, e, "SELECT event, minute, hour, day_of_month, month, day_of_week, command, path FROM crontab")
	got := flat(res)
	slices.Sort(got)
	want := []string{
		"@reboot||||||root /sbin/boot now|/etc/crontab", "|*/1|*|*|*|*|/home/eve/.x|/var/spool/cron/crontabs/eve", "|*/5|1,2|*|jan|mon|x|/etc/crontab",
		"|0|0|1|1|*|www /x|/etc/cron.d/job", "|17|*|*|*|*|root cd / && run x|/etc/crontab", "|1|1|1|1|1|/hidden|/var/spool/cron/crontabs/.hide",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"crontab|/etc/cron.d/secret|permission denied", "crontab|/var/at/tabs|operation not permitted"}, unread(res)); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}

func TestStartupItems(t *testing.T) {
	t.Parallel()
	p := pretend{
		files: map[string]string{
			"/etc/passwd":                                 "root:x:0:0::/root:/bin/sh\neve:x:5:5::/home/eve/:/bin/sh\nd:x:6:6::/:/x\nn:x:7:7::/nonexistent:/x\n",
			"/etc/xdg/autostart/a.desktop":                "[Desktop Entry]\nName=A\nExec=/usr/bin/a --flag=1 %U\nTryExec=/x\n",
			"/etc/xdg/autostart/readme":                   "Exec=/not this",
			"/home/eve/.config/autostart/.hid.desktop":    " Exec=/home/eve/.x\n",
			"/home/eve/.config/autostart-scripts/s.sh":    "#!/bin/sh",
			"/etc/systemd/system/multi.wants/own.service": "[Service]\nExecStart=-/opt/own --run\nExecStop = /opt/stop\nExecReload=own\nUser=eve\n",
			"/etc/systemd/system/multi.wants/t.timer":     "[Timer]\nExecStart=/not/this\n",
			"/etc/systemd/system/x.service":               "x",
		},
		links: map[string]string{"/etc/systemd/system/multi.wants/ssh.service": "/lib/systemd/system/ssh.service", "/etc/systemd/system/a.requires/rel.service": "../rel.service"},
		errs:  map[string]error{"/root/.config/autostart": syscall.EACCES},
	}
	e := open(t, embedded.Options{FS: p})
	res := ask(t, e, "SELECT name, path, type, source, status, username FROM startup_items ORDER BY name, path")
	want := []string{
		".hid.desktop|/home/eve/.x|Startup Item|/home/eve/.config/autostart/.hid.desktop|enabled|eve",
		"a.desktop|/usr/bin/a --flag=1 %U|Startup Item|/etc/xdg/autostart/a.desktop|enabled|root",
		"own.service|/etc/systemd/system/multi.wants/own.service|systemd unit|/etc/systemd/system/multi.wants/own.service|enabled|root",
		"own.service|/opt/own --run|systemd program|/etc/systemd/system/multi.wants/own.service|enabled|root",
		"own.service|/opt/stop|systemd program|/etc/systemd/system/multi.wants/own.service|enabled|root",
		"rel.service|/etc/systemd/system/a.requires/rel.service|systemd unit|/etc/systemd/system/a.requires/rel.service|enabled|root",
		"s.sh|/home/eve/.config/autostart-scripts/s.sh|Startup Item|/home/eve/.config/autostart-scripts|enabled|eve",
		"ssh.service|/lib/systemd/system/ssh.service|systemd unit|/lib/systemd/system/ssh.service|enabled|root",
		"t.timer|/etc/systemd/system/multi.wants/t.timer|systemd unit|/etc/systemd/system/multi.wants/t.timer|enabled|root",
	}
	if diff := cmp.Diff(want, flat(res)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"startup_items|/root/.config/autostart|permission denied"}, unread(res)); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
	ask(t, open(t, embedded.Options{}), "SELECT * FROM startup_items, crontab") // this machine's own
}

func TestOSVersion(t *testing.T) {
	t.Parallel()
	p := pretend{files: map[string]string{
		"/etc/os-release":     "NAME=\"My Linux\"\nVERSION='12.4 (nice)'\nVERSION_ID=\"12.4.1\"\nID=my\nID_LIKE=\"debian old\"\nVERSION_CODENAME=nice\nBUILD_ID=b7\n# X=1\n",
		"/usr/lib/os-release": "NAME=other\nID=other\n",
	}}
	cols := "SELECT name, version, major, minor, patch, build, platform, platform_like, codename, arch FROM os_version"
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	if arch == "" {
		t.Skip("what this processor is called is not known")
	}
	expect(t, open(t, embedded.Options{FS: p}), cols, "My Linux|12.4 (nice)|12|4|1|b7|my|debian old|nice|"+arch)
	expect(t, open(t, embedded.Options{FS: pretend{}}), cols, "||0|0|0|||||"+arch)
	p = pretend{files: map[string]string{"/usr/lib/os-release": "NAME=n\nVERSION_ID=rolling\n"}}
	expect(t, open(t, embedded.Options{FS: p}), cols, "n||0|0|0|||||"+arch)
	if _, err := os.Stat("/etc/os-release"); err == nil {
		if got := rows(t, open(t, embedded.Options{}), cols); strings.HasPrefix(got[0], "|") {
			t.Errorf("this machine has no name: %v", got)
		}
	}
}

func TestSystemInfo(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	must(t, err)
	here := open(t, embedded.Options{})
	var info syscall.Sysinfo_t
	must(t, syscall.Sysinfo(&info))
	row := ask(t, here, "SELECT * FROM system_info").Rows[0]
	if row["hostname"] != host || row["computer_name"] != host || row["uuid"] != embedded.MachineID() || number(t, row["cpu_logical_cores"]) != int64(runtime.NumCPU()) {
		t.Errorf("row %v", row)
	}
	if mem := number(t, row["physical_memory"]); mem>>10 != int64(info.Totalram)*int64(info.Unit)>>10 {
		t.Errorf("%d bytes of memory, the kernel says %d", mem, info.Totalram)
	}
	p := pretend{files: map[string]string{
		"/proc/cpuinfo": "processor: 0\nmodel name\t: A CPU\nmicrocode\t: 0xff\nphysical id\t: 0\ncore id\t: 0\n\nmodel name\t: A CPU\nphysical id\t: 0\ncore id\t: 1\n\nphysical id\t: 1\ncore id\t: 0\n",
		"/proc/meminfo": "MemTotal:       1024 kB\nMemFree: 1 kB\n", "/sys/class/dmi/id/sys_vendor": "Vendor Inc.\n", "/sys/class/dmi/id/product_serial": "S1\n",
	}}
	cols := "SELECT cpu_brand, cpu_physical_cores, cpu_sockets, cpu_microcode, physical_memory, hardware_vendor, hardware_serial, board_serial FROM system_info"
	expect(t, open(t, embedded.Options{FS: p}), cols, "A CPU|3|2|0xff|1048576|Vendor Inc.|S1|")
	p = pretend{files: map[string]string{"/proc/meminfo": "MemTotal:", "/proc/cpuinfo": "nothing\n\n:\n"}}
	expect(t, open(t, embedded.Options{FS: p}), cols, "|1|1||0|||")
}

func TestOsqueryInfoAndTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("X", 3600))
	e := open(t, embedded.Options{Version: "5.9.1", Now: func() time.Time { return now }, FS: pretend{files: map[string]string{"/etc/machine-id": "abc\n"}}})
	res := ask(t, e, "SELECT pid, uuid, instance_id, version, config_valid, build_platform, start_time, watcher, platform_mask FROM osquery_info")
	const id = "SELECT uuid FROM osquery_info"
	uuid := rows(t, e, id)[0]
	want := fmt.Sprintf("%d|%s|%s-%d|5.9.1|1|linux|%d|-1|9", os.Getpid(), uuid, uuid, os.Getpid(), now.Unix())
	if diff := cmp.Diff([]string{want}, flat(res)); diff != "" {
		t.Errorf("osquery_info (-want +got):\n%s", diff)
	}
	expect(t, e, "SELECT weekday, year, month, day, hour, minutes, seconds, timezone, unix_time, timestamp, datetime, iso_8601 FROM time",
		fmt.Sprintf("Tuesday|2026|2|3|3|5|6|UTC|%d|Tue Feb  3 03:05:06 2026 UTC|2026-02-03T03:05:06Z|2026-02-03T03:05:06Z", now.Unix()))
	// The machine's id is never shown as it is, and differs from machine to machine.
	other := open(t, embedded.Options{FS: pretend{files: map[string]string{"/var/lib/dbus/machine-id": "abd"}}})
	if second := rows(t, other, id)[0]; second == uuid || len(second) != 36 || strings.Contains(uuid, "abc") {
		t.Errorf("ids %s and %s", uuid, second)
	}
	expect(t, open(t, embedded.Options{}), "SELECT version, uuid FROM osquery_info", "5.23.0|"+embedded.MachineID())
}

func TestMounts(t *testing.T) {
	t.Parallel()
	var fs syscall.Statfs_t
	must(t, syscall.Statfs("/proc", &fs))
	expect(t, open(t, embedded.Options{}), "SELECT DISTINCT path, type, blocks FROM mounts WHERE path = '/proc' AND type = 'proc'", "/proc|proc|"+fmt.Sprint(fs.Blocks))
	p := pretend{files: map[string]string{"/proc/self/mounts": "/dev/sda1 /none\\040such\\011place\\134 ext4 rw,nodev 0 0\nhost:/x /mnt/\xff nfs4 ro 0 0\nshort line\n\nsshfs#a /\\09 fuse.sshfs rw 0 0\n"}}
	expect(t, open(t, embedded.Options{FS: p}), "SELECT device, device_alias, path, type, blocks_size, blocks, flags FROM mounts",
		"/dev/sda1|/dev/sda1|/none such\tplace\\|ext4|0|0|rw,nodev", "host:/x|host:/x|/mnt/\xff|nfs4|0|0|ro", "sshfs#a|sshfs#a|/\\09|fuse.sshfs|0|0|rw")
}

func TestUptime(t *testing.T) {
	t.Parallel()
	p := pretend{files: map[string]string{"/proc/uptime": "356521.97 1.0\n"}}
	expect(t, open(t, embedded.Options{FS: p}), "SELECT * FROM uptime", "4|3|2|1|356521")
	text, err := os.ReadFile("/proc/uptime")
	must(t, err)
	want, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	must(t, err)
	got := number(t, rows(t, open(t, embedded.Options{}), "SELECT total_seconds FROM uptime")[0])
	if d := got - int64(want); d < 0 || d > 60 {
		t.Errorf("up for %d s, the kernel said %f", got, want)
	}
	res := ask(t, open(t, embedded.Options{FS: pretend{errs: map[string]error{"/proc/uptime": syscall.EACCES}}}), "SELECT total_seconds FROM uptime")
	if diff := cmp.Diff([]string{"uptime|/proc/uptime|permission denied"}, unread(res)); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}
