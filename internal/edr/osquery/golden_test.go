package osquery_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write golden files")
	os.Exit(m.Run())
}

// digest is a digest made of one character.
func digest(kind indicator.Kind, c string) indicator.Indicator {
	return indicator.Indicator{Kind: kind, Value: strings.Repeat(c, kind.HexLen())}
}

// target asks for a file by one digest; size 0 is not known.
func target(kind indicator.Kind, c string, size int64) edr.Target {
	ask := digest(kind, c)
	f := indicator.File{Size: size}
	f.SetDigest(kind, ask.Value)
	return edr.Target{Ask: ask, File: f}
}

// search looks in one folder and at what runs, so that a golden file stays short.
func search(platform, root string, where ...ledger.Stage) edr.Search {
	s := edr.DefaultSearch()
	s.Where = where
	if root != "" {
		s.Paths = map[string][]string{platform: {root}}
	}
	return s
}

func blind(q ledger.Query) string {
	if q.Blind {
		return " blind"
	}
	return ""
}

// page writes the questions as a golden file has them.
func page(queries []ledger.Query) string {
	var b strings.Builder
	for _, q := range queries {
		fmt.Fprintf(&b, "-- %s stage=%s root=%q sizes=%v max_size=%d max_depth=%d budget=%+v engine=%s must_exist=%t narrowed=%d%s\n", q.ID, q.Stage, q.Root, q.Sizes,
			q.MaxSize, q.MaxDepth, q.Budget, q.Engine, q.MustExist, q.Narrowed, blind(q))
		fmt.Fprintf(&b, "-- hashes=%v siblings=%v self=%q\n%s;\n\n", q.Hashes, q.Siblings, q.SelfPath, q.Text)
	}
	return b.String()
}

// TestCompileGolden holds the exact words: an agent keeps a list of texts that it refuses, so a text may not change
// without somebody having looked at it.
func TestCompileGolden(t *testing.T) {
	t.Parallel()
	all := []ledger.Stage{ledger.Running, ledger.Autoruns, ledger.Files}
	full := search("linux", "/srv", ledger.Files)
	full.Unsized = edr.UnsizedFull
	skip := search("linux", "/srv", ledger.Files)
	skip.Unsized = edr.UnsizedSkip
	both := []edr.Target{target(indicator.SHA256, "a", 1000), target(indicator.SHA256, "b", 0)}
	for name, c := range map[string]struct {
		flavor   osquery.Flavor
		platform string
		search   edr.Search
		targets  []edr.Target
		blind    string
	}{
		"linux-sized":      {osquery.Embedded("/bin/hunter"), "linux", search("linux", "/home/eve", all...), both[:1], ""},
		"linux-unsized":    {osquery.Embedded("/bin/hunter"), "linux", search("linux", "/home/eve", ledger.Files), both[1:], ""},
		"linux-both":       {osquery.Embedded(""), "linux", full, both, ""},
		"linux-skip":       {osquery.Embedded(""), "linux", skip, both, ""},
		"linux-md5":        {osquery.Embedded(""), "linux", search("linux", "/home/eve", all...), []edr.Target{target(indicator.MD5, "c", 7)}, ""},
		"linux-kinds":      {osquery.Embedded(""), "linux", search("linux", "/o'dd", ledger.Files), []edr.Target{target(indicator.SHA1, "d", 7), target(indicator.SHA256, "b", 9), target(indicator.MD5, "c", 7)}, ""},
		"linux-osqueryd":   {osquery.Osqueryd(), "linux", search("linux", "/home/eve", all...), both, ""},
		"windows-osqueryd": {osquery.Osqueryd(), "windows", search("windows", `C:\Users`, all...), both, ""},
		"windows-md5":      {osquery.Osqueryd(), "windows", search("windows", `C:\Users`, ledger.Files), []edr.Target{target(indicator.MD5, "c", 7)}, ""},
		"windows-embedded": {osquery.Embedded(`C:\hunter.exe`), "windows", search("windows", `C:\Users`, all...), both, ""},
		"windows-drives":   {osquery.Embedded(""), "windows", search("windows", "", ledger.Files), both[:1], ""},
		"darwin-embedded":  {osquery.Embedded("/usr/local/bin/hunter"), "darwin", search("darwin", "/Users", all...), both[:1], ""},
		"darwin-osqueryd":  {osquery.Osqueryd(), "darwin", search("darwin", "/Users", all...), both, ""},
		"linux-blind":      {osquery.Osqueryd(), "linux", search("linux", "/home/eve", all...), both, "not approved"},
		"darwin-blind":     {osquery.Osqueryd(), "darwin", search("darwin", "/Users", all...), both, "not approved"},
		"windows-blind":    {osquery.Embedded(""), "windows", search("windows", `C:\Users`, all...), both, "not approved"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			queries, err := osquery.Compile(c.flavor, edr.Endpoint{ID: "e", Platform: c.platform, Blind: c.blind}, edr.Work{Targets: c.targets, Search: c.search, Chunk: 1, Chunks: 2})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, page(queries))
		})
	}
}

// golden compares a text with a committed file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".sql")
	if updating() {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what is asked; run the test with -update and look at the difference (-want +got):\n%s", path, diff)
	}
}

// TestCompileDefaultPlaces checks what is walked when nobody names a folder.
func TestCompileDefaultPlaces(t *testing.T) {
	t.Parallel()
	ids := func(platform string, targets ...edr.Target) string {
		t.Helper()
		queries, err := osquery.Compile(osquery.Embedded(""), edr.Endpoint{Platform: platform}, edr.Work{Targets: targets, Search: search("", "", ledger.Files)})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, q := range queries {
			if q.MustExist {
				t.Errorf("%s must exist, and nobody named it", q.Root)
			}
			out = append(out, strings.TrimPrefix(q.ID, "00-files-")+"="+q.Root)
		}
		return strings.Join(out, " ")
	}
	want := "any-00=/home any-01=/root any-02=/tmp any-03=/var/tmp any-04=/dev/shm any-05=/opt any-06=/srv any-07=/usr/local any-08=/var/www any-09=/var/spool/cron"
	if diff := cmp.Diff(want, ids("linux", target(indicator.MD5, "a", 0))); diff != "" {
		t.Errorf("unsized on Linux (-want +got):\n%s", diff)
	}
	want = "sized-00=/home sized-01=/root sized-02=/tmp sized-03=/var/tmp sized-04=/dev/shm sized-05=/opt sized-06=/srv sized-07=/var/www sized-08=/var/spool/cron sized-09=/usr"
	if diff := cmp.Diff(want, ids("linux", target(indicator.MD5, "a", 5))); diff != "" {
		t.Errorf("sized on Linux (-want +got):\n%s", diff)
	}
	if got := ids("windows", target(indicator.MD5, "a", 5)); !strings.HasSuffix(got, " sized-drives="+osquery.DriveRoots) {
		t.Errorf("on Windows the roots of the drives are not looked at: %s", got)
	}
}
