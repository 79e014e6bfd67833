-- look stage= root="" sizes=[] max_size=52428800 max_depth=0 budget={Files:0 Bytes:0} engine= must_exist=false narrowed=0
-- hashes=[] siblings=map[] self=""
SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t
UNION ALL SELECT 'count', 'first', '', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT pid, name, path, cmdline, uid, start_time, parent, state, euid FROM processes WHERE pid IN (1,4))
UNION ALL SELECT 'count', 'file', '', coalesce(max(size),0), '', '', '', 0, '', count(*), '', '' FROM (SELECT path, directory, size, mtime, ctime, uid, type, symlink, hard_links FROM file WHERE path = '/bin/ls')
UNION ALL SELECT 'count', 'user', '', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT uid, username FROM users WHERE uid = '0')
UNION ALL SELECT 'count', 'mounts', '', 0, '', '', '', 0, '', count(*), '', '' FROM (SELECT m.path, m.type FROM mounts m)
UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = '/bin/ls';

-- labels stage= root="" sizes=[] max_size=52428800 max_depth=0 budget={Files:0 Bytes:0} engine= must_exist=false narrowed=0
-- hashes=[] siblings=map[] self=""
SELECT 'label' AS kind, 'o-dd' AS name WHERE EXISTS (
WITH x AS (SELECT 1) SELECT * FROM x WHERE 0
)
UNION ALL SELECT 'label' AS kind, 'server' AS name WHERE EXISTS (
SELECT 1 FROM file WHERE path = '/etc/passwd' -- a comment
);

