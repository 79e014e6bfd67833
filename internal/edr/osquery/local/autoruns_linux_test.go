package local_test

import (
	"crypto/md5"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// elsewhere is this machine with other folders of what starts by itself.
type elsewhere struct {
	embedded.FS
	dir string
}

func (e elsewhere) at(path string) string {
	for _, moved := range []string{"/etc/cron.d", "/etc/crontab", "/etc/xdg/autostart", "/etc/systemd/system"} {
		if strings.HasPrefix(path, moved) {
			return filepath.Join(e.dir, path)
		}
	}
	return path
}

func (e elsewhere) Lstat(path string) (embedded.Stat, error)  { return e.FS.Lstat(e.at(path)) }
func (e elsewhere) Stat(path string) (embedded.Stat, error)   { return e.FS.Stat(e.at(path)) }
func (e elsewhere) Readlink(path string) (string, error)      { return e.FS.Readlink(e.at(path)) }
func (e elsewhere) OpenDir(path string) (embedded.Dir, error) { return e.FS.OpenDir(e.at(path)) }
func (e elsewhere) Open(path string) (embedded.File, error)   { return e.FS.Open(e.at(path)) }

// What cron, a desktop entry and an enabled service start is hit, with its owner and by what it is started; a unit that
// is not enabled starts nothing.
func TestAutorunsAreHit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := func(name string) (path string, f indicator.File) {
		path = filepath.Join(dir, "bin", name)
		write(t, path, "program "+name)
		sum := md5.Sum([]byte("program " + name))
		return path, indicator.File{MD5: hex.EncodeToString(sum[:])}
	}
	cron, f1 := program("cron")
	desktop, f2 := program("desktop")
	service, f3 := program("service")
	off, f4 := program("off")
	write(t, filepath.Join(dir, "etc/cron.d/job"), "# m h dom mon dow user command\n17 3 * * * root "+cron+" --quiet >/dev/null\n")
	write(t, filepath.Join(dir, "etc/xdg/autostart/x.desktop"), "[Desktop Entry]\nExec="+desktop+" %U\n")
	write(t, filepath.Join(dir, "etc/systemd/system/multi-user.target.wants/s.service"), "[Service]\nExecStart=-"+service+" run\n")
	write(t, filepath.Join(dir, "etc/systemd/system/off.service"), "[Service]\nExecStart="+off+"\n")

	search := edr.DefaultSearch()
	search.Where = []ledger.Stage{ledger.Autoruns}
	cov, hits, _ := hunt(t, local.Options{FS: elsewhere{embedded.RealFS(), dir}}, search, f1, f2, f3, f4)
	got := map[string]string{}
	for _, h := range hits {
		got[h.Path] = h.Name
		if h.FoundIn != ledger.Autoruns || (os.Geteuid() == 0 && h.Owner != "root") || h.SHA256 == "" || h.Size <= 0 || h.MTime.IsZero() || h.PID != 0 {
			t.Errorf("%+v", h)
		}
	}
	want := map[string]string{cron: "cron:/etc/cron.d/job", desktop: "startup:x.desktop", service: "startup:s.service"}
	if diff := cmp.Diff(want, got); diff != "" || cov.State != ledger.Hit || cov.Proven {
		t.Errorf("coverage %+v\n%s", cov, diff)
	}
}
