package house_test

import (
	"go/ast"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// readers says which fuzz targets hold each reader of bytes from outside. A reader without one is not ready; a new target
// gets its line here. scripts/fuzz.sh runs them all.
func readers() map[string][]string {
	return map[string][]string{
		"hunts":                         {"FuzzParse"},                                                    // YAML
		"internal/alert":                {"FuzzRead", "FuzzFormats"},                                      // alerts
		"internal/campaign":             {"FuzzReadSeeds"},                                                // lists, gzip
		"internal/diag":                 {"FuzzRender"},                                                   // what is shown of any of them
		"internal/indicator":            {"FuzzDetect"},                                                   // digests and other values
		"internal/ledger":               {"FuzzJudge"},                                                    // rows of endpoints
		"internal/pivot":                {"FuzzLoadNever"},                                                // never lists
		"internal/pivot/files":          {"FuzzImport", "FuzzPattern"},                                    // MISP, STIX, CSV, lists
		"internal/pivot/threatscape":    {"FuzzJSONRows", "FuzzXMLRows", "FuzzDocument"},                  // ThreatScape
		"internal/edr/carbonblack":      {"FuzzAnswers"},                                                  // Carbon Black EDR
		"internal/edr/osquery/agent":    {"FuzzReply", "FuzzSpool"},                                       // hunter's server, and what an agent kept
		"internal/edr/osquery/embedded": {"FuzzQuery"},                                                    // SQL
		"internal/edr/osquery/host":     {"FuzzWindowsPath", "FuzzTask", "FuzzPlist", "FuzzMachineBytes"}, // what Windows and macOS tell of themselves
		"internal/edr/osquery/remote":   {"FuzzWrite", "FuzzEnroll", "FuzzSmall"},                         // what agents send
		"internal/edr/osquery/socket":   {"FuzzWire"},                                                     // osqueryd's socket
	}
}

func TestReadersAreFuzzed(t *testing.T) {
	t.Parallel()
	have := map[string][]string{}
	for _, f := range tree(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && isTestFile(f) && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") {
				have[f.dir] = append(have[f.dir], fn.Name.Name)
			}
		}
	}
	want := readers()
	for _, dir := range slices.Sorted(maps.Keys(want)) {
		for _, name := range want[dir] {
			if !slices.Contains(have[dir], name) {
				t.Errorf("%s has no %s", dir, name)
			}
		}
	}
	for dir, names := range have {
		for _, name := range names {
			if !slices.Contains(want[dir], name) {
				t.Errorf("%s: %s is not in the list of readers", dir, name)
			}
		}
	}
	text, err := os.ReadFile(top + "/third_party/osquery-go/fuzz_test.go") // thrift
	if err != nil || !strings.Contains(string(text), "func FuzzAnswer(") || !strings.Contains(string(text), "func FuzzCall(") {
		t.Errorf("third_party/osquery-go: thrift is not fuzzed: %v", err)
	}
}

// starts reports whether code begins a goroutine: a go statement, or the method Go of a group or pool.
func starts(f goFile) bool {
	found := false
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = true
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Go" {
				found = true
			}
		}
		return !found
	})
	return found
}

// A package that starts goroutines, be it in its tests alone, looks in its tests for those that were left. A suite such as
// resultstest runs in the tests of others.
func TestGoroutinesAreWaitedFor(t *testing.T) {
	t.Parallel()
	begins, looks := map[string]string{}, map[string]bool{}
	for _, f := range tree(t) {
		if f.test() {
			for _, i := range f.ast.Imports {
				looks[f.dir] = looks[f.dir] || strings.Trim(i.Path.Value, `"`) == "go.uber.org/goleak"
			}
		}
		if starts(f) && (isTestFile(f) || !f.test()) {
			begins[f.dir] = f.path
		}
	}
	if len(begins) < 3 {
		t.Fatalf("only %v start goroutines: the test looks for the wrong thing", begins)
	}
	for dir, path := range begins {
		if !looks[dir] {
			t.Errorf("%s starts a goroutine, and no test of its package uses goleak", path)
		}
	}
}

func TestStarts(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]bool{
		"package p\nfunc f() { go f() }":              true,
		"package p\nfunc f() { g.Go(f) }":             true,
		"package p\nfunc f() { func() { go f() }() }": true,
		"package p\nfunc f() { g.Gone(f); f() }":      false,
	} {
		if got := starts(parse(t, "p/p.go", []byte(src))); got != want {
			t.Errorf("%q: %t", src, got)
		}
	}
}
