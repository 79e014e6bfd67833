package pivottest

import (
	"crypto/md5"  //nolint:gosec // an identifier
	"crypto/sha1" //nolint:gosec // an identifier
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// World is what a source of intelligence knows in a case. A subject words it as its service would, or imports it.
type World struct {
	Reports []Report
}

// Report is one report of a world.
type Report struct {
	ID        string
	Title     string
	Published time.Time
	Members   []Member
	Related   []string // ids of related reports
}

// Member is one thing that a report names: a file object, or another indicator. What is alone in a File is a digest of
// which no more is known.
type Member struct {
	File      indicator.File
	Indicator indicator.Indicator // set when File is empty
	Trust     Trust
}

// Trust is how sure the source is of a member.
type Trust int

// The degrees of trust, in the words of each source: Attacker, to_ids, malicious; Related; Victim.
const (
	Sure Trust = iota
	Doubtful
	Victim // a victim's own: named, and never to be hunted
)

// Has reports whether the member is or holds an indicator.
func (m Member) Has(i indicator.Indicator) bool {
	if m.Indicator == i {
		return true
	}
	return i.Kind.IsDigest() && i.Value != "" && m.File.Digest(i.Kind) == i.Value
}

// All lists the indicators that a member is: itself, or the digests of its file.
func (m Member) All() []indicator.Indicator {
	if !m.Indicator.IsZero() {
		return []indicator.Indicator{m.Indicator}
	}
	return m.File.Digests()
}

// Naming lists the reports that name an indicator, in the world's order.
func (w World) Naming(i indicator.Indicator) []Report {
	var out []Report
	for _, r := range w.Reports {
		for _, m := range r.Members {
			if m.Has(i) {
				out = append(out, r)
				break
			}
		}
	}
	return out
}

// Report finds a report by its id.
func (w World) Report(id string) (Report, bool) {
	for _, r := range w.Reports {
		if r.ID == id {
			return r, true
		}
	}
	return Report{}, false
}

// FileOf makes the file object of a text: the digests, size and name that a file with that text would have.
func FileOf(text string) indicator.File {
	a, b, c := md5.Sum([]byte(text)), sha1.Sum([]byte(text)), sha256.Sum256([]byte(text)) //nolint:gosec // identifiers
	return indicator.File{
		MD5: hex.EncodeToString(a[:]), SHA1: hex.EncodeToString(b[:]), SHA256: hex.EncodeToString(c[:]),
		Size: int64(len(text)), Names: []string{"sample_" + hex.EncodeToString(a[:3]) + ".exe"},
	}
}

func sample(name string) indicator.File { return FileOf("pivottest sample " + name + "\n") }

// published is the time of the newest report.
func published() time.Time { return time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC) }

// clock is the time of the first asking.
func clock() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func itoa(n int) string { return strconv.Itoa(n) }

// samples gives an indicator of each kind that is no digest.
func samples() map[indicator.Kind]indicator.Indicator {
	out := map[indicator.Kind]indicator.Indicator{}
	for k, v := range map[indicator.Kind]string{
		indicator.IPv4: "192.0.2.44", indicator.IPv6: "2001:db8::44", indicator.Domain: "c2.pivottest.example",
		indicator.URL: "http://dl.pivottest.example/a.exe?x=1&y=2", indicator.Email: "lure@pivottest.example", indicator.Filename: "invoice 8842.exe",
		indicator.UserAgent: "Pivottest/1.0 (sample)", indicator.Mutex: `Global\pivottest`, indicator.RegistryKey: `HKLM\Software\Pivottest`,
	} {
		out[k] = indicator.Indicator{Kind: k, Value: v}
	}
	return out
}

// The samples of the plain world, by name.
const (
	alertFile = "A" // the alert's file
	sibling   = "B" // a file of the same report
	elsewhere = "G" // a file of a second report that names the alert's file too
)

// world gives the plain world: two reports that name file A, the first with B and what is no file, the second with G; a
// third one is related to the first.
func (p *probe) world() World {
	first := Report{
		ID: p.s.reportID(1), Title: "Invoice lure", Published: published(), Related: []string{p.s.reportID(3)},
		Members: []Member{{File: sample(alertFile)}, {File: sample(sibling)}},
	}
	for _, k := range indicator.Kinds() {
		if i, ok := samples()[k]; ok && p.takes(k) {
			first.Members = append(first.Members, Member{Indicator: i})
		}
	}
	return World{Reports: []Report{
		first,
		{
			ID: p.s.reportID(2), Title: "Updater", Published: published().AddDate(0, -1, 0),
			Members: []Member{{File: sample(alertFile)}, {File: sample(elsewhere)}},
		},
		{ID: p.s.reportID(3), Title: "Earlier wave", Published: published().AddDate(0, -2, 0), Members: []Member{{File: sample("H")}}},
	}}
}

// one gives a world of one report.
func (p *probe) one(members ...Member) World {
	return World{Reports: []Report{{ID: p.s.reportID(1), Title: "One report", Published: published(), Members: members}}}
}
