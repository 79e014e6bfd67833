-- 00-files-any-00.01 stage=files root="/home" sizes=[] max_size=1000 max_depth=40 budget={Files:10 Bytes:1000} engine=osqueryd must_exist=true narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE s(path) AS (VALUES ('/home/a'),('/home/o''b')),
w(path, size, mtime, uid, type, depth, parent, links, ctime) AS (
 SELECT f.path, f.size, f.mtime, f.uid, f.type, 1, f.directory, f.hard_links, f.ctime FROM s CROSS JOIN file f ON f.path = s.path WHERE 1 AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, w.depth + 1, f.directory, f.hard_links, f.ctime FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 40 AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))),
v AS (SELECT CASE WHEN type = 'regular' AND size BETWEEN 1 AND 1000 THEN path WHEN type = 'directory' THEN path END AS path, CASE WHEN type = 'directory' THEN 1 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 1000 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth, parent, links, ctime FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n, max(parent) AS parent, max(links) AS links, max(ctime) AS ctime FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1 AND (SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000),
t AS MATERIALIZED (SELECT CASE instr(substr(path, 7), '/') WHEN 0 THEN '' ELSE substr(path, 1, 5 + instr(substr(path, 7), '/')) END AS path, count(*) AS n, sum(size) AS size FROM g WHERE want = 1 AND NOT ((SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000) GROUP BY 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', '/home', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', m.type, m.path, 0, '', '', '', 0, '', 0, '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/')) = '/home/' AND EXISTS (SELECT 1 FROM s WHERE m.path = s.path OR substr(m.path, 1, length(s.path) + 1) = s.path || '/') LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/')) = '/home/' AND EXISTS (SELECT 1 FROM s WHERE m.path = s.path OR substr(m.path, 1, length(s.path) + 1) = s.path || '/')
UNION ALL SELECT 'count', 'root', '/home', CASE WHEN EXISTS (SELECT 1 FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND m.path || '/' = substr('/home' || '/', 1, length(m.path) + 1)) THEN 0 ELSE coalesce(max(f.hard_links),0) END, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = '/home' AND f.type IN ('directory','regular')
UNION ALL SELECT 'count', 'dirs', '/home', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', '/home', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', '/home', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', '/home', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '/home', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT * FROM (SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path LIMIT 500)
UNION ALL SELECT 'count', 'subs', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM t WHERE path <> ''
UNION ALL SELECT 'count', 'loose', '/home', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM t WHERE path = ''
UNION ALL SELECT 'count', 'suspect', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE mtime < ctime AND ctime > (SELECT start_time FROM osquery_info)
UNION ALL SELECT 'count', 'hollow', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM g d WHERE d.sort = 1 AND d.links > 2 AND d.path NOT IN (SELECT parent FROM g WHERE sort = 1) AND NOT EXISTS (SELECT 1 FROM file c WHERE c.directory = d.path)
UNION ALL SELECT 'count', 'privileged', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM osquery_info i CROSS JOIN processes p ON p.pid = i.pid WHERE p.euid = 0
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

-- 00-files-any-00.02 stage=files root="/home/big" sizes=[] max_size=1000 max_depth=39 budget={Files:10 Bytes:1000} engine=osqueryd must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth, parent, links, ctime) AS (
 SELECT f.path, f.size, f.mtime, f.uid, f.type, 1, f.directory, f.hard_links, f.ctime FROM file f WHERE f.directory = '/home/big' AND NOT EXISTS (SELECT 1 FROM file d WHERE d.path = '/home/big' AND d.symlink = 1) AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND '/home/big' NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, 0, f.directory, f.hard_links, f.ctime FROM file f WHERE f.path = '/home/big' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, w.depth + 1, f.directory, f.hard_links, f.ctime FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 39 AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))),
v AS (SELECT CASE WHEN type = 'regular' AND size BETWEEN 1 AND 1000 THEN path WHEN type = 'directory' THEN path END AS path, CASE WHEN type = 'directory' THEN 1 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 1000 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth, parent, links, ctime FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n, max(parent) AS parent, max(links) AS links, max(ctime) AS ctime FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1 AND (SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000),
t AS MATERIALIZED (SELECT CASE instr(substr(path, 11), '/') WHEN 0 THEN '' ELSE substr(path, 1, 9 + instr(substr(path, 11), '/')) END AS path, count(*) AS n, sum(size) AS size FROM g WHERE want = 1 AND NOT ((SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000) GROUP BY 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', '/home/big', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', m.type, m.path, 0, '', '', '', 0, '', 0, '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND (substr(m.path, 1, length('/home/big/')) = '/home/big/' OR m.path = '/home/big') LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', '/home/big', 0, '', '', '', 0, '', count(*), '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND (substr(m.path, 1, length('/home/big/')) = '/home/big/' OR m.path = '/home/big')
UNION ALL SELECT 'count', 'root', '/home/big', CASE WHEN EXISTS (SELECT 1 FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND m.path || '/' = substr('/home/big' || '/', 1, length(m.path) + 1)) THEN 0 ELSE coalesce(max(f.hard_links),0) END, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = '/home/big' AND f.type IN ('directory','regular')
UNION ALL SELECT 'count', 'dirs', '/home/big', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', '/home/big', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', '/home/big', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', '/home/big', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', '/home/big', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '/home/big', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '/home/big', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT * FROM (SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path LIMIT 500)
UNION ALL SELECT 'count', 'subs', '/home/big', 0, '', '', '', 0, '', count(*), '', '' FROM t WHERE path <> ''
UNION ALL SELECT 'count', 'loose', '/home/big', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM t WHERE path = ''
UNION ALL SELECT 'count', 'suspect', '/home/big', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE mtime < ctime AND ctime > (SELECT start_time FROM osquery_info)
UNION ALL SELECT 'count', 'hollow', '/home/big', 0, '', '', '', 0, '', count(*), '', '' FROM g d WHERE d.sort = 1 AND d.links > 2 AND d.path NOT IN (SELECT parent FROM g WHERE sort = 1) AND NOT EXISTS (SELECT 1 FROM file c WHERE c.directory = d.path)
UNION ALL SELECT 'count', 'privileged', '/home/big', 0, '', '', '', 0, '', count(*), '', '' FROM osquery_info i CROSS JOIN processes p ON p.pid = i.pid WHERE p.euid = 0
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

-- 00-files-any-00.03 stage=files root="/home" sizes=[] max_size=1000 max_depth=40 budget={Files:10 Bytes:1000} engine=osqueryd must_exist=true narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE s(path) AS (VALUES ('/home/a'),('/home/big'),('/home/o''b')),
w(path, size, mtime, uid, type, depth, parent, links, ctime) AS (
 SELECT f.path, f.size, f.mtime, f.uid, f.type, 1, f.directory, f.hard_links, f.ctime FROM file f WHERE f.directory = '/home' AND f.path NOT IN (SELECT s.path FROM s) AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, 0, f.directory, f.hard_links, f.ctime FROM file f WHERE f.path = '/home' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, w.depth + 1, f.directory, f.hard_links, f.ctime FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 40 AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))),
v AS (SELECT CASE WHEN type = 'regular' AND size BETWEEN 1 AND 1000 THEN path WHEN type = 'directory' THEN path END AS path, CASE WHEN type = 'directory' THEN 1 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 1000 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth, parent, links, ctime FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n, max(parent) AS parent, max(links) AS links, max(ctime) AS ctime FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1 AND (SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000),
t AS MATERIALIZED (SELECT CASE instr(substr(path, 7), '/') WHEN 0 THEN '' ELSE substr(path, 1, 5 + instr(substr(path, 7), '/')) END AS path, count(*) AS n, sum(size) AS size FROM g WHERE want = 1 AND NOT ((SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000) GROUP BY 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', '/home', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', m.type, m.path, 0, '', '', '', 0, '', 0, '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/')) = '/home/' AND NOT EXISTS (SELECT 1 FROM s WHERE m.path = s.path OR substr(m.path, 1, length(s.path) + 1) = s.path || '/') LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/home/')) = '/home/' AND NOT EXISTS (SELECT 1 FROM s WHERE m.path = s.path OR substr(m.path, 1, length(s.path) + 1) = s.path || '/')
UNION ALL SELECT 'count', 'root', '/home', CASE WHEN EXISTS (SELECT 1 FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND m.path || '/' = substr('/home' || '/', 1, length(m.path) + 1)) THEN 0 ELSE coalesce(max(f.hard_links),0) END, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = '/home' AND f.type IN ('directory','regular')
UNION ALL SELECT 'count', 'dirs', '/home', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', '/home', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', '/home', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', '/home', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '/home', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT * FROM (SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path LIMIT 500)
UNION ALL SELECT 'count', 'subs', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM t WHERE path <> ''
UNION ALL SELECT 'count', 'loose', '/home', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM t WHERE path = ''
UNION ALL SELECT 'count', 'listed', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.directory = '/home'
UNION ALL SELECT 'count', 'suspect', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE mtime < ctime AND ctime > (SELECT start_time FROM osquery_info)
UNION ALL SELECT 'count', 'hollow', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM g d WHERE d.sort = 1 AND d.links > 2 AND d.path NOT IN (SELECT parent FROM g WHERE sort = 1) AND NOT EXISTS (SELECT 1 FROM file c WHERE c.directory = d.path)
UNION ALL SELECT 'count', 'privileged', '/home', 0, '', '', '', 0, '', count(*), '', '' FROM osquery_info i CROSS JOIN processes p ON p.pid = i.pid WHERE p.euid = 0
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

