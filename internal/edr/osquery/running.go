package osquery

import "strings"

// running asks for the images of running processes. On Linux each image is read through /proc/PID/exe, which also works
// for deleted files and for those in containers; the size comes from the real path, since file on /proc/PID/exe fails
// for kernel threads.
func (w words) running() string {
	linux := w.q.Platform == "linux"
	cols := "pid, name, path, cmdline, uid, start_time"
	group := "SELECT path, min(pid) AS pid FROM p WHERE path <> '' GROUP BY path"
	through, real, pick, link := "g.path", "g.path", "g.path, g.pid", "p.path = k.path"
	again := "k.path"
	if linux {
		cols += ", on_disk, cgroup_path"
		group = "SELECT path, cgroup_path, on_disk, min(pid) AS pid FROM p WHERE path <> '' GROUP BY path, cgroup_path, on_disk, CASE on_disk WHEN 1 THEN 0 ELSE pid END"
		through, real = "'/proc/' || g.pid || '/exe'", "CASE g.on_disk WHEN 1 THEN g.path ELSE '' END"
		pick = "g.path, g.pid, g.cgroup_path, g.on_disk"
		link = "p.path = k.path AND p.cgroup_path = k.cgroup_path AND p.on_disk = k.on_disk AND (k.on_disk = 1 OR p.pid = k.pid)"
		again = "'/proc/' || p.pid || '/exe'"
	}
	missing := "(SELECT " + strings.ReplaceAll(through, "g.", "k.") + " AS path, size, pid FROM k WHERE seen = 0)"
	return statement(
		"WITH p AS MATERIALIZED (SELECT "+cols+" FROM processes WHERE pid >= 0),",
		"k AS MATERIALIZED (SELECT "+pick+", coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, h.path IS NOT NULL AS seen, "+w.digests(),
		" FROM ("+group+") g LEFT JOIN file f ON f.path = "+real+" LEFT JOIN hash h ON h.path = "+through+")",
		meta(),
		"UNION ALL SELECT 'hit', p.name, p.path, k.size, "+w.hitDigests()+", p.pid, "+owner("p.uid")+", p.start_time, k.mtime, p.cmdline",
		" FROM k CROSS JOIN p ON "+link+" LEFT JOIN hash h ON h.path = "+again+" WHERE "+w.match(),
		listArm("unhashed", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		listArm("missing", missing),
		count("processes", "''", "0", "count(*)", "p"),
		count("kernel", "''", "0", "count(*)", "p WHERE path = '' AND cmdline = ''"),
		count("noimage", "''", "0", "count(*)", "p WHERE path = '' AND cmdline <> ''"),
		count("candidates", "''", "coalesce(sum(max(size,0)),0)", "count(*)", "k"),
		count("missing", "''", "0", "count(*)", "k WHERE seen = 0"),
		count("unhashed", "''", "0", "count(*)", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		count("hashed", "''", "coalesce(sum(max(size,0)),0)", "count(*)", "k WHERE "+w.first()+" <> ''"),
		control(w.q.Platform))
}
