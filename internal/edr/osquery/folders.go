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
		"WITH RECURSIVE",
		w.lists(),
		w.folders(root),
		w.entries(root),
		"t AS MATERIALIZED (SELECT s, max(depth) AS depth, sum(dirs) AS dirs, sum(files) AS files, sum(big) AS big, max(biggest) AS biggest, sum(size) AS size, count(*) AS n FROM g GROUP BY s),",
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
		"x(path) AS MATERIALIZED (SELECT m.path FROM mounts m WHERE "+w.foreignMounts()+"),",
		"d(path, depth) AS NOT MATERIALIZED (",
		" SELECT "+root+", 0"+base,
		" UNION ALL SELECT f.path, d.depth + 1 FROM d CROSS JOIN file f ON f.directory = d.path",
		fmt.Sprintf("  WHERE d.depth < %d AND f.type = 'directory' AND f.symlink = 0 AND f.path NOT IN (SELECT path FROM x)),", w.q.MaxDepth),
		"a(n) AS (VALUES (0),(1)),",
		fmt.Sprintf("e AS NOT MATERIALIZED (SELECT CASE WHEN d.depth < %d THEN d.path END AS dir, d.depth, a.n AS turn,", w.q.MaxDepth),
		" EXISTS (SELECT 1 FROM x WHERE substr(x.path, 1, length(d.path)) = d.path) AS mounts FROM d CROSS JOIN a LIMIT -1),")
}

// entries gives the CTE g: the sums of each folder, and of each file that is hashed its size and what became of it. The root
// itself is one when it is a file. Here and below LIMIT -1 limits nothing: it makes SQLite work out each row once.
func (w words) entries(root string) string {
	const allowed = " AND (e.mounts = 0 OR f.path NOT IN (SELECT path FROM x))"
	sum := func(what, condition string) string {
		return "(SELECT " + what + " FROM file f WHERE f.directory = e.dir AND f.symlink = 0 AND " + condition + allowed + ")"
	}
	first := func(expr, as string) string { return "CASE e.turn WHEN 0 THEN " + expr + " END AS " + as }
	tooBig := fmt.Sprintf("f.size > %d", w.q.MaxSize)
	files, alone := sum("count(*)", "f.type <> 'directory'"), "1"
	if w.countsOthers() {
		files = sum("count(*)", "f.type <> 'directory' AND f.type <> 'regular'") + " + " + sum("count(*)", "f.type = 'regular' AND f.size < 1") +
			" + " + sum("count(*)", "f.type = 'regular' AND "+tooBig)
		alone = "f.ask IS NULL"
	}
	return statement(
		"g AS NOT MATERIALIZED (SELECT e.depth, "+first("e.depth > 0", "dirs")+", "+first(files, "files")+",",
		" "+first(sum("count(*)", w.regular("f.")+" AND "+tooBig), "big")+",",
		" "+first(sum("max(f.size)", w.regular("f.")+" AND "+tooBig), "biggest")+",",
		" f.size, "+w.standing("f.path")+" AS s FROM e",
		" LEFT JOIN file f ON f.directory = CASE e.turn WHEN 1 THEN e.dir END AND f.symlink = 0 AND "+w.wanted("f.")+allowed,
		" UNION ALL SELECT 0, 0, "+alone+", "+tooBig+", CASE WHEN "+tooBig+" THEN f.size END, CASE WHEN f.ask IS NOT NULL THEN f.size END, "+w.standing("f.ask"),
		"  FROM (SELECT *, CASE WHEN "+w.wanted("")+" THEN path END AS ask FROM file WHERE path = "+root+" AND "+w.regular("")+") f LIMIT -1),")
}

// countsOthers says whether only the files are counted in a folder that are not hashed: when most of them are.
func (w words) countsOthers() bool { return len(w.q.Sizes) == 0 }

// Signs of what became of a file, before what must be told of it. One without is hashed, and nothing is told but that.
const (
	isHit      = "+"
	isUnhashed = "-"
	isMissing  = "?"
)

// standing words what became of the file at a path in one text, so that each file is a row of two columns and all that are of no
// more interest are the same: a sign, the digests and numbers of a hit, each as wide as it can be, and the path. NULL where
// there is no path. A row of hash always has all digests; "" is one that could not be made.
func (w words) standing(path string) string {
	var parts []string
	for _, k := range w.kinds {
		parts = append(parts, fmt.Sprintf("printf('%%-%ds', %s) || ", k.HexLen(), k))
	}
	pack := strings.Join(parts, "") + fmt.Sprintf("printf('%%%[1]dd%%%[1]dd', f.mtime, f.uid) || ", numberWidth)
	return "coalesce((SELECT CASE WHEN " + w.listed() + " THEN '" + isHit + "' || " + pack + path + " WHEN " + w.first() + " = '' THEN '" + isUnhashed + "' || " + path + " ELSE '' END" +
		" FROM (SELECT " + w.each("h.%[1]s") + " FROM hash h WHERE h.path = " + path + " LIMIT -1)), '" + isMissing + "' || " + path + ")"
}

// numberWidth is that of the longest number.
const numberWidth = 20

// kept gives the CTE k: each file that must be told by name, and sums of all others.
func (w words) kept() string {
	at, digests := 2, ""
	for _, k := range w.kinds {
		digests += fmt.Sprintf(", CASE WHEN hit = 1 THEN rtrim(substr(s, %d, %d)) ELSE '' END AS %s", at, k.HexLen(), k)
		at += k.HexLen()
	}
	number := func(as string) string {
		at += numberWidth
		return fmt.Sprintf(", CASE WHEN hit = 1 THEN CAST(substr(s, %d, %d) AS INTEGER) END AS %s", at-numberWidth, numberWidth, as)
	}
	numbers := number("mtime") + number("uid")
	files := "files"
	if w.countsOthers() {
		files = "coalesce(files, 0) + CASE WHEN s IS NULL THEN 0 ELSE n END AS files"
	}
	return statement(
		fmt.Sprintf("k AS MATERIALIZED (SELECT CASE sign WHEN '%s' THEN substr(s, %d) WHEN '' THEN NULL ELSE substr(s, 2) END AS path, hit, 0 AS pid, depth, dirs, %s, big, biggest, size, n,", isHit, at, files),
		fmt.Sprintf(" CASE sign WHEN '%s' THEN 'missing' WHEN '%s' THEN 'unhashed' ELSE CASE WHEN s IS NULL THEN '' ELSE 'hashed' END END AS state%s%s", isMissing, isUnhashed, digests, numbers),
		fmt.Sprintf(" FROM (SELECT *, coalesce(substr(s, 1, 1), '') AS sign, coalesce(substr(s, 1, 1) = '%s', 0) AS hit FROM t) ORDER BY path),", isHit))
}

// lists gives a CTE of the hunted digests of each kind. As one text of JSON they take SQLite a fraction of the time that as many
// literals take.
func (w words) lists() string {
	var b strings.Builder
	for _, k := range w.kinds {
		before := "y_" + string(k) + "(v) AS MATERIALIZED (SELECT value FROM json_each('["
		for _, h := range w.q.Hashes {
			if h.Kind == k {
				b.WriteString(before)
				b.WriteString(`"`)
				b.WriteString(h.Value) // check has seen that it is hexadecimal
				before = `",`
			}
		}
		b.WriteString(`"]')),` + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// listed tests the digests of a row against those lists.
func (w words) listed() string {
	var arms []string
	for _, k := range w.kinds {
		arms = append(arms, fmt.Sprintf("%[1]s IN (SELECT v FROM y_%[1]s)", k))
	}
	return strings.Join(arms, " OR ")
}

// each words an expression for every hunted kind of digest.
func (w words) each(format string) string {
	var out []string
	for _, k := range w.kinds {
		out = append(out, fmt.Sprintf(format, k))
	}
	return strings.Join(out, ", ")
}
