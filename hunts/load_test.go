package hunts_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/diag"
)

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func loadFaults(t *testing.T, dir string, paths ...string) string {
	t.Helper()
	set, list, err := hunts.Load(paths, nil, catalog())
	if err != nil {
		t.Fatal(err)
	}
	if set != nil && list.HasErrors() {
		t.Error("a set in spite of errors")
	}
	return strings.ReplaceAll(list.Error(), dir+"/", "")
}

func TestMissingFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, "sub/x", "")
	path := writeFile(t, dir, "a.yaml", `version: 1
never: [good.txt, {path: sub}]
providers: [{name: f, type: files, paths: [sub, intel/]}]
hunts:
  - name: a
    seed: {alert: alerts/none.json}
    tests: [{name: t, fleet: none.yaml, expect: {hits: 1}}]
`)
	const hint = "; relative paths begin in the folder of this file"
	want := strings.Join([]string{
		`a.yaml:2:9: error: path: no such file or folder: "good.txt"` + hint,
		`a.yaml:2:26: error: path: "sub" is a folder; name a file`,
		`a.yaml:3:49: error: paths: no such file or folder: "intel/"` + hint,
		`a.yaml:6:19: error: alert: no such file or folder: "alerts/none.json"` + hint,
		`a.yaml:7:30: error: fleet: no such file or folder: "none.yaml"` + hint,
	}, "\n")
	if got := loadFaults(t, dir, path); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFaultsOfAllFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := writeFile(t, dir, "1.yaml", "version: 1\nproviders: [{name: p, type: files}]\nhunts: [{name: a, seed: {report: r}}]\n")
	two := writeFile(t, dir, "2.yaml", "version: 1\nproviders: [{name: p, type: files}]\nhunts: [{name: a, seed: {report: r}, tlp: x}]\n")
	want := `2.yaml:2:20: error: provider "p" is defined twice; first at 1.yaml:2:20
2.yaml:3:16: error: hunt "a" is defined twice; first at 1.yaml:3:16
2.yaml:3:43: error: unknown TLP label "x"; one of: clear, green, amber, amber+strict, red
none.yaml: error: no such file or folder`
	if got := loadFaults(t, dir, one, two, filepath.Join(dir, "none.yaml")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// When a file can not be read at all, the names it may define are not called unknown.
func TestNoFaultsThatFollow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := writeFile(t, dir, "1.yaml", "version: 1\nproviders: [{name: p, type: files}\n")
	two := writeFile(t, dir, "2.yaml", "version: 1\nhunts: [{name: a, seed: {report: \"p:1\"}, pivot: {providers: [p]}}]\n")
	got := loadFaults(t, dir, one, two)
	if strings.Contains(got, "unknown provider") || !strings.HasPrefix(got, "1.yaml:2: error: not YAML") {
		t.Errorf("got\n%s", got)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "fifo.yaml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, 50<<20); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		empty: "empty: error: no *.yaml or *.yml file in this folder; name another folder or a file",
		fifo:  "fifo.yaml: error: not a regular file",
		big:   "big.yaml: error: the file is too big: 50 MiB, the most is 4 MiB; split it into several files",
	} {
		if got := loadFaults(t, dir, path); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if _, _, err := hunts.Load(nil, nil, catalog()); !errors.Is(err, hunts.ErrNoPaths) {
		t.Errorf("no paths: %v", err)
	}
	_, list, err := hunts.Load([]string{"-"}, strings.NewReader(strings.Repeat("#", 5<<20)), catalog())
	if err != nil || !strings.Contains(list.Error(), "too big") {
		t.Errorf("big stdin: %v %v", err, list)
	}
}

// A secret that is written out appears nowhere: not in messages, not in source lines, not in JSON.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	const provider = "version: 1\nproviders: [{name: a, type: threatscape, "
	for name, text := range map[string]string{
		"credential":          provider + "public_key: sekret12, private_key: env:B, titel: x}]\n",
		"quoted":              provider + "public_key: \"sekret 12\\x21\", private_key: env:B, titel: x}]\n",
		"misspelt key":        provider + "public_key: env:A, privat_kee: sekret12}]\n",
		"section":             provider + "public_key: [sekret12], private_key: {a: sekret12}}]\n",
		"unknown type":        "version: 1\nproviders: [{name: a, type: nope, api_token: sekret12}]\n",
		"syntax error":        provider + "public_key: sekret12, private_key: env:B\n",
		"bad reference":       provider + "public_key: \"env:sekret 12\", private_key: env:B}]\n",
		"given twice":         provider + "public_key: env:A, public_key: sekret12, private_key: env:B}]\n",
		"block":               "version: 1\nproviders:\n  - name: a\n    type: threatscape\n    private_key: env:A\n    public_key: |\n      sekret12\n",
		"password in address": "version: 1\nproviders: [{name: a, type: threatscape, url: \"https://u:sekret12@h/\"}]\n",
		"alias":               "version: 1\nproviders: [{name: a, type: threatscape, public_key: &s sekret12, private_key: *s}]\n",
	} {
		_, list := hunts.Parse([]hunts.Source{{Name: "f", Data: []byte(text)}}, catalog())
		if !list.HasErrors() {
			t.Errorf("%s: no error", name)
		}
		var shown strings.Builder
		if err := diag.Render(&shown, list, true); err != nil {
			t.Fatal(err)
		}
		js, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		if all := shown.String() + list.Error() + string(js); strings.Contains(all, "sekret") {
			t.Errorf("%s: the secret is shown:\n%s", name, all)
		}
	}
}

func TestRenderedFault(t *testing.T) {
	t.Parallel()
	_, list := hunts.Parse([]hunts.Source{{Name: "f", Data: []byte("version: 1\nhunts:\n  - name: a\n    seed: {hashs: [x]}\n")}}, catalog())
	var b strings.Builder
	if err := diag.Render(&b, list, false); err != nil {
		t.Fatal(err)
	}
	want := `f:4:12: error: unknown key "hashs" in seed; did you mean "hashes"?
    4 |     seed: {hashs: [x]}
      |            ^
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestFloodOfFaults(t *testing.T) {
	t.Parallel()
	_, list := hunts.Parse([]hunts.Source{{Name: "f", Data: []byte("version: 1\nhunts:\n" + strings.Repeat("  - ~\n", 5000))}}, catalog())
	if len(list) != 101 || !strings.Contains(list[100].Message, "4900 more") {
		t.Errorf("%d diagnostics, the last: %v", len(list), list[len(list)-1])
	}
}

// Warnings beyond the cap are still no errors, and never crowd errors out.
func TestFloodOfWarnings(t *testing.T) {
	t.Parallel()
	text := "version: 1\nhunts:\n  - name: a\n    seed:\n      hashes:\n" + strings.Repeat("        - d41d8cd98f00b204e9800998ecf84270\n", 500)
	set, list := hunts.Parse([]hunts.Source{{Name: "f", Data: []byte(text)}}, catalog())
	if set == nil || list.HasErrors() || len(list) != 101 {
		t.Errorf("%d diagnostics, errors: %v", len(list), list.HasErrors())
	}
	if set, list := hunts.Parse([]hunts.Source{{Name: "f", Data: []byte(text + "    titel: x\n")}}, catalog()); set != nil || list.Count(diag.Error) != 1 {
		t.Errorf("the error is gone: %d", list.Count(diag.Error))
	}
}

// Big files that are as bad as can be still come to a few plain faults.
func TestHostileSizes(t *testing.T) {
	t.Parallel()
	fill := func(s string) string { return strings.Repeat(s, (512<<10)/len(s)) }
	for name, tt := range map[string]struct{ text, want string }{
		"aliases":     {"a: &a 1\nhunts: [" + fill("*a,") + "]", "is not read here"},
		"empty hunts": {"version: 1\nhunts: [" + fill("{},") + "]", "entries are too many"},
		"brackets":    {fill("["), "exceeded max depth"},
		"keys":        {"version: 1\n" + fill("a: 1\n"), "is given twice"},
		"one line":    {"version: 1\ntitle: " + fill("x"), `unknown key "title"`},
		"open quote":  {"version: 1\ntitle: \"" + fill("x\n"), "unexpected end of stream"},
		"open list":   {"version: 1\nhunts: [" + fill("a,"), "not YAML"},
	} {
		_, list := hunts.Parse([]hunts.Source{{Name: "f", Data: []byte(tt.text)}}, catalog())
		if len(list) == 0 || len(list) > 101 || !strings.Contains(list.Error(), tt.want) {
			t.Errorf("%s: %d diagnostics: %.300s", name, len(list), list.Error())
		}
		for _, d := range list {
			if len(d.Message)+len(d.Hint) > 2000 || len(d.SourceLine) > 64<<10 {
				t.Errorf("%s: a diagnostic of %d bytes", name, len(d.Message)+len(d.Hint)+len(d.SourceLine))
			}
		}
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]hunts.ByteSize{"50MiB": 50 << 20, "1.5 GB": 1500000000, "84480": 84480, "1KiB": 1024, "7B": 7, "2TiB": 2 << 40} {
		if got, err := hunts.ParseByteSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]time.Duration{"14d": 14 * 24 * time.Hour, "2w1d": 15 * 24 * time.Hour, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "0s": 0, "250ms": 250 * time.Millisecond} {
		got, err := hunts.ParseDuration(text)
		if err != nil || got.Std() != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		if again, err := hunts.ParseDuration(got.String()); err != nil || again != got {
			t.Errorf("%s: %s does not come back: %v", text, got, err)
		}
	}
	if hunts.ByteSize(50<<20).String() != "50 MiB" || hunts.ByteSize(0).String() != "0 B" || hunts.ByteSize(1500).String() != "1500 B" {
		t.Error("sizes print wrong")
	}
	if r, err := hunts.ParseRate("3000/min"); err != nil || r.PerSecond() != 50 || r.String() != "3000/min" {
		t.Errorf("rate: %v %v", r, err)
	}
	for _, bad := range []string{"", "5", "1y", "-1h", "1h ", "99999999999999999999w", strings.Repeat("1h", 60)} {
		if d, err := hunts.ParseDuration(bad); err == nil {
			t.Errorf("%q was read as %v", bad, d)
		}
	}
	for _, bad := range []string{"", "MiB", "50 MIB", "-1B", "1e3B", "99999999TiB", "9999999999999999999"} {
		if b, err := hunts.ParseByteSize(bad); err == nil {
			t.Errorf("%q was read as %v", bad, b)
		}
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for spec, want := range map[string]string{
		"CRON_TZ=UTC 17 3 * * *":           "2026-11-25T03:17:00Z",
		"CRON_TZ=Europe/Berlin 17 3 * * *": "2026-11-25T02:17:00Z",
		"CRON_TZ=UTC @daily":               "2026-11-25T00:00:00Z",
		"@every 6h":                        "2026-11-24T18:00:00Z",
		"CRON_TZ=UTC 0 0 29 2 *":           "2028-02-29T00:00:00Z",
	} {
		s, err := hunts.ParseSchedule(spec)
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		if got := s.Next(from).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: next %s, want %s", spec, got, want)
		}
	}
}
