package osquery

import "strings"

// running asks for the images of running processes. On Linux each image is read through /proc/PID/exe, which also works
// for deleted files and for those in containers; the size comes from the real path, since file on /proc/PID/exe fails
// for kernel threads.
func (w words) running() string {
	linux := w.q.Platform == "linux"
	cols := "pid, name, path, cmdline, uid, start_time, parent, state"
	group := "SELECT path, min(pid) AS pid FROM p WHERE path <> '' GROUP BY path"
	through, onDisk, pick, link := "g.path", "g.path", "g.path, g.pid", "p.path = k.path"
	again := "k.path"
	if linux {
		cols += ", on_disk, cgroup_path"
		group = "SELECT path, cgroup_path, on_disk, min(pid) AS pid FROM p WHERE path <> '' GROUP BY path, cgroup_path, on_disk, CASE on_disk WHEN 1 THEN 0 ELSE pid END"
		through, onDisk = "'/proc/' || g.pid || '/exe'", "CASE g.on_disk WHEN 1 THEN g.path ELSE '' END"
		pick = "g.path, g.pid, g.cgroup_path, g.on_disk"
		link = "p.path = k.path AND p.cgroup_path = k.cgroup_path AND p.on_disk = k.on_disk AND (k.on_disk = 1 OR p.pid = k.pid)"
		again = "'/proc/' || p.pid || '/exe'"
	}
	missing := "(SELECT " + strings.ReplaceAll(through, "g.", "k.") + " AS path, size, pid FROM k WHERE seen = 0)"
	return statement(
		"WITH p AS MATERIALIZED (SELECT "+cols+" FROM processes WHERE pid >= 0),",
		"x AS MATERIALIZED (SELECT pid, path, 0 AS size, CASE WHEN "+w.kernel()+" THEN 'kernel' WHEN state IN ('Z','X') THEN 'ended' ELSE 'noimage' END AS sort FROM p WHERE path = ''),",
		"k AS MATERIALIZED (SELECT "+pick+", coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, h.path IS NOT NULL AS seen, "+w.digests(),
		" FROM ("+group+") g LEFT JOIN file f ON f.path = "+onDisk+" LEFT JOIN hash h ON h.path = "+through+"),",
		w.matched(),
		meta(),
		w.hits("p.name", "p.path", "p.pid", owner("p.uid"), "p.start_time", "p.cmdline", "m AS k CROSS JOIN p ON "+link, again),
		listArm("unhashed", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		listArm("missing", missing),
		listArm("noimage", "x WHERE sort = 'noimage'"),
		w.self(),
		count("processes", "''", "0", "count(*)", "p"),
		count("first", "''", "0", "count(*)", "p WHERE pid = "+w.firstProcess()),
		count("kernel", "''", "0", "count(*)", "x WHERE sort = 'kernel'"),
		count("ended", "''", "0", "count(*)", "x WHERE sort = 'ended'"),
		count("noimage", "''", "0", "count(*)", "x WHERE sort = 'noimage'"),
		w.hashed("''", "k"),
		control(w.q.Platform))
}

// kernel tests a process without an image for one that never has one. On Linux these are kthreadd and its children; a
// program that blanks its command line is none, and a process that may not be looked at is none.
func (w words) kernel() string {
	switch w.q.Platform {
	case "darwin":
		return "pid = 0"
	case "windows": // Idle, System, and the minimal processes under System
		return "pid IN (0,4) OR (parent = 4 AND lower(name) IN ('registry','memcompression','memory compression','secure system'))"
	default:
		return "(pid = 2 OR parent = 2) AND cmdline = '' AND EXISTS (SELECT 1 FROM p t WHERE t.pid = 2 AND t.name = 'kthreadd')"
	}
}

// firstProcess is the process that is there on every machine and in every container; where it is not listed, others
// are hidden as well (hidepid).
func (w words) firstProcess() string {
	if w.q.Platform == "windows" {
		return "4"
	}
	return "1"
}

// self names osqueryd's own program, which is bigger than what it reads. The embedded engine's is known beforehand.
func (w words) self() string {
	if !w.osqueryd() {
		return ""
	}
	from := "osquery_info i CROSS JOIN p ON p.pid = i.pid WHERE p.path <> ''"
	return statement(
		capped(1, "SELECT 'self', p.name, p.path, 0, '', '', '', p.pid, '', 0, '', '' FROM "+from),
		count("self", "''", "0", "count(*)", from))
}
