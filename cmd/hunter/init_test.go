package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
)

// first is what init makes when nothing is said.
func first() *firstHunt { return &firstHunt{Name: "first-hunt", TLP: "amber", Platform: "linux"} }

// A person is asked until the answer will do; what is answered is what is written.
func TestInitAsks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	alert := filepath.Join(dir, "alert.json")
	if err := os.WriteFile(alert, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	hash := strings.Repeat("a1", 32)
	for name, tc := range map[string]struct {
		in   string
		want firstHunt
		err  string
		asks int // questions put, those put again too
	}{
		"defaults":       {"\n\n\n\n\n\n", *first(), "", 6},
		"an alert":       {"x\n" + alert + "\n" + dir + "\nyes\nhttps://cb.example\nred\n", firstHunt{Name: "x", Alert: alert, Intel: []string{dir}, ThreatScape: true, CarbonBlack: "https://cb.example", TLP: "red", Platform: "linux"}, "", 6},
		"a hash":         {"\n" + strings.ToUpper(hash) + "\n\nno\n\n\n", firstHunt{Name: "first-hunt", Hashes: []string{hash}, TLP: "amber", Platform: "linux"}, "", 6},
		"a report":       {"\nthreatscape:15-1\n\ny\n\n\n", firstHunt{Name: "first-hunt", Report: "threatscape:15-1", ThreatScape: true, TLP: "amber", Platform: "linux"}, "", 6},
		"asked again":    {"No Name\nname\ngone.json\n\n/no/such/folder\n\nperhaps\n\nftp://x\n\npink\n\n", firstHunt{Name: "name", TLP: "amber", Platform: "linux"}, "", 12},
		"left":           {"x\n", firstHunt{}, "left before their end", 2},
		"never right":    {strings.Repeat("No Name\n", 9), firstHunt{}, "lower case", 5},
		"an endless one": {strings.Repeat("x", 5000), firstHunt{}, "read the answer", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := first()
			var out bytes.Buffer
			err := f.ask(strings.NewReader(tc.in), &out)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v", err)
				}
			} else if err != nil || !reflect.DeepEqual(*f, tc.want) {
				t.Errorf("%+v, %v", f, err)
			} else if _, err := f.text(filepath.Join(dir, "hunts.yaml")); err != nil {
				t.Error(err)
			}
			if n := strings.Count(out.String(), "]: "); n != tc.asks {
				t.Errorf("%d questions instead of %d: %s", n, tc.asks, out.String())
			}
		})
	}
}

// Whatever a person says goes into the value it was said for, and into no other; or it is refused.
func TestInitWritesWhatWasSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		f := first()
		f.Title, f.Hypothesis, f.Report = rapid.String().Draw(t, "title"), rapid.String().Draw(t, "hypothesis"), rapid.StringN(1, 20, 80).Draw(t, "report")
		path := filepath.Join(dir, "hunts.yaml")
		text, err := f.text(path)
		if err != nil {
			return
		}
		set, list := hunts.Parse([]hunts.Source{{Name: path, Dir: dir, Data: text}}, app.Catalog())
		if len(list) > 0 || len(set.Hunts) != 1 {
			t.Fatalf("%v", list)
		}
		h := set.Hunts[0]
		if (f.Title != "" && h.Title != f.Title) || (f.Hypothesis != "" && h.Hypothesis != f.Hypothesis) || h.Seed.Report != f.Report || len(set.Tools) != 1 {
			t.Fatalf("%+v from %+v", h, f)
		}
	})
}
