package osquery

import (
	"fmt"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

// files walks one root with a recursive CTE over directory =: literal names, dot files, no links followed, one folder in
// memory at a time, the same on every version of osquery. Files of a hunted size, or of any size up to the limit, are
// hashed.
func (w words) files() string {
	if w.ownFolders() {
		return w.byFolder()
	}
	root := quote(w.q.Root)
	keep, want, more, most := "", "path IS NOT NULL", "", "" // of a folder osqueryd keeps the path, to tell empty ones from those that only look so
	if w.hollowAware() {
		keep, want = " WHEN type = 'directory' THEN path", "sort = 0 AND path IS NOT NULL"
	}
	if w.ownWindows() {
		keep, want = " WHEN type IN ('elsewhere','volume') THEN path", "sort = 0 AND path IS NOT NULL"
	}
	if w.osqueryd() {
		more, most = ", parent, links, ctime", ", max(parent) AS parent, max(links) AS links, max(ctime) AS ctime"
	}
	return statement(
		w.walk(root),
		// LIMIT -1 limits nothing: it makes SQLite work out each row once, so that what is sorted has no path but those that count.
		"v AS (SELECT CASE WHEN "+w.wanted("")+" THEN path"+keep+" END AS path, "+w.sort()+" AS sort, "+flag(w.regular("")+" AND size > "+fmt.Sprint(w.q.MaxSize))+" AS big,",
		" size, mtime, uid, depth"+more+" FROM w LIMIT -1),",
		"g AS MATERIALIZED (SELECT path, "+want+" AS want, sort, big,",
		" max(size) AS size, max(mtime) AS mtime, max(uid) AS uid, max(depth) AS depth, count(*) AS n"+most+" FROM v GROUP BY path, sort, big),",
		"k AS MATERIALIZED (SELECT g.*, 0 AS pid, h.path IS NOT NULL AS seen, "+w.digests(),
		" FROM g LEFT JOIN hash h ON h.path = g.path WHERE g.want = 1"+and(w.withinBudget())+"),",
		w.tops(),
		w.matched(),
		meta(),
		w.hits(root, "k.path", "0", owner("k.uid"), "0", "''", "m AS k", "k.path"),
		listArm("unhashed", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		listArm("missing", "k WHERE seen = 0"),
		w.leftOut(root),
		w.rootCount(root),
		count("dirs", root, "coalesce(max(depth),0)", "coalesce(sum(n),0)", "g WHERE sort = 1"),
		count("files", root, "0", "coalesce(sum(n),0)", "g WHERE sort = 0"),
		count("bigger", root, "coalesce(max(size),0)", "coalesce(sum(n),0)", "g WHERE big = 1"),
		w.hashed(root, "g WHERE want = 1"),
		w.sums(root),
		w.agentCounts(root),
		control(w.q.Platform))
}

func (w words) osqueryd() bool { return w.q.Engine == ledger.EngineOsqueryd }

// hollowAware says whether link counts tell of subfolders there.
func (w words) hollowAware() bool { return w.osqueryd() && w.q.Platform != "windows" }

// flag makes 1 of what is true and 0 of what is false or unknown.
func flag(test string) string { return "CASE WHEN " + test + " THEN 1 ELSE 0 END" }

// dir and regular test the columns type and size of an entry. On Windows osqueryd takes folders with the archive
// attribute for regular, and files without it for neither.
func (w words) dir(of string) string {
	if w.q.Platform == "windows" && w.osqueryd() {
		return fmt.Sprintf("(%[1]stype <> 'regular' OR %[1]ssize < 0 OR %[1]ssize %% 4096 = 0)", of)
	}
	return of + "type = 'directory'"
}

func (w words) regular(of string) string {
	if w.q.Platform == "windows" && w.osqueryd() {
		return fmt.Sprintf("%[1]stype <> 'directory' AND %[1]ssize > 0", of)
	}
	return of + "type = 'regular'"
}

// walk gives the CTE w: every entry under the root. The root itself is an entry when it is a file.
// A network mount is not entered, unless a person named it as the root.
func (w words) walk(root string) string {
	kind, links := "f.type", "f.symlink = 0"
	if w.ownWindows() {
		kind, links = ownWindowsTypes, ownWindowsLinks
	}
	cols, names, more := "f.path, f.size, f.mtime, f.uid, "+kind, "path, size, mtime, uid, type, depth", ""
	if w.osqueryd() {
		names, more = names+", parent, links, ctime", ", f.directory, f.hard_links, f.ctime"
	}
	head := "WITH RECURSIVE " + w.named() + "w(" + names + ") AS ("
	if w.q.Root == DriveRoots {
		return statement(head,
			" SELECT "+cols+", 1"+more+" FROM "+w.drives()+` d CROSS JOIN file f ON f.directory = d.device_id || '\' WHERE `+links+"),")
	}
	except, base := "", ""
	if foreign := w.foreignMounts(); foreign != "" {
		except = " AND f.path NOT IN (SELECT m.path FROM mounts m WHERE " + foreign + ")"
		if !w.q.Explicit {
			base = " AND " + root + " NOT IN (SELECT m.path FROM mounts m WHERE " + foreign + ")"
		}
	}
	return statement(
		head,
		" SELECT "+cols+", 1"+more+w.top(root)+" AND "+links+except+base,
		w.rootFile(" UNION ALL SELECT "+cols+", 0"+more+" FROM file f WHERE f.path = "+root+" AND f.type = 'regular'"),
		" UNION ALL SELECT "+cols+", w.depth + 1"+more+" FROM w CROSS JOIN file f ON f.directory = w.path",
		fmt.Sprintf("  WHERE %s AND w.depth < %d AND %s%s),", w.dir("w."), w.q.MaxDepth, links, except))
}

// wanted tests whether an entry is hashed.
func (w words) wanted(of string) string {
	if len(w.q.Sizes) > 0 {
		return w.regular(of) + " AND " + of + "size IN (" + numbers(w.q.Sizes) + ")"
	}
	return w.regular(of) + fmt.Sprintf(" AND %ssize BETWEEN 1 AND %d", of, w.q.MaxSize)
}

// withinBudget lets nothing be hashed when the walk found more than the budget; the sums come back as candidates.
func (w words) withinBudget() string {
	var out []string
	if n := w.q.Budget.Files; n > 0 {
		out = append(out, fmt.Sprintf("(SELECT count(*) FROM g WHERE want = 1) <= %d", n))
	}
	if n := w.q.Budget.Bytes; n > 0 {
		out = append(out, fmt.Sprintf("(SELECT coalesce(sum(size),0) FROM g WHERE want = 1) <= %d", n))
	}
	return strings.Join(out, " AND ")
}

// and puts a further condition behind others.
func and(condition string) string {
	if condition == "" {
		return ""
	}
	return " AND " + condition
}

// rootCount says whether there is a root that can be looked at: a link to nothing, a FIFO or a device is none. Its size is the root's
// link count, by which a folder that is empty is told from one that only looks so; 0 where the root lies on a file system that may
// hide what is in it.
func (w words) rootCount(root string) string {
	switch {
	case w.osqueryd() && w.hollowAware():
		hides := fmt.Sprintf("EXISTS (SELECT 1 FROM mounts m WHERE (%s) AND m.path || '/' = substr(%s || '/', 1, length(m.path) + 1))", w.foreignMounts(), root)
		return count("root", root, "CASE WHEN "+hides+" THEN 0 ELSE coalesce(max(f.hard_links),0) END", "count(*)", "file f WHERE f.path = "+root+" AND f.type IN ('directory','regular')")
	case w.q.Root == DriveRoots:
		return count("root", root, "0", "count(*)", w.drives())
	case w.q.Platform == "windows":
		return count("root", root, "0", "count(*)", "file f WHERE f.path = "+root)
	default:
		return count("root", root, "0", "count(*)", "file f WHERE f.path = "+root+" AND f.type IN ('directory','regular')")
	}
}

// tccDatabase can only be read by who may read every folder of a Mac; it is there on each.
const tccDatabase = "/Library/Application Support/com.apple.TCC/TCC.db"

// agentCounts counts what osqueryd may be blind to without a word: folders that list nothing although their link count
// says that they have subfolders; digests of its cache that may be older than the file; rights that it lacks.
func (w words) agentCounts(root string) string {
	if !w.osqueryd() {
		return ""
	}
	out := []string{count("suspect", root, "0", "count(*)", "k WHERE mtime < ctime AND ctime > (SELECT start_time FROM osquery_info)")}
	if w.hollowAware() {
		out = append(out,
			count("hollow", root, "0", "count(*)", "g d WHERE d.sort = 1 AND d.links > 2 AND d.path NOT IN (SELECT parent FROM g WHERE sort = 1)"+
				" AND NOT EXISTS (SELECT 1 FROM file c WHERE c.directory = d.path)"),
			count("privileged", root, "0", "count(*)", "osquery_info i CROSS JOIN processes p ON p.pid = i.pid WHERE p.euid = 0"))
	}
	if w.q.Platform == "darwin" {
		out = append(out, count("fulldisk", root, "0", "count(*)", "hash h WHERE h.path = "+quote(tccDatabase)+" AND h.sha256 <> ''"))
	}
	return statement(out...)
}

// foreignMounts tests a mount for a network, FUSE or pseudo file system; "" where there is no such table.
func (w words) foreignMounts() string {
	if w.q.Platform == "windows" {
		return ""
	}
	return "m.type LIKE 'fuse%' OR m.type IN ('nfs','nfs4','cifs','smb3','smbfs','afpfs','webdav','autofs','9p','ceph','afs','glusterfs'," +
		"'proc','sysfs','devfs','devpts','cgroup','cgroup2','debugfs','tracefs','securityfs','pstore','bpf','configfs','mqueue')"
}

// leftOut names and counts the mounts under the root that are not walked.
func (w words) leftOut(root string) string {
	if w.ownWindows() {
		return w.ownWindowsLeftOut(root)
	}
	foreign := w.foreignMounts()
	if foreign == "" {
		return count("leftout", root, "0", "count(*)", "time WHERE 0")
	}
	inside := strings.TrimSuffix(w.q.Root, "/") + "/"
	under := fmt.Sprintf("substr(m.path, 1, length(%s)) = %s", quote(inside), quote(inside))
	if !w.q.Explicit {
		under = "(" + under + " OR m.path = " + root + ")"
	}
	from := "mounts m WHERE (" + foreign + ") AND " + under + w.mountsOfPart()
	return statement(
		capped(ledger.ListMax, "SELECT 'leftout', m.type, m.path, 0, '', '', '', 0, '', 0, '', '' FROM "+from),
		count("leftout", root, "0", "count(*)", from))
}
