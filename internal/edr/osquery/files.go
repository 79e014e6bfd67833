package osquery

import (
	"fmt"
	"strings"
)

// files walks one root with a recursive CTE over directory =: literal names, dot files, no links followed, one folder in
// memory at a time, the same on every version of osquery. Files of a hunted size, or of any size up to the limit, are
// hashed.
func (w words) files() string {
	root := quote(w.q.Root)
	k := "k AS MATERIALIZED (SELECT g.path, 0 AS pid, g.size, g.mtime, g.uid, h.path IS NOT NULL AS seen, " + w.digests() +
		" FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.path IS NOT NULL" + w.withinBudget() + ")"
	parts := []string{
		w.walk(root),
		"g AS MATERIALIZED (SELECT CASE WHEN " + w.wanted() + " THEN path END AS path, sort, regular = 1 AND size > " + fmt.Sprint(w.q.MaxSize) + " AS big,",
		" max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n FROM w GROUP BY 1, 2, 3),",
		k,
		meta(),
		"UNION ALL SELECT 'hit', " + root + ", k.path, k.size, " + w.hitDigests() + ", 0, " + owner("k.uid") + ", 0, k.mtime, ''",
		" FROM k LEFT JOIN hash h ON h.path = k.path WHERE " + w.match(),
		listArm("unhashed", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		listArm("missing", "k WHERE seen = 0"),
		w.leftOut(),
		count("root", root, "0", "count(*)", "file f WHERE f.path = "+root),
		count("dirs", root, "coalesce(max(depth),0)", "coalesce(sum(n),0)", "g WHERE sort = 1"),
		count("files", root, "0", "coalesce(sum(n),0)", "g WHERE sort = 0"),
		count("bigger", root, "coalesce(max(size),0)", "coalesce(sum(n),0)", "g WHERE big = 1"),
		count("candidates", root, "coalesce(sum(size),0)", "count(*)", "g WHERE path IS NOT NULL"),
		count("missing", root, "0", "count(*)", "k WHERE seen = 0"),
		count("unhashed", root, "0", "count(*)", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		count("hashed", root, "coalesce(sum(size),0)", "count(*)", "k WHERE "+w.first()+" <> ''"),
		control(w.q.Platform),
	}
	return statement(parts...)
}

// walk gives the CTE w: every entry under the root, sort 1 for folders. The root itself is an entry when it is a file.
func (w words) walk(root string) string {
	regular, dir := "f.type = 'regular'", "f.type = 'directory'"
	if w.q.Platform == "windows" { // folders with the archive attribute pass for regular there, files without it for others
		regular = "f.size > 0"
		dir = "f.type <> 'regular' OR f.size < 0 OR f.size % 4096 = 0"
	}
	cols := fmt.Sprintf("f.path, f.size, f.mtime, f.uid, CASE WHEN %s THEN 1 ELSE 0 END, CASE WHEN %s THEN 1 ELSE 0 END", dir, regular)
	except := ""
	base := ""
	if foreign := w.foreignMounts(); foreign != "" {
		except = " AND f.path NOT IN (SELECT m.path FROM mounts m WHERE " + foreign + ")"
		if !w.q.Explicit {
			base = " AND " + root + " NOT IN (SELECT m.path FROM mounts m WHERE " + foreign + ")"
		}
	}
	return statement(
		"WITH RECURSIVE w(path, size, mtime, uid, sort, regular, depth) AS (",
		" SELECT "+cols+", 1 FROM file f WHERE f.directory = "+root+" AND f.symlink = 0"+except+base,
		" UNION ALL SELECT "+cols+", 0 FROM file f WHERE f.path = "+root+" AND f.type = 'regular'",
		" UNION ALL SELECT "+cols+", w.depth + 1 FROM w CROSS JOIN file f ON f.directory = w.path",
		fmt.Sprintf("  WHERE w.sort = 1 AND w.depth < %d AND f.symlink = 0%s),", w.q.MaxDepth, except))
}

// wanted tests whether an entry of w is hashed.
func (w words) wanted() string {
	test := "regular = 1 AND "
	if w.q.Platform != "windows" {
		test = "sort = 0 AND " + test
	}
	if len(w.q.Sizes) > 0 {
		return test + "size IN (" + numbers(w.q.Sizes) + ")"
	}
	return test + fmt.Sprintf("size BETWEEN 1 AND %d", w.q.MaxSize)
}

// withinBudget lets nothing be hashed when the walk found more than the budget.
func (w words) withinBudget() string {
	var out strings.Builder
	if n := w.q.Budget.Files; n > 0 {
		fmt.Fprintf(&out, " AND (SELECT count(*) FROM g WHERE path IS NOT NULL) <= %d", n)
	}
	if n := w.q.Budget.Bytes; n > 0 {
		fmt.Fprintf(&out, " AND (SELECT coalesce(sum(size),0) FROM g WHERE path IS NOT NULL) <= %d", n)
	}
	return out.String()
}

// foreignMounts tests a mount for a network, FUSE or pseudo file system; "" where there is no such table.
func (w words) foreignMounts() string {
	if w.q.Platform == "windows" {
		return ""
	}
	return "m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs'," +
		"'proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')"
}

// leftOut names the mounts under the root that are not walked.
func (w words) leftOut() string {
	foreign := w.foreignMounts()
	if foreign == "" {
		return "UNION ALL SELECT 'leftout', '', '', 0, '', '', '', 0, '', 0, '', '' FROM time WHERE 0"
	}
	root := strings.TrimSuffix(w.q.Root, "/")
	under := fmt.Sprintf("substr(m.path, 1, %d) = %s", len([]rune(root))+1, quote(root+"/"))
	if !w.q.Explicit {
		under = "(" + under + " OR m.path = " + quote(w.q.Root) + ")"
	}
	return "UNION ALL SELECT 'leftout', m.type, m.path, 0, '', '', '', 0, '', 0, '', '' FROM mounts m WHERE (" + foreign + ") AND " + under
}
