package app_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"
	"gopkg.in/yaml.v3"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/hunts/huntstest"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/ledger"
)

const schemaFile = "../../hunts/schema.json"

func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the schema anew")
	goleak.VerifyTestMain(m)
}

func TestSchemaIsInStep(t *testing.T) {
	t.Parallel()
	huntstest.Schema(t, app.Catalog(), schemaFile, updating())
}

func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := hunts.Schema(app.Catalog())
	if err != nil {
		t.Fatal(err)
	}
	// The keys of a provider or a tool may stand on its own page.
	pages := []string{"../../docs/hunts-file.md"}
	for _, own := range []string{"../../docs/providers/*.md", "../../docs/tools/*.md"} {
		found, err := filepath.Glob(own)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	huntstest.Documented(t, text, pages...)
}

// The examples pass lint, and the committed schema by a validator that is not ours.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	found, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(found) == 0 {
		t.Fatalf("examples: %v, %v", found, err)
	}
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(hunts.SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(hunts.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if _, list, err := hunts.Load([]string{path}, nil, app.Catalog()); err != nil || len(list) > 0 {
			t.Errorf("%s: %v, %v", path, err, list)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := yaml.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if m, ok := v.(map[string]any); ok {
			m["no_such_key"] = 1
			if schema.Validate(m) == nil {
				t.Errorf("%s: the schema takes a key that nobody knows", path)
			}
		}
	}
}

// A socket that is left over does not keep this machine from being asked; one that is named does.
func TestLeftOverSocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "hunts.yaml")
	text := "version: 1\ntools: [{name: here, type: osquery, socket: " + filepath.Join(dir, "gone.em") + "}]\nhunts: []\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	set, list, err := hunts.Load([]string{path}, nil, app.Catalog())
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	a, err := app.New(t.Context(), app.Options{DB: filepath.Join(dir, "h.db"), Set: set})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	tool := a.Campaign.Tools[0]
	eps, err := tool.Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := tool.Ask(t.Context(), eps[0], ledger.Query{Engine: ledger.EngineOsqueryd, Text: "SELECT 1"})
	if err != nil || answer.Failure == nil || answer.Failure.State != ledger.Error {
		t.Errorf("%+v, %v", answer, err)
	}
}
