-- 00-files-any-00.01 stage=files root="C:\\Users" sizes=[] max_size=1000 max_depth=40 budget={Files:10 Bytes:1000} engine=osqueryd must_exist=true narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE s(path) AS (VALUES ('C:\Users\a'),('C:\Users\o''b')),
w(path, size, mtime, uid, type, depth, parent, links, ctime) AS (
 SELECT f.path, f.size, f.mtime, f.uid, f.type, 1, f.directory, f.hard_links, f.ctime FROM s CROSS JOIN file f ON f.path = s.path WHERE 1 AND f.symlink = 0
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, w.depth + 1, f.directory, f.hard_links, f.ctime FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE (w.type <> 'regular' OR w.size < 0 OR w.size % 4096 = 0) AND w.depth < 40 AND f.symlink = 0),
v AS (SELECT CASE WHEN type <> 'directory' AND size > 0 AND size BETWEEN 1 AND 1000 THEN path END AS path, CASE WHEN (type <> 'regular' OR size < 0 OR size % 4096 = 0) THEN 1 ELSE 0 END AS sort, CASE WHEN type <> 'directory' AND size > 0 AND size > 1000 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth, parent, links, ctime FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n, max(parent) AS parent, max(links) AS links, max(ctime) AS ctime FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1 AND (SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000),
t AS MATERIALIZED (SELECT CASE instr(substr(path, 10), '\') WHEN 0 THEN '' ELSE substr(path, 1, 8 + instr(substr(path, 10), '\')) END AS path, count(*) AS n, sum(size) AS size FROM g WHERE want = 1 AND NOT ((SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000) GROUP BY 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\Users', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM time WHERE 0
UNION ALL SELECT 'count', 'root', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\Users'
UNION ALL SELECT 'count', 'dirs', 'C:\Users', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\Users', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\Users', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\Users', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\Users', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT * FROM (SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path LIMIT 500)
UNION ALL SELECT 'count', 'subs', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM t WHERE path <> ''
UNION ALL SELECT 'count', 'loose', 'C:\Users', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM t WHERE path = ''
UNION ALL SELECT 'count', 'suspect', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE mtime < ctime AND ctime > (SELECT start_time FROM osquery_info)
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 00-files-any-00.02 stage=files root="C:\\Users\\big" sizes=[] max_size=1000 max_depth=39 budget={Files:10 Bytes:1000} engine=osqueryd must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth, parent, links, ctime) AS (
 SELECT f.path, f.size, f.mtime, f.uid, f.type, 1, f.directory, f.hard_links, f.ctime FROM file f WHERE f.directory = 'C:\Users\big' AND NOT EXISTS (SELECT 1 FROM file d WHERE d.path = 'C:\Users\big' AND d.symlink = 1) AND f.symlink = 0
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, 0, f.directory, f.hard_links, f.ctime FROM file f WHERE f.path = 'C:\Users\big' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, w.depth + 1, f.directory, f.hard_links, f.ctime FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE (w.type <> 'regular' OR w.size < 0 OR w.size % 4096 = 0) AND w.depth < 39 AND f.symlink = 0),
v AS (SELECT CASE WHEN type <> 'directory' AND size > 0 AND size BETWEEN 1 AND 1000 THEN path END AS path, CASE WHEN (type <> 'regular' OR size < 0 OR size % 4096 = 0) THEN 1 ELSE 0 END AS sort, CASE WHEN type <> 'directory' AND size > 0 AND size > 1000 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth, parent, links, ctime FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n, max(parent) AS parent, max(links) AS links, max(ctime) AS ctime FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1 AND (SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000),
t AS MATERIALIZED (SELECT CASE instr(substr(path, 14), '\') WHEN 0 THEN '' ELSE substr(path, 1, 12 + instr(substr(path, 14), '\')) END AS path, count(*) AS n, sum(size) AS size FROM g WHERE want = 1 AND NOT ((SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000) GROUP BY 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\Users\big', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\Users\big', 0, '', '', '', 0, '', count(*), '', '' FROM time WHERE 0
UNION ALL SELECT 'count', 'root', 'C:\Users\big', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\Users\big'
UNION ALL SELECT 'count', 'dirs', 'C:\Users\big', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\Users\big', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\Users\big', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\Users\big', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\Users\big', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\Users\big', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\Users\big', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT * FROM (SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path LIMIT 500)
UNION ALL SELECT 'count', 'subs', 'C:\Users\big', 0, '', '', '', 0, '', count(*), '', '' FROM t WHERE path <> ''
UNION ALL SELECT 'count', 'loose', 'C:\Users\big', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM t WHERE path = ''
UNION ALL SELECT 'count', 'suspect', 'C:\Users\big', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE mtime < ctime AND ctime > (SELECT start_time FROM osquery_info)
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 00-files-any-00.03 stage=files root="C:\\Users" sizes=[] max_size=1000 max_depth=40 budget={Files:10 Bytes:1000} engine=osqueryd must_exist=true narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE s(path) AS (VALUES ('C:\Users\a'),('C:\Users\big'),('C:\Users\o''b')),
w(path, size, mtime, uid, type, depth, parent, links, ctime) AS (
 SELECT f.path, f.size, f.mtime, f.uid, f.type, 1, f.directory, f.hard_links, f.ctime FROM file f WHERE f.directory = 'C:\Users' AND f.path NOT IN (SELECT s.path FROM s) AND f.symlink = 0
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, 0, f.directory, f.hard_links, f.ctime FROM file f WHERE f.path = 'C:\Users' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, f.type, w.depth + 1, f.directory, f.hard_links, f.ctime FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE (w.type <> 'regular' OR w.size < 0 OR w.size % 4096 = 0) AND w.depth < 40 AND f.symlink = 0),
v AS (SELECT CASE WHEN type <> 'directory' AND size > 0 AND size BETWEEN 1 AND 1000 THEN path END AS path, CASE WHEN (type <> 'regular' OR size < 0 OR size % 4096 = 0) THEN 1 ELSE 0 END AS sort, CASE WHEN type <> 'directory' AND size > 0 AND size > 1000 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth, parent, links, ctime FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n, max(parent) AS parent, max(links) AS links, max(ctime) AS ctime FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1 AND (SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000),
t AS MATERIALIZED (SELECT CASE instr(substr(path, 10), '\') WHEN 0 THEN '' ELSE substr(path, 1, 8 + instr(substr(path, 10), '\')) END AS path, count(*) AS n, sum(size) AS size FROM g WHERE want = 1 AND NOT ((SELECT count(*) FROM g WHERE want = 1) <= 10 AND (SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= 1000) GROUP BY 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\Users', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM time WHERE 0
UNION ALL SELECT 'count', 'root', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\Users'
UNION ALL SELECT 'count', 'dirs', 'C:\Users', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\Users', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\Users', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\Users', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\Users', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT * FROM (SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path LIMIT 500)
UNION ALL SELECT 'count', 'subs', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM t WHERE path <> ''
UNION ALL SELECT 'count', 'loose', 'C:\Users', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM t WHERE path = ''
UNION ALL SELECT 'count', 'listed', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.directory = 'C:\Users'
UNION ALL SELECT 'count', 'suspect', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE mtime < ctime AND ctime > (SELECT start_time FROM osquery_info)
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

