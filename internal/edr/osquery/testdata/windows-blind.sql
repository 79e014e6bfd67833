-- 01-running stage=running root="" sizes=[] max_size=52428800 max_depth=0 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0 blind
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb] siblings=map[] self=""
WITH p AS MATERIALIZED (SELECT pid, name, path, cmdline, uid, start_time, parent, state FROM processes WHERE pid >= 0),
x AS MATERIALIZED (SELECT pid, path, 0 AS size, CASE WHEN pid IN (0,4) OR (parent = 4 AND lower(name) IN ('registry','memcompression','memory compression','secure system')) THEN 'kernel' WHEN state IN ('Z','X') THEN 'ended' ELSE 'noimage' END AS sort FROM p WHERE path = ''),
k AS MATERIALIZED (SELECT g.path, g.pid, coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256, coalesce(h.sha1,'') AS sha1, coalesce(h.md5,'') AS md5
 FROM (SELECT path, min(pid) AS pid FROM p WHERE path <> '' GROUP BY path) g LEFT JOIN file f ON f.path = g.path LEFT JOIN hash h ON h.path = g.path),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 <> '')
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'seen', p.name, p.path, k.size, k.md5, k.sha1, k.sha256, p.pid, coalesce((SELECT u.username FROM users u WHERE u.uid = p.uid LIMIT 1), p.uid, ''), p.start_time, k.mtime, p.cmdline FROM m AS k CROSS JOIN p ON p.path = k.path LIMIT 10000)
UNION ALL SELECT 'count', 'seen', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k CROSS JOIN p ON p.path = k.path
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'missing', '', path, size, '', '', '', pid, '', 0, '', '' FROM (SELECT k.path AS path, size, pid FROM k WHERE seen = 0) LIMIT 1000)
UNION ALL SELECT * FROM (SELECT 'noimage', '', path, size, '', '', '', pid, '', 0, '', '' FROM x WHERE sort = 'noimage' LIMIT 1000)
UNION ALL SELECT 'count', 'processes', '', 0, '', '', '', 0, '', count(*), '', '' FROM p
UNION ALL SELECT 'count', 'first', '', 0, '', '', '', 0, '', count(*), '', '' FROM p WHERE pid = 4
UNION ALL SELECT 'count', 'kernel', '', 0, '', '', '', 0, '', count(*), '', '' FROM x WHERE sort = 'kernel'
UNION ALL SELECT 'count', 'ended', '', 0, '', '', '', 0, '', count(*), '', '' FROM x WHERE sort = 'ended'
UNION ALL SELECT 'count', 'noimage', '', 0, '', '', '', 0, '', count(*), '', '' FROM x WHERE sort = 'noimage'
UNION ALL SELECT 'count', 'candidates', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k
UNION ALL SELECT 'count', 'missing', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-autoruns stage=autoruns root="" sizes=[] max_size=52428800 max_depth=0 budget={Files:0 Bytes:0} engine=embedded must_exist=false narrowed=0 blind
-- hashes=[sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb] siblings=map[] self=""
WITH w(dir) AS (SELECT coalesce((SELECT substr(path, 1, instr(lower(path), '\system32\') - 1) FROM processes WHERE pid >= 0 AND lower(name) = 'svchost.exe' AND path <> '' LIMIT 1), 'C:\Windows')),
t(source, name, cmd, owner) AS (
 SELECT 'service', name, path, user_account FROM services
 UNION ALL SELECT 'servicedll', name, module_path, user_account FROM services WHERE module_path <> ''
 UNION ALL SELECT 'driver', service, image, '' FROM drivers WHERE image <> ''
 UNION ALL SELECT 'startup', name, path, username FROM startup_items
 UNION ALL SELECT 'task', name, trim(action), '' FROM scheduled_tasks),
e(source, name, cmd, owner) AS (SELECT source, name, replace(replace(replace(replace(
  CASE WHEN lower(substr(cmd,1,12)) = '\systemroot\' THEN w.dir || substr(cmd,12)
   WHEN lower(substr(cmd,1,9)) = 'system32\' THEN w.dir || '\' || cmd
   WHEN substr(cmd,1,4) = '\??\' THEN substr(cmd,5) ELSE cmd END,
  '%SystemRoot%', w.dir), '%systemroot%', w.dir), '%windir%', w.dir), '%WINDIR%', w.dir), owner FROM t CROSS JOIN w),
a AS MATERIALIZED (SELECT source, name, owner,
  CASE WHEN substr(cmd,1,1) = '"' THEN substr(cmd, 2, instr(substr(cmd,2), '"') - 1)
   WHEN instr(lower(cmd), '.exe ') > 0 THEN substr(cmd, 1, instr(lower(cmd), '.exe ') + 3) ELSE cmd END AS path FROM e),
k AS MATERIALIZED (SELECT g.path, 0 AS pid, coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, coalesce(f.uid,'') AS uid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256, coalesce(h.sha1,'') AS sha1, coalesce(h.md5,'') AS md5
 FROM (SELECT DISTINCT path FROM a WHERE path <> '') g LEFT JOIN file f ON f.path = g.path LEFT JOIN hash h ON h.path = g.path),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 <> '')
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'seen', a.source || ':' || a.name, a.path, k.size, k.md5, k.sha1, k.sha256, 0, a.owner, 0, k.mtime, '' FROM m AS k CROSS JOIN a ON a.path = k.path LIMIT 10000)
UNION ALL SELECT 'count', 'seen', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k CROSS JOIN a ON a.path = k.path
UNION ALL SELECT * FROM (SELECT 'unhashed', '', path, size, '', '', '', pid, '', 0, '', '' FROM k WHERE seen = 1 AND sha256 = '' LIMIT 1000)
UNION ALL SELECT 'count', 'autoruns', '', 0, '', '', '', 0, '', count(*), '', '' FROM a
UNION ALL SELECT 'count', 'unresolved', '', 0, '', '', '', 0, '', count(*), '', '' FROM a WHERE path = ''
UNION ALL SELECT 'count', 'candidates', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k
UNION ALL SELECT 'count', 'missing', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 0
UNION ALL SELECT 'count', 'unhashed', '', 0, '', '', '', 0, '', count(*), '', '' FROM k WHERE seen = 1 AND sha256 = ''
UNION ALL SELECT 'count', 'hashed', '', coalesce(sum(max(size,0)),0), '', '', '', 0, '', count(*), '', '' FROM k WHERE sha256 <> ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-sized-00 stage=files root="C:\\Users" sizes=[1000] max_size=52428800 max_depth=1000 budget={Files:10000 Bytes:0} engine=embedded must_exist=true narrowed=0 blind
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
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256, coalesce(h.sha1,'') AS sha1, coalesce(h.md5,'') AS md5
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1 AND (SELECT count(*) FROM g WHERE want = 1) <= 10000),
t AS MATERIALIZED (SELECT CASE instr(substr(path, 10), '\') WHEN 0 THEN '' ELSE substr(path, 1, 8 + instr(substr(path, 10), '\')) END AS path, count(*) AS n, sum(size) AS size FROM g WHERE want = 1 AND NOT ((SELECT count(*) FROM g WHERE want = 1) <= 10000) GROUP BY 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 <> '')
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'seen', 'C:\Users', k.path, k.size, k.md5, k.sha1, k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LIMIT 10000)
UNION ALL SELECT 'count', 'seen', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
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
UNION ALL SELECT * FROM (SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path LIMIT 500)
UNION ALL SELECT 'count', 'subs', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM t WHERE path <> ''
UNION ALL SELECT 'count', 'loose', 'C:\Users', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM t WHERE path = ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

-- 01-files-any-00 stage=files root="C:\\Users" sizes=[] max_size=52428800 max_depth=1000 budget={Files:10000 Bytes:0} engine=embedded must_exist=true narrowed=0 blind
-- hashes=[sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb] siblings=map[] self=""
WITH RECURSIVE w(path, size, mtime, uid, type, depth) AS (
 SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 1 FROM file f WHERE f.directory = 'C:\Users' AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, 0 FROM file f WHERE f.path = 'C:\Users' AND f.type = 'regular'
 UNION ALL SELECT f.path, f.size, f.mtime, f.uid, CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END, w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path
  WHERE w.type = 'directory' AND w.depth < 1000 AND (f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')),
v AS (SELECT CASE WHEN type = 'regular' AND size BETWEEN 1 AND 52428800 THEN path WHEN type IN ('elsewhere','volume') THEN path END AS path, CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END AS sort, CASE WHEN type = 'regular' AND size > 52428800 THEN 1 ELSE 0 END AS big,
 size, mtime, uid, depth FROM w LIMIT -1),
g AS MATERIALIZED (SELECT path, sort = 0 AND path IS NOT NULL AS want, sort, big,
 max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM v GROUP BY path, sort, big),
k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, coalesce(h.sha256,'') AS sha256, coalesce(h.sha1,'') AS sha1, coalesce(h.md5,'') AS md5
 FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1 AND (SELECT count(*) FROM g WHERE want = 1) <= 10000),
t AS MATERIALIZED (SELECT CASE instr(substr(path, 10), '\') WHEN 0 THEN '' ELSE substr(path, 1, 8 + instr(substr(path, 10), '\')) END AS path, count(*) AS n, sum(size) AS size FROM g WHERE want = 1 AND NOT ((SELECT count(*) FROM g WHERE want = 1) <= 10000) GROUP BY 1),
m AS MATERIALIZED (SELECT * FROM k WHERE sha256 <> '')
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT * FROM (SELECT 'seen', 'C:\Users', k.path, k.size, k.md5, k.sha1, k.sha256, 0, coalesce((SELECT u.username FROM users u WHERE u.uid = k.uid LIMIT 1), k.uid, ''), 0, k.mtime, '' FROM m AS k LIMIT 10000)
UNION ALL SELECT 'count', 'seen', '', 0, '', '', '', 0, '', count(*), '', '' FROM m AS k
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
UNION ALL SELECT * FROM (SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path LIMIT 500)
UNION ALL SELECT 'count', 'subs', 'C:\Users', 0, '', '', '', 0, '', count(*), '', '' FROM t WHERE path <> ''
UNION ALL SELECT 'count', 'loose', 'C:\Users', coalesce(sum(size),0), '', '', '', 0, '', coalesce(sum(n),0), '', '' FROM t WHERE path = ''
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = 'C:\Windows\System32\svchost.exe';

