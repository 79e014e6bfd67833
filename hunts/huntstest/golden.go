// Package huntstest holds the checks that whoever has a catalog of plug-ins runs on the format of hunts files.
package huntstest

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/hunts"
)

// Schema compares the schema of a catalog with the committed file at path; with update it writes the file instead.
func Schema(t testing.TB, cat hunts.Catalog, path string, update bool) {
	t.Helper()
	got, err := hunts.Schema(cat)
	if err != nil {
		t.Fatal(err)
	}
	if update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the types say; run the test with -update and look at the difference", path)
	}
}

// Documented checks that pages of Markdown, taken together, name every key of a schema in backquotes.
func Documented(t testing.TB, schema []byte, pages ...string) {
	t.Helper()
	var text []byte
	for _, page := range pages {
		part, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, part...)
	}
	keys, err := Keys(schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if !strings.Contains(string(text), "`"+k+"`") {
			t.Errorf("%s: the key `%s` is not described", strings.Join(pages, ", "), k)
		}
	}
}

// Keys lists every key that a schema lets a file have, sorted.
func Keys(schema []byte) ([]string, error) {
	var root any
	if err := json.Unmarshal(schema, &root); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if properties, ok := v["properties"].(map[string]any); ok {
				for k := range properties {
					found[k] = true
				}
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(root)
	return slices.Sorted(maps.Keys(found)), nil
}
