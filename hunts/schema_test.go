package hunts_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/hunts/huntstest"
)

func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write golden files")
	os.Exit(m.Run())
}

func TestSchemaGolden(t *testing.T) {
	t.Parallel()
	huntstest.Schema(t, catalog(), "testdata/schema.json", updating())
}

func compile(t *testing.T) (*jsonschema.Schema, []byte) {
	t.Helper()
	text, err := hunts.Schema(catalog())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(hunts.SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(hunts.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s, text
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// An independent validator agrees with the reader on what a hunts file is.
func TestSchemaAgrees(t *testing.T) {
	t.Parallel()
	s, _ := compile(t)
	full, err := os.ReadFile("testdata/full/hunts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]string{
		"full":          string(full),
		"smallest":      "version: 1\n",
		"default seed":  "version: 1\ndefaults: {seed: {report: r}}\nhunts: [{name: a}]\n",
		"bytes":         oneHunt("search: {max_size: 84480}"),
		"severity list": "version: 1\nhunts: [{name: a, seed: {on: {severity: [low, high]}}}]\n",
		"hash prefix":   "version: 1\nhunts: [{name: a, seed: {hashes: [\"MD5=D41D8CD98F00B204E9800998ECF84270\"]}}]\n",
	}
	for name, text := range good {
		if err := validate(t, s, []byte(text)); err != nil {
			t.Errorf("%s: the schema refuses what the reader takes: %v", name, err)
		}
		if name != "full" {
			if set, list := hunts.Parse([]hunts.Source{{Name: "f", Data: []byte(text)}}, catalog()); set == nil {
				t.Errorf("%s: %v", name, list)
			}
		}
	}
	bad := map[string]string{
		"no version":        "hunts: []\n",
		"version 2":         "version: 2\n",
		"unknown key":       oneHunt("titel: x"),
		"no seed":           "version: 1\nhunts: [{name: a}]\n",
		"two seeds":         "version: 1\nhunts: [{name: a, seed: {report: r, hashes: [d41d8cd98f00b204e9800998ecf84270]}}]\n",
		"empty seed":        "version: 1\nhunts: [{name: a, seed: {}}]\n",
		"empty on":          "version: 1\nhunts: [{name: a, seed: {on: {}}}]\n",
		"bad hash":          "version: 1\nhunts: [{name: a, seed: {hashes: [abcd]}}]\n",
		"bad name":          "version: 1\nhunts: [{name: A B, seed: {report: r}}]\n",
		"bad status":        oneHunt("status: x"),
		"bad depth":         oneHunt("pivot: {depth: 11}"),
		"bad kind":          oneHunt("pivot: {kinds: [ipv4]}"),
		"no kind":           oneHunt("pivot: {kinds: []}"),
		"bad percent":       oneHunt("done_when: {verified: 101%}"),
		"bad rate":          oneHunt("run: {rate: 5}"),
		"bad size":          oneHunt("search: {max_size: big}"),
		"bad platform":      oneHunt("search: {paths: {macos: [/x]}}"),
		"null":              oneHunt("tags:"),
		"null item":         oneHunt("tags: [~]"),
		"literal secret":    oneHunt("report: [{webhook: \"https://x\"}]"),
		"both outputs":      oneHunt("report: [{webhook: env:X, format: csv, path: x}]"),
		"no path":           oneHunt("report: [{format: csv}]"),
		"unknown provider":  "version: 1\nproviders: [{name: a, type: nope}]\n",
		"key of another":    "version: 1\nproviders: [{name: a, type: files, public_key: env:X}]\n",
		"key missing":       "version: 1\ntools: [{name: a, type: carbonblack_edr, url: \"https://x\"}]\n",
		"plug-in secret":    "version: 1\ntools: [{name: a, type: carbonblack_edr, url: \"https://x\", token: abc}]\n",
		"plug-in number":    "version: 1\nproviders: [{name: a, type: files, confidence: 101}]\n",
		"test without name": oneHunt("tests: [{fleet: x, expect: {hits: 1}}]"),
	}
	for name, text := range bad {
		if err := validate(t, s, []byte(text)); err == nil {
			t.Errorf("%s: the schema takes it", name)
		}
		if set, _ := hunts.Parse([]hunts.Source{{Name: "f", Data: []byte(text)}}, catalog()); set != nil {
			t.Errorf("%s: the reader takes it", name)
		}
	}
}

func TestSchemaIsDeterministic(t *testing.T) {
	t.Parallel()
	_, first := compile(t)
	for range 5 {
		if _, again := compile(t); !bytes.Equal(first, again) {
			t.Fatal("the schema differs from call to call")
		}
	}
}

// Every key of the format is described for users.
func TestDocumented(t *testing.T) {
	t.Parallel()
	schema, err := hunts.Schema(hunts.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
	huntstest.Documented(t, schema, "../docs/hunts-file.md")
}
