package osquery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/ledger"
)

// A walk over its budget hashes nothing, and its answer has sums by the folders right under its root. Split words the
// same question for these folders, as many together as stay within the budget, and for everything but them. A part's walk
// begins with those entries of the root with which the whole walk began, so that the parts see all that it saw.

// separator is what stands between the names of a path.
func separator(platform string) string {
	if platform == "windows" {
		return `\`
	}
	return "/"
}

// named gives the CTE s: the folders that a part names.
func (w words) named() string {
	list := slices.Concat(w.q.Part.Only, w.q.Part.Except)
	if len(list) == 0 {
		return ""
	}
	values := make([]string, len(list))
	for i, f := range list {
		values[i] = "(" + quote(f) + ")"
	}
	return "s(path) AS (VALUES " + strings.Join(values, ",") + "),\n"
}

// top gives the entries with which a walk begins.
func (w words) top(root string) string {
	from := " FROM file f WHERE f.directory = " + root
	switch {
	case len(w.q.Part.Only) > 0:
		from = " FROM s CROSS JOIN file f ON f.path = s.path WHERE 1"
	case len(w.q.Part.Except) > 0:
		from += " AND f.path NOT IN (SELECT s.path FROM s)"
	}
	if w.q.Part.Found { // a link by now: the walk that found it would not have followed it
		from += " AND NOT EXISTS (SELECT 1 FROM file d WHERE d.path = " + root + " AND d.symlink = 1)"
	}
	return from
}

// rootFile keeps the arm for a root that is a file where the root itself is walked.
func (w words) rootFile(arm string) string {
	if len(w.q.Part.Only) > 0 {
		return ""
	}
	return arm
}

// mountsOfPart keeps of the mounts those in the folders of a part.
func (w words) mountsOfPart() string {
	inside := fmt.Sprintf("EXISTS (SELECT 1 FROM s WHERE m.path = s.path OR substr(m.path, 1, length(s.path) + 1) = s.path || %s)", quote(separator(w.q.Platform)))
	switch {
	case len(w.q.Part.Only) > 0:
		return " AND " + inside
	case len(w.q.Part.Except) > 0:
		return " AND NOT " + inside
	default:
		return ""
	}
}

// tops gives the CTE t: what would have been hashed, by the folder right under the root; "" are the root's own files.
func (w words) tops() string {
	if !w.q.Splits {
		return ""
	}
	sep := separator(w.q.Platform)
	inside := utf8.RuneCountInString(strings.TrimSuffix(w.q.Root, sep) + sep)
	at := fmt.Sprintf("instr(substr(path, %d), %s)", inside+1, quote(sep))
	return fmt.Sprintf("t AS MATERIALIZED (SELECT CASE %[1]s WHEN 0 THEN '' ELSE substr(path, 1, %[2]d + %[1]s) END AS path, count(*) AS n, sum(size) AS size"+
		" FROM g WHERE want = 1 AND NOT (%[3]s) GROUP BY 1),", at, inside-1, w.withinBudget())
}

// sums lists the folders of t, those with most bytes first, with a true count.
func (w words) sums(root string) string {
	listed := ""
	if len(w.q.Part.Except) > 0 {
		listed = count("listed", root, "0", "count(*)", "file f WHERE f.directory = "+root)
	}
	if !w.q.Splits {
		return listed
	}
	return statement(
		capped(ledger.SubMax, "SELECT 'sub', '', path, size, '', '', '', 0, '', n, '', '' FROM t WHERE path <> '' ORDER BY size DESC, path"),
		count("subs", root, "0", "count(*)", "t WHERE path <> ''"),
		count("loose", root, "coalesce(sum(size),0)", "coalesce(sum(n),0)", "t WHERE path = ''"),
		listed)
}

// Split words the parts of a query whose answer said that it was over budget; subs are its verdict's. At most room parts
// are made. None are when there is nothing to split by, or too many splits lie behind.
func Split(q ledger.Query, subs []ledger.Sub, room int) ([]ledger.Query, error) {
	if !q.Splits || len(subs) == 0 || q.Part.Level >= ledger.MaxLevel {
		return nil, nil
	}
	units := pack(q, subs)
	whole := len(q.Part.Only) == 0
	if whole {
		units = units[:min(len(units), max(room-1, 0))] // what is left over stays together
	}
	if len(units) == 0 || len(units) > room {
		return nil, nil
	}
	var out []ledger.Query
	add := func(p ledger.Part, root string) error {
		part := q
		p.Of, p.Level, p.Found = q.ID, q.Part.Level+1, q.Part.Found
		if root != "" {
			part.Root, part.MustExist, p.Found = root, false, true
			part.MaxDepth--
		}
		part.ID, part.Part = ledger.PartID(q.ID, len(out)+1), p
		text, err := Text(questionOf(part))
		part.Text = text
		out = append(out, part)
		return err
	}
	named := slices.Clone(q.Part.Except)
	for _, u := range units {
		root, only := "", u.folders
		if u.over {
			root, only = u.folders[0], nil
		}
		if err := add(ledger.Part{Only: only}, root); err != nil {
			return nil, err
		}
		named = append(named, u.folders...)
	}
	if whole {
		slices.Sort(named)
		if err := add(ledger.Part{Except: named}, ""); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// questionOf gives what a query asks. A depth of 0 is that of a walk whose one level is all that is meant.
func questionOf(q ledger.Query) Question {
	depth := q.MaxDepth
	if q.Stage == ledger.Files && depth == 0 {
		depth = 1
		if q.Root == DriveRoots {
			depth = Osqueryd().MaxDepth
		}
	}
	return Question{
		Stage: q.Stage, Platform: q.Platform, Engine: q.Engine, Hashes: q.Hashes, Blind: q.Blind, Root: q.Root, Explicit: q.MustExist, Sizes: q.Sizes,
		MaxSize: q.MaxSize, MaxDepth: depth, Budget: q.Budget, Splits: q.Splits, Part: q.Part,
	}
}

// unit is the folders of one part.
type unit struct {
	folders      []string
	files, bytes int64
	over         bool // one folder that is over the budget by itself
}

func (u *unit) fits(s ledger.Sub, b ledger.Budget) bool {
	return (b.Files <= 0 || u.files+s.Files <= b.Files) && (b.Bytes <= 0 || u.bytes+s.Bytes <= b.Bytes)
}

// pack puts folders together as long as they stay within the budget. Those that do come first: they will be hashed.
func pack(q ledger.Query, subs []ledger.Sub) []unit {
	left := slices.DeleteFunc(slices.Clone(subs), func(s ledger.Sub) bool {
		return !utf8.ValidString(s.Path) || strings.ContainsRune(s.Path, 0) // can not be said in a text, and stays with the rest
	})
	for _, f := range q.Part.Only { // each must be in a part, also when there is nothing in it to hash
		if !slices.ContainsFunc(left, func(s ledger.Sub) bool { return s.Path == f }) {
			left = append(left, ledger.Sub{Path: f})
		}
	}
	slices.SortFunc(left, func(a, b ledger.Sub) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Files, a.Files), strings.Compare(a.Path, b.Path))
	})
	var units, over []unit
	for _, s := range left {
		if one := (&unit{}); !one.fits(s, q.Budget) {
			over = append(over, unit{folders: []string{s.Path}, over: true})
			continue
		}
		i := slices.IndexFunc(units, func(u unit) bool { return u.fits(s, q.Budget) })
		if i < 0 {
			units, i = append(units, unit{}), len(units)
		}
		u := &units[i]
		u.folders, u.files, u.bytes = append(u.folders, s.Path), u.files+s.Files, u.bytes+s.Bytes
	}
	for i := range units {
		slices.Sort(units[i].folders)
	}
	return append(units, over...)
}
