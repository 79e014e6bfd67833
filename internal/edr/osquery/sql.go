// Package osquery words hunter's questions in osquery's SQL, for osqueryd and for the embedded engine alike.
//
// One statement answers each question in one pass. Its rows have twelve text columns and five roles: meta (who answered,
// and when), control (digests of a file that surely exists), count (how much was looked at), hit, and what was not
// hashed (unhashed, missing, leftout). A hit's n is its process's start time, 0 for files.
package osquery

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// listMax bounds the rows of an arm that lists what was not hashed; the counts beside it are true.
const listMax = ledger.ListMax

// Question is what one text asks.
type Question struct {
	Stage    ledger.Stage
	Platform string
	Hashes   []indicator.Indicator // sorted
	Root     string                // files
	Explicit bool                  // files: the root was named by a person
	Sizes    []int64               // files: exact sizes, sorted; empty: every size up to MaxSize
	MaxSize  int64
	MaxDepth int
	Budget   ledger.Budget
}

// Text words a question.
func Text(q Question) (string, error) {
	if strings.ContainsRune(q.Root, 0) {
		return "", fmt.Errorf("root %q holds a zero byte", q.Root)
	}
	if len(q.Hashes) == 0 {
		return "", fmt.Errorf("stage %s: no hash to ask for", q.Stage)
	}
	w := words{q: q, kinds: kindsOf(q.Hashes)}
	switch q.Stage {
	case ledger.Running:
		return w.running(), nil
	case ledger.Autoruns:
		return w.autoruns(), nil
	case ledger.Files:
		return w.files(), nil
	default:
		return "", fmt.Errorf("osquery has no stage %q", q.Stage)
	}
}

// words builds one text.
type words struct {
	q     Question
	kinds []indicator.Kind // hunted kinds, strongest first
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

// match tests the columns of k against the hunted digests, kind by kind.
func (w words) match() string {
	var arms []string
	for _, k := range w.kinds {
		var values []string
		for _, h := range w.q.Hashes {
			if h.Kind == k {
				values = append(values, quote(h.Value))
			}
		}
		arms = append(arms, fmt.Sprintf("k.%s IN (%s)", k, strings.Join(values, ",")))
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

// listArm lists at most listMax rows of what was not hashed.
func listArm(kind, from string) string {
	return fmt.Sprintf("UNION ALL SELECT * FROM (SELECT %s, '', path, size, '', '', '', pid, '', 0, '', '' FROM %s LIMIT %d)", quote(kind), from, listMax)
}

// control is the row that must always be there: digests of a small file that surely exists. It comes last, so that
// tables that go blind on the way are seen.
func control(platform string) string {
	return "UNION ALL SELECT 'control', 'file', h.path, 0, h.md5, h.sha1, h.sha256, 0, '', 1, '', '' FROM hash h WHERE h.path = " +
		quote(ControlPath(platform))
}

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

// statement joins the parts of a text, a line each.
func statement(parts ...string) string { return strings.Join(parts, "\n") }

func numbers(ns []int64) string {
	out := make([]string, len(ns))
	for i, n := range ns {
		out[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(out, ",")
}
