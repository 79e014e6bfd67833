package files_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/files"
	"github.com/hunter-project/hunter/internal/pivot/pivottest"
	"github.com/hunter-project/hunter/internal/results"
)

// stored is a provider with the results store that its answers are kept in.
type stored struct {
	*files.Provider
	store *results.Store
}

// The provider of local intelligence, filled with MISP events, passes the suite over the real store.
func TestContract(t *testing.T) {
	pivottest.Run(t, pivottest.Subject{
		Name: "feeds",
		New: func(t testing.TB, setup pivottest.Setup) pivot.Provider {
			t.Helper()
			intel, store := newIntel(t)
			dir := t.TempDir()
			for i, r := range setup.World.Reports {
				text, err := json.Marshal(map[string]any{"Event": mispOf(r)})
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.json", i)), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			sum, err := intel.ImportPaths(t.Context(), []string{dir}, nil, files.ImportOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range sum.Files {
				if f.Error != "" || len(f.Refusals) > 0 {
					t.Fatalf("import: %+v", f)
				}
			}
			return stored{files.NewProvider("feeds", intel, files.ProviderOptions{MaxTLP: setup.MaxTLP}), store}
		},
		Stored: func(p pivot.Provider, digest string) ([]byte, error) {
			var b bytes.Buffer
			err := p.(stored).store.CopyRaw(t.Context(), &b, digest)
			return b.Bytes(), err
		},
		ReportID: func(n int) string { return fmt.Sprintf("5be1e65d-8198-497b-bdf5-%012d", n) },
		Config:   files.Config{},
		Lacks: map[pivottest.Case]string{
			pivottest.CaseVictims: "no format that it reads says of a file that it is the victim's own",
		},
	})
}

// mispOf words a report as a MISP event: a file as an object, everything else as attributes.
func mispOf(r pivottest.Report) map[string]any {
	var attributes, objects, related []map[string]any
	for _, m := range r.Members {
		trusted := m.Trust == pivottest.Sure
		if !m.Indicator.IsZero() {
			attributes = append(attributes, attribute(mispType(m.Indicator.Kind), m.Indicator.Value, trusted))
			continue
		}
		of := []map[string]any{}
		for _, d := range m.File.Digests() {
			of = append(of, attribute(string(d.Kind), d.Value, trusted))
		}
		for _, name := range m.File.Names {
			of = append(of, attribute("filename", name, false))
		}
		if m.File.Size > 0 {
			size := attribute("size-in-bytes", strconv.FormatInt(m.File.Size, 10), false)
			size["object_relation"] = "size-in-bytes"
			of = append(of, size)
		}
		objects = append(objects, map[string]any{"name": "file", "Attribute": of})
	}
	for _, id := range r.Related {
		related = append(related, map[string]any{"Event": map[string]any{"uuid": id}})
	}
	return map[string]any{
		"uuid": r.ID, "info": r.Title, "date": r.Published.Format("2006-01-02"), "Tag": []map[string]any{{"name": "tlp:green"}},
		"Attribute": attributes, "Object": objects, "RelatedEvent": related,
	}
}

func attribute(typ, value string, trusted bool) map[string]any {
	return map[string]any{"type": typ, "value": value, "to_ids": trusted}
}

func mispType(k indicator.Kind) string {
	switch k {
	case indicator.IPv4, indicator.IPv6:
		return "ip-dst"
	case indicator.UserAgent:
		return "user-agent"
	case indicator.RegistryKey:
		return "regkey"
	default:
		return string(k)
	}
}
