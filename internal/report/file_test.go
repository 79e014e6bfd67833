package report_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/report"
)

func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, relErr := filepath.Rel(dir, p)
			out, err = append(out, filepath.ToSlash(rel)), relErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWriteFile(t *testing.T) {
	t.Parallel()
	v := view()
	for name, c := range map[string]struct {
		template, hunt string
		want           string // "" is refused
	}{
		"usual":           {"reports/{hunt}-{run}.html", "siem", "reports/siem-" + run + ".html"},
		"date":            {"{date}.html", "siem", "2026-11-20.html"},
		"dots":            {"./a/../b.html", "siem", "b.html"},
		"hostile name":    {"reports/{hunt}.html", "../../../etc/passwd", "reports/_.._.._etc_passwd.html"},
		"absolute name":   {"{hunt}", "/etc/passwd", "_etc_passwd"},
		"name of dots":    {"{hunt}", "..", "_"},
		"NUL and newline": {"{hunt}", "a\x00b\nc", "a_b_c"},
		"empty name":      {"{hunt}", "", "_"},
		"long name":       {"{hunt}", strings.Repeat("a", 5000), strings.Repeat("a", 100)},
		"name in a name":  {"{hunt}", "{run}", "_run_"},
		"above":           {"../out.html", "siem", ""},
		"absolute":        {"/tmp/out.html", "siem", ""},
		"a folder":        {"reports/", "siem", ""},
		"nothing":         {".", "siem", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			v := v
			v.Run.Hunt = c.hunt
			got, err := report.WriteFile(dir, c.template, v, report.Say)
			if c.want == "" {
				if err == nil || !strings.Contains(err.Error(), "does not stay in the folder") {
					t.Errorf("%s was written, or refused for another reason: %v", got, err)
				}
				return
			}
			if err != nil || got != filepath.Join(dir, filepath.FromSlash(c.want)) {
				t.Fatalf("%s, %v", got, err)
			}
			if diff := cmp.Diff([]string{c.want}, filesBelow(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Neither a link that lies in the way nor one in the place of the file leads out.
func TestWriteFileFollowsNoLink(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	victim := filepath.Join(outside, "victim")
	for name, target := range map[string]string{"reports": outside, "here.html": victim, "there.html.part": victim} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	if got, err := report.WriteFile(dir, "reports/x.html", view(), report.Say); err == nil {
		t.Errorf("%s was written", got)
	}
	for _, name := range []string{"here.html", "there.html"} {
		if _, err := report.WriteFile(dir, name, view(), report.Say); err != nil {
			t.Error(err)
		}
	}
	if found := filesBelow(t, outside); len(found) > 0 {
		t.Errorf("written outside: %q", found)
	}
}

// A report that fails half-way leaves the old one, and no part.
func TestWriteFileIsWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := report.WriteFile(dir, "x.txt", view(), report.Say); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, "x.txt"))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	_, err = report.WriteFile(dir, "x.txt", view(), func(w io.Writer, _ report.View) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, broken)
	})
	got, readErr := os.ReadFile(filepath.Join(dir, "x.txt"))
	if !errors.Is(err, broken) || readErr != nil || string(got) != string(want) || len(filesBelow(t, dir)) != 1 {
		t.Errorf("%v, %v, %d bytes, %q", err, readErr, len(got), filesBelow(t, dir))
	}
}
