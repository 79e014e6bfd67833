package osquery_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// disk is files by path.
type disk map[string]int64

// walk does what a query's walk does: it gives the files that it comes to and, over budget, the sums by folder.
func (d disk) walk(q ledger.Query, limit int) (files []string, subs []ledger.Sub, over bool) {
	sep := "/"
	if q.Platform == "windows" {
		sep = `\`
	}
	root := strings.TrimSuffix(q.Root, sep) + sep
	sums := map[string]*ledger.Sub{}
	var all ledger.Sub
	for path, size := range d {
		rest, ok := strings.CutPrefix(path, root)
		name, _, deep := strings.Cut(rest, sep)
		first := root + name
		switch {
		case !ok, strings.Count(rest, sep) >= q.MaxDepth:
			continue
		case len(q.Part.Only) > 0 && !slices.Contains(q.Part.Only, first), slices.Contains(q.Part.Except, first):
			continue
		}
		files = append(files, path)
		all.Files, all.Bytes = all.Files+1, all.Bytes+size
		if deep {
			if sums[first] == nil {
				sums[first] = &ledger.Sub{Path: first}
			}
			sums[first].Files, sums[first].Bytes = sums[first].Files+1, sums[first].Bytes+size
		}
	}
	if over = all.Files > q.Budget.Files || all.Bytes > q.Budget.Bytes; !over {
		return files, nil, false
	}
	for _, s := range sums {
		subs = append(subs, *s)
	}
	slices.SortFunc(subs, func(a, b ledger.Sub) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path)) })
	return files, subs[:min(len(subs), limit)], true
}

// ask puts a query and its parts until nothing is left to split; change is called between two questions.
func (d disk) ask(t *rapid.T, q ledger.Query, limit int, change func()) (planned []ledger.Query, hashed []string, verdicts map[string][]ledger.Verdict) {
	planned, verdicts = []ledger.Query{q}, map[string][]ledger.Verdict{}
	for i := 0; i < len(planned); i++ {
		if i > 0 {
			change()
		}
		q := planned[i]
		files, subs, over := d.walk(q, limit)
		if !over {
			hashed = append(hashed, files...)
			verdicts[q.ID] = []ledger.Verdict{{State: ledger.Absent, Proven: true}}
			continue
		}
		verdicts[q.ID] = []ledger.Verdict{{State: ledger.Partial, Reason: "over budget in " + q.ID}}
		parts, err := osquery.Split(q, subs, ledger.PartsLeft(planned, q))
		if err != nil {
			t.Fatal(err)
		}
		planned = append(planned, parts...)
	}
	return planned, hashed, verdicts
}

func drawDisk(t *rapid.T, root, sep string) disk {
	d := disk{}
	name := rapid.SampledFrom([]string{"a", "b", "c", "o'dd", "ü", ".d", "\xff"})
	for range rapid.IntRange(0, 60).Draw(t, "files") {
		path := append(rapid.SliceOfN(name, 0, 5).Draw(t, "folders"), fmt.Sprintf("file%d", rapid.IntRange(0, 9).Draw(t, "name")))
		d[strings.TrimSuffix(root, sep)+sep+strings.Join(path, sep)] = rapid.Int64Range(1, 20).Draw(t, "size")
	}
	return d
}

func overQuestion(platform, root string) ledger.Query {
	return ledger.Query{
		ID: "00-files-any-00", Stage: ledger.Files, Platform: platform, Root: root, Engine: ledger.EngineOsqueryd, MaxSize: 1000, MaxDepth: 40, Splits: true,
		Hashes: []indicator.Indicator{digest(indicator.SHA256, "a")},
	}
}

// The parts walk the whole tree of the first question and nothing twice; what is proven by them was hashed.
func TestPartsAreTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		platform, root := "linux", rapid.SampledFrom([]string{"/home", "/", "/ö/x"}).Draw(t, "root")
		sep := "/"
		if rapid.Bool().Draw(t, "windows") {
			platform, root, sep = "windows", rapid.SampledFrom([]string{`C:\Users`, `C:\`}).Draw(t, "drive"), `\`
		}
		d := drawDisk(t, root, sep)
		q := overQuestion(platform, root)
		q.MaxDepth = rapid.IntRange(2, 8).Draw(t, "depth")
		q.Budget = ledger.Budget{Files: rapid.Int64Range(1, 30).Draw(t, "most files"), Bytes: rapid.Int64Range(5, 300).Draw(t, "most bytes")}
		planned, hashed, verdicts := d.ask(t, q, rapid.IntRange(1, 10).Draw(t, "listed"), func() {})
		replaced := ledger.Replaced(planned)
		var seen []string
		proven := true
		for _, p := range planned {
			if replaced[p.ID] {
				continue
			}
			files, _, over := d.walk(p, 0)
			seen, proven = append(seen, files...), proven && !over
		}
		whole, _, _ := d.walk(q, 0)
		slices.Sort(whole)
		slices.Sort(seen)
		if diff := gocmp.Diff(whole, seen); diff != "" {
			t.Fatalf("what is walked, and each file once (-want +got):\n%s", diff)
		}
		cov := ledger.Cover(planned, verdicts, "")
		if cov.Proven != proven || (cov.State == ledger.Absent) != proven || (proven && len(hashed) != len(whole)) {
			t.Fatalf("proven %v, %d of %d files hashed, coverage %+v", proven, len(hashed), len(whole), cov)
		}
		if len(planned)-1 > ledger.MaxParts {
			t.Fatalf("%d parts", len(planned)-1)
		}
	})
}

// What was there all the time is walked, whatever comes and goes beside it while the parts are asked.
func TestPartsOfATreeThatChanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, passing := drawDisk(t, "/home", "/"), drawDisk(t, "/home", "/")
		stays := disk{}
		for path, size := range d {
			stays[path] = size
		}
		paths := slices.Sorted(func(yield func(string) bool) {
			for p := range passing {
				if _, both := stays[p]; !both && !yield(p) {
					return
				}
			}
		})
		q := overQuestion("linux", "/home")
		q.Budget = ledger.Budget{Files: rapid.Int64Range(2, 20).Draw(t, "most files"), Bytes: 1000}
		planned, hashed, verdicts := d.ask(t, q, 5, func() {
			for _, p := range paths {
				if rapid.Bool().Draw(t, "there") {
					d[p] = passing[p]
				} else {
					delete(d, p)
				}
			}
		})
		if !ledger.Cover(planned, verdicts, "").Proven {
			return
		}
		for path := range stays {
			if !slices.Contains(hashed, path) {
				t.Fatalf("%s was there all the time, is proven and was not hashed; asked: %+v", path, planned)
			}
		}
	})
}

// A tree with one folder that can not be split is partial, and the sentence names the folder.
func TestSplitIsBounded(t *testing.T) {
	t.Parallel()
	q := overQuestion("windows", `C:\Users`)
	q.Budget = ledger.Budget{Files: 2}
	many := make([]ledger.Sub, 400)
	for i := range many {
		many[i] = ledger.Sub{Path: fmt.Sprintf(`C:\Users\%03d`, i), Files: 2, Bytes: 9}
	}
	parts, err := osquery.Split(q, many, 100)
	if err != nil || len(parts) != 100 || len(parts[99].Part.Except) != 99 || parts[99].ID != "00-files-any-00.100" {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	deep := q
	deep.Part = ledger.Part{Of: "x", Level: ledger.MaxLevel}
	plain := q
	plain.Splits = false
	only := q
	only.Part = ledger.Part{Of: "x", Level: 1, Only: []string{`C:\Users\a`, `C:\Users\b`, `C:\Users\c`}}
	three := []ledger.Sub{{Path: `C:\Users\a`, Files: 2}, {Path: `C:\Users\c`, Files: 2}}
	for name, c := range map[string]struct {
		q    ledger.Query
		subs []ledger.Sub
		room int
		want int
	}{
		"too deep": {deep, many, 100, 0}, "no sums": {plain, many, 100, 0}, "no folder": {q, nil, 100, 0}, "no room": {q, many, 1, 0},
		"a group needs room for all": {only, three, 1, 0}, "a group": {only, three, 2, 2}, "a group that is not over": {only, nil, 9, 0},
		"a name that no text can say": {q, []ledger.Sub{{Path: "C:\\Users\\\xff", Files: 9}}, 100, 0},
	} {
		parts, err := osquery.Split(c.q, c.subs, c.room)
		if err != nil || len(parts) != c.want {
			t.Errorf("%s: %d parts, %v", name, len(parts), err)
		}
	}
}

// TestPartsGolden holds the words of each sort of part.
func TestPartsGolden(t *testing.T) {
	t.Parallel()
	for platform, root := range map[string]string{"linux": "/home", "windows": `C:\Users`} {
		sep := map[string]string{"linux": "/", "windows": `\`}[platform]
		q := overQuestion(platform, root)
		q.MustExist, q.Budget = true, ledger.Budget{Files: 10, Bytes: 1000}
		parts, err := osquery.Split(q, []ledger.Sub{{Path: root + sep + "a", Files: 4, Bytes: 1}, {Path: root + sep + "o'b", Files: 5, Bytes: 1}, {Path: root + sep + "big", Files: 50, Bytes: 9}}, 100)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, platform+"-parts", page(parts))
	}
}

func TestPartsStayInTheirLiterals(t *testing.T) {
	t.Parallel()
	q := overQuestion("linux", "/home")
	q.Budget = ledger.Budget{Files: 10}
	words := func(name string) []ledger.Query {
		parts, err := osquery.Split(q, []ledger.Sub{{Path: "/home/" + name, Files: 4}, {Path: "/home/zz", Files: 400}}, 100)
		if err != nil || len(parts) != 3 {
			t.Fatalf("%q: %d parts, %v", name, len(parts), err)
		}
		return parts
	}
	plain := words("x")
	rapid.Check(t, func(t *rapid.T) {
		name := "n" + strings.ReplaceAll(strings.ToValidUTF8(hostile(t), ""), "/", "")
		for i, part := range words(name) {
			want, _ := skeleton(plain[i].Text)
			got, literals := skeleton(part.Text)
			if want != got || slices.Contains(literals, "/home/"+name) == (i == 1) {
				t.Fatalf("folder %q changes the words:\n%s", name, part.Text)
			}
		}
	})
}
