package osquery

import (
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
	paths = paths[:min(len(paths), recheckMax)]
	w := words{q: Question{Platform: q.Platform, Hashes: q.Hashes}, kinds: kindsOf(q.Hashes)}
	var values []string
	for _, p := range paths {
		values = append(values, "("+quote(p)+")")
	}
	again := q
	again.ID = q.ID + "#recheck"
	again.Recheck = paths
	again.Text = statement(
		"WITH r(path) AS (VALUES "+strings.Join(values, ",")+"),",
		"k AS MATERIALIZED (SELECT r.path, 0 AS pid, coalesce(f.size,-1) AS size, coalesce(f.mtime,'') AS mtime, coalesce(f.uid,'') AS uid,",
		" coalesce(f.type,'') AS type, h.path IS NOT NULL AS seen, "+w.digests(),
		" FROM r LEFT JOIN file f ON f.path = r.path LEFT JOIN hash h ON h.path = r.path)",
		meta(),
		"UNION ALL SELECT 'hit', '', k.path, k.size, "+w.hitDigests()+", 0, "+owner("k.uid")+", 0, k.mtime, ''",
		" FROM k LEFT JOIN hash h ON h.path = k.path WHERE "+w.match(),
		listArm("unhashed", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		listArm("missing", "k WHERE seen = 0 AND type = 'regular'"),
		count("candidates", "''", "0", "count(*)", "k WHERE seen = 1 OR type = 'regular'"),
		count("missing", "''", "0", "count(*)", "k WHERE seen = 0 AND type = 'regular'"),
		count("unhashed", "''", "0", "count(*)", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		count("hashed", "''", "coalesce(sum(max(size,0)),0)", "count(*)", "k WHERE "+w.first()+" <> ''"),
		control(q.Platform))
	return again, true
}
