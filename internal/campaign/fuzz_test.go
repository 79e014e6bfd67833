package campaign_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/indicator"
)

// FuzzReadSeeds reads bytes as the list or alert that a sweep starts from. What comes out are digests in their normal form,
// and there is a seed or a fault, never neither.
func FuzzReadSeeds(f *testing.F) {
	for _, s := range []string{
		"", "# nothing\n", "\ufeff" + md5A + "  invoice.exe\r\n", "SHA256 (a b) = " + unknown + "\n", "sha256,size\n" + unknown + ",12\n", "MD5=" + md5A + ",IMPHASH=" + md5A,
		md5A + ";" + shaA, "\xff\xfea", `{"file":{"hash":{"sha256":"` + unknown + `"}}}`, `[{"md5":"` + md5A + `"}]`, "'" + shaA + "'\t\x00\n", "d41d8cd98f00b204e9800998ecf8427e\n",
	} {
		f.Add([]byte(s))
	}
	lists, err := filepath.Glob("../pivot/files/testdata/*")
	alerts, err2 := filepath.Glob("../alert/testdata/*json")
	if err := errors.Join(err, err2); err != nil || len(lists) == 0 || len(alerts) == 0 {
		f.Fatal(lists, alerts, err)
	}
	lists = append(lists, alerts...)
	for _, name := range lists {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(md5A + "\n")); err != nil || z.Close() != nil {
		f.Fatal(err)
	}
	f.Add(packed.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		var s campaign.Spec
		err := s.ReadSeeds([]string{"-"}, bytes.NewReader(data))
		if err == nil && s.Seed.IsEmpty() && len(s.Refused) == 0 {
			t.Fatalf("%v with %+v", err, s.Seed)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x00\x1b") {
			t.Errorf("not safe: %q", err)
		}
		for _, file := range s.Seed.Files {
			if len(file.Digests()) == 0 {
				t.Error("a seed without a digest")
			}
			for _, d := range file.Digests() {
				if got, err := indicator.ParseHash(d.Value); err != nil || got != d {
					t.Errorf("%v is no digest in its normal form", d)
				}
			}
		}
	})
}
