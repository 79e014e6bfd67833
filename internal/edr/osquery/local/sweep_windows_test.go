package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
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
