package alert_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/indicator"
)

// whole gives a file object of the fixtures with all its digests.
func whole(name string) indicator.File {
	text := []byte("hunter fixture " + name)
	return indicator.File{MD5: fmt.Sprintf("%x", md5.Sum(text)), SHA1: fmt.Sprintf("%x", sha1.Sum(text)), SHA256: fmt.Sprintf("%x", sha256.Sum256(text))}
}

// part gives one with some of its digests, with a size and a name.
func part(name string, size int64, called string, kinds ...indicator.Kind) indicator.File {
	all := whole(name)
	f := indicator.File{Size: size}
	for _, k := range kinds {
		f.SetDigest(k, all.Digest(k))
	}
	if len(kinds) == 0 {
		f.MD5, f.SHA1, f.SHA256 = all.MD5, all.SHA1, all.SHA256
	}
	if called != "" {
		f.Names = []string{called}
	}
	return f
}

// told is what a test asks of an alert.
type told struct {
	ID, Rule, Source, Severity, Host, User, Time, Tags string

	Files   []alert.FileSeen
	Refused []string // field and name
}

func tell(a *alert.Alert) told {
	out := told{ID: a.ID, Rule: a.Rule, Source: a.Source, Severity: a.Severity, Host: a.Host, User: a.User, Tags: strings.Join(a.Tags, " "), Files: a.Files}
	if !a.Time.IsZero() {
		out.Time = a.Time.Format(time.RFC3339Nano)
	}
	for _, r := range a.Refused {
		out.Refused = append(out.Refused, r.Field+" "+r.What)
	}
	return out
}

const (
	md5Kind, sha1Kind, sha256Kind = indicator.MD5, indicator.SHA1, indicator.SHA256

	noParent = "of a parent process, usually a shell or a desktop: no seed"
	noBefore = "of an earlier state of the file: no seed"
)

// wanted is what is in the fixtures, by file.
func wanted() map[string][]told {
	out := map[string][]told{}
	for _, group := range []map[string][]told{wantIntelligence(), wantMicrosoft(), wantSensors(), wantManagers()} {
		maps.Copy(out, group)
	}
	return out
}

// Every format is read by its own reader alone, and says everything that it has.
func TestFormats(t *testing.T) {
	t.Parallel()
	for file, want := range wanted() {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			all, err := alert.ReadNamed(bytes.NewReader(fixture(t, file)), file)
			if err != nil {
				t.Fatal(err)
			}
			var got []told
			for _, a := range all {
				if format, _, _ := strings.Cut(strings.TrimSuffix(file, filepath.Ext(file)), "_"); strings.TrimRight(format, "45") != a.Format {
					t.Errorf("format %s of %s", a.Format, file)
				}
				got = append(got, tell(a))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
