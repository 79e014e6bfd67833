package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/ledger"
)

// over is an answer over budget: 3 files in /home/a, 2 in /home/b, 1 right in /home.
func over() (ledger.Query, ledger.Answer) {
	q := query(ledger.Files, ledger.EngineOsqueryd, "linux")
	q.Budget, q.Splits = ledger.Budget{Files: 5}, true
	rows := []ledger.Row{
		meta(), control(),
		row("sub", "path", "/home/a", "n", "3", "size", "300"), row("sub", "path", "/home/b", "n", "2", "size", "200"),
	}
	counts := map[string][2]int{"candidates": {6, 600}, "subs": {2, 0}, "loose": {1, 100}, "root": {1, 0}, "dirs": {2, 1}, "files": {6, 0}, "privileged": {1, 0}}
	for _, name := range ledger.ExpectedCounts(q) {
		rows = append(rows, count(name, counts[name][0], counts[name][1]))
	}
	return q, ledger.Answer{Rows: rows}
}

func TestOverBudgetTellsItsFolders(t *testing.T) {
	t.Parallel()
	q, a := over()
	v := ledger.Judge(q, a)
	want := []ledger.Sub{{Path: "/home/a", Files: 3, Bytes: 300}, {Path: "/home/b", Files: 2, Bytes: 200}}
	if v.State != ledger.Partial || v.Reason != "6 files not hashed: over budget, 600 bytes in /home" || !slices.Equal(v.Subs, want) {
		t.Errorf("%+v", v)
	}
	for name, change := range map[string]func(rows []ledger.Row) []ledger.Row{
		"a lost folder":               func(r []ledger.Row) []ledger.Row { return slices.Delete(r, 2, 3) },
		"a folder twice":              func(r []ledger.Row) []ledger.Row { r[3] = r[2]; return r },
		"a folder elsewhere":          func(r []ledger.Row) []ledger.Row { r[2]["path"] = "/etc"; return r },
		"a folder above":              func(r []ledger.Row) []ledger.Row { r[2]["path"] = "/home/.."; return r },
		"a folder deeper":             func(r []ledger.Row) []ledger.Row { r[2]["path"] = "/home/a/b"; return r },
		"a sum that is smaller":       func(r []ledger.Row) []ledger.Row { r[2]["n"] = "2"; return r },
		"a sum that is no number":     func(r []ledger.Row) []ledger.Row { r[2]["size"] = "x"; return r },
		"a sum that is greater":       func(r []ledger.Row) []ledger.Row { r[2]["size"] = "301"; return r },
		"a sum of what was not asked": func(r []ledger.Row) []ledger.Row { return append(r, row("sub", "path", "/home/c", "n", "1")) },
	} {
		q, a := over()
		a.Rows = change(a.Rows)
		if v := ledger.Judge(q, a); v.State != ledger.Unverified {
			t.Errorf("%s: %+v", name, v)
		}
	}
	q, a = over()
	q.Splits = false
	if v := ledger.Judge(q, a); v.State != ledger.Unverified {
		t.Errorf("sums that nobody asked for: %+v", v)
	}
}

// Parts speak for the query that they are of when they leave nothing out, and only then.
func TestPartsReplaceTheirQuery(t *testing.T) {
	t.Parallel()
	q, a := over()
	q.ID = "q"
	part := func(id, root string, only, except []string) ledger.Query {
		p := q
		p.ID, p.Root, p.Part = id, root, ledger.Part{Of: "q", Level: 1, Only: only, Except: except}
		if root != q.Root {
			p.MaxDepth--
		}
		return p
	}
	absent := ledger.Verdict{State: ledger.Absent, Proven: true, Counts: ledger.Counts{FilesSeen: 3}}
	cover := func(parts ...ledger.Query) ledger.Coverage {
		verdicts := map[string][]ledger.Verdict{"q": {ledger.Judge(q, a)}}
		for _, p := range parts {
			verdicts[p.ID] = []ledger.Verdict{absent}
		}
		return ledger.Cover(append([]ledger.Query{q}, parts...), verdicts, "")
	}
	both, rest := []string{"/home/a", "/home/b"}, part("q.09", "/home", nil, []string{"/home/a", "/home/b"})
	fewer, smaller, deeper := part("q.01", "/home", both, nil), part("q.01", "/home", both, nil), part("q.01", "/home/a", nil, nil)
	fewer.Hashes, smaller.MaxSize, deeper.MaxDepth = fewer.Hashes[:1], 10, 3
	for name, c := range map[string]struct {
		parts  []ledger.Query
		proven bool
	}{
		"a group and the rest":          {[]ledger.Query{part("q.01", "/home", both, nil), rest}, true},
		"one each and the rest":         {[]ledger.Query{part("q.01", "/home/a", nil, nil), part("q.02", "/home", both[1:], nil), rest}, true},
		"no rest":                       {[]ledger.Query{part("q.01", "/home", both, nil)}, false},
		"a folder that nobody asks for": {[]ledger.Query{part("q.01", "/home", both[:1], nil), rest}, false},
		"two rests":                     {[]ledger.Query{part("q.01", "/home", both, nil), rest, part("q.03", "/home", nil, both)}, false},
		"for fewer hashes":              {[]ledger.Query{fewer, rest}, false},
		"for smaller files":             {[]ledger.Query{smaller, rest}, false},
		"not as deep":                   {[]ledger.Query{deeper, part("q.02", "/home", both[1:], nil), rest}, false},
	} {
		cov := cover(c.parts...)
		if cov.Proven != c.proven || (cov.State == ledger.Absent) != c.proven || strings.Contains(cov.Reason, "over budget") == c.proven {
			t.Errorf("%s: %+v", name, cov)
		}
		if want := int64(3 * len(c.parts)); c.proven && cov.Counts.FilesSeen != want {
			t.Errorf("%s: %d files seen instead of %d", name, cov.Counts.FilesSeen, want)
		}
	}
	open := ledger.Cover([]ledger.Query{q, part("q.01", "/home", both, nil), rest}, map[string][]ledger.Verdict{"q": {ledger.Judge(q, a)}}, "later")
	if open.State != ledger.Partial || open.Reason != "2 of 2 questions have no answer: later" {
		t.Errorf("parts that wait: %+v", open)
	}
	if n := ledger.PartsLeft([]ledger.Query{q, rest, {ID: "other.01", Part: ledger.Part{Of: "other"}}}, rest); n != ledger.MaxParts-1 {
		t.Errorf("%d parts left", n)
	}
}
