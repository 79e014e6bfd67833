package ledger_test

import (
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/ledger"
)

// A root of osqueryd's in which nothing is seen is empty when the agent may read every folder and the root's link count leaves no
// room for subfolders; /srv is empty on most servers. Otherwise nobody knows.
func TestEmptyRoots(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, platform, root        string
		links, privileged, fulldisk int
		proven                      bool
	}{
		{"empty", "linux", "/srv", 2, 1, 0, true},
		{"empty, on a file system that counts no subfolders", "linux", "/srv", 1, 1, 0, true},
		{"has subfolders", "linux", "/srv", 3, 1, 0, false},
		{"on a file system that may hide them", "linux", "/srv", 0, 1, 0, false},
		{"without rights", "linux", "/srv", 2, 0, 0, false},
		{"empty", "darwin", "/opt", 2, 1, 1, true},
		{"without Full Disk Access", "darwin", "/Users", 2, 1, 0, false},
		{"opened, or it had no row", "windows", `C:\PerfLogs`, 0, 0, 0, true},
		{"no drive at all", "windows", "drive roots", 0, 0, 0, false},
	} {
		q := query(ledger.Files, ledger.EngineOsqueryd, c.platform)
		q.Root = c.root
		rows := []ledger.Row{meta(), control()}
		for _, name := range ledger.ExpectedCounts(q) {
			n, size := map[string]int{"root": 1, "privileged": c.privileged, "fulldisk": c.fulldisk}[name], 0
			if name == "root" {
				size = c.links
			}
			rows = append(rows, count(name, n, size))
		}
		v := ledger.Judge(q, ledger.Answer{Rows: rows})
		want := ledger.Partial
		if c.proven {
			want = ledger.Absent
		}
		if v.State != want || v.Proven != c.proven || strings.Contains(v.Reason, "looks empty") == c.proven {
			t.Errorf("%s (%s): %+v", c.name, c.platform, v)
		}
	}
}
