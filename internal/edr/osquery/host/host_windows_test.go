package host

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// here reads the machine's own files.
type here struct{ notes []string }

func (*here) Read(path string, _ int64) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return data
}

func (*here) Names(dir string) []string {
	var out []string
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if err == nil {
			out = append(out, e.Name())
		}
	}
	return out
}

func (h *here) Note(path, _ string) { h.notes = append(h.notes, filepath.Base(path)) }

func TestTasksAreFoundInAllFolders(t *testing.T) {
	dir, err := os.MkdirTemp("", "hunter") //nolint:usetesting // wine can not remove t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what wine can not remove stays
	deep := filepath.Join(dir, "Microsoft", "Évil")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(dir, "Top"):   `<Task><Actions><Exec><Command>C:\a.exe</Command></Exec></Actions></Task>`,
		filepath.Join(deep, "Low"):  `<Task><Settings><Enabled>false</Enabled></Settings></Task>`,
		filepath.Join(deep, "Junk"): `nothing`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := &here{}
	want := [][]any{
		{"Low", "", `\Microsoft\Évil\Low`, int64(0), "disabled", int64(0), int64(0), int64(0), "", ""},
		{"Top", ` C:\a.exe `, `\Top`, int64(1), "ready", int64(0), int64(0), int64(0), "", ""},
	}
	if diff := cmp.Diff(want, tasks(h, dir, "", 0)); diff != "" || !slices.Equal(h.notes, []string{"Junk"}) {
		t.Errorf("notes %v (-want +got):\n%s", h.notes, diff)
	}
}

func TestWhatStartsAtLogin(t *testing.T) {
	dir, err := os.MkdirTemp("", "hunter") //nolint:usetesting // wine can not remove t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what wine can not remove stays
	if err := os.WriteFile(filepath.Join(dir, "x.bat"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := startup{files: &here{}}
	s.folder(dir, "eve", Environment())
	want := [][]any{{"x.bat", filepath.Join(dir, "x.bat"), "", "Startup Item", dir, "enabled", "eve"}}
	if diff := cmp.Diff(want, s.rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	value := ofUser(`C:\Users\eve`)
	if got := Expand(`%APPDATA%\x %windir% %TEMP%`, value); got != `C:\Users\eve\AppData\Roaming\x `+windowsFolder()+` C:\Users\eve\AppData\Local\Temp` {
		t.Error(got)
	}
}
