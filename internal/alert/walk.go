package alert

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// sysmonText finds Sysmon's Hashes in a field or in the middle of an event's message. A value that is too long is found whole,
// so that it is refused and not cut to a digest.
var sysmonText = regexp.MustCompile(`(?i)\b(?:MD5|SHA1|SHA256|IMPHASH)=[0-9a-f]{32,200}\b(?:,(?:MD5|SHA1|SHA256|IMPHASH)=[0-9a-f]{32,200}\b)*`)

// group is the digests that stand together: those of one hash object, of one list, or of one Sysmon string.
type group struct {
	at       container
	residual string // what their names have besides the kind: "parent" of parent_md5
	alone    *node  // of a value without company: a bare hash of a list
	part     int    // of one text that holds several Sysmon strings
}

// walker collects the digests of one alert.
type walker struct {
	alert  *book
	order  []group
	found  map[group][]FieldHash
	note   map[group]string // why it is no seed
	bare   []bareHash
	sysmon bool
	ecs    bool
	total  int
}

// bareHash is a value that is written like a digest in a field whose name does not say so.
type bareHash struct {
	field *node
	ind   indicator.Indicator
}

var errDigests = fmt.Errorf("the alert has over %d digests", maxDigests)

func newWalker() *walker {
	return &walker{alert: newBook(""), found: map[group][]FieldHash{}, note: map[group]string{}}
}

// walk takes the digests of an alert by the names of their fields.
func (w *walker) walk(doc *node) error {
	doc.leaves(func(l *node) bool {
		w.leaf(l)
		return w.total <= maxDigests
	})
	if w.total > maxDigests {
		return errDigests
	}
	w.finish()
	return nil
}

// leaf looks at one value.
func (w *walker) leaf(l *node) {
	field := l.field()
	if l.text == "" || len(l.text) > 1<<20 {
		return
	}
	names := parts(field)
	if len(names) == 0 {
		names = []string{""}
	}
	at, last := split(field)
	name, state := strip(last)
	if what, no := refusedField(names); no {
		w.refuseNamed(l, what)
		return
	}
	if what, no := refusedType(at, last); no {
		w.refuseNamed(l, what)
		return
	}
	if kind, ok := indicator.KindOfName(name); ok && kind.IsDigest() {
		g := group{at: at, residual: residual(name, kind) + state}
		if slices.Contains([]string{"file", "process", "dll"}, around(names)) {
			w.ecs = true
		}
		w.named(l, g, kind, names)
		return
	}
	for i, text := range sysmonText.FindAllString(l.text, -1) {
		w.sysmonList(l, group{at: at, alone: l, part: i + 1}, text, names)
	}
	if len(l.text) > 200 {
		return
	}
	ind, err := indicator.ParseHash(l.text)
	var refused *indicator.RefusedError
	switch {
	case hashName(names) || hashTyped(at, last):
		if err == nil {
			w.add(l, group{at: at, alone: l}, ind, names)
		} else if errors.As(err, &refused) && refused.Name != "" {
			w.refuse(l, refused.Name, err)
		}
	case err == nil && !idName(names) && len(w.bare) < maxDigests:
		w.bare = append(w.bare, bareHash{l, ind})
	}
}

// named takes a value whose field says which digest it is.
func (w *walker) named(l *node, g group, kind indicator.Kind, names []string) {
	if len(l.text) < 16 {
		return // "", "-", "n/a", "true"
	}
	ind, err := indicator.Parse(kind, l.text)
	if err != nil {
		w.refuse(l, "no "+string(kind), err)
		return
	}
	w.add(l, g, ind, names)
}

// sysmonList takes Sysmon's own way to write the digests of one file.
func (w *walker) sysmonList(l *node, g group, text string, names []string) {
	digests, refused, err := indicator.ParseSysmon(text)
	if err != nil {
		w.refuse(l, "no list of hashes", err)
		return
	}
	w.sysmon = true
	for _, d := range digests {
		w.add(l, g, d, names)
	}
	for _, r := range refused {
		w.refuse(l, r.Name, r)
	}
}

func (w *walker) add(l *node, g group, ind indicator.Indicator, names []string) {
	if _, there := w.found[g]; !there {
		w.order = append(w.order, g)
		w.note[g] = unseeded(names, g.residual)
	}
	w.total++
	w.found[g] = append(w.found[g], FieldHash{Field: l.path(), Indicator: ind})
}

func (w *walker) refuse(l *node, what string, err error) {
	w.total++
	w.alert.refuse(l, what, err)
}

func (w *walker) refuseNamed(l *node, what string) {
	if w.alert.refuseNamed(l, what) {
		w.total++
	}
}

// finish makes file objects of the groups.
func (w *walker) finish() {
	a := w.alert
	for _, g := range w.order {
		w.files(g, w.found[g], w.note[g])
	}
	if !hasSeed(a.Alert) {
		for _, b := range w.bare {
			at, _ := split(b.field.field())
			w.files(group{at: at, alone: b.field}, []FieldHash{{Field: b.field.path(), Indicator: b.ind}}, unseeded(parts(b.field.field()), ""))
		}
		for i := range a.Files {
			if a.Files[i].Seed && a.Files[i].Note == "" {
				a.Files[i].Note = "its field does not say that it is a file hash; it is written like one"
			}
		}
	}
	switch {
	case w.ecs:
		a.Format = FormatECS
	case w.sysmon:
		a.Format = FormatSysmon
	default:
		a.Format = FormatGeneric
	}
}

// files makes file objects of a group.
func (w *walker) files(g group, found []FieldHash, note string) {
	seen := FileSeen{Field: found[0].Field, Seed: note == "", Note: note}
	if i := strings.LastIndexByte(seen.Field, '.'); i > 0 && g.alone == nil {
		seen.Field = seen.Field[:i]
	}
	seen.about(g.at)
	w.alert.put(seen, found)
}

// Why a digest is no seed.
const (
	noteParent = "of a parent process, usually a shell or a desktop: no seed"
	noteBefore = "of an earlier state of the file: no seed"
)

// unseeded tells why a digest is no seed, "" when it is one.
func unseeded(names []string, residual string) string {
	for _, n := range append(slices.Clone(names), residual) {
		for _, w := range []string{"parent", "ancest", "leader", "responsible", "initiating"} {
			if strings.Contains(n, w) {
				return noteParent
			}
		}
		if n == "previous" || strings.HasSuffix(n, "before") {
			return noteBefore
		}
	}
	return ""
}

// around gives the name of what a hash object describes: file of file.hash.md5.
func around(names []string) string {
	if len(names) >= 3 && names[len(names)-2] == "hash" {
		return names[len(names)-3]
	}
	return ""
}

// strip takes off what says when: sha256_after is a sha256. state is "before" or "".
func strip(name string) (short, state string) {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, "_after"):
		return name[:len(name)-len("_after")], ""
	case strings.HasSuffix(lower, "_before"):
		return name[:len(name)-len("_before")], "before"
	}
	return name, ""
}

// residual gives a field's name without its kind, so that parent_md5 and parent_sha256 stand together.
func residual(name string, kind indicator.Kind) string {
	return strings.Replace(indicator.PlainName(name), string(kind), "", 1)
}

// hashName reports a field that holds a hash of a kind it does not say. Hashes of users, events or commits are of no
// file; related.hash mixes those of parents in.
func hashName(names []string) bool {
	if len(names) > 1 && slices.Contains([]string{"user", "event", "agent", "host", "rule", "related", "source", "destination"}, names[len(names)-2]) {
		return false
	}
	switch n := indicator.PlainName(names[len(names)-1]); n {
	case "hashes", "digest", "checksum", "ioc", "indicator", "observable", "iocvalue", "indicatorvalue":
		return true
	case "hash", "filehash", "processhash", "parenthash", "parentprocesshash", "imagehash", "threathash", "samplehash", "contenthash", "malwarehash":
		return true
	}
	return false
}

// hashTyped reports the value of a pair such as {"type": "sha256", "value": "…"} or {"dataType": "hash", "data": "…"}.
func hashTyped(at container, name string) bool {
	if n := strings.ToLower(name); n != "value" && n != "data" && n != "content" {
		return false
	}
	t := strings.ToLower(at.text("type", "algorithm", "datatype", "kind", "ioc_type"))
	kind, ok := indicator.KindOfName(t)
	return t == "hash" || t == "file_hash" || t == "filehash" || (ok && kind.IsDigest())
}

// refusedType reports the value of a pair that calls it something that is no file hash, such as {"Algorithm": "SHA256AC", "Value": "…"}.
func refusedType(at container, name string) (what string, ok bool) {
	switch strings.ToLower(name) {
	case "value", "data", "content", "hashvalue":
	default:
		return "", false
	}
	for _, key := range []string{"type", "algorithm", "datatype", "kind", "ioc_type"} {
		if what, ok := indicator.RefusedName(at.text(key)); ok {
			return what, true
		}
	}
	return "", false
}

// idName reports a field whose values are written like digests and are something else.
func idName(names []string) bool {
	if len(names) > 1 && names[len(names)-1] == "hash" {
		return names[len(names)-2] != "related"
	}
	n := indicator.PlainName(names[len(names)-1])
	for _, w := range []string{
		"uuid", "guid", "token", "session", "trace", "span", "etag", "cookie", "cursor", "nonce", "secret", "ancestors", "apikey",
		"community", "salt", "version", "commit", "revision",
	} {
		if strings.Contains(n, w) {
			return true
		}
	}
	return strings.HasSuffix(n, "id") || strings.HasSuffix(n, "ids") || strings.HasSuffix(n, "key")
}
