-- 01-files-sized-00 stage=files root="C:\\Users" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\Users' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\Users' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\Users', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2) LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2)
UNION ALL SELECT 'count', 'root', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\Users'
UNION ALL SELECT 'count', 'dirs', 'C:\Users', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\Users', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\Users', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\Users', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\Users', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-01 stage=files root="C:\\ProgramData" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\ProgramData' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\ProgramData' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\ProgramData', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2) LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\ProgramData', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2)
UNION ALL SELECT 'count', 'root', 'C:\ProgramData', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\ProgramData'
UNION ALL SELECT 'count', 'dirs', 'C:\ProgramData', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\ProgramData', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\ProgramData', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\ProgramData', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\ProgramData', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\ProgramData', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\ProgramData', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-02 stage=files root="C:\\Windows\\Temp" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\Windows\Temp' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\Windows\Temp' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\Windows\Temp', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2) LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\Windows\Temp', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2)
UNION ALL SELECT 'count', 'root', 'C:\Windows\Temp', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\Windows\Temp'
UNION ALL SELECT 'count', 'dirs', 'C:\Windows\Temp', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\Windows\Temp', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\Windows\Temp', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\Windows\Temp', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\Windows\Temp', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\Windows\Temp', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\Windows\Temp', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-03 stage=files root="C:\\Windows\\Tasks" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\Windows\Tasks' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\Windows\Tasks' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\Windows\Tasks', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2) LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\Windows\Tasks', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2)
UNION ALL SELECT 'count', 'root', 'C:\Windows\Tasks', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\Windows\Tasks'
UNION ALL SELECT 'count', 'dirs', 'C:\Windows\Tasks', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\Windows\Tasks', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\Windows\Tasks', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\Windows\Tasks', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\Windows\Tasks', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\Windows\Tasks', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\Windows\Tasks', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-04 stage=files root="C:\\PerfLogs" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\PerfLogs' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\PerfLogs' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\PerfLogs', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2) LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\PerfLogs', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2)
UNION ALL SELECT 'count', 'root', 'C:\PerfLogs', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\PerfLogs'
UNION ALL SELECT 'count', 'dirs', 'C:\PerfLogs', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\PerfLogs', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\PerfLogs', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\PerfLogs', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\PerfLogs', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\PerfLogs', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\PerfLogs', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-05 stage=files root="C:\\inetpub" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\inetpub' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\inetpub' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\inetpub', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2) LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\inetpub', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2)
UNION ALL SELECT 'count', 'root', 'C:\inetpub', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\inetpub'
UNION ALL SELECT 'count', 'dirs', 'C:\inetpub', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\inetpub', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\inetpub', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\inetpub', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\inetpub', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\inetpub', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\inetpub', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-06 stage=files root="C:\\Program Files" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\Program Files' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\Program Files' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\Program Files', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2) LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\Program Files', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2)
UNION ALL SELECT 'count', 'root', 'C:\Program Files', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\Program Files'
UNION ALL SELECT 'count', 'dirs', 'C:\Program Files', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\Program Files', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\Program Files', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\Program Files', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\Program Files', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\Program Files', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\Program Files', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-07 stage=files root="C:\\Program Files (x86)" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\Program Files (x86)' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\Program Files (x86)' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\Program Files (x86)', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2) LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\Program Files (x86)', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2)
UNION ALL SELECT 'count', 'root', 'C:\Program Files (x86)', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\Program Files (x86)'
UNION ALL SELECT 'count', 'dirs', 'C:\Program Files (x86)', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\Program Files (x86)', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\Program Files (x86)', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\Program Files (x86)', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\Program Files (x86)', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\Program Files (x86)', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\Program Files (x86)', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-08 stage=files root="C:\\Windows\\System32" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\Windows\System32' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\Windows\System32' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'C:\Windows\System32', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2) LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'C:\Windows\System32', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2)
UNION ALL SELECT 'count', 'root', 'C:\Windows\System32', 0, '', '', '', 0, '', count(*), '', '' FROM file f WHERE f.path = 'C:\Windows\System32'
UNION ALL SELECT 'count', 'dirs', 'C:\Windows\System32', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'C:\Windows\System32', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'C:\Windows\System32', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'C:\Windows\System32', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'C:\Windows\System32', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'C:\Windows\System32', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'C:\Windows\System32', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-drives stage=files root="drive roots" sizes=[1000] max_size=52428800 max_depth=0 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM (SELECT * FROM logical_drives WHERE description <> 'Network Connection') d CROSS JOIN file f ON f.directory = d.device_id || '\' WHERE (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size IN (1000) THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 IN ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'hit', 'drive roots', k.path, k.size, coalesce(h.md5,''), coalesce(h.sha1,''), k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LEFT JOIN hash h ON h.path = k.path AND h.sha256 = k.sha256 LIMIT 10000)
UNION ALL SELECT 'count', 'hits', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 0 LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2 UNION ALL SELECT device_id || '\', 'network drive' FROM logical_drives WHERE description = 'Network Connection') LIMIT 1000)
UNION ALL SELECT 'count', 'leftout', 'drive roots', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2 UNION ALL SELECT device_id || '\', 'network drive' FROM logical_drives WHERE description = 'Network Connection')
UNION ALL SELECT 'count', 'root', 'drive roots', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT * FROM logical_drives WHERE description <> 'Network Connection')
UNION ALL SELECT 'count', 'dirs', 'drive roots', coalesce(max(depth),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 1
UNION ALL SELECT 'count', 'files', 'drive roots', 0, '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE sort = 0
UNION ALL SELECT 'count', 'bigger', 'drive roots', coalesce(max(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM g WHERE big = 1
UNION ALL SELECT 'count', 'candidates', 'drive roots', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM g WHERE want = 1
UNION ALL SELECT 'count', 'missing', 'drive roots', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', 'drive roots', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', 'drive roots', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

