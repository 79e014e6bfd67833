package campaign_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
)

// The place where an alert saw its file is remembered with its host.
func TestAlertPlaceIsRemembered(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "alert.json")
	text := `{"host":{"name":"ws-1.example"},"file":{"path":"C:\\Tools\\evil.exe","hash":{"sha256":"` + unknown + `"}}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var spec campaign.Spec
	if err := spec.SeedAlert(path); err != nil {
		t.Fatal(err)
	}
	if want := []edr.Place{{Host: "ws-1.example", Path: `C:\Tools\evil.exe`}}; !slices.Equal(spec.Search.First, want) {
		t.Errorf("%+v instead of %+v", spec.Search.First, want)
	}
}
