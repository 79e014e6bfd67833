package files_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/pivot/files"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	s, _ := newIntel(t)
	dir := t.TempDir()
	p := files.NewProvider("feeds", s, files.ProviderOptions{Paths: []string{dir}})
	if got := p.Check(t.Context()); len(got) != 2 || got[0].State != diag.CheckFail || got[1].State != diag.CheckUnknown || !strings.Contains(got[1].Next, "paths") {
		t.Errorf("empty: %+v", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "event.json"), []byte(mispEvent), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := p.Check(t.Context()); !diag.AllOK(got) || !strings.Contains(got[0].Detail, "reports: 1, sources: 1") {
		t.Errorf("sound: %+v", got)
	}
	for _, name := range []string{"a.json", "b.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := p.Check(t.Context())
	if len(got) != 3 || got[0].State != diag.CheckFail || !strings.Contains(got[0].Detail, "a.json") || got[2].State != diag.CheckOK {
		t.Errorf("damaged: %+v", got)
	}
	if got := files.NewProvider("all", s, files.ProviderOptions{}).Check(t.Context()); !diag.AllOK(got) {
		t.Errorf("everything imported: %+v", got)
	}
	other, _ := newIntel(t)
	if got := files.NewProvider("none", other, files.ProviderOptions{}).Check(t.Context()); len(got) != 1 || got[0].Next != "hunter intel import PATH" {
		t.Errorf("nothing imported: %+v", got)
	}
	if got := files.NewProvider("gone", s, files.ProviderOptions{Paths: []string{filepath.Join(dir, "gone")}}).Check(t.Context()); len(got) != 2 || got[0].State != diag.CheckFail {
		t.Errorf("no such path: %+v", got)
	}
}
