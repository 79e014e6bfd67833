package alert

import (
	"cmp"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// Bounds of what a run keeps to show: an alert of a list with thousands of files is in the raw body whole.
const (
	maxTakenFiles  = 30
	MaxTakenAlerts = 20 // of one run
)

// Taken is what was taken from an alert and where, in the form in which a run keeps and shows it. Its texts are data of others.
type Taken struct {
	ID       string      `json:"id"`
	Format   string      `json:"format"`
	Rule     string      `json:"rule,omitempty"`
	Source   string      `json:"source,omitempty"`
	Severity string      `json:"severity,omitempty"`
	Host     string      `json:"host,omitempty"`
	User     string      `json:"user,omitempty"`
	Time     time.Time   `json:"time,omitzero"`
	Digest   string      `json:"digest"` // sha256 of the file that the alert came in
	Files    []TakenFile `json:"files"`
	More     int         `json:"more,omitempty"` // files that are not listed
}

// TakenFile is a file object of an alert: what the alert says of it, in which field, and whether the hunt starts from it.
type TakenFile struct {
	indicator.File
	Field string `json:"field"` // of its digest, or the object around several
	Path  string `json:"path,omitempty"`
	Host  string `json:"host,omitempty"`
	Seed  bool   `json:"seed"`
	Note  string `json:"note,omitempty"` // why it is no seed, or what was assumed
}

// Taken gives what was taken from the alert. Files that the hunt starts from are listed first.
func (a *Alert) Taken() Taken {
	out := Taken{
		ID: a.ID, Format: a.Format, Rule: a.Rule, Source: a.Source, Severity: a.Severity, Host: a.Host, User: a.User, Time: a.Time,
		Digest: a.Digest, Files: []TakenFile{},
	}
	for _, seed := range []bool{true, false} {
		for _, f := range a.Files {
			switch {
			case f.Seed != seed:
			case len(out.Files) == maxTakenFiles:
				out.More++
			default:
				host := f.Host
				if host == "" {
					host = a.Host
				}
				out.Files = append(out.Files, TakenFile{File: f.File, Field: a.fieldOf(f), Path: f.Path, Host: host, Seed: f.Seed, Note: f.Note})
			}
		}
	}
	return out
}

// fieldOf names the field that the digest of a file was in, or of several digests the object around them.
func (a *Alert) fieldOf(f FileSeen) string {
	in := ""
	for _, h := range a.Found {
		if f.File.Digest(h.Indicator.Kind) != h.Indicator.Value || !strings.HasPrefix(h.Field, f.Field) || h.Field == in {
			continue
		}
		if in != "" {
			return f.Field
		}
		in = h.Field
	}
	return cmp.Or(in, f.Field)
}
