package alert

import (
	"errors"
	"fmt"

	"github.com/hunter-project/hunter/internal/indicator"
)

// book is an alert while it is filled; it knows which files are there.
type book struct {
	*Alert
	at map[fileKey]int // in Files
}

type fileKey struct {
	seed              bool
	md5, sha1, sha256 string
}

func newBook(format string) *book {
	return &book{Alert: &Alert{Format: format}, at: map[fileKey]int{}}
}

func (a *book) refuse(l *node, what string, err error) {
	a.Refused = append(a.Refused, Refused{Field: l.path(), Value: cut(l.text, 200), What: what, Reason: err.Error()})
}

// refuseNamed lists a value by the name of its field, when it is written like a digest at all.
func (a *book) refuseNamed(l *node, what string) bool {
	_, err := indicator.ParseHash(l.text)
	var refused *indicator.RefusedError
	if errors.As(err, &refused) && refused.Name == "" {
		return false
	}
	if what == "" {
		what = "certificate or TLS fingerprint"
	}
	a.refuse(l, what, fmt.Errorf("%q is no file hash but: %s; give the file's sha256, sha1 or md5", cut(l.text, 200), what))
	return true
}

// put records digests that stand together: one file, or one of each digest when a kind stands there twice, since lists are
// not siblings and nothing says whose the size and the name are.
func (a *book) put(seen FileSeen, found []FieldHash) {
	one := true
	for i := range found {
		found[i].Seed = seen.Seed
		d := found[i].Indicator
		if old := seen.File.Digest(d.Kind); old != "" && old != d.Value {
			one = false
		}
		seen.File.SetDigest(d.Kind, d.Value)
	}
	a.Found = append(a.Found, found...)
	if one {
		a.see(seen)
		return
	}
	for _, f := range found {
		single := FileSeen{Field: f.Field, Host: seen.Host, Seed: seen.Seed, Note: seen.Note}
		single.File.SetDigest(f.Indicator.Kind, f.Indicator.Value)
		a.see(single)
	}
}

// see adds a file, unless it is there already, as an export repeats it under "fields".
func (a *book) see(f FileSeen) {
	key := fileKey{f.Seed, f.File.MD5, f.File.SHA1, f.File.SHA256}
	i, there := a.at[key]
	if !there {
		a.at[key] = len(a.Files)
		a.Files = append(a.Files, f)
		return
	}
	old := &a.Files[i]
	if old.File.Size == 0 {
		old.File.Size = f.File.Size
	}
	if len(old.File.Names) == 0 {
		old.File.Names, old.Path = f.File.Names, f.Path
	}
}
