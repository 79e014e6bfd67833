// Package alert takes the seed of a hunt out of a SIEM's alert: the digests of the files that it is about, with size,
// name, path, host and rule. Each format that is known has a reader of its own, see readers; Elastic's alerts and any other
// JSON are walked for digests, each with the name of the field that it was in.
package alert

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
)

// Bounds of an alert file.
const (
	MaxBytes = 16 << 20
	maxDepth = 64
	// maxValues bounds the values of a file, and so the memory that it takes.
	maxValues  = 1_000_000
	maxDigests = 10_000 // of one alert
	maxAlerts  = 10_000
	maxText    = 4096 // bytes of a field that is taken along
)

// The formats of alerts that are told apart.
const (
	FormatSTIX     = "stix"     // STIX 2.1 bundle
	FormatMISP     = "misp"     // MISP event
	FormatOCSF     = "ocsf"     // Open Cybersecurity Schema Framework
	FormatGraph    = "msgraph"  // Microsoft Graph security, alerts_v2
	FormatSentinel = "sentinel" // Microsoft Sentinel alert or incident with its entities
	FormatSuricata = "suricata" // EVE fileinfo, or an alert with files
	FormatWazuh    = "wazuh"    // Wazuh alert
	FormatOsquery  = "osquery"  // osquery result log
	FormatTheHive  = "thehive"  // TheHive alert, case or observable
	FormatSplunk   = "splunk"   // Splunk webhook or search result
	FormatECS      = "ecs"      // Elastic: file.hash.*, process.hash.*, dll.hash.*
	FormatSysmon   = "sysmon"   // a Hashes string
	FormatGeneric  = "generic"  // any other JSON
)

// Alert is one alert. Its texts are data of others: escape them before they reach a terminal.
type Alert struct {
	ID       string // of the source; the first 16 digits of Digest when it has none
	Rule     string // the name of the detection rule
	Source   string // the product or data set that raised it
	Severity string
	Host     string
	User     string
	Tags     []string
	Time     time.Time // UTC; zero when the alert has none
	Format   string    // one of the Format constants

	Files   []FileSeen // file objects, in the order of the fields
	Found   []FieldHash
	Refused []Refused

	Raw    []byte // the whole file as received, unpacked if it was gzip; alerts of one file share it
	Digest string // sha256 of Raw, lower-case hex
}

// FileSeen is a file object of an alert and where it was.
type FileSeen struct {
	File  indicator.File
	Path  string // of the file on its host, as the alert says
	Host  string // where the alert says so of the file itself; else it is the alert's
	Field string // the field its digests are in, such as "file.hash"
	Seed  bool   // the hunt starts from it
	Note  string // why not, or what was assumed
}

// FieldHash is one digest of an alert and the field it was in, with indexes of arrays: "alerts[0].file.hash.md5".
type FieldHash struct {
	Field     string
	Indicator indicator.Indicator
	Seed      bool
}

// Refused is a value of an alert that looks like a file hash and is none that endpoints can be asked.
type Refused struct {
	Field  string
	Value  string
	What   string // its name: imphash, sha512, …
	Reason string // what it is, and what to give instead
}

// Error says which field holds what.
func (r Refused) Error() string { return r.Field + ": " + r.Reason }

// Seeds gives the file objects that a hunt starts from. Digests are siblings only when they are in the same hash object
// of the alert.
func (a *Alert) Seeds() []indicator.File {
	var set indicator.FileSet
	for _, f := range a.Files {
		if f.Seed {
			set.Add(f.File)
		}
	}
	return set.Files()
}

// Read reads a file of one alert or several: one object, an array, NDJSON, or the list that a search answers; plain or gzip.
// Alerts with seeds come first; there is at least one such. name is what the file is called, for errors, which are a
// diag.List with line and column where there is one.
func Read(r io.Reader, name string) ([]*Alert, error) { return readAll(r, name, true) }

// readAll is Read. Without walk only the readers of formats are asked, so that tests see what each finds by itself.
func readAll(r io.Reader, name string, walk bool) ([]*Alert, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read alert %s: %w", diag.Escape(name), err)
	}
	fail := func(line, column int, what, hint string) error {
		return diag.List{{File: name, Line: line, Column: column, Message: what, Hint: hint}}
	}
	if bytes.HasPrefix(data, []byte(gzipMagic)) && len(data) <= MaxBytes {
		if data, err = unpack(data); err != nil {
			return nil, fail(0, 0, err.Error(), "unpack it, and give one alert")
		}
	}
	if what, hint := unreadable(data); what != "" {
		return nil, fail(1, 1, what, hint)
	}
	docs, err := parse(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if bad, ok := errors.AsType[*parseError](err); ok {
		return nil, fail(bad.line, bad.column, bad.what, bad.hint)
	}
	found := unwrap(docs)
	if len(found) > maxAlerts {
		return nil, fail(0, 0, fmt.Sprintf("the file holds over %d alerts", maxAlerts), "give those that the hunt is about")
	}
	digest := sha256.Sum256(data)
	var alerts []*Alert
	for _, doc := range found {
		a, err := readOne(doc, walk)
		if err != nil {
			return nil, fail(0, 0, err.Error(), "give the digests themselves to hunter sweep")
		}
		a.Raw, a.Digest = data, hex.EncodeToString(digest[:])
		a.ID = cmp.Or(a.ID, a.Digest[:16])
		alerts = append(alerts, a)
	}
	if !slices.ContainsFunc(alerts, hasSeed) {
		return nil, fail(0, 0, nothing(alerts, docs), "give the file's sha256, sha1 or md5 as the seed instead")
	}
	slices.SortStableFunc(alerts, func(a, b *Alert) int {
		switch {
		case hasSeed(a) == hasSeed(b):
			return 0
		case hasSeed(a):
			return -1
		default:
			return 1
		}
	})
	return alerts, nil
}

const gzipMagic = "\x1f\x8b"

// unpack gives what a gzip holds, within the bound of an alert.
func unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("the gzip is damaged: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(z, MaxBytes+1))
	switch {
	case len(data) > MaxBytes:
		return nil, fmt.Errorf("the alert is over %d MiB once unpacked", MaxBytes>>20)
	case err != nil:
		return nil, fmt.Errorf("the gzip is damaged: %w", err)
	}
	return data, nil
}

func hasSeed(a *Alert) bool {
	return slices.ContainsFunc(a.Files, func(f FileSeen) bool { return f.Seed })
}

// unreadable names what a file is that is no JSON in UTF-8.
func unreadable(data []byte) (what, hint string) {
	switch {
	case len(data) > MaxBytes:
		return fmt.Sprintf("the alert is over %d MiB", MaxBytes>>20), "give one alert, not an export of many"
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")),
		len(data) > 1 && (data[0] == 0) != (data[1] == 0):
		return "the alert is UTF-16", "save it as UTF-8"
	case bytes.HasPrefix(data, []byte(gzipMagic)):
		return "the alert is compressed twice (gzip)", "unpack it first"
	case len(bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))) == 0:
		return "the alert is empty", "give a JSON object"
	}
	return "", ""
}

// nothing words that no alert of a file has a digest to start from.
func nothing(alerts []*Alert, docs []*node) string {
	var unseeded, refused []string
	for _, a := range alerts {
		for _, f := range a.Files {
			unseeded = append(unseeded, f.Field+" is "+f.Note)
		}
		for _, r := range a.Refused {
			refused = append(refused, r.Field+" ("+r.What+")")
		}
	}
	looked := "looked at file.hash.*, process.hash.*, dll.hash.*, Sysmon's Hashes, and every field named or filled like an md5, sha1 or sha256"
	if i := slices.IndexFunc(alerts, func(a *Alert) bool { return a.Format != FormatGeneric }); i >= 0 {
		looked = "read as " + alerts[i].Format + ", then " + looked
	}
	switch {
	case len(unseeded) > 0:
		return "the alert has no digest to start from: " + some(unseeded) + "; " + looked
	case len(refused) > 0:
		return "the alert has no file hash: " + some(refused) + " is none; " + looked
	}
	var fields []string
	for _, d := range docs {
		d.leaves(func(l *node) bool {
			fields = append(fields, l.path())
			return len(fields) < 40
		})
	}
	if len(fields) == 0 {
		return "the alert has no fields; " + looked
	}
	return "the alert has no file hash; " + looked + "; its fields are " + some(fields)
}

// some joins at most a dozen names.
func some(names []string) string {
	const most = 12
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return strings.Join(names, ", ")
}
