package campaign_test

import (
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
)

const (
	md5A = "03b86596559fe700bc4246bc4995ffd9"
	shaA = "ddfccb8f030fcd4f79333764fad3298260db118d"
)

func TestReadSeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := filepath.Join(dir, "list.txt")
	if err := os.WriteFile(list, []byte("\ufeff# list\r\n"+md5A+"  invoice.exe\r\n\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	alert := filepath.Join(dir, "alert.json")
	if err := os.WriteFile(alert, []byte(`{"file":{"hash":{"sha256":"`+unknown+`","md5":"`+md5A+`"},"size":24}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args  []string
		stdin string
		want  []indicator.File
	}{
		"mixed kinds":    {args: []string{md5A, "sha1:" + strings.ToUpper(shaA), "SHA256=" + unknown}, want: []indicator.File{{MD5: md5A}, {SHA1: shaA}, {SHA256: unknown}}},
		"a list":         {args: []string{list}, want: []indicator.File{{MD5: md5A}}},
		"an alert":       {args: []string{alert}, want: []indicator.File{{MD5: md5A, SHA256: unknown, Size: 24}}},
		"standard input": {args: []string{"-"}, stdin: "sha256,size\n" + unknown + ",24\n", want: []indicator.File{{SHA256: unknown}}},
		"an alert there": {args: []string{"-"}, stdin: `{"hash":"` + md5A + `"}`, want: []indicator.File{{MD5: md5A}}},
		"one file's digests": {args: []string{"-"}, stdin: "MD5=" + md5A + ",SHA1=" + shaA + ",IMPHASH=" + md5A + "\n",
			want: []indicator.File{{MD5: md5A, SHA1: shaA}}},
		"quoted": {args: []string{"-"}, stdin: `"` + md5A + `","x"` + "\n", want: []indicator.File{{MD5: md5A}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var spec campaign.Spec
			if err := spec.ReadSeeds(tt.args, strings.NewReader(tt.stdin)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, spec.Seed.Files); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadSeedsTellsEveryFault(t *testing.T) {
	t.Parallel()
	var spec campaign.Spec
	err := spec.ReadSeeds([]string{"-", "imphash:" + md5A, t.TempDir()}, strings.NewReader(md5A+"\nnonsense\n"+md5A[:31]+"\n"))
	var list diag.List
	if !errors.As(err, &list) || len(list) != 4 {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"-:2:1: error", "-:3:1: error", "imphash", "folder"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	for name, text := range map[string]string{
		"UTF-16":    "\xff\xfea\x00",
		"long line": strings.Repeat("a", 1<<17),
		"nothing":   "# nothing\n",
	} {
		var spec campaign.Spec
		if err := spec.ReadSeeds([]string{"-"}, strings.NewReader(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// A line without end is refused before it fills memory.
func TestEndlessLine(t *testing.T) {
	t.Parallel()
	var spec campaign.Spec
	if err := spec.ReadSeeds([]string{"-"}, io.LimitReader(endless{}, 2<<30)); err == nil {
		t.Error("a line of 2 GiB is taken")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// What was taken from an alert goes with the run, and gzip is taken for what it holds.
func TestSeedsOfAnAlert(t *testing.T) {
	t.Parallel()
	const text = `{"file":{"hash":{"md5":"` + md5A + `"},"size":24,"path":"/tmp/a"},"host":{"name":"h"},"rule":{"name":"r"}}`
	want := []alert.Taken{{ID: "", Format: alert.FormatECS, Rule: "r", Host: "h", Files: []alert.TakenFile{
		{File: indicator.File{MD5: md5A, Size: 24, Names: []string{"a"}}, Field: "file.hash.md5", Path: "/tmp/a", Host: "h", Seed: true},
	}}}
	for name, in := range map[string]string{"plain": text, "gzip": gzipped(t, text)} {
		var spec campaign.Spec
		if err := spec.ReadSeeds([]string{"-"}, strings.NewReader(in)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range spec.Alerts {
			spec.Alerts[i].ID, spec.Alerts[i].Digest = "", ""
		}
		if diff := cmp.Diff(want, spec.Alerts); diff != "" {
			t.Error(name, diff)
		}
	}
	places := `{"rule":{"level":3},"agent":{"name":"h"},"manager":{},"syscheck":{"path":"/x","md5_after":"` + md5A + `"},"data":{"md5":"` + md5A + `"}}` + "\n" + text +
		"\n" + strings.ReplaceAll(text, "file", "process") + `{"process":{"parent":{"executable":"/bin/sh","hash":{"md5":"` + md5A + `"}}},"host":{"name":"h"}}`
	var placed campaign.Spec
	if err := placed.ReadSeeds([]string{"-"}, strings.NewReader(places)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]edr.Place{{Host: "h", Path: "/x"}, {Host: "h", Path: "/tmp/a"}}, placed.Search.First); diff != "" {
		t.Error(diff)
	}
	var spec campaign.Spec
	if err := spec.ReadSeeds([]string{"-"}, strings.NewReader(strings.Repeat(text+"\n", 100))); err != nil || len(spec.Alerts)+spec.MoreAlerts != 100 || spec.MoreAlerts == 0 {
		t.Errorf("%v, %d alerts, %d more", err, len(spec.Alerts), spec.MoreAlerts)
	}
}

// Of alerts in several files, the run's one alert does not claim to be the first alone, and every body is kept.
func TestSeveralAlertFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a := write("a.json", `{"id":"a","md5":"`+md5A+`"}`)
	b := write("b.json", `{"id":"b","sha1":"`+shaA+`"}`+"\n"+`{"id":"c","sha1":"`+shaA+`"}`)
	var spec campaign.Spec
	if err := spec.ReadSeeds([]string{unknown, a, b}, nil); err != nil {
		t.Fatal(err)
	}
	if len(spec.Seed.Files) != 4 || spec.Seed.Alert != "a and others" || len(spec.Alerts) != 3 {
		t.Errorf("%+v", spec.Seed)
	}
	raw := string(spec.Seed.Raw.Body)
	if strings.Count(raw, `"id"`) != 3 || fmt.Sprintf("%x", sha256.Sum256(spec.Seed.Raw.Body)) != spec.Seed.Raw.Digest {
		t.Errorf("%q %s", raw, spec.Seed.Raw.Digest)
	}
	var one campaign.Spec
	if err := one.ReadSeeds([]string{a}, nil); err != nil || one.Seed.Alert != "a" {
		t.Errorf("%v %+v", err, one.Seed)
	}
}

func TestGzipOfSeeds(t *testing.T) {
	t.Parallel()
	var spec campaign.Spec
	if err := spec.ReadSeeds([]string{"-"}, strings.NewReader(gzipped(t, md5A+"\n"))); err != nil || len(spec.Seed.Files) != 1 {
		t.Errorf("a list: %v %v", err, spec.Seed.Files)
	}
	for name, c := range map[string]struct{ in, want string }{
		"damaged":        {"\x1f\x8bnothing", "the gzip is damaged"},
		"cut":            {gzipped(t, md5A+"\n")[:30], "unexpected EOF"},
		"twice":          {gzipped(t, gzipped(t, md5A)), "compressed twice"},
		"bomb, alert":    {gzipped(t, "{") + strings.Repeat(gzipped(t, strings.Repeat(" ", 1<<20)), 17), "over 16 MiB"}, // members of one gzip
		"bomb, comments": {strings.Repeat(gzipped(t, strings.Repeat("#"+strings.Repeat("x", 60_000)+"\n", 12)), 100), "over 64 MiB"},
		"bomb, one line": {gzipped(t, strings.Repeat("0", 1<<20)), "a line of over"},
	} {
		var spec campaign.Spec
		if err := spec.ReadSeeds([]string{"-"}, strings.NewReader(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A sparse file of many GiB is refused at its first line.
func TestSparseFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "alert.json")
	for name, head := range map[string]string{"an alert": `{"md5":"` + md5A + `","x":"`, "a list": md5A + "\n"} {
		if err := os.WriteFile(path, []byte(head), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, 8<<30); err != nil {
			t.Skip("no sparse files here: ", err)
		}
		var spec campaign.Spec
		if err := spec.ReadSeeds([]string{path}, nil); err == nil || !strings.Contains(err.Error(), "over") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What stands beside digests and is no file hash is refused by its name, never by a sentence in the place of a kind;
// alone it is an error, as a search for nothing would be none.
func TestSysmonRefusesByName(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"MD5=" + md5A + ",IMPHASH=" + strings.ToUpper(md5A)}, {"-"}} {
		var spec campaign.Spec
		if err := spec.ReadSeeds(args, strings.NewReader("MD5="+md5A+", IMPHASH= "+strings.ToUpper(md5A)+"\n")); err != nil {
			t.Fatal(err)
		}
		if len(spec.Refused) != 1 || spec.Refused[0].Kind != "imphash" || spec.Refused[0].Value != md5A || !strings.Contains(spec.Refused[0].Reason, "imphash") {
			t.Errorf("%v: %+v", args, spec.Refused)
		}
	}
	for text, want := range map[string]string{
		"IMPHASH=" + md5A:                         "imphash",
		"authenticode_sha256=" + unknown:          "authentihash",
		"IMPHASH=" + md5A + ",TLSH=" + unknown:    "imphash",
		"MD5=" + md5A[:31] + ",SHA256=" + unknown: "md5 has 32",
	} {
		var spec campaign.Spec
		if err := spec.ReadSeeds([]string{text}, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "argument 1") {
			t.Errorf("%s: %v", text, err)
		}
		if err := spec.ReadSeeds([]string{"-"}, strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "-:1:1") {
			t.Errorf("%s in a list: %v", text, err)
		}
	}
}
