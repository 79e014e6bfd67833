package alert_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/indicator"
)

// packed gives text as gzip.
func packed(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGzip(t *testing.T) {
	t.Parallel()
	plain := fixture(t, "wazuh_syscheck.json")
	want, err := alert.Read(bytes.NewReader(plain), "a.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := alert.Read(bytes.NewReader(packed(t, plain)), "a.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" { // the raw body too: what a person can read
		t.Error(d)
	}
	whole := packed(t, plain)
	bomb := bytes.Repeat(packed(t, bytes.Repeat([]byte(" "), 1<<20)), 40) // members of one gzip
	if len(bomb) > alert.MaxBytes {
		t.Fatal("the bomb is too big to be one")
	}
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"bomb":      {bomb, "over 16 MiB once unpacked"},
		"cut":       {whole[:len(whole)-9], "the gzip is damaged"},
		"changed":   {append(bytes.Clone(whole[:len(whole)-6]), 1, 2, 3, 4, 5, 6), "the gzip is damaged"},
		"head":      {whole[:3], "the gzip is damaged"},
		"twice":     {packed(t, whole), "compressed twice"},
		"no JSON":   {packed(t, []byte("hello")), "no JSON"},
		"of UTF-16": {packed(t, []byte("\xff\xfe{\x00}\x00")), "UTF-16"},
	} {
		if _, err := alert.Read(bytes.NewReader(c.in), "a.gz"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// endless gives a line without end, and counts what was read of it.
type endless struct {
	start string
	read  int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.start)
	e.start = e.start[n:]
	for n < len(p) {
		n += copy(p[n:], strings.Repeat("x", 1<<16))
	}
	e.read += int64(len(p))
	return len(p), nil
}

func TestEndlessLine(t *testing.T) {
	t.Parallel()
	for _, start := range []string{`{"md5":"` + md5A + `","a":"`, `"`, "x", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"} {
		e := &endless{start: start}
		if all, err := alert.Read(io.LimitReader(e, 4<<30), "endless"); err == nil {
			t.Errorf("%q is taken: %v", start, all)
		}
		if e.read > 2*alert.MaxBytes {
			t.Errorf("%q: %d bytes were read", start, e.read)
		}
	}
}

// Depth bombs are refused wherever they stand: around an alert, inside one, and in the JSON that Sentinel keeps in a text.
func TestDepthInsideFormats(t *testing.T) {
	t.Parallel()
	const deep = 5000
	bomb := strings.Repeat("[", deep) + strings.Repeat("]", deep)
	for _, f := range fixtures(t) {
		text := bytes.TrimSpace(fixture(t, f))
		text = append([]byte(`{"x":`+bomb+`,`), text[1:]...)
		if _, err := alert.Read(bytes.NewReader(text), f); err == nil || !strings.Contains(err.Error(), "deeper than 64") {
			t.Errorf("%s: %v", f, err)
		}
	}
	a := readOne(t, `{"md5":"MD5A","Entities":"`+strings.Repeat("[", deep)+`"}`)
	if a.Format != alert.FormatGeneric {
		t.Errorf("format %s", a.Format)
	}
}

// References of entities may point in circles and nowhere.
func TestReferencesInCircles(t *testing.T) {
	t.Parallel()
	a := readOne(t, `{"Entities":[
		{"$id":"1","Type":"file","Name":"a","Host":{"$ref":"1"},"FileHashes":[{"$ref":"1"},{"$ref":"9"},{"$ref":"2"},{"$ref":"2"}]},
		{"$id":"2","Type":"filehash","Algorithm":"MD5","Value":"MD5A"},
		{"$id":"3","Type":"process","ParentProcess":{"$ref":"3"},"ImageFile":{"$ref":"1"}},
		{"$id":"4","Type":"process","ParentProcess":{"$ref":"3"},"ImageFile":{"$ref":"4"}}]}`)
	want := []indicator.File{{MD5: md5A, Names: []string{"a"}}}
	if d := cmp.Diff(want, a.Seeds()); d != "" {
		t.Error(d)
	}
	stix := readOne(t, `{"type":"bundle","objects":[{"type":"file","id":"file--1","parent_directory_ref":"file--1","hashes":{"MD5":"MD5A"}}]}`)
	if d := cmp.Diff([]indicator.File{{MD5: md5A}}, stix.Seeds()); d != "" {
		t.Error(d)
	}
}

func TestUTF16AndBOMOfFormats(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t) {
		text := fixture(t, f)
		if _, err := alert.Read(bytes.NewReader(append([]byte("\xef\xbb\xbf"), text...)), f); err != nil {
			t.Errorf("with a BOM: %v", err)
		}
		for _, little := range []bool{true, false} {
			var wide []byte
			for _, u := range utf16.Encode([]rune(string(text))) {
				low, high := byte(u), byte(u>>8)
				if !little {
					low, high = high, low
				}
				wide = append(wide, low, high)
			}
			if _, err := alert.Read(bytes.NewReader(wide), f); err == nil || !strings.Contains(err.Error(), "UTF-16") {
				t.Errorf("%s: %v", f, err)
			}
		}
	}
}

// A digest with a digit too few or too many is refused by its field, in every format.
func TestWrongLengthInFormats(t *testing.T) {
	t.Parallel()
	digests := regexp.MustCompile(`\b([0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})\b`)
	for _, f := range fixtures(t) {
		for _, wrong := range []string{"", "ff"} {
			text := digests.ReplaceAllFunc(fixture(t, f), func(d []byte) []byte { return append(bytes.Clone(d[:len(d)-1]), wrong...) })
			all, err := alert.Read(bytes.NewReader(text), f)
			if err == nil {
				t.Errorf("%s: %+v", f, all[0].Seeds())
			} else if !strings.Contains(err.Error(), "the alert has no") {
				t.Errorf("%s: %v", f, err)
			}
		}
	}
}

func TestTrailingCommaInFormats(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t) {
		text := bytes.TrimSpace(fixture(t, f))
		text = append(bytes.TrimSpace(text[:len(text)-1]), []byte(",\n}")...)
		_, err := alert.Read(bytes.NewReader(text), f)
		if err == nil || !strings.Contains(err.Error(), "no JSON") || !regexp.MustCompile(`^`+f+`:\d+:1: error`).MatchString(err.Error()) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// What has the length of a digest and is none is refused by name also by the walker.
func TestNamesThatAreNoFileHash(t *testing.T) {
	t.Parallel()
	for in, what := range map[string]string{
		`{"Algorithm":"sha256AC","Value":"SHA256A"}`:                   "authentihash",
		`{"Type":"filehash","algorithm":"sha256Ac","value":"SHA256A"}`: "authentihash",
		`{"x":{"sha265Ac":"SHA256A"}}`:                                 "authentihash",
		`{"type":"hassh-md5","value":"MD5A"}`:                          "SSH fingerprint",
		`{"columns":{"cdhash":"SHA1A"}}`:                               "cdhash",
		`{"dataType":"hash","data":"MD5A","tags":["imphash"]}`:         "imphash",
		`{"dataType":"ja3-fingerprint-md5","data":"MD5A"}`:             "certificate or TLS fingerprint",
		`{"file":{"pe":{"pehash":"SHA1A"}}}`:                           "pehash",
		`{"cert":{"thumbprint":"SHA1A"}}`:                              "certificate or TLS fingerprint",
		`{"result":{"ssl_hash":"SHA1A"},"sid":"1"}`:                    "certificate or TLS fingerprint",
	} {
		_, err := alert.Read(strings.NewReader(fill(in)), "x")
		if err == nil || !strings.Contains(err.Error(), "("+what+")") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// Hostile names stay data in an alert, and nothing of them reaches an error unescaped.
func TestHostileNamesInFormats(t *testing.T) {
	t.Parallel()
	const hostile = `=HYPERLINK(\"x\")<script>\u001b[2J\u202e\u0000`
	for _, f := range fixtures(t) {
		text := strings.NewReplacer("invoice.exe", hostile, "fin-ws-0417", hostile, "Known bad file", hostile).Replace(string(fixture(t, f)))
		if strings.Contains(f, "sentinel.json") {
			continue // its entities are JSON in a text
		}
		all, err := alert.Read(strings.NewReader(text), f)
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		if kept := fmt.Sprint(all[0].Taken()); text != string(fixture(t, f)) && !strings.Contains(kept, "=HYPERLINK(\"x\")<script>\x1b[2J\u202e\x00") {
			t.Errorf("%s: the name is not kept: %q", f, kept)
		}
	}
}
