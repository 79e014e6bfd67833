package hunts_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hunter-project/hunter/hunts"
)

// FuzzParse holds that the reader never panics, says where each fault is, lets no control character through, and gives a
// set exactly when there is no error.
func FuzzParse(f *testing.F) {
	for _, glob := range []string{"testdata/full/*.yaml", "library/*.yaml", "../examples/*.yaml"} {
		names, err := filepath.Glob(glob)
		if err != nil || len(names) == 0 {
			f.Fatal(glob, names, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	for _, s := range []string{
		"", "version: 1\n", "a: &a [*a]\n", "- - - -\n", "version: 1\nhunts: [\n", "\xff\xfe", "version: 1\nhunts:\n\t- a\n", "%YAML 1.1\n---\nversion: 1\n...\n",
		"version: 1\nhunts:\n - {name: a, seed: {hashes: [1234e12]}, schedule: \"CRON_TZ=x\"}\n", "? {a: b}\n: c\n", "version: !!int 1\n", "<<: {}\n",
		"version: 1\nhunts: [{name: a, seed: {report: r}, search: {paths: {linux: [./x]}}}]", "version: 1\ntools: [{type: carbonblack_edr, token: abc}]\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, list := hunts.Parse([]hunts.Source{{Name: "f", Data: data}}, catalog())
		if (set == nil) != list.HasErrors() {
			t.Errorf("set %v with %v", set, list)
		}
		lines := len(strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' || r == '\r' })) + strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		for _, d := range list {
			if d.Message == "" || d.Line < 0 || d.Line > lines || d.Column < 0 || d.Line == 0 && d.Column != 0 {
				t.Errorf("bad place or no text: %+v", d)
			}
			if s := d.String(); !utf8.ValidString(s) || strings.ContainsAny(s, "\x1b\n\r") {
				t.Errorf("not safe: %q", s)
			}
		}
	})
}
