package app_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// A second app over the same database reads no file that has not changed, unless told so; the control is read each time.
func TestDigestsAreRememberedOverRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || uint32(st.Type) != unix.EXT4_SUPER_MAGIC && uint32(st.Type) != unix.XFS_SUPER_MAGIC { //nolint:gosec // 32 bits
		t.Skip("the folder of the tests is on a file system of which no digests are remembered")
	}
	for _, name := range []string{"a", "b", "c"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("text of "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	db := filepath.Join(t.TempDir(), "h.db")
	look := func(noCache bool) ledger.Verdict {
		a, err := app.New(t.Context(), app.Options{DB: db, NoCache: noCache, Now: func() time.Time { return time.Now().Add(time.Hour) }})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		search := edr.Search{Where: []ledger.Stage{ledger.Files}, Paths: map[string][]string{"": {dir}}}
		plan, err := edr.MakePlan(t.Context(), invented(1, unsized, indicator.SHA256), a.Campaign.Tools, edr.Selection{}, search)
		if err != nil {
			t.Fatal(err)
		}
		ep := plan.Tools[0].Endpoints[0]
		if ep.Queries[0].Engine != ledger.EngineEmbedded {
			t.Skip("an osqueryd answers on this machine")
		}
		answer, err := a.Campaign.Tools[0].Ask(t.Context(), ep.Endpoint, ep.Queries[0])
		if err != nil {
			t.Fatal(err)
		}
		v := ledger.Judge(ep.Queries[0], answer)
		if v.State != ledger.Absent || v.Counts.FilesHashed != 3 {
			t.Errorf("%+v", v)
		}
		return v
	}
	for i, c := range []struct {
		noCache bool
		want    int64
	}{{false, 0}, {false, 3}, {true, 0}, {false, 3}} {
		if v := look(c.noCache); v.Remembered != c.want {
			t.Errorf("run %d: %d digests remembered instead of %d", i, v.Remembered, c.want)
		}
	}
}
