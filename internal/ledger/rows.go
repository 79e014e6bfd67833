package ledger

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// The most rows of one sort that a query lists. The counts beside them are true, so a list that was cut is seen.
const (
	ListMax = 1000   // of what was not hashed, or was left out
	HitMax  = 10_000 // of hits
	SeenMax = 10_000 // of what a blind question hashed
)

// parsed is an answer's rows sorted by their role.
type parsed struct {
	counts   map[string]tally
	hits     []HitRow
	hitRows  int64 // as they came, wrong ones too
	seenRows int64 // the same, of a blind question
	refused  int   // hit rows without a digest that was asked for
	unhashed []item
	missing  []item
	noimage  []item
	self     []item // the agent's own program, as it names itself
	leftOut  []LeftOut
	subs     []Sub
	problems []string // why the answer can't be trusted
}

// tally is a count row: how many, and a sum or maximum beside it.
type tally struct{ n, size int64 }

// item is a file or process that was listed and has no digest.
type item struct {
	path string
	size int64
	pid  string
}

var (
	hexDigest = regexp.MustCompile(`^[0-9a-f]+$`)
	number10  = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)
)

// ExpectedCounts names the counts that a full answer to q has, each exactly once.
func ExpectedCounts(q Query) []string {
	out := []string{"candidates", "missing", "unhashed", "hashed", "hits"}
	if q.Blind {
		out[4] = "seen"
	}
	switch {
	case len(q.Recheck) > 0:
		return out
	case q.Stage == Running:
		out = append(out, "processes", "first", "kernel", "ended", "noimage")
		if q.Engine == EngineOsqueryd {
			out = append(out, "self")
		}
		return out
	case q.Stage == Autoruns:
		return append(out, "autoruns", "unresolved")
	}
	out = append(out, "root", "dirs", "files", "bigger", "leftout")
	if q.Splits {
		out = append(out, "subs", "loose")
	}
	if len(q.Part.Except) > 0 {
		out = append(out, "listed")
	}
	if q.Engine == EngineOsqueryd {
		out = append(out, "suspect")
		if q.Platform != "windows" {
			out = append(out, "hollow", "privileged")
		}
		if q.Platform == "darwin" {
			out = append(out, "fulldisk")
		}
	}
	return out
}

// parse sorts the rows of an answer. Whatever does not belong is a problem: such an answer proves nothing.
func parse(q Query, rows []Row) parsed {
	p := parsed{counts: map[string]tally{}}
	meta, control, goodControl := 0, 0, false
	asked := wanted{hashes: q.Hashes}
	for _, r := range rows {
		switch r["kind"] {
		case "meta":
			meta++
			if r["name"] == "" || number(r["size"], 0) <= 0 {
				p.problem("the meta row has no version or no clock")
			}
		case "control":
			control++
			goodControl = GoodControl(r)
		case "count":
			p.count(r)
		case "hit":
			p.hit(q, r, &asked)
		case "seen":
			p.seen(q, r, &asked)
		case "unhashed":
			p.unhashed = append(p.unhashed, itemOf(r))
		case "missing":
			p.missing = append(p.missing, itemOf(r))
		case "noimage":
			p.noimage = append(p.noimage, itemOf(r))
		case "self":
			p.self = append(p.self, itemOf(r))
		case "sub":
			p.sub(q, r)
		case "leftout":
			p.leftOut = append(p.leftOut, LeftOut{Path: r["path"], Reason: r["name"]})
		default:
			p.problem("a row of unknown kind %q", r["kind"])
		}
	}
	p.unasked()
	if meta != 1 {
		p.problem("%d meta rows instead of one", meta)
	}
	switch {
	case control != 1:
		p.problem("%d control rows instead of one", control)
	case !goodControl:
		p.problem("the control file has no good digest: hashing did not work there")
	}
	p.sort()
	p.balance(q)
	return p
}

// wanted is what was asked for. Nearly all answers have no hit, and for them it is not sorted out.
type wanted struct {
	hashes []indicator.Indicator
	set    map[indicator.Indicator]bool
}

func (w *wanted) has(ind indicator.Indicator) bool {
	if w.set == nil {
		w.set = make(map[indicator.Indicator]bool, len(w.hashes))
		for _, h := range w.hashes {
			w.set[h] = true
		}
	}
	return w.set[ind]
}

// sort makes the lists the same for the same rows in any order.
func (p *parsed) sort() {
	for _, list := range [][]item{p.unhashed, p.missing, p.noimage, p.self} {
		slices.SortFunc(list, func(a, b item) int { return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.pid, b.pid)) })
	}
	slices.SortFunc(p.subs, func(a, b Sub) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Files, b.Files), cmp.Compare(a.Bytes, b.Bytes))
	})
	slices.SortFunc(p.leftOut, func(a, b LeftOut) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Reason, b.Reason))
	})
}

// What a verdict says of a broken answer is bounded, and so is a count that can be: sums over a fleet must stay numbers.
const (
	maxProblems = 20
	maxCount    = 1 << 50
)

func (p *parsed) problem(format string, args ...any) {
	if len(p.problems) < maxProblems {
		p.problems = append(p.problems, short(fmt.Sprintf(format, args...)))
	}
}

// GoodControl tests the digests of a control row: all three, and not those of the empty file.
func GoodControl(r Row) bool {
	for _, k := range indicator.DigestKinds() {
		if digest(r, k) == "" || indicator.IsEmptyFileDigest(indicator.Indicator{Kind: k, Value: digest(r, k)}) {
			return false
		}
	}
	return true
}

// digest gives a row's digest in its normal form, "" when it is none.
func digest(r Row, k indicator.Kind) string {
	v := strings.ToLower(r[string(k)])
	if len(v) != k.HexLen() || !hexDigest.MatchString(v) {
		return ""
	}
	return v
}

func (p *parsed) count(r Row) {
	n, err1 := strconv.ParseInt(r["n"], 10, 64)
	size, err2 := strconv.ParseInt(r["size"], 10, 64)
	if err1 != nil || err2 != nil || n < 0 || n > maxCount || size > maxCount || !number10.MatchString(r["n"]) {
		p.problem("count %q is no number", r["name"])
		return
	}
	if _, twice := p.counts[r["name"]]; twice {
		p.problem("count %q came twice", r["name"])
		return
	}
	p.counts[r["name"]] = tally{n: n, size: size}
}

func (p *parsed) hit(q Query, r Row, asked *wanted) {
	p.hitRows++
	if q.Blind {
		p.problem("a hit row, and no digest was asked for")
	}
	h := hitOf(q, r, asked)
	if h.Matched.IsZero() {
		p.refused++
		return
	}
	p.hits = append(p.hits, h)
}

// seen takes in a file or process that a blind question hashed, which is a hit when one of its digests is hunted.
func (p *parsed) seen(q Query, r Row, asked *wanted) {
	p.seenRows++
	if !q.Blind {
		p.problem("a row of unknown kind %q", r["kind"])
		return
	}
	for _, k := range indicator.DigestKinds() {
		if digest(r, k) == "" {
			p.problem("a file was hashed and its %s did not come", k)
			break
		}
	}
	if h := hitOf(q, r, asked); !h.Matched.IsZero() {
		p.hits = append(p.hits, h)
	}
}

// hitOf reads a row; its Matched is zero when none of its digests was asked for.
func hitOf(q Query, r Row, asked *wanted) HitRow {
	h := HitRow{
		FoundIn: q.Stage, Path: r["path"], Name: r["name"], Size: number(r["size"], -1), MD5: digest(r, indicator.MD5),
		SHA1: digest(r, indicator.SHA1), SHA256: digest(r, indicator.SHA256), Owner: r["owner"], PID: number(r["pid"], 0), Cmdline: r["cmdline"],
	}
	h.MTime = moment(r["mtime"])
	if h.PID > 0 {
		h.StartedAt = moment(r["n"])
	}
	for _, k := range indicator.DigestKinds() {
		if ind := (indicator.Indicator{Kind: k, Value: digest(r, k)}); asked.has(ind) {
			h.Matched = ind
			break
		}
	}
	known := strings.Fields(q.Siblings[h.Matched.Value])
	h.Conflict = len(known) > 0 && h.SHA256 != "" && h.Matched.Kind != indicator.SHA256
	for _, k := range known {
		h.Conflict = h.Conflict && k != h.SHA256
	}
	return h
}

// moment reads unix seconds; what lies before 1970 or after 9999 is zero. A file's owner sets its times at will, and a hit that could
// not be written down for its time would be lost.
func moment(s string) time.Time {
	const year9999 = 253402300799
	t := number(s, 0)
	if t <= 0 || t > year9999 {
		return time.Time{}
	}
	return time.Unix(t, 0).UTC()
}

// unasked tells of the hit rows that were refused.
func (p *parsed) unasked() {
	switch p.refused {
	case 0:
	case 1:
		p.problem("a hit row carries no digest that was asked for")
	default:
		p.problem("%d hit rows carry no digest that was asked for", p.refused)
	}
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

// balance checks that every count is there and no other, that they add up (each candidate was hashed, or is listed),
// and that each list is as long as its count says: a row that got lost on the way is seen.
func (p *parsed) balance(q Query) {
	names := ExpectedCounts(q)
	for _, name := range names {
		if _, ok := p.counts[name]; !ok {
			p.problem("count %q is not there", name)
			return
		}
	}
	if len(p.counts) != len(names) {
		p.problem("%d counts instead of %d", len(p.counts), len(names))
	}
	c := p.counts
	if !p.overBudget(q) {
		if sum := c["hashed"].n + c["unhashed"].n + c["missing"].n; sum != c["candidates"].n {
			p.problem("of %d candidates %d are accounted for", c["candidates"].n, sum)
		}
	}
	p.summed(q)
	p.listed("unhashed files", int64(len(p.unhashed)), min(c["unhashed"].n, ListMax))
	missing := min(c["missing"].n, ListMax)
	if q.Stage == Autoruns && len(q.Recheck) == 0 {
		missing = 0 // guesses: counted, not listed
	}
	p.listed("missing files", int64(len(p.missing)), missing)
	p.listed("processes without a program", int64(len(p.noimage)), min(c["noimage"].n, ListMax))
	p.listed("programs of the agent", int64(len(p.self)), min(c["self"].n, 1))
	p.listed("places left out", int64(len(p.leftOut)), min(c["leftout"].n, ListMax))
	p.listed("hits", p.hitRows, min(c["hits"].n, HitMax))
	p.shown(q)
}

func (p *parsed) listed(what string, got, want int64) {
	if got != want {
		p.problem("%d %s are listed instead of %d", got, what, want)
	}
}

func (p *parsed) overBudget(q Query) bool {
	c := p.counts["candidates"]
	return (q.Budget.Files > 0 && c.n > q.Budget.Files) || (q.Budget.Bytes > 0 && c.size > q.Budget.Bytes)
}

// shown checks that everything that a blind question hashed is listed: a program once for each of its processes.
func (p *parsed) shown(q Query) {
	if !q.Blind {
		return
	}
	seen, hashed := p.counts["seen"].n, p.counts["hashed"].n
	p.listed("hashed files", p.seenRows, min(seen, SeenMax))
	if seen < hashed || (q.Stage == Files && seen != hashed) {
		p.problem("%d files were hashed and %d are told", hashed, seen)
	}
}
