package campaign_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/pivot/own"
)

// What a hunt found teaches the next one the file's size, so that files of any other size are not read.
func TestHitsTeach(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 1)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	for i, want := range []string{"files-any", "files-sized"} {
		c := newCampaign(store, newSpy(t))
		c.Own = own.New(store, embedded.MachineID())
		out, err := c.Run(t.Context(), specFor(roots, digest))
		if err != nil || out.ExitCode != campaign.ExitHits {
			t.Fatalf("run %d: %+v, %v", i+1, out, err)
		}
		queries, err := store.Queries(t.Context(), out.Run)
		if err != nil {
			t.Fatal(err)
		}
		if len(queries) != 1 || !strings.Contains(queries[0].Query.ID, want) {
			t.Errorf("run %d asks %+v instead of %s", i+1, queries, want)
		}
		files, err := store.Files(t.Context(), out.Run)
		if err != nil {
			t.Fatal(err)
		}
		if learned := len(files) == 1 && files[0].Size > 0 && files[0].MD5 != ""; learned != (i == 1) {
			t.Errorf("run %d knows %+v", i+1, files)
		}
	}
}
