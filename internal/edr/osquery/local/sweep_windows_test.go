package local_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/host"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/ledger"
)

// folder makes a folder for a test. What wine can not remove stays.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hunter") //nolint:usetesting // wine can not remove t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// The main job on Windows: what is there is a hit by each digest, with its owner; what is not is absent, and proven.
func TestWindowsFiles(t *testing.T) {
	dir := folder(t)
	file := filepath.Join(dir, "Sub", "Évil.exe")
	write(t, file, "planted")
	write(t, filepath.Join(dir, "Sub", "page"), strings.Repeat("x", 4096)) // a size that osqueryd's words take for a folder's
	for _, size := range []int64{0, 7} {
		f := sums("planted")
		f.Size = size
		cov, hits, all := hunt(t, local.Options{}, in(dir), f)
		if cov.State != ledger.Hit || len(hits) != 1 || hits[0].Path != file || hits[0].Owner == "" || hits[0].MTime.IsZero() {
			t.Errorf("size %d: %+v %+v %+v", size, cov, hits, all)
		}
	}
	cov, _, all := hunt(t, local.Options{}, in(dir), sums("nowhere"))
	if cov.State != ledger.Absent || !cov.Proven || cov.Counts.FilesSeen != 2 || cov.Counts.FilesHashed != 2 {
		t.Errorf("%+v %+v", cov, all)
	}
	cov, _, _ = hunt(t, local.Options{}, in(filepath.Join(dir, "nope")), sums("nowhere"))
	if cov.State != ledger.Partial || !strings.Contains(cov.Reason, "no such folder") {
		t.Errorf("%+v", cov)
	}
}

// A running program is a hit with its process: number, command line, start and owner.
func TestWindowsRunning(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	s := edr.DefaultSearch()
	s.Where = []ledger.Stage{ledger.Running, ledger.Autoruns}
	s.MaxSize = 1 << 30
	cov, hits, all := hunt(t, local.Options{}, s, sums(string(data)))
	if cov.State != ledger.Hit || len(hits) == 0 {
		t.Fatalf("%+v %+v", cov, all)
	}
	h := hits[0]
	if h.PID != int64(os.Getpid()) || !strings.EqualFold(h.Path, self) || h.Cmdline == "" || h.StartedAt.IsZero() || h.Owner == "" || h.FoundIn != ledger.Running {
		t.Errorf("%+v", h)
	}
}

// cloudy is a file system on which the file cloud.docx is a placeholder, and the folder mounted another volume.
type cloudy struct {
	embedded.FS
	opened atomic.Bool
}

func (c *cloudy) Lstat(path string) (embedded.Stat, error) {
	st, err := c.FS.Lstat(path)
	switch filepath.Base(path) {
	case "cloud.docx":
		st.Attributes |= host.AttrReparse | host.AttrRecallAccess
	case "mounted":
		st.Mode, st.Attributes = fs.ModeSymlink, st.Attributes|host.AttrReparse
	}
	return st, err
}

func (c *cloudy) Readlink(string) (string, error) { return `Volume{0}\`, nil }

func (c *cloudy) Open(path string) (embedded.File, error) {
	if filepath.Base(path) != "plain" && strings.Contains(path, "hunter") {
		c.opened.Store(true)
	}
	return c.FS.Open(path)
}

// What is not on this machine is neither fetched nor entered, and is told; the rest is proven.
func TestWindowsElsewhere(t *testing.T) {
	dir := folder(t)
	for _, name := range []string{"plain", "cloud.docx", `mounted\x`} {
		write(t, filepath.Join(dir, name), "text of "+name)
	}
	fsys := &cloudy{FS: embedded.RealFS()}
	cov, hits, all := hunt(t, local.Options{FS: fsys}, in(dir), sums("text of cloud.docx"), sums(`text of mounted\x`))
	if cov.State != ledger.Absent || !cov.Proven || len(hits) != 0 || cov.Counts.FilesSeen != 1 || cov.Counts.FilesHashed != 1 || fsys.opened.Load() {
		t.Errorf("%+v %v opened %t\n%+v", cov, hits, fsys.opened.Load(), all)
	}
	var left []string
	for _, v := range all {
		for _, l := range v.LeftOut {
			left = append(left, filepath.Base(l.Path)+": "+l.Reason)
		}
	}
	if slices.Sort(left); strings.Join(left, ", ") != "cloud.docx: content elsewhere, mounted: content elsewhere" {
		t.Errorf("left out: %v", left)
	}
}
