//go:build sqlite_vtable

package embedded

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ticks is USER_HZ: the unit of times in /proc/PID/stat, fixed at 100 on every Linux that Go runs on.
const ticks = 100

// kthread is the bit PF_KTHREAD of the flags in /proc/PID/stat.
const kthread = 0x0020_0000

// ended reports the error of a process that is no longer there: its files still open, and then can't be read.
func ended(err error) bool { return gone(err) || errors.Is(err, unix.ESRCH) }

func (e *Engine) processesTable() *table {
	return &table{
		name: "processes",
		columns: columnsOf(`pid:B name:T path:T cmdline:T state:T cwd:T root:T uid:B gid:B euid:B egid:B suid:B sgid:B on_disk:I
			wired_size:B resident_size:B total_size:B user_time:B system_time:B disk_bytes_read:B disk_bytes_written:B start_time:B
			parent:B pgroup:B threads:I nice:I cgroup_path:T`),
		index: []string{"pid"}, cost: 10,
		open: func(q *query, by string, _ bool, value string) (scan, error) {
			pids := []string{value}
			if by == "" {
				names, err := e.names(q, "processes", "/proc")
				if err != nil {
					return nil, err
				}
				pids = names
			}
			return &processScan{engine: e, q: q, pids: pids, boot: e.bootTime(q)}, nil
		},
	}
}

func (e *Engine) bootTime(q *query) int64 {
	for line := range strings.Lines(e.text(q, "processes", "/proc/stat")) {
		if rest, ok := strings.CutPrefix(line, "btime "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(rest), 10, 64) // unreadable: 0
			return n
		}
	}
	return 0
}

type processScan struct {
	engine *Engine
	q      *query
	pids   []string
	boot   int64
	pid    int64
	row    []any
}

func (s *processScan) next() (bool, error) {
	for len(s.pids) > 0 {
		name := s.pids[0]
		s.pids = s.pids[1:]
		pid, ok := pidOf(name)
		if !ok {
			continue
		}
		if err := s.q.ctx.Err(); err != nil {
			return false, err
		}
		s.pid = pid
		if s.row = s.engine.process(s.q, pid, s.boot); s.row != nil {
			return true, nil
		}
	}
	return false, nil
}

// pidOf reads what a pid is compared with: a text or a fraction can be the same number to SQLite.
func pidOf(s string) (int64, bool) {
	s = strings.Trim(s, " \t\n\v\f\r")
	pid, err := strconv.ParseInt(s, 10, 64)
	if err != nil && strings.Trim(s, "0123456789.eE+-") == "" {
		var f float64
		if f, err = strconv.ParseFloat(s, 64); f != math.Trunc(f) || f > math.MaxInt32 {
			return 0, false
		}
		pid = int64(f)
	}
	return pid, err == nil && pid > 0
}

func (s *processScan) cell(i int) (any, error) { return s.row[i], nil }
func (s *processScan) id() int64               { return s.pid }
func (s *processScan) close()                  {}

// process reads one process (proc(5)); nil when it has ended.
func (e *Engine) process(q *query, pid, boot int64) []any {
	dir := "/proc/" + strconv.FormatInt(pid, 10)
	stat, err := slurp(e.opt.FS, dir+"/stat")
	if err != nil {
		if !ended(err) { // such as on a /proc that is mounted with hidepid
			q.note("processes", dir+"/stat", 0, reason(err))
		}
		return nil
	}
	open, end := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	var f []string
	if open >= 0 && end > open {
		f = strings.Fields(stat[end+1:])
	}
	if len(f) < 22 {
		if stat != "" {
			q.note("processes", dir+"/stat", 0, "is not what proc(5) says")
		}
		return nil
	}
	num := func(i int) int64 {
		n, _ := strconv.ParseInt(f[i], 10, 64) // the kernel writes numbers
		return n
	}
	path, onDisk := e.image(q, dir, f[0] == "Z" || num(6)&kthread != 0)
	ids, err := e.status(dir)
	if err != nil {
		if ended(err) {
			return nil
		}
		q.note("processes", dir+"/status", 0, reason(err)) // or it would pass for root's
	}
	cmdline, err := slurp(e.opt.FS, dir+"/cmdline")
	if err != nil && ended(err) {
		return nil
	}
	cmdline = strings.TrimRight(strings.ReplaceAll(cmdline, "\x00", " "), " ")
	cwd, _ := e.opt.FS.Readlink(dir + "/cwd")   // for the process's owner alone
	root, _ := e.opt.FS.Readlink(dir + "/root") // for the process's owner alone
	cgroup, _ := slurp(e.opt.FS, dir+"/cgroup") // not everywhere
	read, written := e.io(dir)
	pageSize := int64(unix.Getpagesize())
	return []any{
		pid, stat[open+1 : end], path, cmdline, f[0], cwd, root, ids[0], ids[3], ids[1], ids[4], ids[2], ids[5], onDisk,
		int64(0), num(21) * pageSize, num(20), num(11) * 1000 / ticks, num(12) * 1000 / ticks, read, written, boot + num(19)/ticks,
		num(1), num(2), num(17), num(16), cgroupPath(cgroup),
	}
}

// image gives the executable of a process. A kernel thread and a zombie have none; one that may not be looked at is
// noted, so that it does not pass for a kernel thread.
func (e *Engine) image(q *query, dir string, none bool) (path string, onDisk int64) {
	path, err := e.opt.FS.Readlink(dir + "/exe")
	if err != nil {
		if !none && !ended(err) {
			q.note("processes", dir+"/exe", 0, reason(err))
		}
		return "", -1
	}
	path = strings.TrimSuffix(path, " (deleted)")
	if _, err := e.opt.FS.Lstat(path); err != nil {
		return path, 0
	}
	return path, 1
}

// status gives real, effective and saved uid, then the same of gid.
func (e *Engine) status(dir string) (ids [6]int64, err error) {
	text, err := slurp(e.opt.FS, dir+"/status")
	if err != nil {
		return ids, err
	}
	for line := range strings.Lines(text) {
		for at, name := range []string{"Uid:", "Gid:"} {
			rest, ok := strings.CutPrefix(line, name)
			if !ok {
				continue
			}
			for i, v := range strings.Fields(rest) {
				if i < 3 {
					ids[at*3+i], _ = strconv.ParseInt(v, 10, 64) // the kernel writes numbers
				}
			}
		}
	}
	return ids, nil
}

func (e *Engine) io(dir string) (read, written int64) {
	text, err := slurp(e.opt.FS, dir+"/io")
	if err != nil {
		return 0, 0 // for the process's owner alone
	}
	for line := range strings.Lines(text) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, _ := strconv.ParseInt(v, 10, 64) // the kernel writes numbers
		switch k {
		case "read_bytes":
			read = n
		case "write_bytes":
			written = n
		}
	}
	return read, written
}

// cgroupPath gives the path in the unified hierarchy, else in the first one.
func cgroupPath(text string) string {
	first := ""
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		if f[0] == "0" {
			return f[2]
		}
		if first == "" {
			first = f[2]
		}
	}
	return first
}
