package house_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// levels lists the rooms, the highest first. A package imports from lower levels and from its own room alone.
// .golangci.yml says the same to depguard, and ARCHITECTURE.md to people.
func levels() [][]string {
	return [][]string{
		{"cmd/hunter", "bench/fleet"},
		{"internal/app"},
		{"internal/web"},
		{"internal/campaign", "internal/report", "internal/queue", "internal/notify", "internal/auth"},
		{"hunts", "internal/pivot", "internal/edr", "internal/results"},
		{"internal/ledger", "internal/alert", "internal/httpx"},
		{"internal/indicator", "internal/diag", "internal/secret"},
	}
}

// homes says which rooms may import a library that others must not depend on.
func homes() map[string][]string {
	return map[string][]string{
		"github.com/mattn/go-sqlite3":           {"internal/results", "internal/edr/osquery/embedded"},
		"github.com/pressly/goose/v3":           {"internal/results"},
		"github.com/riverqueue/river":           {"internal/queue"},
		"gopkg.in/yaml.v3":                      {"hunts"},
		"github.com/robfig/cron/v3":             {"hunts"},
		"github.com/spf13/cobra":                {"cmd/hunter"},
		"golang.org/x/term":                     {"cmd/hunter"},
		"github.com/osquery/osquery-go":         {"internal/edr/osquery"},
		"howett.net/plist":                      {"internal/edr/osquery/host"},
		"github.com/apache/thrift":              {},
		"github.com/stretchr/testify":           {},
		"github.com/pkg/errors":                 {},
		"github.com/santhosh-tekuri/jsonschema": {},
	}
}

// within reports whether dir is the folder parent or below it.
func within(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }

// level gives the room of a package and its place in levels; -1 when it has none.
func level(dir string) (room string, at int) {
	for i, rooms := range levels() {
		for _, r := range rooms {
			if within(dir, r) {
				return r, i
			}
		}
	}
	return "", -1
}

// plugin names the provider or tool that a package belongs to, such as internal/edr/osquery; "" for none.
func plugin(dir string) string {
	for _, room := range []string{"internal/pivot", "internal/edr"} {
		rest, ok := strings.CutPrefix(dir, room+"/")
		if ok && !suite(dir) {
			name, _, _ := strings.Cut(rest, "/")
			return room + "/" + name
		}
	}
	return ""
}

// suite reports whether a package holds tests for others, such as pivottest.
func suite(dir string) bool { return strings.HasSuffix(dir, "test") }

// wrong says what is wrong with an import of ours, or "". test is for code that only tests run.
func wrong(from, to string, test bool) string {
	fromRoom, a := level(from)
	toRoom, b := level(to)
	switch {
	case within(from, "internal/house"):
		return "the house's tests import nothing of the project"
	case a < 0 || b < 0:
		return "a room that is not in the list of levels"
	case suite(to) && !test:
		return "a test suite in code that is not test code"
	case fromRoom == toRoom:
		if p := plugin(to); p != "" && p != plugin(from) && !test {
			return "providers and tools import neither each other nor are they known to their room"
		}
		return ""
	case plugin(to) != "" && !test && a > 1:
		return "only app and cmd know concrete providers and tools"
	case b > a, b == a && test:
		return ""
	}
	return "imports go down only"
}

// stray says whether a library is imported outside of its home.
func stray(from, lib string) string {
	for name, rooms := range homes() {
		if within(lib, name) && !slices.ContainsFunc(rooms, func(r string) bool { return within(from, r) }) {
			if len(rooms) == 0 {
				return name + " is not for the project's code"
			}
			return name + " has its home in " + strings.Join(rooms, ", ")
		}
	}
	return ""
}

func TestLayers(t *testing.T) {
	t.Parallel()
	for _, f := range tree(t) {
		if _, at := level(f.dir); at < 0 && f.dir != "internal/house" && !strings.HasPrefix(f.dir, "tools/") {
			t.Errorf("%s: a package outside of the list of levels; ARCHITECTURE.md says where things live", f.path)
			continue
		}
		for _, i := range f.ast.Imports {
			lib, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			why := ""
			if dir, ours := strings.CutPrefix(lib, module+"/"); ours {
				why = wrong(f.dir, dir, f.test())
			} else if !f.test() {
				why = stray(f.dir, lib)
			}
			if why != "" {
				t.Errorf("%s: imports %s: %s", f.at(i.Pos()), lib, why)
			}
		}
	}
}

func TestWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		test, ok bool
	}{
		{"cmd/hunter", "internal/app", false, true},
		{"cmd/hunter", "internal/pivot/files", false, true},
		{"internal/app", "internal/edr/osquery/local", false, true},
		{"internal/app", "cmd/hunter", false, false},
		{"internal/campaign", "internal/results", false, true},
		{"internal/campaign", "internal/report", false, false},
		{"internal/campaign", "internal/report", true, true},
		{"internal/campaign", "internal/edr/osquery", false, false},
		{"internal/results", "internal/pivot", false, false},
		{"internal/pivot/files", "internal/pivot", false, true},
		{"internal/pivot/files", "internal/results", false, false},
		{"internal/pivot/files", "internal/results", true, true},
		{"internal/pivot/files", "internal/campaign", true, false},
		{"internal/pivot", "internal/pivot/files", false, false},
		{"internal/pivot/misp", "internal/pivot/files", false, false},
		{"internal/edr/osquery/local", "internal/edr/osquery/embedded", false, true},
		{"internal/edr/carbonblack", "internal/edr/osquery", false, false},
		{"internal/pivot/files", "internal/pivot/pivottest", true, true},
		{"internal/pivot/files", "internal/pivot/pivottest", false, false},
		{"internal/pivot/pivottest", "internal/pivot", true, true},
		{"internal/ledger", "internal/indicator", false, true},
		{"internal/ledger", "internal/alert", false, false},
		{"internal/indicator", "internal/diag", false, false},
		{"internal/elsewhere", "internal/diag", false, false},
		{"internal/reports", "internal/results", false, false},
		{"internal/house", "internal/diag", true, false},
	} {
		if why := wrong(c.from, c.to, c.test); (why == "") != c.ok {
			t.Errorf("%s imports %s (test %v): %q", c.from, c.to, c.test, why)
		}
	}
}

func TestStray(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, lib string
		ok        bool
	}{
		{"internal/results", "github.com/mattn/go-sqlite3", true},
		{"internal/report", "github.com/mattn/go-sqlite3", false},
		{"internal/edr/osquery/socket", "github.com/osquery/osquery-go/gen/osquery", true},
		{"internal/app", "github.com/osquery/osquery-go", false},
		{"internal/app", "gopkg.in/yaml.v3", false},
		{"hunts", "gopkg.in/yaml.v3", true},
		{"hunts", "github.com/stretchr/testify/assert", false},
		{"hunts", "fmt", true},
	} {
		if why := stray(c.from, c.lib); (why == "") != c.ok {
			t.Errorf("%s imports %s: %q", c.from, c.lib, why)
		}
	}
}

// The list of levels in .golangci.yml and in ARCHITECTURE.md is this one.
func TestLevelsAreToldAlike(t *testing.T) {
	t.Parallel()
	texts := map[string]string{}
	walk(t, top, func(path string, text []byte) {
		if path == ".golangci.yml" || path == "ARCHITECTURE.md" {
			texts[path] = string(text)
		}
	})
	for _, path := range []string{".golangci.yml", "ARCHITECTURE.md"} {
		for _, rooms := range levels() {
			for _, r := range rooms {
				if !strings.Contains(texts[path], r) {
					t.Errorf("%s does not name the room %s", path, r)
				}
			}
		}
	}
}
