// Package osquery words hunter's questions in osquery's SQL, for osqueryd and for the embedded engine alike.
//
// One statement answers each question in one pass. Its rows have twelve text columns and five roles: meta (who answered,
// and when), control (digests of a file that surely exists), count (how much was looked at), hit, and what was not
// hashed (unhashed, missing, noimage, leftout) or is the agent itself (self). Every list is capped and has a true count
// beside it. A hit's n is its process's start time, 0 for files.
//
// A blind question holds no digest: in place of hits its answer lists everything that was hashed (seen), and ledger.Judge
// finds the hits among it.
package osquery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// DriveRoots is the root of the question that looks at the files right under every drive of a Windows machine.
const DriveRoots = "drive roots"

// Question is what one text asks.
type Question struct {
	Stage    ledger.Stage
	Platform string
	Engine   string                // ledger.EngineOsqueryd asks for more counts; the embedded engine tells these itself
	Hashes   []indicator.Indicator // sorted
	Blind    bool                  // the endpoint is not to learn what is hunted: the text holds no digest, and no kind of them
	Root     string                // files: an absolute path, or DriveRoots
	Explicit bool                  // files: the root was named by a person
	Sizes    []int64               // files: exact sizes, sorted; empty: every size up to MaxSize
	MaxSize  int64
	MaxDepth int
	Budget   ledger.Budget
	Splits   bool        // files: over budget, the sums come back by folder
	Part     ledger.Part // files: which part of the root's tree is walked
}

// Text words a question. It refuses what it could not word exactly: a text that asks less than it seems to would make
// an endpoint look clean.
func Text(q Question) (string, error) {
	if err := q.check(); err != nil {
		return "", fmt.Errorf("word the question for %s: %w", q.Stage, err)
	}
	w := wordsOf(q)
	switch q.Stage {
	case ledger.Running:
		return w.running(), nil
	case ledger.Autoruns:
		return w.autoruns(), nil
	default:
		return w.files(), nil
	}
}

// words builds one text.
type words struct {
	q     Question
	kinds []indicator.Kind // hunted kinds, strongest first
}

// wordsOf chooses the digests that are worked out: those hunted, and all where the text is not to tell which these are.
func wordsOf(q Question) words {
	if q.Blind {
		return words{q: q, kinds: indicator.DigestKinds()}
	}
	return words{q: q, kinds: kindsOf(q.Hashes)}
}

func kindsOf(hashes []indicator.Indicator) []indicator.Kind {
	has := map[indicator.Kind]bool{}
	for _, h := range hashes {
		has[h.Kind] = true
	}
	var out []indicator.Kind
	for _, k := range indicator.DigestKinds() {
		if has[k] {
			out = append(out, k)
		}
	}
	return out
}

// quote writes a text literal.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// digests gives the hunted kinds' columns of hash h, empty where there is no row.
func (w words) digests() string {
	var out []string
	for _, k := range w.kinds {
		out = append(out, fmt.Sprintf("coalesce(h.%s,'') AS %s", k, k))
	}
	return strings.Join(out, ", ")
}

// first is the digest column by which k tells hashed from unhashed.
func (w words) first() string { return string(w.kinds[0]) }

// matched gives the CTE m: the rows of k with a hunted digest.
func (w words) matched() string {
	return "m AS MATERIALIZED (SELECT * FROM k WHERE " + w.hunted() + ")"
}

// hunted tests the digests of a row, kind by kind; of a blind question whether it has any.
func (w words) hunted() string {
	if w.q.Blind {
		return w.first() + " <> ''"
	}
	var arms []string
	for _, k := range w.kinds {
		var values []string
		for _, h := range w.q.Hashes {
			if h.Kind == k {
				values = append(values, quote(h.Value))
			}
		}
		arms = append(arms, fmt.Sprintf("%s IN (%s)", k, strings.Join(values, ",")))
	}
	return strings.Join(arms, " OR ")
}

// hitDigests gives md5, sha1, sha256 of a hit: the hunted kinds as they were matched, the others by a second look.
func (w words) hitDigests() string {
	var out []string
	for _, k := range []indicator.Kind{indicator.MD5, indicator.SHA1, indicator.SHA256} {
		expr := fmt.Sprintf("coalesce(h.%s,'')", k)
		for _, hunted := range w.kinds {
			if hunted == k {
				expr = "k." + string(k)
			}
		}
		out = append(out, expr)
	}
	return strings.Join(out, ", ")
}

// meta is the row that says who answered and when.
func meta() string {
	return "SELECT 'meta' AS kind, i.version AS name, '' AS path, t.unix_time AS size, '' AS md5, '' AS sha1, i.uuid AS sha256, " +
		"i.pid AS pid, i.instance_id AS owner, i.start_time AS n, '' AS mtime, '' AS cmdline FROM osquery_info i CROSS JOIN time t"
}

// count is a row of numbers: size and n are expressions over from.
func count(name, path, size, n, from string) string {
	return fmt.Sprintf("UNION ALL SELECT 'count', %s, %s, %s, '', '', '', 0, '', %s, '', '' FROM %s", quote(name), path, size, n, from)
}

// capped is an arm of at most limit rows.
func capped(limit int, parts ...string) string {
	return fmt.Sprintf("UNION ALL SELECT * FROM (%s LIMIT %d)", strings.Join(parts, ""), limit)
}

// hits lists the rows of from, which joins m as k, with the second look that gives a hit's other digests: of the file
// as it was matched, or none. The count beside it is true. A blind question lists them as seen.
func (w words) hits(name, path, pid, owner, started, cmdline, from, again string) string {
	second := ""
	if len(w.kinds) < len(indicator.DigestKinds()) {
		second = fmt.Sprintf(" LEFT JOIN hash h ON h.path = %s AND h.%s = k.%s", again, w.first(), w.first())
	}
	kind, tally, most := "hit", "hits", ledger.HitMax
	if w.q.Blind {
		kind, tally, most = "seen", "seen", ledger.SeenMax
	}
	return statement(
		capped(most, "SELECT "+quote(kind)+", "+name+", "+path+", k.size, "+w.hitDigests()+", "+pid+", "+owner+", "+started+", k.mtime, "+cmdline,
			" FROM "+from+second),
		count(tally, "''", "0", "count(*)", from))
}

// listArm lists what was not hashed.
func listArm(kind, from string) string {
	return capped(ledger.ListMax, "SELECT "+quote(kind)+", '', path, size, '', '', '', pid, '', 0, '', '' FROM "+from)
}

// hashed counts the candidates of k and what became of each.
func (w words) hashed(name, candidates string) string {
	return statement(
		count("candidates", name, "coalesce(sum(max(size,0)),0)", "count(*)", candidates),
		count("missing", name, "0", "count(*)", "k WHERE seen = 0"),
		count("unhashed", name, "0", "count(*)", "k WHERE seen = 1 AND "+w.first()+" = ''"),
		count("hashed", name, "coalesce(sum(max(size,0)),0)", "count(*)", "k WHERE "+w.first()+" <> ''"))
}

// control is the row that must always be there: digests of a small file that surely exists. It comes last, so that
// tables that go blind on the way are seen.
func control(platform string) string {
	return "UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = " +
		quote(ControlPath(platform))
}

// ControlText asks for the control alone, beside who answers.
func ControlText(platform string) string { return statement(meta(), control(platform)) }

// ControlPath names the file whose digests prove that hashing works there. It is never the agent's own image, which is
// bigger than what agents read.
func ControlPath(platform string) string {
	switch platform {
	case "darwin":
		return "/bin/ls"
	case "windows":
		return `C:\Windows\System32\svchost.exe`
	default:
		return "/etc/passwd"
	}
}

func owner(uid string) string {
	return "coalesce((SELECT u.username FROM users u WHERE u.uid = " + uid + " LIMIT 1), " + uid + ", '')"
}

// statement joins the parts of a text, a line each; empty ones are left out.
func statement(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "\n")
}

func numbers(ns []int64) string {
	out := make([]string, len(ns))
	for i, n := range ns {
		out[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(out, ",")
}
