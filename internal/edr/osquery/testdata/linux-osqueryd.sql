-- 01-running stage=running root="" sizes=[] max_size=52428800 max_depth=0 budget={Files:0 Bytes:0} engine=osqueryd must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb] siblings=map[] self=""
WITH p AS MATERIALIZED (SELECT pid, name, path, cmdline, uid, start_time, parent, state, on_disk, cgroup_path FROM processes WHERE pid >= 0),
x AS MATERIALIZED (SELECT pid, path, 0 AS size, CASE WHEN (pid = 2 OR parent = 2) AND cmdline = '' AND EXISTS (SELECT 1 FROM p t WHERE t.pid = 2 AND t.name = 'kthreadd') THEN 'kernel' WHEN state IN ('Z','X') THEN 'ended' ELSE 'noimage' END AS sort FROM p WHERE path = ''),
k AS MATERIALIZED (SELECT g.path, g.pid, g.cgroup_path, g.on_disk, coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM (SELECT path, cgroup_path, on_disk, min(pid) AS pid FROM p WHERE path <> '' GROUP BY path, cgroup_path, on_disk, CASE on_disk WHEN 1 THEN 0 ELSE pid END) g LEFT JOIN file f ON f.path = CASE g.on_disk WHEN 1 THEN g.path ELSE '' END LEFT JOIN hash h ON h.path = '/proc/' || g.pid || '/exe'),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', p.name, p.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, p.pid, coalesce((SELECT u.username FROM users u WHERE u.uid = p.uid LIMIT 1), p.uid, ''), p.start_time, k.mtime, p.cmdline FROM m AS k CROSS JOIN p ON p.path = k.path AND p.cgroup_path = k.cgroup_path AND p.on_disk = k.on_disk AND (k.on_disk = 1 OR p.pid = k.pid) LEFT JOIN hash h ON h.path = '/proc/' || p.pid || '/exe' AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k CROSS JOIN p ON p.path = k.path AND p.cgroup_path = k.cgroup_path AND p.on_disk = k.on_disk AND (k.on_disk = 1 OR p.pid = k.pid)
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM (SELECT '/proc/' || k.pid || '/exe' AS path, size, pid FROM k WHERE seen = 0) LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'noimage', '', path, size, '', '', '', pid, '', 0, '', '' FROM x WHERE sort = 'noimage' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'self', p.name, p.path, 0, '', '', '', p.pid, '', 0, '', '' FROM osquery_info i CROSS JOIN p ON p.pid = i.pid WHERE p.path <> '' LIMIT 1)
UNION ALL SELECT 'count', 'self', '', 0, '', '', '', 0, '', count(*), '', '' FROM osquery_info i CROSS JOIN p ON p.pid = i.pid WHERE p.path <> ''
UNION ALL SELECT 'count', 'processes', '', 0, '', '', '', 0, '', count(*), '', '' FROM p
UNION ALL SELECT 'count', 'first', '', 0, '', '', '', 0, '', count(*), '', '' FROM p WHERE pid = 1
UNION ALL SELECT 'count', 'kernel', '', 0, '', '', '', 0, '', count(*), '', '' FROM x WHERE sort = 'kernel'
UNION ALL SELECT 'count', 'ended', '', 0, '', '', '', 0, '', count(*), '', '' FROM x WHERE sort = 'ended'
UNION ALL SELECT 'count', 'noimage', '', 0, '', '', '', 0, '', count(*), '', '' FROM x WHERE sort = 'noimage'
UNION ALL SELECT 'count', 'candidates', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k
UNION ALL SELECT 'count', 'missing', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

-- 01-autoruns stage=autoruns root="" sizes=[] max_size=52428800 max_depth=0 budget={Files:0 Bytes:0} engine=osqueryd must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb] siblings=map[] self=""
WITH t(source, name, cmd, owner) AS (
 SELECT 'startup', name, path, username FROM startup_items WHERE type <> 'systemd unit'
 UNION ALL SELECT 'cron', path, command, '' FROM crontab),
i(n) AS (VALUES (0),(1),(2)),
a AS MATERIALIZED (SELECT source, name, owner, cmd AS path FROM t WHERE cmd LIKE '/%'
 UNION SELECT t.source, t.name, t.owner, split(t.cmd, ' ', i.n) FROM t CROSS JOIN i WHERE split(t.cmd, ' ', i.n) LIKE '/_%'
 UNION SELECT source, name, owner, '' FROM t WHERE cmd NOT LIKE '%/%'),
k AS MATERIALIZED (SELECT g.path, 0 AS pid, coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, coalesce(f.uid,'') AS uid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM (SELECT DISTINCT path FROM a WHERE path <> '') g LEFT JOIN file f ON f.path = g.path LEFT JOIN hash h ON h.path = g.path),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', a.source || ':' || a.name, a.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), nullif(k.uid,''), a.owner), 0, k.mtime, '' FROM m AS k CROSS JOIN a ON a.path = k.path LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k CROSS JOIN a ON a.path = k.path
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT 'count', 'autoruns', '', 0, '', '', '', 0, '', count(*), '', '' FROM a
UNION ALL SELECT 'count', 'unresolved', '', 0, '', '', '', 0, '', count(*), '', '' FROM a WHERE path = ''
UNION ALL SELECT 'count', 'candidates', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k
UNION ALL SELECT 'count', 'missing', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

-- 01-files-sized-00 stage=files root="/home/eve" sizes=[1000] max_size=52428800 max_depth=40 budget={Files:0 Bytes:0} engine=osqueryd must_exist=true narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth, parent, links, ctime) AS (
 SELECT f.path, f.size, f.mtime, f.uid, f.type, 1, f.directory, f.hard_links, f.ctime FROM file f WHERE f.directory = '/home/eve' AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, 0, f.directory, f.hard_links, f.ctime FROM file f WHERE f.path = '/home/eve' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, w.depth + 1, f.directory, f.hard_links, f.ctime FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 40 AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type = 'directory' THEN path END AS path, CASE WHEN type = 'directory' THEN 1 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth, parent, links, ctime FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n, max(parent) AS parent, max(links) AS links, max(ctime) AS ctime FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', '/home/eve', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', m.type, m.path, 0, '', '', '', 0, '', 0, '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/eve/')) = '/home/eve/' LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/eve/')) = '/home/eve/'
UNION ALL SELECT 'count', 'root', '/home/eve', CASE WHEN EXISTS (SELECT 1 FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND m.path || '/' = substr('/home/eve' || '/', 1, length(m.path) + 1)) THEN 0 ELSE coalesce(max(f.hard_links),0) END, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = '/home/eve' AND f.type IN ('directory','regular')
UNION ALL SELECT 'count', 'dirs', '/home/eve', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', '/home/eve', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', '/home/eve', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', '/home/eve', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '/home/eve', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'count', 'suspect', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE mtime < ctime AND ctime > (SELECT start_time FROM osquery_info)
UNION ALL SELECT 'count', 'hollow', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM g d WHERE d.sort = 1 AND d.links > 2 AND d.path NOT IN (SELECT parent FROM g WHERE sort = 1) AND NOT EXISTS (SELECT 1 FROM file c WHERE c.directory = d.path)
UNION ALL SELECT 'count', 'privileged', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM osquery_info i CROSS JOIN processes p ON p.pid = i.pid WHERE p.euid = 0
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

-- 01-files-any-00 stage=files root="/home/eve" sizes=[] max_size=52428800 max_depth=40 budget={Files:5000 Bytes:1073741824} engine=osqueryd must_exist=true narrowed=0
-- hashes=[sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth, parent, links, ctime) AS (
 SELECT f.path, f.size, f.mtime, f.uid, f.type, 1, f.directory, f.hard_links, f.ctime FROM file f WHERE f.directory = '/home/eve' AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, 0, f.directory, f.hard_links, f.ctime FROM file f WHERE f.path = '/home/eve' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, w.depth + 1, f.directory, f.hard_links, f.ctime FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 40 AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))),
v AS (SELECT CASE WHEN type = 'regular' AND size BETWEEN 1 AND 52428800 THEN path WHEN type = 'directory' THEN path END AS path, CASE WHEN type = 'directory' THEN 1 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth, parent, links, ctime FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n, max(parent) AS parent, max(links) AS links, max(ctime) AS ctime FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1 AND (SELECT count(*) FROM g WHERE want = 1) <= 5000 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1073741824),
t AS MATERIALIZED (SELECT CASE instr(substr(path, 11), '/') WHEN 0 THEN '' ELSE substr(path, 1, 9 + instr(substr(path, 11), '/')) END AS path, count(*) AS n, sum(size) AS size FROM g WHERE want = 1 AND NOT ((SELECT count(*) FROM g WHERE want = 1) <= 5000 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1073741824) GROUP BY 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', '/home/eve', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', m.type, m.path, 0, '', '', '', 0, '', 0, '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/eve/')) = '/home/eve/' LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/eve/')) = '/home/eve/'
UNION ALL SELECT 'count', 'root', '/home/eve', CASE WHEN EXISTS (SELECT 1 FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND m.path || '/' = substr('/home/eve' || '/', 1, length(m.path) + 1)) THEN 0 ELSE coalesce(max(f.hard_links),0) END, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = '/home/eve' AND f.type IN ('directory','regular')
UNION ALL SELECT 'count', 'dirs', '/home/eve', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', '/home/eve', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', '/home/eve', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', '/home/eve', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '/home/eve', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT * FROM (SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path LIMIT 500)
UNION ALL SELECT 'count', 'subs', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM t WHERE path <> ''
UNION ALL SELECT 'count', 'loose', '/home/eve', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM t WHERE path = ''
UNION ALL SELECT 'count', 'suspect', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE mtime < ctime AND ctime > (SELECT start_time FROM osquery_info)
UNION ALL SELECT 'count', 'hollow', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM g d WHERE d.sort = 1 AND d.links > 2 AND d.path NOT IN (SELECT parent FROM g WHERE sort = 1) AND NOT EXISTS (SELECT 1 FROM file c WHERE c.directory = d.path)
UNION ALL SELECT 'count', 'privileged', '/home/eve', 0, '', '', '', 0, '', count(*), '', '' FROM osquery_info i CROSS JOIN processes p ON p.pid = i.pid WHERE p.euid = 0
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

