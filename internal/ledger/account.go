package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// processes accounts for processes without an image. A process that ends while it is looked at has none either, so on
// Linux those that the agent gave no reason for are asked once more.
func (v *seen) processes(a Answer) {
	c, q := v.parsed.counts, v.query
	if len(v.parsed.problems) > 0 {
		return
	}
	if c["processes"].n == 0 || c["candidates"].n == 0 {
		v.parsed.problem("no running program is listed: the table of processes did not work there")
		return
	}
	if c["first"].n == 0 {
		v.lack(1, "the system's first process is not listed: processes are hidden from the agent", "", nil)
	}
	if n := c["kernel"].n; n > 0 {
		v.note("%s without an image", some(n, "kernel thread", "kernel threads"))
	}
	if n := c["ended"].n; n > 0 {
		v.note("%s without an image", some(n, "ended process", "ended processes"))
	}
	told := map[string]bool{}
	for _, u := range a.Unread {
		if u.Op == "processes" {
			told[u.Path] = true
		}
	}
	total, where := len(told), slices.Sorted(maps.Keys(told))
	for _, p := range v.parsed.noimage {
		if link := imagePath(p.pid); !told[link] && !told["process "+p.pid] {
			total++
			if q.Platform == "linux" {
				v.hidden++
				v.pending = append(v.pending, link)
			} else {
				where = append(where, "process "+p.pid)
			}
		}
	}
	blocked := max(total, int(c["noimage"].n)) - v.hidden
	what := "processes whose program may not be looked at"
	if blocked == 1 {
		what = "process whose program may not be looked at"
	}
	v.gap(blocked, what, "", where)
}

// autoruns accounts for guesses: what could not be resolved is said, and is no gap.
func (v *seen) autoruns() {
	c := v.parsed.counts
	if n := c["unresolved"].n; n > 0 {
		v.note("autoruns: %s without a path", some(n, "command line", "command lines"))
	}
	if n := c["missing"].n; n > 0 {
		v.note("autoruns: %s where no file is", some(n, "guessed path", "guessed paths"))
	}
}

// folder accounts for the root and the depth of a walk.
func (v *seen) folder() {
	c, q := v.parsed.counts, v.query
	if len(v.parsed.problems) > 0 {
		return
	}
	switch {
	case c["root"].n == 0 && q.MustExist:
		v.blind("no such folder or file")
	case c["root"].n == 0:
		v.note("not there: %s", q.Root)
	case len(q.Part.Only) > 0: // an earlier answer listed these: what is gone by now is fine
	case len(q.Part.Except) > 0:
		if c["listed"].n == 0 {
			v.blind("it looks empty, or may not be read")
		}
	case q.Engine == EngineOsqueryd && c["dirs"].n == 0 && c["files"].n == 0 && len(v.LeftOut) == 0 && !v.empty():
		v.blind("it looks empty, or may not be read")
	}
	if q.MaxDepth > 0 && c["dirs"].size >= int64(q.MaxDepth) {
		v.blind(fmt.Sprintf("folders deeper than %d levels are not walked", q.MaxDepth))
	}
	if n := c["bigger"].n; n > 0 && len(q.Sizes) == 0 {
		v.note("out of scope: %s over %s in %s", some(n, "file", "files"), Size(q.MaxSize), q.where())
	}
	if n := c["leftout"].n; n > 0 {
		what := some(n, "mount", "mounts")
		if q.Platform == "windows" {
			what = some(n, "place whose content is elsewhere", "places whose content is elsewhere")
		}
		v.note("left out: %s in %s", what, q.where())
	}
	if v.parsed.overBudget(q) {
		v.gap(int(c["candidates"].n), fmt.Sprintf("files not hashed: over budget, %s in %s", Size(c["candidates"].size), q.where()), "", nil)
		v.Subs = v.parsed.subs
	}
	if q.Engine == EngineOsqueryd {
		v.agent()
	}
}

// empty reports whether a root of osqueryd's that lists nothing has nothing in it: the agent may read every folder, and the root's link
// count leaves no room for subfolders. On Windows the root itself has a row only if it could be opened for reading.
func (v *seen) empty() bool {
	c := v.parsed.counts
	switch v.query.Platform {
	case "windows":
		return strings.Contains(v.query.Root, `\`)
	case "darwin":
		if c["fulldisk"].n == 0 {
			return false
		}
	}
	return c["privileged"].n > 0 && c["root"].size >= 1 && c["root"].size <= 2
}

// agent accounts for what only osqueryd can be blind to: the embedded engine tells it beside the rows.
func (v *seen) agent() {
	c, q := v.parsed.counts, v.query
	v.gap(int(c["hollow"].n), "folders that look empty, yet have subfolders", "", []string{q.Root})
	v.gap(int(c["suspect"].n), "files changed since the agent's start whose digest may be an old one of its cache", "", []string{q.Root})
	if q.Platform != "windows" && c["root"].n > 0 && c["privileged"].n == 0 {
		v.blind("the agent has not root's rights, so folders that it may not enter look empty")
	}
	if q.Platform == "darwin" && c["root"].n > 0 && c["fulldisk"].n == 0 {
		v.blind("the agent has no Full Disk Access, so protected folders look empty")
	}
}

// unhashed accounts for files that have no digest, as the rows and the engine tell it; each file counts once.
func (v *seen) unhashed(a Answer) {
	q := v.query
	told := map[string]string{}
	for _, u := range a.Unread {
		if u.Op != "processes" || q.Stage != Running {
			told[u.Path] = u.Reason
		}
	}
	big, self := 0, 0
	byReason := map[string][]string{}
	for _, f := range v.parsed.unhashed {
		key := recheckPath(q, f)
		why, ok := told[key]
		delete(told, key)
		switch {
		case f.path != "" && (f.path == q.SelfPath || slices.ContainsFunc(v.parsed.self, func(s item) bool { return s.path == f.path })):
			self++
		case f.size > q.MaxSize && q.MaxSize > 0:
			big++
		case ok:
			byReason[why] = append(byReason[why], f.path)
		default:
			byReason["no digest"] = append(byReason["no digest"], f.path)
		}
	}
	for path, why := range told {
		byReason[why] = append(byReason[why], path)
	}
	if self > 0 {
		v.note("the agent's own program is not hashed")
	}
	if big > 0 {
		v.note("out of scope: %s over %s", some(int64(big), "program", "programs"), Size(q.MaxSize))
	}
	v.tell(byReason)
	hidden := int(v.parsed.counts["unhashed"].n) - len(v.parsed.unhashed) + max(a.UnreadTotal-len(a.Unread), 0)
	if q.Stage != Autoruns {
		v.gap(hidden, "more that could not be read", "", nil)
	}
}

// tell turns unread files into gaps by reason; those of autoruns are notes, since autoruns are guesses.
func (v *seen) tell(byReason map[string][]string) {
	for _, why := range slices.Sorted(maps.Keys(byReason)) {
		list := byReason[why]
		slices.Sort(list)
		if v.query.Stage == Autoruns {
			v.note("autoruns: %d could not be read (%s)", len(list), why)
			continue
		}
		what := "files or folders could not be read"
		if len(list) == 1 {
			what = "file or folder could not be read"
		}
		v.gap(len(list), what, why, list)
	}
}

// some writes a number with its noun.
func some(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
