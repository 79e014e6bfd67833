package ledger

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// ListMax is how many rows of one sort a query may list; the counts beside them are true.
const ListMax = 1000

// parsed is an answer's rows sorted by their role.
type parsed struct {
	counts   map[string]tally
	hits     []HitRow
	unhashed []item
	missing  []item
	leftOut  []LeftOut
	problems []string // why the answer can't be trusted
}

// tally is a count row: how many, and a sum or maximum beside it.
type tally struct{ n, size int64 }

// item is a file that was listed and has no digest.
type item struct {
	path string
	size int64
	pid  string
}

var hexDigest = regexp.MustCompile(`^[0-9a-f]+$`)

// expected names the counts that a full answer has, each exactly once.
func expected(q Query) []string {
	common := []string{"candidates", "missing", "unhashed", "hashed"}
	switch {
	case len(q.Recheck) > 0:
		return common
	case q.Stage == Running:
		return append(common, "processes", "kernel", "noimage")
	case q.Stage == Autoruns:
		return append(common, "autoruns", "unresolved")
	default:
		return append(common, "root", "dirs", "files", "bigger")
	}
}

// parse sorts the rows of an answer. Whatever does not belong is a problem: such an answer proves nothing.
func parse(q Query, rows []Row) parsed {
	p := parsed{counts: map[string]tally{}}
	meta, control, goodControl := 0, 0, false
	asked := map[indicator.Indicator]bool{}
	for _, h := range q.Hashes {
		asked[h] = true
	}
	for _, r := range rows {
		switch r["kind"] {
		case "meta":
			meta++
		case "control":
			control++
			goodControl = wellFormed(r)
		case "count":
			p.count(r)
		case "hit":
			p.hit(q, r, asked)
		case "unhashed":
			p.unhashed = append(p.unhashed, itemOf(r))
		case "missing":
			p.missing = append(p.missing, itemOf(r))
		case "leftout":
			p.leftOut = append(p.leftOut, LeftOut{Path: r["path"], Reason: r["name"]})
		default:
			p.problem("a row of unknown kind %q", r["kind"])
		}
	}
	if meta != 1 {
		p.problem("%d meta rows instead of one", meta)
	}
	switch {
	case control != 1:
		p.problem("%d control rows instead of one", control)
	case !goodControl:
		p.problem("the control file has no good digest: hashing did not work there")
	}
	p.balance(q)
	return p
}

func (p *parsed) problem(format string, args ...any) {
	if len(p.problems) < 20 {
		p.problems = append(p.problems, fmt.Sprintf(format, args...))
	}
}

// wellFormed tests the digests of a control row: all three, and not those of the empty file.
func wellFormed(r Row) bool {
	for _, k := range indicator.DigestKinds() {
		v := r[string(k)]
		if len(v) != k.HexLen() || !hexDigest.MatchString(v) || indicator.IsEmptyFileDigest(indicator.Indicator{Kind: k, Value: v}) {
			return false
		}
	}
	return true
}

func (p *parsed) count(r Row) {
	n, err1 := strconv.ParseInt(r["n"], 10, 64)
	size, err2 := strconv.ParseInt(r["size"], 10, 64)
	if err1 != nil || err2 != nil || n < 0 {
		p.problem("count %q is no number", r["name"])
		return
	}
	if _, twice := p.counts[r["name"]]; twice {
		p.problem("count %q came twice", r["name"])
		return
	}
	p.counts[r["name"]] = tally{n: n, size: size}
}

func (p *parsed) hit(q Query, r Row, asked map[indicator.Indicator]bool) {
	h := HitRow{
		FoundIn: q.Stage, Path: r["path"], Name: r["name"], Size: number(r["size"], -1), MD5: r["md5"], SHA1: r["sha1"],
		SHA256: r["sha256"], Owner: r["owner"], PID: number(r["pid"], 0), Cmdline: r["cmdline"],
	}
	if t := number(r["mtime"], 0); t > 0 {
		h.MTime = time.Unix(t, 0).UTC()
	}
	if t := number(r["n"], 0); t > 0 && h.PID > 0 {
		h.StartedAt = time.Unix(t, 0).UTC()
	}
	for _, k := range indicator.DigestKinds() {
		if ind := (indicator.Indicator{Kind: k, Value: r[string(k)]}); asked[ind] {
			h.Matched = ind
			break
		}
	}
	if h.Matched.IsZero() {
		p.problem("a hit row carries no digest that was asked for")
		return
	}
	known := q.Siblings[h.Matched.Value]
	h.Conflict = known != "" && h.SHA256 != "" && known != h.SHA256
	p.hits = append(p.hits, h)
}

func itemOf(r Row) item {
	return item{path: r["path"], size: number(r["size"], -1), pid: r["pid"]}
}

func number(s string, otherwise int64) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// balance checks that every count is there and that they add up: each candidate was hashed, or is listed.
func (p *parsed) balance(q Query) {
	for _, name := range expected(q) {
		if _, ok := p.counts[name]; !ok {
			p.problem("count %q is not there", name)
			return
		}
	}
	if p.overBudget(q) {
		return
	}
	c := p.counts
	if sum := c["hashed"].n + c["unhashed"].n + c["missing"].n; sum != c["candidates"].n {
		p.problem("%d of %d candidates are unaccounted for", c["candidates"].n-sum, c["candidates"].n)
	}
	if want := min(c["unhashed"].n, ListMax); int64(len(p.unhashed)) != want {
		p.problem("%d unhashed files are listed instead of %d", len(p.unhashed), want)
	}
	if want := min(c["missing"].n, ListMax); q.Stage != Autoruns && int64(len(p.missing)) != want {
		p.problem("%d missing files are listed instead of %d", len(p.missing), want)
	}
}

func (p *parsed) overBudget(q Query) bool {
	c := p.counts["candidates"]
	return (q.Budget.Files > 0 && c.n > q.Budget.Files) || (q.Budget.Bytes > 0 && c.size > q.Budget.Bytes)
}
