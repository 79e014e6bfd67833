-- 01-files-sized-00 stage=files root="/o'dd" sizes=[7 9] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=true narrowed=0
-- hashes=[sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb sha1:dddddddddddddddddddddddddddddddddddddddd md5:cccccccccccccccccccccccccccccccc] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, f.type, 1 FROM file f WHERE f.directory = '/o''dd' AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, 0 FROM file f WHERE f.path = '/o''dd' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND f.symlink = 0 AND f.path NOT IN (SELECT m.path FROM mounts m WHERE m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue'))),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (7,9) THEN path END AS path, CASE WHEN type = 'directory' THEN 1 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256, coalesce(h.sha1,'') AS sha1, coalesce(h.md5,'') AS md5
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb') OR sha1 IN ('dddddddddddddddddddddddddddddddddddddddd') OR md5 IN ('cccccccccccccccccccccccccccccccc'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', '/o''dd', k.path, k.size, k.md5, k.sha1, k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', m.type, m.path, 0, '', '', '', 0, '', 0, '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/o''dd/')) = '/o''dd/' LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', '/o''dd', 0, '', '', '', 0, '', count(*), '', '' FROM mounts m WHERE (m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs','proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')) AND substr(m.path, 1, length('/o''dd/')) = '/o''dd/'
UNION ALL SELECT 'count', 'root', '/o''dd', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = '/o''dd' AND f.type IN ('directory','regular')
UNION ALL SELECT 'count', 'dirs', '/o''dd', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', '/o''dd', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', '/o''dd', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', '/o''dd', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', '/o''dd', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '/o''dd', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '/o''dd', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/etc/passwd';

