package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
)

const library = "../../hunts/library"

var (
	technique = regexp.MustCompile(`^attack\.t[0-9]{4}(\.[0-9]{3})?$`)
	address   = regexp.MustCompile(`https://[a-z0-9./-]+`)
	titled    = regexp.MustCompile(`[Rr]eport:? "([^"]+)"`)
	digest    = regexp.MustCompile(`\b([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})\b`)
)

// Every hunt of the library lints without a warning, alone and with the others, and says where it comes from.
func TestLibrary(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(library + "/*.yaml")
	if err != nil || len(paths) < 6 {
		t.Fatalf("%q, %v", paths, err)
	}
	readme, err := os.ReadFile(library + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	shapes, names := map[string]string{}, map[string]bool{}
	for _, path := range paths {
		set, list, err := hunts.Load([]string{path}, nil, app.Catalog())
		if err != nil || len(list) > 0 || len(set.Hunts) != 1 {
			t.Errorf("%s: %v, %v", path, err, list)
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		h := set.Hunts[0]
		if names[h.Name] || h.Name+".yaml" != filepath.Base(path) || !strings.Contains(string(readme), "("+h.Name+".yaml)") {
			t.Errorf("%s: the name %q is not that of the file, is not unique, or is not in the README", path, h.Name)
		}
		names[h.Name] = true
		for _, fault := range bare(h, string(text)) {
			t.Errorf("%s: %s", path, fault)
		}
		shape := fmt.Sprintf("%t %d %t|%v|%v|%v", h.Seed.Report != "", len(h.Seed.Hashes), h.Seed.On.AlertRule != "", h.Pivot, h.Search, h.Targets)
		if other := shapes[shape]; other != "" {
			t.Errorf("%s differs from %s in nothing", path, other)
		}
		shapes[shape] = path
	}
	if set, list, err := hunts.Load([]string{library}, nil, app.Catalog()); err != nil || len(list) > 0 || len(set.Hunts) != len(paths) {
		t.Errorf("together: %v, %v", err, list)
	}
}

// bare says what a hunt of the library lacks.
func bare(h hunts.Hunt, text string) []string {
	var out []string
	comment, _, _ := strings.Cut(text, "version: 1")
	if h.Title == "" || h.Status == "" || h.TLP == "" || len(h.Tags) == 0 {
		out = append(out, "title, status, tlp or tags are missing")
	}
	for _, tag := range h.Tags {
		if !technique.MatchString(tag) {
			out = append(out, "the tag "+tag+" is no technique")
		}
	}
	url, title := address.FindString(h.Hypothesis), titled.FindStringSubmatch(h.Hypothesis)
	if url == "" || title == nil || !strings.Contains(comment, url) || !strings.Contains(comment, `Report: "`+title[1]+`"`) {
		out = append(out, "the hypothesis and the comment at the top do not name the same report with its title and address")
	}
	_, body, _ := strings.Cut(text, "version: 1")
	if digest.MatchString(body) && !strings.Contains(comment, "Source of the hashes: ") {
		out = append(out, "it has hashes and does not say where they are published")
	}
	return out
}

// What the library's test looks for is missed when it is not there.
func TestBare(t *testing.T) {
	t.Parallel()
	good := hunts.Hunt{Spec: hunts.Spec{Title: "t", Status: "test", TLP: "clear", Tags: []string{"attack.t1486"}, Hypothesis: `x. Report "R", https://a.example/r`}}
	head := "# Report: \"R\", https://a.example/r\n"
	if got := bare(good, head+"version: 1\n"); len(got) != 0 {
		t.Error(got)
	}
	untagged := good
	untagged.Tags = []string{"attack.T1486"}
	for name, got := range map[string][]string{
		"tag":     bare(untagged, head+"version: 1\n"),
		"comment": bare(good, "version: 1\n"),
		"title":   bare(hunts.Hunt{Spec: hunts.Spec{Status: "test", TLP: "clear", Tags: good.Tags, Hypothesis: good.Hypothesis}}, head+"version: 1\n"),
		"source":  bare(good, head+"version: 1\nhashes: ["+strings.Repeat("a", 32)+"]\n"),
	} {
		if len(got) != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
