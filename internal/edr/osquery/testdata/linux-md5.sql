-- 01-running stage=running root="" sizes=[] max_size=52428800 max_depth=0 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[md5:cccccccccccccccccccccccccccccccc] siblings=map[] self=""
WITH p AS MATERIALIZED (SELECT pid, name, path, cmdline, uid, start_time, parent, state, on_disk, cgroup_path FROM processes WHERE pid >= 0),
x AS MATERIALIZED (SELECT pid, path, 0 AS size, CASE WHEN (pid = 2 OR parent = 2) AND cmdline = '' AND EXISTS (SELECT 1 FROM p t WHERE t.pid = 2 AND t.name = 'kthreadd') THEN 'kernel' WHEN state IN ('Z','X') THEN 'ended' ELSE 'noimage' END AS sort FROM p WHERE path = ''),
k AS MATERIALIZED (SELECT g.path, g.pid, g.cgroup_path, g.on_disk, coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, h.path IS NOT NULL AS seen, coalesce(h.md5,'') AS md5
 FROM (SELECT path, cgroup_path, on_disk, min(pid) AS pid FROM p WHERE path <> '' GROUP BY path, cgroup_path, on_disk, CASE on_disk WHEN 1 THEN 0 ELSE pid END) g LEFT JOIN file f ON f.path = CASE g.on_disk WHEN 1 THEN g.path ELSE '' END LEFT JOIN hash h ON h.path = '/proc/' || g.pid || '/exe'),
m AS MATERIALIZED (SELECT * FROM k WHERE md5 IN ('cccccccccccccccccccccccccccccccc'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', p.name, p.path, k.size, k.md5, coalesce(h.sha1,''), coalesce(h.sha256,''), p.pid, coalesce((SELECT u.username FROM users u WHERE u.uid = p.uid LIMIT 1), p.uid, ''), p.start_time, k.mtime, p.cmdline FROM m AS k CROSS JOIN p ON p.path = k.path AND p.cgroup_path = k.cgroup_path AND p.on_disk = k.on_disk AND (k.on_disk = 1 OR p.pid = k.pid) LEFT JOIN hash h ON h.path = '/proc/' || p.pid || '/exe' AND h.md5 = k.md5 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k CROSS JOIN p ON p.path = k.path AND p.cgroup_path = k.cgroup_path AND p.on_disk = k.on_disk AND (k.on_disk = 1 OR p.pid = k.pid)
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND md5 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM (SELECT '/proc/' || k.pid || '/exe' AS path, size, pid FROM k WHERE seen = 0) LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'noimage', '', path, size, '', '', '', pid, '', 0, '', '' FROM x WHERE sort = 'noimage' LIMIT 1000)
UNION ALL SELECT 'count', 'processes', '', 0, '', '', '', 0, '', count(*), '', '' FROM p
UNION ALL SELECT 'count', 'first', '', 0, '', '', '', 0, '', count(*), '', '' FROM p WHERE pid = 1
UNION ALL SELECT 'count', 'kernel', '', 0, '', '', '', 0, '', count(*), '', '' FROM x WHERE sort = 'kernel'
UNION ALL SELECT 'count', 'ended', '', 0, '', '', '', 0, '', count(*), '', '' FROM x WHERE sort = 'ended'
UNION ALL SELECT 'count', 'noimage', '', 0, '', '', '', 0, '', count(*), '', '' FROM x WHERE sort = 'noimage'
UNION ALL SELECT 'count', 'candidates', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k
UNION ALL SELECT 'count', 'missing', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND md5 = ''
UNION ALL SELECT 'count', 'hashed', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE md5 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

-- 01-autoruns stage=autoruns root="" sizes=[] max_size=52428800 max_depth=0 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[md5:cccccccccccccccccccccccccccccccc] siblings=map[] self=""
WITH t(source, name, cmd, owner) AS (
 SELECT 'startup', name, path, username FROM startup_items WHERE type <> 'systemd unit'
 UNION ALL SELECT 'cron', path, command, '' FROM crontab),
i(n) AS (VALUES (0),(1),(2)),
a AS MATERIALIZED (SELECT source, name, owner, cmd AS path FROM t WHERE cmd LIKE '/%'
 UNION SELECT t.source, t.name, t.owner, split(t.cmd, ' ', i.n) FROM t CROSS JOIN i WHERE split(t.cmd, ' ', i.n) LIKE '/_%'
 UNION SELECT source, name, owner, '' FROM t WHERE cmd NOT LIKE '%/%'),
k AS MATERIALIZED (SELECT g.path, 0 AS pid, coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, coalesce(f.uid,'') AS uid, h.path IS NOT NULL AS seen, coalesce(h.md5,'') AS md5
 FROM (SELECT DISTINCT path FROM a WHERE path <> '') g LEFT JOIN file f ON f.path = g.path LEFT JOIN hash h ON h.path = g.path),
m AS MATERIALIZED (SELECT * FROM k WHERE md5 IN ('cccccccccccccccccccccccccccccccc'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', a.source || ':' || a.name, a.path, k.size, k.md5, coalesce(h.sha1,''), coalesce(h.sha256,''), 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), nullif(k.uid,''), a.owner), 0, k.mtime, '' FROM m AS k CROSS JOIN a ON a.path = k.path LEFT JOIN hash h ON h.path = k.path AND h.md5 = k.md5 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k CROSS JOIN a ON a.path = k.path
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND md5 = '' LIMIT 1000)
UNION ALL SELECT 'count', 'autoruns', '', 0, '', '', '', 0, '', count(*), '', '' FROM a
UNION ALL SELECT 'count', 'unresolved', '', 0, '', '', '', 0, '', count(*), '', '' FROM a WHERE path = ''
UNION ALL SELECT 'count', 'candidates', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k
UNION ALL SELECT 'count', 'missing', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND md5 = ''
UNION ALL SELECT 'count', 'hashed', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE md5 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

-- 01-files-sized-00 stage=files root="/home/eve" sizes=[7] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=true narrowed=0
-- hashes=[md5:cccccccccccccccccccccccccccccccc] siblings=map[] self=""
WITH RECURSIVE
y_md5(v) AS MATERIALIZED (SELECT value FROM json_each('["cccccccccccccccccccccccccccccccc"]')),
x(path) AS MATERIALIZED (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')),
d(path, depth) AS NOT MATERIALIZED (
 SELECT '/home/eve', 0
 UNION ALL SELECT f.path, d.depth + 1 FROM d CROSS JOIN file f ON f.directory = d.path
  WHERE d.depth < 1000 AND f.type = 'directory' AND f.symlink = 0 AND f.path NOT IN (SELECT path FROM x)),
a(n) AS (VALUES (0),(1)),
e AS NOT MATERIALIZED (SELECT CASE WHEN d.depth < 1000 THEN d.path END AS dir, d.depth, a.n AS turn,
 EXISTS (SELECT 1 FROM x WHERE substr(x.path, 1, length(d.path)) = d.path) AS mounts FROM d CROSS JOIN a LIMIT -1),
g AS NOT MATERIALIZED (SELECT e.depth, CASE e.turn WHEN 0 THEN e.depth > 0 END AS dirs, CASE e.turn WHEN 0 THEN (SELECT count(*) FROM file f WHERE f.directory = e.dir AND f.symlink = 0 AND f.type <> 'directory' AND (e.mounts = 0 OR f.path NOT IN (SELECT path FROM x))) END AS files,
 CASE e.turn WHEN 0 THEN (SELECT count(*) FROM file f WHERE f.directory = e.dir AND f.symlink = 0 AND f.type = 'regular' AND f.size > 52428800 AND (e.mounts = 0 OR f.path NOT IN (SELECT path FROM x))) END AS big,
 CASE e.turn WHEN 0 THEN (SELECT max(f.size) FROM file f WHERE f.directory = e.dir AND f.symlink = 0 AND f.type = 'regular' AND f.size > 52428800 AND (e.mounts = 0 OR f.path NOT IN (SELECT path FROM x))) END AS biggest,
 f.size, coalesce((SELECT CASE WHEN md5 IN (SELECT v FROM y_md5) THEN '+' || printf('%-32s', md5) || printf('%20d%20d', f.mtime, f.uid) || f.path WHEN md5 = '' THEN '-' || f.path ELSE '' END FROM (SELECT h.md5 FROM hash h WHERE h.path = f.path LIMIT -1)), '?' || f.path) AS s FROM e
 LEFT JOIN file f ON f.directory = CASE e.turn WHEN 1 THEN e.dir END AND f.symlink = 0 AND f.type = 'regular' AND f.size IN (7) AND (e.mounts = 0 OR f.path NOT IN (SELECT path FROM x))
 UNION ALL SELECT 0, 0, 1, f.size > 52428800, CASE WHEN f.size > 52428800 THEN f.size END, CASE WHEN f.ask IS NOT NULL THEN f.size END, coalesce((SELECT CASE WHEN md5 IN (SELECT v FROM y_md5) THEN '+' || printf('%-32s', md5) || printf('%20d%20d', f.mtime, f.uid) || f.ask WHEN md5 = '' THEN '-' || f.ask ELSE '' END FROM (SELECT h.md5 FROM hash h WHERE h.path = f.ask LIMIT -1)), '?' || f.ask)
  FROM (SELECT *, CASE WHEN type = 'regular' AND size IN (7) THEN path END AS ask FROM file WHERE path = '/home/eve' AND type = 'regular') f LIMIT -1),
t AS MATERIALIZED (SELECT s, max(depth) AS depth, sum(dirs) AS dirs, sum(files) AS files, sum(big) AS big, max(biggest) AS biggest, sum(size) AS size, count(*) AS n FROM g GROUP BY s),
k AS MATERIALIZED (SELECT CASE sign WHEN '+' THEN substr(s, 74) WHEN '' THEN NULL ELSE substr(s, 2) END AS path, hit, 0 AS pid, depth, dirs, files, big, biggest, size, n,
 CASE sign WHEN '?' THEN 'missing' WHEN '-' THEN 'unhashed' ELSE CASE WHEN s IS NULL THEN '' ELSE 'hashed' END END AS state, CASE WHEN hit = 1 THEN rtrim(substr(s, 2, 32)) ELSE '' END AS md5, CASE WHEN hit = 1 THEN CAST(substr(s, 34, 20) AS INTEGER) END AS mtime, CASE WHEN hit = 1 THEN CAST(substr(s, 54, 20) AS INTEGER) END AS uid
 FROM (SELECT *, coalesce(substr(s, 1, 1), '') AS sign, coalesce(substr(s, 1, 1) = '+', 0) AS hit FROM t) ORDER BY path),
m AS MATERIALIZED (SELECT * FROM k WHERE hit = 1)
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', '/home/eve', k.path, k.size, k.md5, coalesce(h.sha1,''), coalesce(h.sha256,''), 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.md5 = k.md5 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE state = 'unhashed' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE state = 'missing' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', m.type, m.path, 0, '', '', '', 0, '', 0, '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/eve/')) = '/home/eve/' LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/eve/')) = '/home/eve/'
UNION ALL SELECT 'count', 'root', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = '/home/eve' AND f.type IN ('directory','regular')
UNION ALL SELECT 'count', 'dirs', '/home/eve', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(dirs),0), '', '' FROM k
UNION ALL SELECT 'count', 'files', '/home/eve', 0, '', '', '', 0, '', coalesce(sum(files),0), '', '' FROM k
UNION ALL SELECT 'count', 'bigger', '/home/eve', coalesce(max(biggest),0), '', '', '', 0, '', coalesce(sum(big),0), '', '' FROM k
UNION ALL SELECT 'count', 'candidates', '/home/eve', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM k WHERE state <> ''
UNION ALL SELECT 'count', 'missing', '/home/eve', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM k WHERE state = 'missing'
UNION ALL SELECT 'count', 'unhashed', '/home/eve', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM k WHERE state = 'unhashed'
UNION ALL SELECT 'count', 'hashed', '/home/eve', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM k WHERE state = 'hashed'
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

