package alert

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// taker collects what the reader of one format takes from an alert.
type taker struct {
	alert *book
	doc   *node           // the alert, without what a search puts around it
	seen  map[string]bool // digests that were taken, refused or left out for a reason
	total int
}

// find is a file object while its fields are collected.
type find struct {
	t     *taker
	file  FileSeen
	found []FieldHash
}

// find begins the file object that a part of the alert describes.
func (t *taker) find(at *node) *find {
	return &find{t: t, file: FileSeen{Field: at.path()}}
}

// full reports that the alert has too many digests; what follows is not read and the alert is refused.
func (t *taker) full() bool { return t.total > maxDigests }

// digest takes the value of a field that names its algorithm beside it or by its key. What is no file hash is refused by name.
func (f *find) digest(l *node, algorithm string) {
	if l = l.first(); l == nil || len(l.text) < 16 || f.t.full() { // "", "-", "n/a"
		return
	}
	if what, no := indicator.RefusedName(algorithm); no {
		f.t.refuseNamed(l, what)
		return
	}
	kind, ok := indicator.KindOfName(algorithm)
	if !ok || !kind.IsDigest() {
		f.t.refuse(l, "no known digest", errors.New(quoted(l)+" is called "+strconv.Quote(cut(algorithm, 60))+", which is no md5, sha1 or sha256"))
		return
	}
	ind, err := indicator.Parse(kind, l.text)
	if err != nil {
		f.t.refuse(l, "no "+string(kind), err)
		return
	}
	f.take(l, ind)
}

func (f *find) take(l *node, ind indicator.Indicator) {
	f.t.total++
	f.t.seen[ind.Value] = true
	f.found = append(f.found, FieldHash{Field: l.path(), Indicator: ind})
}

// members takes those members of an object whose keys name a digest, as in {"md5": "…", "sha256Ac": "…"}.
func (f *find) members(n *node) {
	if n == nil || !n.object {
		return
	}
	for _, m := range n.subs {
		name, state := strip(m.key)
		kind, ok := indicator.KindOfName(name)
		_, refused := indicator.RefusedName(name)
		if state == "" && (refused || ok && kind.IsDigest()) {
			f.digest(m, name)
		}
	}
}

// any takes a value whose field does not say the kind: a digest alone, or Sysmon's list of those of one file.
func (f *find) any(l *node) {
	if l = l.first(); l == nil || len(l.text) < 16 || len(l.text) > maxText || f.t.full() {
		return
	}
	ind, err := indicator.ParseHash(l.text)
	if err == nil {
		f.take(l, ind)
		return
	}
	digests, refused, listErr := indicator.ParseSysmon(l.text)
	if listErr != nil || len(digests)+len(refused) == 0 {
		if r, ok := errors.AsType[*indicator.RefusedError](err); ok && r.Name != "" {
			f.t.refuse(l, r.Name, err)
		}
		return
	}
	for _, d := range digests {
		f.take(l, d)
	}
	for _, r := range refused {
		if r.Name != "" {
			f.t.refuse(l, r.Name, r)
			f.t.skip(r.Value)
		}
	}
}

// size takes the first of some values that is a size.
func (f *find) size(values ...string) {
	for _, v := range values {
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil && n > 0 && n < 1<<50 && f.file.File.Size == 0 {
			f.file.File.Size = n
		}
	}
}

// name takes the first of some values as the file's name.
func (f *find) name(values ...string) {
	for _, v := range values {
		if b := base(v); b != "" && len(f.file.File.Names) == 0 {
			f.file.File.Names = []string{b}
		}
	}
}

// path takes the first of some values as the file's path, and its name from it unless it has one.
func (f *find) path(values ...string) {
	for _, v := range values {
		if v != "" && f.file.Path == "" {
			f.file.Path = v
		}
	}
	f.name(f.file.Path)
}

// folder takes a folder and a name for a path; some products give the whole path as the folder.
func (f *find) folder(dir, name string) {
	f.name(name)
	switch {
	case dir == "" || name == "" || base(dir) == name:
		f.path(dir)
	case strings.Contains(dir, `\`) || len(dir) == 2 && dir[1] == ':':
		f.path(strings.TrimRight(dir, `\`) + `\` + name)
	default:
		f.path(strings.TrimRight(dir, "/") + "/" + name)
	}
}

// put records the file; note is why it is no seed, or "".
func (f *find) put(note string) {
	if len(f.found) == 0 {
		return
	}
	f.file.Seed, f.file.Note = note == "", note
	f.t.alert.put(f.file, f.found)
}

// skip says that a digest is known and not taken.
func (t *taker) skip(value string) {
	if i := strings.LastIndexAny(value, "=:"); i >= 0 {
		value = value[i+1:]
	}
	t.seen[strings.ToLower(strings.TrimSpace(value))] = true
}

func (t *taker) refuse(l *node, what string, err error) {
	t.total++
	t.skip(l.text)
	t.alert.refuse(l, what, err)
}

func (t *taker) refuseNamed(l *node, what string) {
	if l = l.first(); l == nil || l.text == "" {
		return
	}
	if t.alert.refuseNamed(l, what) {
		t.total++
	}
	t.skip(l.text)
}

// refuseByName lists what stands anywhere in the alert under the name of something that is no file hash.
func (t *taker) refuseByName() {
	listed := map[string]bool{}
	for _, r := range t.alert.Refused {
		listed[r.Field] = true
	}
	t.doc.leaves(func(l *node) bool {
		if len(l.text) < 16 || len(l.text) > maxText {
			return true
		}
		if what, no := refusedField(parts(l.field())); no && !listed[l.path()] {
			t.refuseNamed(l, what)
		}
		return !t.full()
	})
}

// others adds what the walker finds beside what the reader took. It is shown; it is a seed only when the reader found none.
func (t *taker) others() error {
	w := newWalker()
	if err := w.walk(t.doc); err != nil {
		return err
	}
	a, seeded := t.alert, hasSeed(t.alert.Alert)
	kept := map[indicator.Indicator]bool{} // and whether they are seeds
	for _, f := range w.alert.Files {
		if slices.ContainsFunc(f.File.Digests(), func(d indicator.Indicator) bool { return t.seen[d.Value] }) {
			continue
		}
		switch {
		case seeded:
			f.Seed, f.Note = false, "not where "+a.Format+" names a file: no seed"
		case f.Seed:
			f.Note = "taken by the name of its field: it is not where " + a.Format + " names a file"
		}
		a.see(f)
		for _, d := range f.File.Digests() {
			kept[d] = f.Seed
		}
	}
	for _, h := range w.alert.Found {
		if seed, ok := kept[h.Indicator]; ok {
			a.Found = append(a.Found, FieldHash{Field: h.Field, Indicator: h.Indicator, Seed: seed})
		}
	}
	return nil
}

func quoted(l *node) string { return strconv.Quote(cut(l.text, 200)) }
