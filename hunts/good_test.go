package hunts_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

func load(t *testing.T, paths ...string) *hunts.Set {
	t.Helper()
	set, list, err := hunts.Load(paths, nil, catalog())
	if err != nil || set == nil || len(list) > 0 {
		t.Fatalf("Load: %v\n%v", err, list)
	}
	return set
}

func TestWholeFormat(t *testing.T) {
	t.Parallel()
	dir, err := filepath.Abs("testdata/full")
	if err != nil {
		t.Fatal(err)
	}
	set := load(t, "testdata/full")
	h, ok := set.Hunt("siem-ransomware")
	if !ok {
		t.Fatalf("hunts: %v", set.Names())
	}
	if want := (hunts.Path{Given: "alerts/siem-2291.json", Abs: filepath.Join(dir, "alerts/siem-2291.json")}); h.Seed.Alert != want {
		t.Errorf("alert: %+v", h.Seed.Alert)
	}
	wantPaths := map[hunts.Platform][]string{"linux": {"/home", filepath.Join(dir, "plant")}, "windows": {`C:\Users`, `C:\ProgramData`}}
	if diff := cmp.Diff(wantPaths, h.Search.Paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	want := hunts.Settled{
		Depth: 2, MinConfidence: 30, MaxIndicators: 5000, MaxPerReport: 1000, MaxReports: 100, Refresh: 6 * time.Hour,
		Where: []ledger.Stage{"running", "autoruns", "files"}, Unsized: "places", MaxSize: 50 << 20, Canary: 25,
		Rate: hunts.Rate{Count: 3000, Per: time.Minute}, Timeout: 15 * time.Minute, Late: 14 * 24 * time.Hour,
		Errors: 0.2, Denylisted: 0.05, Prevalence: 0.1, Verified: 0.95, AnyPivot: true, AnyUnaskable: true, AcceptNotSeen: true,
		DeltaMaxAge: 7 * 24 * time.Hour, Status: "test",
	}
	if diff := cmp.Diff(want, h.Settled()); diff != "" {
		t.Errorf("Settled (-want +got):\n%s", diff)
	}
	if len(h.Never) != 1 || h.Never[0].Path.Abs != filepath.Join(dir, "lists/good.txt") {
		t.Errorf("never: %+v", h.Never)
	}
	if diff := cmp.Diff([]string{"attack.t1486"}, h.Tags); diff != "" {
		t.Errorf("tags of the defaults (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(hunts.Words{"high"}, h.Seed.On.Severity); diff != "" {
		t.Errorf("one word as a list (-want +got):\n%s", diff)
	}
	if h.Pivot.Follow == nil || len(h.Pivot.Follow) != 0 {
		t.Errorf("follow: [] must stay set and empty: %#v", h.Pivot.Follow)
	}
	if h.Pos.Line != 16 || h.Pos.File != "testdata/full/hunts.yaml" || h.Dir != dir {
		t.Errorf("place: %+v %s", h.Pos, h.Dir)
	}
	if h.Report[1].Webhook.String() != "env:SLACK_WEBHOOK_URL" {
		t.Errorf("webhook: %v", h.Report[1].Webhook)
	}
	checkPlugins(t, set)
}

func checkPlugins(t *testing.T, set *hunts.Set) {
	t.Helper()
	ts, ok := set.Providers[0].Config.(*threatscapeConfig)
	if !ok || ts.Cache != 48*time.Hour || ts.Timeout != 30*time.Second || set.Providers[0].MaxTLP != indicator.TLPAmber {
		t.Errorf("threatscape: %+v", set.Providers[0])
	}
	if _, err := ts.PrivateKey.Resolve(); err == nil || !strings.Contains(err.Error(), `private_key of provider "threatscape": environment variable ISIGHT_PRIVATE_KEY`) {
		t.Errorf("the error must name the setting: %v", err)
	}
	if cb := set.Tools[1]; cmp.Diff([]indicator.Kind{"md5"}, cb.HashTypes) != "" || cb.Config.(*carbonblackConfig).URL != "https://cb.plant.example" {
		t.Errorf("plant-floor: %+v", cb)
	}
}

// What a hunt does not say is nil, so that a flag can be told from a default.
func TestNotSet(t *testing.T) {
	t.Parallel()
	set := load(t, "testdata/full")
	h, _ := set.Hunt("by-report")
	if h.Pivot.Depth == nil || h.Pivot.MinConfidence != nil || h.Search.MaxSize != nil || h.Run.Rate != nil {
		t.Errorf("set: depth %v, min_confidence %v, max_size %v, rate %v", h.Pivot.Depth, h.Pivot.MinConfidence, h.Search.MaxSize, h.Run.Rate)
	}
	s := h.Settled()
	if s.MaxSize != 50<<20 || s.Verified != 1 || s.Canary != -1 || s.Unsized != hunts.UnsizedPlaces || len(s.Where) != 3 || s.AnyPivot {
		t.Errorf("defaults: %+v", s)
	}
	if diff := cmp.Diff(map[hunts.Platform][]string{"linux": {"/srv"}}, h.Search.Paths); diff != "" {
		t.Errorf("paths of the defaults (-want +got):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	text := `version: 1
defaults:
  seed: {hashes: [d41d8cd98f00b204e9800998ecf84270], on: {source: siem}}
  tags: [a]
  search: {paths: {linux: [/a], darwin: [/b]}, max_size: 1GiB}
hunts:
  - {name: one}
  - name: two
    seed: {report: x-1}
    tags: []
    search: {paths: {linux: [/c]}}
`
	set, list := hunts.Parse([]hunts.Source{{Name: "a", Data: []byte(text)}}, catalog())
	if set == nil {
		t.Fatal(list)
	}
	one, two := set.Hunts[0], set.Hunts[1]
	if len(one.Seed.Hashes) != 1 || one.Seed.On.Source != "siem" {
		t.Errorf("one: %+v", one.Seed)
	}
	if len(two.Seed.Hashes) != 0 || two.Seed.Report != "x-1" || two.Seed.On.Source != "siem" {
		t.Errorf("a seed of its own replaces the default's: %+v", two.Seed)
	}
	if two.Tags == nil || len(two.Tags) != 0 || len(one.Tags) != 1 {
		t.Errorf("tags: %#v %#v", one.Tags, two.Tags)
	}
	if diff := cmp.Diff(map[hunts.Platform][]string{"linux": {"/c"}, "darwin": {"/b"}}, two.Search.Paths); diff != "" {
		t.Errorf("paths are merged by platform (-want +got):\n%s", diff)
	}
	if one.Search.Paths["linux"][0] != "/a" {
		t.Errorf("the defaults were changed by a hunt: %v", one.Search.Paths)
	}
}

// Digests stay what they are, whatever YAML would make of them.
func TestHashesAreText(t *testing.T) {
	t.Parallel()
	for _, h := range []string{
		"12345678901234567890123456789012", "01234567012345670123456701234567", "1234e123456789012345678901234567",
		"00000000000000000000000000000001", "1234567890123456789012345678901234567e12",
		"0000001234567890123456789012345678901234567890123456789012345678",
	} {
		set, list := hunts.Parse([]hunts.Source{{Name: "a", Data: []byte("version: 1\nhunts:\n - {name: a, seed: {hashes: [" + h + "]}}\n")}}, catalog())
		if set == nil {
			t.Errorf("%s: %v", h, list)
			continue
		}
		if got := set.Hunts[0].Seed.Hashes[0].Value; got != h {
			t.Errorf("%s was read as %s", h, got)
		}
	}
}

func TestManyFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tools := write("a/tools.yml", "version: 1\ntools: [{name: t1, type: osquery}]\n")
	write("a/b/hunts.yaml", "\ufeffversion: 1\r\nhunts: [{name: h1, seed: {report: r1}, targets: {tools: [t1, fleet]}}]\r\n")
	write("a/.git/x.yaml", "not hunts")
	write("a/testdata/x.yaml", "not hunts")
	write("a/notes.txt", "not hunts")
	stdin := strings.NewReader("version: 1\nhunts: [{name: h2, seed: {report: r2}}]\n")
	set, list, err := hunts.Load([]string{filepath.Join(dir, "a"), tools, "-", "-"}, stdin, catalog())
	if err != nil || set == nil {
		t.Fatal(err, list)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "a/b/hunts.yaml"), tools, "-"}, set.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"h1", "h2"}, set.Names()); diff != "" {
		t.Errorf("hunts (-want +got):\n%s", diff)
	}
}

func TestSetMarshals(t *testing.T) {
	t.Parallel()
	set := load(t, "testdata/full")
	b, err := json.Marshal(set.Hunts[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"name":"siem-ransomware"`, `"max_size":"50MiB"`, `"rate":"3000/min"`, `"late":"14d"`, `"verified":"95%"`, `"webhook":"env:SLACK_WEBHOOK_URL"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
	var back hunts.Hunt
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(b) {
		t.Errorf("JSON does not come back: %v\n%s\n%s", err, b, again)
	}
}
