package alert_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/indicator"
)

// fixtures gives the names of all alerts in testdata.
func fixtures(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"testdata/*.json", "testdata/*.ndjson"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		for _, f := range found {
			out = append(out, filepath.Base(f))
		}
	}
	return out
}

func TestEveryFixtureIsWanted(t *testing.T) {
	t.Parallel()
	want := wanted()
	for _, f := range fixtures(t) {
		if want[f] == nil {
			t.Errorf("no test says what %s holds", f)
		}
	}
}

// A format is known by keys that no other format has, so the order of the readers decides nothing here.
func TestOneReaderKnowsAnAlert(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t) {
		known, err := alert.KnownBy(fixture(t, f))
		if err != nil {
			t.Fatal(err)
		}
		for _, names := range known {
			if len(names) != 1 {
				t.Errorf("%s is known by %q", f, names)
			}
		}
	}
}

// What the walker sees besides is no seed, and what a reader refused stays refused.
func TestTheWalkerAddsNoSeed(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t) {
		named, err := alert.ReadNamed(bytes.NewReader(fixture(t, f)), f)
		if err != nil {
			t.Fatal(err)
		}
		all, err := alert.Read(bytes.NewReader(fixture(t, f)), f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			if d := cmp.Diff(named[i].Seeds(), all[i].Seeds()); d != "" {
				t.Errorf("%s: %s", f, d)
			}
		}
	}
}

func TestFieldsThatAFormatDoesNotName(t *testing.T) {
	t.Parallel()
	const wazuh = `"rule":{"level":3,"description":"x"},"agent":{"name":"h"},"manager":{}`
	beside := readOne(t, `{`+wazuh+`,"syscheck":{"md5_after":"MD5A"},"custom":{"sha256":"SHA256B"}}`)
	want := []alert.FileSeen{
		{File: indicator.File{MD5: md5A}, Field: "syscheck", Seed: true},
		{File: indicator.File{SHA256: sha256B}, Field: "custom", Note: "not where wazuh names a file: no seed"},
	}
	if d := cmp.Diff(want, beside.Files); d != "" {
		t.Error(d)
	}
	alone := readOne(t, `{`+wazuh+`,"custom":{"sha256":"SHA256B"}}`)
	if len(alone.Files) != 1 || !alone.Files[0].Seed || !strings.Contains(alone.Files[0].Note, "by the name of its field") || alone.Format != "wazuh" {
		t.Errorf("%+v", alone.Files)
	}
	if f := alone.Found; len(f) != 1 || f[0].Field != "custom.sha256" || !f[0].Seed {
		t.Errorf("%+v", f)
	}
	// The digest of an earlier state is no seed by another name either.
	_, err := alert.Read(strings.NewReader(fill(`{`+wazuh+`,"syscheck":{"md5_before":"MD5A"},"ioc":"MD5A"}`)), "x")
	if err == nil || !strings.Contains(err.Error(), "read as wazuh") || !strings.Contains(err.Error(), "earlier state") {
		t.Errorf("%v", err)
	}
}

// An event whose publisher marks nothing for detection is still one to start from.
func TestMISPWithoutMarks(t *testing.T) {
	t.Parallel()
	const event = `{"Event":{"uuid":"1","info":"x","Attribute":[{"type":"md5","value":"MD5A","to_ids":false},{"type":"sha256","value":"SHA256B","to_ids":false}],
		"Object":[{"name":"file","deleted":true,"Attribute":[{"type":"md5","value":"MD5B"}]}]}}`
	a := readOne(t, event)
	if d := cmp.Diff([]indicator.File{{MD5: md5A}, {SHA256: sha256B}}, a.Seeds()); d != "" {
		t.Error(d)
	}
	if !strings.Contains(a.Files[0].Note, "marks nothing") || !a.Found[0].Seed || a.Files[2].Seed {
		t.Errorf("%+v %+v", a.Files, a.Found)
	}
	a = readOne(t, strings.Replace(event, `"MD5A","to_ids":false`, `"MD5A","to_ids":true`, 1))
	if d := cmp.Diff([]indicator.File{{MD5: md5A}}, a.Seeds()); d != "" {
		t.Error(d)
	}
}

// The page lists the formats in the order in which they are tried.
func TestPageListsTheFormats(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, f := range append(alert.ReaderFormats(), alert.FormatECS, alert.FormatSysmon, alert.FormatGeneric) {
		i := strings.Index(string(page), "\n| `"+f+"` | ")
		if i < at {
			t.Errorf("docs/alerts.md: the row of %s is missing or not in its place", f)
		}
		at = max(i, at)
	}
}

// All fixtures in one file, as lines, as an array, and as a search of Elasticsearch answers them.
func TestMixedFormats(t *testing.T) {
	t.Parallel()
	var docs, formats []string
	for _, f := range fixtures(t) {
		known, err := alert.KnownBy(fixture(t, f))
		if err != nil {
			t.Fatal(err)
		}
		for _, names := range known {
			formats = append(formats, names...)
		}
		if strings.HasSuffix(f, ".ndjson") {
			docs = append(docs, strings.Split(strings.TrimSpace(string(fixture(t, f))), "\n")...)
		} else {
			docs = append(docs, string(fixture(t, f)))
		}
	}
	slices.Sort(formats)
	for name, text := range map[string]string{
		"lines": strings.Join(docs, "\n"),
		"array": "[" + strings.Join(docs, ",") + "]",
		"hits":  `{"hits":{"hits":[{"_id":"1","_source":` + strings.Join(docs, `},{"_id":"1","_source":`) + `}]}}`,
	} {
		want := slices.Clone(formats)
		if name == "hits" { // a list of Graph inside a hit is not opened
			want[slices.Index(want, alert.FormatGraph)] = alert.FormatGeneric
			slices.Sort(want)
		}
		all, err := alert.ReadNamed(strings.NewReader(text), name)
		if err != nil {
			t.Fatal(name, err)
		}
		var got []string
		for _, a := range all {
			got = append(got, a.Format)
			if name == "hits" && a.Format == alert.FormatOsquery && a.ID != "1" { // it has no id of its own
				t.Errorf("id %q", a.ID)
			}
		}
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Error(name, d)
		}
	}
}

// Any cut of any alert is an error with its place, or an alert.
func TestDamagedFixtures(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t) {
		text := bytes.TrimSpace(fixture(t, f))
		for cut := 1; cut < len(text); cut += 31 {
			all, err := alert.Read(bytes.NewReader(text[:cut]), f)
			if strings.HasSuffix(f, ".ndjson") && err == nil {
				continue // cut between two lines
			}
			if err == nil || !strings.Contains(err.Error(), "the alert ends in the middle") || !strings.HasPrefix(err.Error(), f+":") {
				t.Fatalf("%s cut at %d: %v %v", f, cut, all, err)
			}
		}
	}
}

func TestFixturesNameTheirSources(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fixtures(t) {
		stem, _, _ := strings.Cut(strings.TrimSuffix(f, filepath.Ext(f)), "_")
		if !strings.Contains(string(readme), "`"+stem) {
			t.Errorf("testdata/README.md does not say where the shape of %s is from", f)
		}
	}
}
