package osquery

import (
	"fmt"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

// ownFolders says whether hunter's own engine is asked folder by folder. Where a budget must be known before anything is
// hashed, and on Windows, where more sorts of entries are told apart, it is asked as osqueryd is.
func (w words) ownFolders() bool {
	return !w.osqueryd() && w.q.Platform != "windows" && w.q.Budget == (ledger.Budget{}) && len(w.q.Part.Only)+len(w.q.Part.Except) == 0
}

// byFolder asks the same as files in one pass that keeps no row of a file in which there is nothing to see. Only folders are
// walked recursively; each is then looked at for its sums, for its files that are hashed and for its folders, one right after
// the other, which the engine answers from one reading. osqueryd would read it anew each time.
func (w words) byFolder() string {
	root := quote(w.q.Root)
	return statement(
		w.folders(root),
		w.entries(root),
		w.standings(),
		w.kept(),
		"m AS MATERIALIZED (SELECT * FROM k WHERE hit = 1)",
		meta(),
		w.hits(root, "k.path", "0", owner("k.uid"), "0", "''", "m AS k", "k.path"),
		listArm("unhashed", "k WHERE state = 'unhashed'"),
		listArm("missing", "k WHERE state = 'missing'"),
		w.leftOut(root),
		w.rootCount(root),
		count("dirs", root, "coalesce(max(depth),0)", "coalesce(sum(dirs),0)", "k"),
		count("files", root, "0", "coalesce(sum(files),0)", "k"),
		count("bigger", root, "coalesce(max(biggest),0)", "coalesce(sum(big),0)", "k"),
		count("candidates", root, "coalesce(sum(size),0)", "coalesce(sum(n),0)", "k WHERE state <> ''"),
		count("missing", root, "0", "coalesce(sum(n),0)", "k WHERE state = 'missing'"),
		count("unhashed", root, "0", "coalesce(sum(n),0)", "k WHERE state = 'unhashed'"),
		count("hashed", root, "coalesce(sum(size),0)", "coalesce(sum(n),0)", "k WHERE state = 'hashed'"),
		control(w.q.Platform))
}

// folders gives the CTE x: the mounts that are not entered; d: the root and every folder under it; and e: each folder twice,
// for its sums and for its files. The names of its entries are compared with those mounts only where one can be among them.
func (w words) folders(root string) string {
	base := ""
	if !w.q.Explicit {
		base = " WHERE " + root + " NOT IN (SELECT path FROM x)"
	}
	return statement(
		"WITH RECURSIVE x(path) AS MATERIALIZED (SELECT m.path FROM mounts m WHERE "+w.foreignMounts()+"),",
		"d(path, depth) AS NOT MATERIALIZED (",
		" SELECT "+root+", 0"+base,
		" UNION ALL SELECT f.path, d.depth + 1 FROM d CROSS JOIN file f ON f.directory = d.path",
		fmt.Sprintf("  WHERE d.depth < %d AND f.type = 'directory' AND f.symlink = 0 AND f.path NOT IN (SELECT path FROM x)),", w.q.MaxDepth),
		"a(n) AS (VALUES (0),(1)),",
		fmt.Sprintf("e AS NOT MATERIALIZED (SELECT CASE WHEN d.depth < %d THEN d.path END AS dir, d.depth, a.n AS turn,", w.q.MaxDepth),
		" EXISTS (SELECT 1 FROM x WHERE substr(x.path, 1, length(d.path)) = d.path) AS mounts FROM d CROSS JOIN a LIMIT -1),")
}

// entries gives the CTE v: the sums of each folder, and each file that is hashed. The root itself is one when it is a file.
// Here and below LIMIT -1 limits nothing: it makes SQLite work out each row once, while the engine is at that folder.
func (w words) entries(root string) string {
	const allowed = " AND (e.mounts = 0 OR f.path NOT IN (SELECT path FROM x))"
	sum := func(what, condition string) string {
		return "CASE e.turn WHEN 0 THEN (SELECT " + what + " FROM file f WHERE f.directory = e.dir AND f.symlink = 0 AND " + condition + allowed + ") END"
	}
	tooBig := fmt.Sprintf("f.size > %d", w.q.MaxSize)
	return statement(
		"v AS NOT MATERIALIZED (SELECT e.depth, CASE e.turn WHEN 0 THEN e.depth > 0 END AS dirs, "+sum("count(*)", "f.type <> 'directory'")+" AS files,",
		" "+sum("count(*)", w.regular("f.")+" AND "+tooBig)+" AS big,",
		" "+sum("max(f.size)", w.regular("f.")+" AND "+tooBig)+" AS biggest,",
		" f.path, f.size, f.mtime, f.uid, "+w.each("h.%[1]s")+" FROM e",
		" LEFT JOIN file f ON f.directory = CASE e.turn WHEN 1 THEN e.dir END AND f.symlink = 0 AND "+w.wanted("f.")+allowed,
		" LEFT JOIN hash h ON h.path = f.path",
		" UNION ALL SELECT 0, 0, 1, "+tooBig+", CASE WHEN "+tooBig+" THEN f.size END, f.ask, f.size, f.mtime, f.uid, "+w.each("h.%[1]s"),
		"  FROM (SELECT *, CASE WHEN "+w.wanted("")+" THEN path END AS ask FROM file WHERE path = "+root+" AND "+w.regular("")+") f LEFT JOIN hash h ON h.path = f.ask LIMIT -1),")
}

// standings gives the CTE u: what became of each file. A row of hash always has all digests; "" is one that could not be made.
func (w words) standings() string {
	return statement(
		fmt.Sprintf("u AS NOT MATERIALIZED (SELECT *, CASE WHEN path IS NULL THEN '' WHEN %[1]s IS NULL THEN 'missing' WHEN %[1]s = '' THEN 'unhashed' ELSE 'hashed' END AS state,", w.first()),
		" "+flag(w.hunted())+" AS hit FROM v LIMIT -1),")
}

// kept gives the CTE k: each file that must be told by name, and sums of all others.
func (w words) kept() string {
	named := "hit = 1 OR state NOT IN ('','hashed')"
	return statement(
		"g AS NOT MATERIALIZED (SELECT depth, dirs, files, big, biggest, state, hit, CASE WHEN state <> '' THEN size END AS size,",
		" CASE WHEN "+named+" THEN path END AS path, CASE WHEN "+named+" THEN mtime END AS mtime, CASE WHEN "+named+" THEN uid END AS uid,",
		" "+w.each("CASE WHEN "+named+" THEN %[1]s END AS %[1]s")+" FROM u LIMIT -1),",
		"k AS MATERIALIZED (SELECT path, state, hit, 0 AS pid, max(depth) AS depth, sum(dirs) AS dirs, sum(files) AS files, sum(big) AS big, max(biggest) AS biggest,",
		" sum(size) AS size, max(mtime) AS mtime, max(uid) AS uid, "+w.each("coalesce(max(%[1]s),'') AS %[1]s")+", count(*) AS n FROM g GROUP BY path, state, hit),")
}

// each words an expression for every hunted kind of digest.
func (w words) each(format string) string {
	var out []string
	for _, k := range w.kinds {
		out = append(out, fmt.Sprintf(format, k))
	}
	return strings.Join(out, ", ")
}
