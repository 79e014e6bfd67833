package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/carbonblack/carbonblacktest"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// wired makes the tools of a hunts file.
func wired(t *testing.T, dir, tools string) ([]edr.Tool, error) {
	t.Helper()
	path := filepath.Join(dir, "hunts.yaml")
	if err := os.WriteFile(path, []byte("version: 1\ntools:\n"+tools+"hunts: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	set, list, err := hunts.Load([]string{path}, nil, app.Catalog())
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	a, err := app.New(t.Context(), app.Options{DB: filepath.Join(dir, "h.db"), Set: set})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a.Campaign.Tools, nil
}

// A hunts file's Carbon Black EDR is asked with the token beside the file; what it does not take is told with its place.
func TestCarbonBlack(t *testing.T) {
	t.Parallel()
	s := carbonblacktest.New(t)
	s.Sensors = []carbonblacktest.Sensor{{ID: 7, Name: "LAB-WIN-07"}}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte(carbonblacktest.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	tools, err := wired(t, dir, "  - {name: plant, type: carbonblack_edr, url: \""+s.URL+"\", token: \"file:token\", window: 7d, hash_types: [md5]}\n")
	if err != nil {
		t.Fatal(err)
	}
	eps, err := tools[0].Endpoints(t.Context())
	if err != nil || len(eps) != 1 || eps[0].ID != "7" || tools[0].Describe().Mode != ledger.Recorded {
		t.Errorf("%+v, %v", eps, err)
	}
	w, err := tools[0].(edr.Searcher).Window(t.Context())
	if err != nil || w.To.Sub(w.From).Hours() != 7*24 {
		t.Errorf("%+v, %v", w, err)
	}
	_, err = wired(t, t.TempDir(), "  - {name: plant, type: carbonblack_edr, url: \"https://cb.example\", token: \"env:NONE\", hash_types: [sha256]}\n")
	if err == nil || !strings.Contains(err.Error(), "hunts.yaml:3:5: tool plant: hash_types") {
		t.Error(err)
	}
}

// hash_types forces a digest on any tool.
func TestHashTypes(t *testing.T) {
	t.Parallel()
	tools, err := wired(t, t.TempDir(), "  - {name: here, type: osquery, engine: embedded, hash_types: [md5]}\n")
	if err != nil {
		t.Fatal(err)
	}
	md5, sha256 := strings.Repeat("a", 32), strings.Repeat("b", 64)
	plan, err := edr.MakePlan(t.Context(), []indicator.File{{MD5: md5, SHA256: sha256}, {SHA256: strings.Repeat("c", 64)}}, tools, edr.Selection{}, edr.DefaultSearch())
	if err != nil {
		t.Fatal(err)
	}
	tp := plan.Tools[0]
	if len(tp.Unaskable) != 1 || tp.Unaskable[0].Tool != "here" || len(tp.Endpoints[0].Queries) == 0 {
		t.Fatalf("%+v", tp.Unaskable)
	}
	for _, q := range tp.Endpoints[0].Queries {
		if diff := cmp.Diff([]indicator.Indicator{{Kind: indicator.MD5, Value: md5}}, q.Hashes); diff != "" || strings.Contains(q.Text, sha256) {
			t.Error(diff)
		}
	}
}

// Who sleeps is told by the interval at which the server has its agents poll.
func TestFleetKnowsTheInterval(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for interval, sleeps := range map[time.Duration]bool{0: true, 10 * time.Minute: false} {
		a, err := app.New(t.Context(), app.Options{DB: filepath.Join(t.TempDir(), "h.db"), Interval: interval, Now: func() time.Time { return at }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Store.Enroll(t.Context(), ledger.Enrolment{Host: ledger.Host{Identifier: "h", Hostname: "h", Platform: "linux"}, Agent: ledger.AgentHunter, At: at.Add(-20 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
		eps, err := a.Campaign.ByName[0].Endpoints(t.Context())
		if err != nil || len(eps) != 1 || (eps[0].Asleep != "") != sleeps {
			t.Errorf("polls every %s, seen 20 minutes ago: %+v, %v", interval, eps, err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
