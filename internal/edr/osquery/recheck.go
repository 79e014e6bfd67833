package osquery

import (
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

// recheckMax is how many vanished paths are asked once more; over that the verdict says how many were not.
const recheckMax = 200

// Recheck words the second question of a query: the paths that were listed and then had no digest. What is gone by now
// is fine; what is still there and has no digest is unread.
func Recheck(q ledger.Query, paths []string) (ledger.Query, bool) {
	if len(paths) == 0 {
		return ledger.Query{}, false
	}
	again := q
	again.ID = q.ID + "#recheck"
	again.Recheck = paths[:min(len(paths), recheckMax)]
	w := wordsOf(Question{Platform: q.Platform, Hashes: q.Hashes, Blind: q.Blind})
	if q.Stage == ledger.Running && q.Platform == "linux" {
		again.Text = w.processesAgain(again.Recheck)
	} else {
		again.Text = w.filesAgain(again.Recheck)
	}
	return again, true
}

// filesAgain looks at files by path.
func (w words) filesAgain(paths []string) string {
	var values []string
	for _, p := range paths {
		values = append(values, "("+quote(p)+")")
	}
	return w.again(
		"r(path) AS (VALUES "+strings.Join(values, ",")+")",
		"0 AS pid, '' AS name, r.path AS image, '' AS cmdline, coalesce(f.uid,'') AS uid, 0 AS started, coalesce(f.type,'') = 'regular' AS there",
		"LEFT JOIN file f ON f.path = r.path")
}

// processesAgain looks at the images of processes by pid. file is asked for the real path alone: on /proc/PID/exe it
// fails for a process that has ended meanwhile.
func (w words) processesAgain(paths []string) string {
	var values []string
	for _, p := range paths {
		pid, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(p, "/proc/"), "/exe"), 10, 32)
		if err != nil {
			pid = 0 // no process: counts as gone only if hash does not see the path either
		}
		values = append(values, "("+quote(p)+","+strconv.FormatUint(pid, 10)+")")
	}
	return w.again(
		"r(path, pid) AS (VALUES "+strings.Join(values, ",")+")",
		"r.pid, coalesce(p.name,'') AS name, coalesce(nullif(p.path,''),r.path) AS image, coalesce(p.cmdline,'') AS cmdline, coalesce(p.uid,'') AS uid,"+
			" coalesce(p.start_time,0) AS started, coalesce(p.state NOT IN ('Z','X'),0) AS there",
		"LEFT JOIN processes p ON p.pid = r.pid LEFT JOIN file f ON f.path = CASE p.on_disk WHEN 1 THEN p.path ELSE '' END")
}

// again asks for the paths of r, with what is known of each beside it.
func (w words) again(r, cols, joins string) string {
	return statement(
		"WITH "+r+",",
		"k AS MATERIALIZED (SELECT r.path, "+cols+", coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, h.path IS NOT NULL AS looked, "+w.digests(),
		" FROM r "+joins+" LEFT JOIN hash h ON h.path = r.path),",
		w.matched(),
		meta(),
		w.hits("k.name", "k.image", "k.pid", owner("k.uid"), "k.started", "k.cmdline", "m AS k", "k.path"),
		listArm("unhashed", "k WHERE looked = 1 AND "+w.first()+" = ''"),
		listArm("missing", "k WHERE looked = 0 AND there = 1"),
		count("candidates", "''", "coalesce(sum(max(size,0)),0)", "count(*)", "k WHERE looked = 1 OR there = 1"),
		count("missing", "''", "0", "count(*)", "k WHERE looked = 0 AND there = 1"),
		count("unhashed", "''", "0", "count(*)", "k WHERE looked = 1 AND "+w.first()+" = ''"),
		count("hashed", "''", "coalesce(sum(max(size,0)),0)", "count(*)", "k WHERE "+w.first()+" <> ''"),
		control(w.q.Platform))
}
