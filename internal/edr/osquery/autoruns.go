package osquery

// autoruns asks for the programs that start by themselves. Command lines are taken apart by guess: the whole text, then
// its first three words. So autoruns add hits, and never grant or block proof.
func (w words) autoruns() string {
	return statement(
		autorunSources(w.q.Platform),
		"k AS MATERIALIZED (SELECT g.path, 0 AS pid, coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, coalesce(f.uid,'') AS uid, h.path IS NOT NULL AS seen, "+w.digests(),
		" FROM (SELECT DISTINCT path FROM a WHERE path <> '') g LEFT JOIN file f ON f.path = g.path LEFT JOIN hash h ON h.path = g.path),",
		w.matched(),
		meta(),
		w.hits("a.source || ':' || a.name", "a.path", "0", w.autorunOwner(), "0", "''", "m AS k CROSS JOIN a ON a.path = k.path", "k.path"),
		listArm("unhashed", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		count("autoruns", "''", "0", "count(*)", "a"),
		count("unresolved", "''", "0", "count(*)", "a WHERE path = ''"),
		w.hashed("''", "k"),
		control(w.q.Platform))
}

// autorunOwner is who owns the program; where files have no owner, whose autorun it is.
func (w words) autorunOwner() string {
	if w.q.Platform == "windows" {
		return "a.owner"
	}
	return "coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), nullif(k.uid,''), a.owner)"
}

// autorunSources gives the CTEs up to a(source, name, owner, path), with a trailing comma.
func autorunSources(platform string) string {
	posix := statement(
		"i(n) AS (VALUES (0),(1),(2)),",
		"a AS MATERIALIZED (SELECT source, name, owner, cmd AS path FROM t WHERE cmd LIKE '/%'",
		" UNION SELECT t.source, t.name, t.owner, split(t.cmd, ' ', i.n) FROM t CROSS JOIN i WHERE split(t.cmd, ' ', i.n) LIKE '/_%'",
		" UNION SELECT source, name, owner, '' FROM t WHERE cmd NOT LIKE '%/%'),")
	switch platform {
	case "darwin":
		return statement(
			"WITH t(source, name, cmd, owner) AS (",
			" SELECT 'launchd', label, CASE WHEN program <> '' THEN program ELSE program_arguments END, username FROM launchd WHERE path LIKE '/%'",
			" UNION ALL SELECT 'startup', name, path, username FROM startup_items",
			" UNION ALL SELECT 'cron', path, command, '' FROM crontab),",
			posix)
	case "windows":
		return windowsSources()
	default:
		return statement(
			"WITH t(source, name, cmd, owner) AS (",
			" SELECT 'startup', name, path, username FROM startup_items WHERE type <> 'systemd unit'",
			" UNION ALL SELECT 'cron', path, command, '' FROM crontab),",
			posix)
	}
}

func windowsSources() string {
	return statement(
		`WITH w(dir) AS (SELECT coalesce((SELECT substr(path, 1, instr(lower(path), '\system32\') - 1) FROM processes WHERE pid >= 0 AND lower(name) = 'svchost.exe' AND path <> '' LIMIT 1), 'C:\Windows')),`,
		"t(source, name, cmd, owner) AS (",
		" SELECT 'service', name, path, user_account FROM services",
		" UNION ALL SELECT 'servicedll', name, module_path, user_account FROM services WHERE module_path <> ''",
		" UNION ALL SELECT 'driver', service, image, '' FROM drivers WHERE image <> ''",
		" UNION ALL SELECT 'startup', name, path, username FROM startup_items",
		" UNION ALL SELECT 'task', name, trim(action), '' FROM scheduled_tasks),", // a blank stands before it where a task has no folder
		"e(source, name, cmd, owner) AS (SELECT source, name, replace(replace(replace(replace(",
		`  CASE WHEN lower(substr(cmd,1,12)) = '\systemroot\' THEN w.dir || substr(cmd,12)`,
		`   WHEN lower(substr(cmd,1,9)) = 'system32\' THEN w.dir || '\' || cmd`,
		`   WHEN substr(cmd,1,4) = '\??\' THEN substr(cmd,5) ELSE cmd END,`,
		"  '%SystemRoot%', w.dir), '%systemroot%', w.dir), '%windir%', w.dir), '%WINDIR%', w.dir), owner FROM t CROSS JOIN w),",
		"a AS MATERIALIZED (SELECT source, name, owner,",
		`  CASE WHEN substr(cmd,1,1) = '"' THEN substr(cmd, 2, instr(substr(cmd,2), '"') - 1)`,
		"   WHEN instr(lower(cmd), '.exe ') > 0 THEN substr(cmd, 1, instr(lower(cmd), '.exe ') + 3) ELSE cmd END AS path FROM e),")
}
