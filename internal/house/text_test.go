package house_test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// banned is a text that must not be in the project, and why. The patterns are put together from parts, so that they do
// not find themselves.
type banned struct {
	re  *regexp.Regexp
	why string
}

func bans() []banned {
	words := func(parts ...string) string { return `\b(` + strings.Join(parts, "|") + `)\b` }
	return []banned{
		{regexp.MustCompile(words("TO"+"DO", "FIX"+"ME", "XX"+"X")), "unfinished: finish it, or open an issue"},
		{regexp.MustCompile(`(?i)not (yet )?impl` + `emented|unimpl` + `emented`), "unfinished: finish it, or refuse with a sentence that helps"},
		{regexp.MustCompile(`(?m)^//go:build [^\n]*unfin` + `ished`), "code that is built by nobody"},
		{regexp.MustCompile(`(?m)^(<{7}|>{7}) `), "a merge that was not ended"},
		{regexp.MustCompile(`(?m)(^|[^\w.])/(wo` + `rk|fa` + `rm)/`), "a path of somebody's machine"},
		{regexp.MustCompile(`GOPR` + `OXY=[^$\n]*http|registry=` + `http`), "a registry of somebody's network"},
	}
}

// texts are the endings of files that people write.
func texts() []string {
	return []string{".go", ".md", ".yaml", ".yml", ".sql", ".sh", ".thrift", ".txtar", ".mod", ""}
}

// unwanted gives the lines of a file with a banned text.
func unwanted(name, text string) []string {
	var out []string
	for _, b := range bans() {
		for _, at := range b.re.FindAllStringIndex(text, -1) {
			line := strings.Count(text[:at[1]], "\n") + 1
			out = append(out, fmt.Sprintf("%s:%d: %s", name, line, b.why))
		}
	}
	return out
}

func TestNoUnwantedText(t *testing.T) {
	t.Parallel()
	read := 0
	walk(t, top, func(p string, text []byte) {
		if !slices.Contains(texts(), path.Ext(p)) || strings.HasPrefix(p, "examples/intel/") {
			return
		}
		read++
		for _, fault := range unwanted(p, string(text)) {
			t.Error(fault)
		}
	})
	if read < 20 {
		t.Fatalf("only %d files were read: the test looks in the wrong place", read)
	}
}

func TestUnwanted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"// TO" + "DO: later\n":                  1,
		"x\nreturn \"not yet impl" + "emented\"": 1,
		"//go:build unfin" + "ished\n":           1,
		"<<<<<<" + "< HEAD\n":                    1,
		"see /wo" + "rk/x":                       1,
		"the unfinished work/x, network/x/y":     0,
		"https://host/work":                      0,
		"a todo list":                            0,
	} {
		if got := unwanted("f", text); len(got) != want {
			t.Errorf("%q: %d faults instead of %d: %q", text, len(got), want, got)
		}
	}
}
