package alert_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/indicator"
)

const (
	md5A    = "0cc175b9c0f1b6a831c399e269772661"
	sha1A   = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"
	sha256A = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
	md5B    = "92eb5ffee6ae2fec3ad71c777531578f"
	sha256B = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
)

// fill puts the digests above in place of their names.
func fill(s string) string {
	return strings.NewReplacer("MD5A", md5A, "SHA1A", sha1A, "SHA256A", sha256A, "MD5B", md5B, "SHA256B", sha256B).Replace(s)
}

func readOne(t *testing.T, text string) *alert.Alert {
	t.Helper()
	all, err := alert.Read(strings.NewReader(fill(text)), "alert.json")
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

const ecs = `{
  "@timestamp": "2026-11-20T08:09:10.123Z",
  "kibana.alert.uuid": "SHA256B",
  "kibana.alert.rule.name": "Ransomware note",
  "kibana": {"alert": {"severity": "high", "rule": {"tags": ["t1486", "windows"]}}},
  "event": {"id": "MD5B", "module": "endpoint", "hash": "SHA256B"},
  "host": {"name": "ws-17"}, "user": {"name": "anna", "hash": "SHA256B"},
  "file": {"name": "a.exe", "path": "C:\\Users\\anna\\a.exe", "size": 84480, "hash": {"md5": "MD5A", "sha1": "SHA1A", "sha256": "SHA256A", "sha512": "SHA256ASHA256A"}, "pe": {"imphash": "MD5B"}},
  "process": {"name": "b.exe", "executable": "C:\\b.exe", "hash": {"sha256": "SHA256B"},
    "parent": {"name": "cmd.exe", "hash": {"md5": "MD5B"}}, "code_signature": {"thumbprint_sha256": "SHA256B"}},
  "tls": {"server": {"hash": {"sha256": "SHA256B"}}}
}`

func TestECS(t *testing.T) {
	t.Parallel()
	a := readOne(t, ecs)
	file := indicator.File{MD5: md5A, SHA1: sha1A, SHA256: sha256A, Size: 84480, Names: []string{"a.exe"}}
	process := indicator.File{SHA256: sha256B, Names: []string{"b.exe"}}
	want := []alert.FileSeen{
		{File: file, Path: `C:\Users\anna\a.exe`, Field: "file.hash", Seed: true},
		{File: process, Path: `C:\b.exe`, Field: "process.hash", Seed: true},
		{File: indicator.File{MD5: md5B, Names: []string{"cmd.exe"}}, Field: "process.parent.hash", Note: "of a parent process, usually a shell or a desktop: no seed"},
	}
	if d := cmp.Diff(want, a.Files); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]indicator.File{process, file}, a.Seeds()); d != "" {
		t.Error(d)
	}
	var refused []string
	for _, r := range a.Refused {
		refused = append(refused, r.Field+" "+r.What)
	}
	wantRefused := []string{
		"file.hash.sha512 sha512", "file.pe.imphash imphash", "process.code_signature.thumbprint_sha256 certificate or TLS fingerprint",
		"tls.server.hash.sha256 certificate or TLS fingerprint",
	}
	if d := cmp.Diff(wantRefused, refused); d != "" {
		t.Error(d)
	}
	got := []string{a.ID, a.Rule, a.Source, a.Severity, a.Host, a.User, strings.Join(a.Tags, " "), a.Time.Format(time.RFC3339Nano), a.Format}
	if d := cmp.Diff([]string{sha256B, "Ransomware note", "endpoint", "high", "ws-17", "anna", "t1486 windows", "2026-11-20T08:09:10.123Z", "ecs"}, got); d != "" {
		t.Error(d)
	}
	if a.Digest != fmt.Sprintf("%x", sha256.Sum256([]byte(fill(ecs)))) || string(a.Raw) != fill(ecs) {
		t.Error("the raw body is not kept")
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	whole := indicator.File{MD5: md5A, SHA256: sha256A}
	type file = indicator.File
	for name, c := range map[string]struct {
		in     string
		want   []file
		format string
	}{
		"flat dotted keys": {
			`{"file.hash.md5":"MD5A","file.hash.sha256":"SHA256A","file.size":7,"file.name":"x","process.parent.hash.md5":"MD5B"}`,
			[]file{{MD5: md5A, SHA256: sha256A, Size: 7, Names: []string{"x"}}}, "ecs",
		},
		"_source of one hit, and fields that repeat it": {
			`{"_id":"SHA256B","_source":{"file":{"hash":{"md5":"MD5A","sha256":"SHA256A"}}},"fields":{"file.hash.md5":["MD5A"],"file.hash.sha256":["SHA256A"],"file.size":[9]}}`,
			[]file{{MD5: md5A, SHA256: sha256A, Size: 9}}, "ecs",
		},
		"dll": {`{"dll":{"path":"/a/x.so","hash":{"sha256":"SHA256A"}}}`, []file{{SHA256: sha256A, Names: []string{"x.so"}}}, "ecs"},
		"Sysmon": {
			`{"event_data":{"Image":"C:\\a\\b.exe","Hashes":"MD5=MD5A,SHA256=SHA256A,IMPHASH=MD5B"}}`,
			[]file{{MD5: md5A, SHA256: sha256A, Names: []string{"b.exe"}}}, "sysmon",
		},
		"Sysmon in a message": {`{"message":"Process Create:\nHashes: MD5=MD5A,SHA256=SHA256A\nParentImage: x"}`, []file{whole}, "sysmon"},
		"flat record":         {`{"md5":"MD5A","sha256":"SHA256A","parent_md5":"MD5B"}`, []file{whole}, "generic"},
		"prefixed names":      {`{"process_md5":"MD5A","process_sha256":"SHA256A","target_md5":"MD5B"}`, []file{{MD5: md5B}, whole}, "generic"},
		"Wazuh":               {`{"syscheck":{"path":"/bin/x","md5_before":"MD5B","md5_after":"MD5A","sha256_after":"SHA256A","size_after":"12"}}`, []file{{MD5: md5A, SHA256: sha256A, Size: 12, Names: []string{"x"}}}, "generic"},
		"type and value":      {`{"evidence":[{"fileHashes":[{"algorithm":"MD5","value":"MD5A"},{"algorithm":"SHA256","value":"SHA256A"}]}]}`, []file{{MD5: md5A}, {SHA256: sha256A}}, "generic"},
		"a bare list": {
			`{"process_hash":["MD5A","SHA256A"]}`, []file{{MD5: md5A}, {SHA256: sha256A}}, "generic",
		},
		"two of one kind are two files":    {`{"file":{"size":5,"hash":{"sha256":["SHA256A","SHA256B"],"md5":"MD5A"}}}`, []file{{MD5: md5A}, {SHA256: sha256B}, {SHA256: sha256A}}, "ecs"},
		"unnamed, when nothing is named":   {`{"evil":"SHA256A","id":"SHA256B","trace":{"id":"MD5B"}}`, []file{{SHA256: sha256A}}, "generic"},
		"not the unnamed beside the named": {`{"evil":"SHA256B","md5":"MD5A"}`, []file{{MD5: md5A}}, "generic"},
		"duplicate keys":                   {`{"md5":"MD5A","md5":"MD5B"}`, []file{{MD5: md5A}, {MD5: md5B}}, "generic"},
		"a text":                           {`"SHA256A"`, []file{{SHA256: sha256A}}, "generic"},
		"BOM, upper case":                  {"\ufeff" + `{"SHA-256":"` + strings.ToUpper(sha256A) + `"}`, []file{{SHA256: sha256A}}, "generic"},
		"size as a word, negative, huge":   {`{"file":{"size":-4,"hash":{"md5":"MD5A"}},"process":{"size":1e400,"hash":{"md5":"MD5B"}}}`, []file{{MD5: md5A}, {MD5: md5B}}, "ecs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := readOne(t, c.in)
			got := a.Seeds()
			byDigests := func(a, b file) int { return strings.Compare(a.Best().Value, b.Best().Value) }
			slices.SortFunc(got, byDigests)
			slices.SortFunc(c.want, byDigests)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if a.Format != c.format {
				t.Errorf("format %s, want %s", a.Format, c.format)
			}
		})
	}
}

func TestSeveralAlerts(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"array":  `[{"id":"none"},{"id":"1","md5":"MD5A"},{"id":"2","md5":"MD5B"}]`,
		"ndjson": "{\"id\":\"none\"}\n{\"id\":\"1\",\"md5\":\"MD5A\"}\n\n{\"id\":\"2\",\"md5\":\"MD5B\"}\n",
		"hits":   `{"took":3,"hits":{"total":{"value":3},"hits":[{"_id":"none"},{"_id":"1","_source":{"md5":"MD5A"}},{"_id":"2","_source":{"md5":"MD5B"}}]}}`,
	} {
		all, err := alert.Read(strings.NewReader(fill(in)), "x")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var ids []string
		for _, a := range all {
			ids = append(ids, a.ID)
		}
		if d := cmp.Diff([]string{"1", "2", "none"}, ids); d != "" { // those with seeds first
			t.Error(name, d)
		}
	}
}

func TestFoundNamesItsField(t *testing.T) {
	t.Parallel()
	a := readOne(t, `{"alerts":[{"x":1},{"file":{"md5":"MD5A"}}]}`)
	want := []alert.FieldHash{{Field: "alerts[1].file.md5", Indicator: indicator.Indicator{Kind: indicator.MD5, Value: md5A}, Seed: true}}
	if d := cmp.Diff(want, a.Found); d != "" {
		t.Error(d)
	}
	if a.ID != a.Digest[:16] {
		t.Errorf("id %q", a.ID)
	}
}

func TestRefusesWithPlaceAndReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"trailing comma":        {"{\n \"md5\": \"MD5A\",\n}", "alert.json:3:1: error: no JSON"},
		"trailing comma, array": {"[1,\n2,]", "alert.json:2:3: error: no JSON"},
		"syntax":                {`{"md5" "MD5A"}`, "alert.json:1:8: error: no JSON"},
		"second line of NDJSON": {"{\"md5\":\"MD5A\"}\n{\"md5\":nope}\n", "alert.json:2:"},
		"truncated":             {"{\"md5\":\n\"MD5A\"", "alert.json:2:35: error: the alert ends in the middle"},
		"text":                  {"hello", "alert.json:1:1: error: no JSON"},
		"empty":                 {" \n", "empty"},
		"UTF-16 with BOM":       {"\xff\xfe{\x00}\x00", "UTF-16"},
		"UTF-16 without BOM":    {"{\x00}\x00", "UTF-16"},
		"gzip":                  {"\x1f\x8b\x08", "gzip"},
		"depth bomb":            {strings.Repeat("[", 100_000), "deeper than 64"},
		"object depth bomb":     {strings.Repeat(`{"a":`, 100_000), "deeper than 64"},
		"many values":           {"[" + strings.Repeat("0,", 1_000_001) + "0]", "1000000 values"},
		"many alerts":           {strings.Repeat("{}\n", 10_002), "10000 alerts"},
		"many digests":          {`{"hashes":[` + strings.Repeat(`"MD5A",`, 10_001) + `"MD5A"]}`, "10000 digests"},
		"a line over the limit": {`{"a":"` + strings.Repeat("x", alert.MaxBytes) + `"}`, "over 16 MiB"},
		"no digest":             {`{"host":{"name":"x\u001b[31m"},"n":1}`, "its fields are host.name, n"},
		"no fields":             {`{}`, "no fields; looked at file.hash.*"},
		"only a parent":         {`{"process":{"parent":{"hash":{"md5":"MD5A"}}}}`, "process.parent.hash is of a parent"},
		"only an imphash":       {`{"file":{"pe":{"imphash":"MD5A"}}}`, "file.pe.imphash (imphash)"},
		"only ids":              {`{"id":"MD5A","event":{"hash":"SHA256A"},"_id":"SHA256A"}`, "no file hash"},
		"wrong length":          {`{"md5":"SHA256A"}`, "md5 (no md5)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := alert.Read(strings.NewReader(fill(c.in)), "alert.json")
			if err == nil {
				t.Fatalf("taken: %+v", all[0].Seeds())
			}
			text := err.Error()
			if !strings.Contains(text, c.want) || !strings.HasPrefix(text, "alert.json") || !strings.Contains(text, "; ") {
				t.Errorf("%q, want %q", text, c.want)
			}
			if strings.ContainsAny(text, "\x1b\x00") || len(text) > 8000 {
				t.Errorf("unsafe or long error: %d bytes", len(text))
			}
		})
	}
}

func TestHostileTextsAreKeptAsData(t *testing.T) {
	t.Parallel()
	a := readOne(t, `{"md5":"MD5A","host":{"name":"x\u001b]0;boo\u0007"},"path":"C:\\<b>\u202eexe.txt","name":"`+strings.Repeat("y", 10_000)+`"}`)
	if a.Host != "x\x1b]0;boo\a" || len(a.Files[0].File.Names[0]) > 4200 {
		t.Errorf("%q %d", a.Host, len(a.Files[0].File.Names[0]))
	}
	long := strings.Repeat("k", 5000)
	a = readOne(t, `{"`+long+`":{"`+long+`":{"md5":"MD5A"}}}`)
	if len(a.Found[0].Field) > 1200 || !strings.HasSuffix(a.Found[0].Field, ".md5") {
		t.Errorf("field of %d bytes", len(a.Found[0].Field))
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"2026-11-20 08:09:10.5"`: "2026-11-20T08:09:10.5Z", `"2026-11-20T10:09:10+0200"`: "2026-11-20T08:09:10Z",
		`1763626150`: "2025-11-20T08:09:10Z", `"1763626150123"`: "2025-11-20T08:09:10.123Z", `"yesterday"`: "0001-01-01T00:00:00Z",
	} {
		if got := readOne(t, `{"md5":"MD5A","@timestamp":`+in+`}`).Time.Format(time.RFC3339Nano); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}
