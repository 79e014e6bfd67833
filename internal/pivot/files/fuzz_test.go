package files_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot/files"
)

// seedFiles hands every fixture and example of intelligence to add.
func seedFiles(f *testing.F, add func(text []byte)) {
	f.Helper()
	n := 0
	for _, glob := range []string{"testdata/*", "../../../examples/intel/*/*.json", "../../alert/testdata/misp.json", "../../alert/testdata/stix.json"} {
		found, err := filepath.Glob(glob)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range found {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			add(text)
			n++
		}
	}
	if n < 10 {
		f.Fatalf("only %d fixtures were found", n)
	}
}

// imported is what an import of anything must be: one file, refused whole or read.
func imported(t *testing.T, s *files.Store, data []byte) {
	t.Helper()
	sum, err := s.ImportPaths(t.Context(), []string{"-"}, bytes.NewReader(data), files.ImportOptions{})
	if err != nil || len(sum.Files) != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if r := sum.Files[0]; r.Error != "" && r.Reports+r.Indicators > 0 {
		t.Errorf("%+v", r)
	}
}

func FuzzImport(f *testing.F) {
	for _, seed := range []string{mispEvent, stixBundle, md5A + "\n", "sha256,size\n" + sha256A + ",1\n", "[", "{\"objects\":[{}]}", "[file:hashes.MD5 = '" + md5A + "']"} {
		f.Add([]byte(seed))
	}
	seedFiles(f, func(text []byte) { f.Add(text) })
	s, _ := newIntel(f)
	f.Fuzz(func(t *testing.T, data []byte) { imported(t, s, data) })
}

// FuzzPattern reads a text as the pattern of a STIX indicator. Whatever comes, the file objects that it brings hold digests
// in their normal form alone.
func FuzzPattern(f *testing.F) {
	text, err := os.ReadFile("testdata/stix_patterns.json")
	if err != nil {
		f.Fatal(err)
	}
	var patterns []struct{ Pattern string }
	if err := json.Unmarshal(text, &patterns); err != nil || len(patterns) == 0 {
		f.Fatal(patterns, err)
	}
	for _, p := range patterns {
		f.Add(p.Pattern)
	}
	s, _ := newIntel(f)
	f.Fuzz(func(t *testing.T, pattern string) {
		bundle, err := json.Marshal(map[string]any{
			"type": "bundle", "id": "bundle--b3f0a1f4-0000-4000-8000-000000000001", "objects": []any{map[string]any{
				"type": "indicator", "spec_version": "2.1", "id": "indicator--b3f0a1f4-0000-4000-8000-000000000002", "created": "2026-01-01T00:00:00Z",
				"modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z", "pattern_type": "stix", "pattern": pattern,
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		imported(t, s, bundle)
		found, err := s.Search(t.Context(), "0", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found {
			if !x.Indicator.Kind.IsDigest() {
				continue
			}
			if again, err := indicator.Parse(x.Indicator.Kind, x.Indicator.Value); err != nil || again != x.Indicator {
				t.Errorf("%v of %q", x.Indicator, pattern)
			}
		}
	})
}
