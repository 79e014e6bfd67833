package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFileName(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"15-00008884": "15-00008884.pdf", "Intel-1021023": "Intel-1021023.pdf", "13-27820": "13-27820.pdf",
		"../../etc/passwd": "report__.._etc_passwd_", "..": "report__", ".hidden": "report_hidden_", "-rf": "report_rf_", "con": "report_con_", "COM1.x": "report_COM1.x_",
		"a b": "report_a_b_", "a\x00b": "report_a_b_", "ä": "report___", `C:\x`: "report_C__x_", "": "report__",
	} {
		got := fileName(id, "pdf")
		if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ".pdf") {
			t.Errorf("%q: %s, not %s", id, got, want)
		}
	}
}

// No id leaves the folder, and no two ids have one name.
func TestFileNamesAreSafe(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		x, y := fileName(a, "pdf"), fileName(b, "pdf")
		if !filepath.IsLocal(x) || x != filepath.Base(x) || strings.ContainsAny(x, `/\:`) || strings.HasPrefix(x, ".") || len(x) > 130 {
			t.Errorf("%q gives %q", a, x)
		}
		if a != b && x == y {
			t.Errorf("%q and %q are both %q", a, b, x)
		}
	})
}

func TestWriteNew(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(path, "link.pdf")); err != nil {
		t.Skip("no symbolic links here")
	}
	if err := os.Symlink(filepath.Join(path, "nowhere"), filepath.Join(path, "dangling.pdf")); err != nil {
		t.Fatal(err)
	}
	dir, err := openDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for _, step := range []struct {
		name, body, state string
		force, fails      bool
	}{
		{"a.pdf", "1", "wrote", false, false},
		{"a.pdf", "1", "unchanged", false, false},
		{"a.pdf", "2", "", false, true},
		{"a.pdf", "2", "replaced", true, false},
		{"link.pdf", "3", "", false, true},
		{"link.pdf", "3", "", true, true},
		{"dangling.pdf", "4", "", false, true},
		{"../b.pdf", "5", "", false, true},
	} {
		state, err := writeNew(dir, step.name, []byte(step.body), step.force)
		if (err != nil) != step.fails || (err == nil && state != step.state) {
			t.Errorf("%+v: %s, %v", step, state, err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(path, "a.pdf")); err != nil || string(got) != "2" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "kept" {
		t.Errorf("%q, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(path, "a.pdf"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(path)
	if err != nil || len(left) != 3 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestReportIDs(t *testing.T) {
	t.Parallel()
	got, err := reportIDs([]string{"1", "-", "report:threatscape:3", "1"}, strings.NewReader("2\r\n\n# note\nthreatscape:3\n"))
	if want := []string{"1", "2", "threatscape:3"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	for _, in := range []string{"", "#\n", strings.Repeat("x", 5000)} {
		if got, err := reportIDs([]string{"-"}, strings.NewReader(in)); err == nil {
			t.Errorf("%.20q gives %q", in, got)
		}
	}
}
