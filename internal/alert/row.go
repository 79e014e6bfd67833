package alert

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// record is a flat record, such as the row of a search or of a table: columns by their names in lower case without punctuation.
type record struct {
	t    *taker
	at   *node
	cols map[string]string
	list []*node // in order
	host string  // the row's own
}

func (t *taker) record(at *node) *record {
	r := &record{t: t, at: at, cols: map[string]string{}}
	if at == nil || !at.object {
		return r
	}
	for _, m := range at.subs {
		r.list = append(r.list, m)
		name := indicator.PlainName(m.key)
		if l := m.first(); l != nil && l.text != "" && r.cols[name] == "" {
			r.cols[name] = cut(l.text, maxText)
		}
	}
	return r
}

// col gives the first of some columns that is not empty.
func (r *record) col(names ...string) string {
	for _, n := range names {
		if v := r.cols[n]; v != "" && v != "-" {
			return v
		}
	}
	return ""
}

// files takes the digests of a record by the names of its columns. Those whose names differ in their kind alone, such as
// process_md5 and process_sha256, are of one file. note says why the record is no seed, or is "".
func (r *record) files(note string) {
	if r.col("notvalidafter", "notvalidbefore") != "" { // osquery's certificates: sha1 is that of the certificate
		r.certificate()
		return
	}
	roles := map[string]*find{}
	var order []string
	for _, m := range r.list {
		name, state := strip(m.key)
		kind, typed := indicator.KindOfName(name)
		typed = typed && kind.IsDigest()
		role, hash := roleOf(name, kind)
		if _, refused := indicator.RefusedName(m.key); refused || !typed && !hash {
			continue // refused ones are listed for the whole alert
		}
		if !typed {
			r.hashes(m, role, note)
			continue
		}
		role += state
		if roles[role] == nil {
			roles[role] = r.t.find(r.at)
			order = append(order, role)
		}
		roles[role].digest(m, string(kind))
	}
	for _, role := range order {
		r.put(roles[role], role, note)
	}
}

// hashes takes a column that does not say the kind: file_hash, process_hash, Hashes. A Sysmon list is of one file; of
// several values nothing says that they are of one, nor whose the size and the name are.
func (r *record) hashes(m *node, role, note string) {
	var finds []*find
	m.leaves(func(l *node) bool {
		one := r.t.find(m)
		if one.any(l); len(one.found) > 0 {
			finds = append(finds, one)
			return !r.t.full()
		}
		for _, word := range strings.FieldsFunc(l.text, func(c rune) bool { return strings.ContainsRune(",;| \t\r\n", c) }) {
			part := *l
			part.text = word
			one := r.t.find(m)
			if one.any(&part); len(one.found) > 0 {
				finds = append(finds, one)
			}
		}
		return !r.t.full()
	})
	for _, f := range finds {
		if len(finds) == 1 {
			r.put(f, role, note)
			continue
		}
		f.file.Host = r.otherHost()
		f.put(cmp.Or(unseeded([]string{role}, role), note))
	}
}

// otherHost is the record's host when it is not the alert's.
func (r *record) otherHost() string {
	if r.host == r.t.alert.Host {
		return ""
	}
	return r.host
}

// put adds what the record says of the file in a role: "" is the record's own.
func (r *record) put(f *find, role, note string) {
	prefix := strings.TrimSuffix(role, "before")
	f.file.Host = r.otherHost()
	f.size(r.col(prefix+"size", prefix+"filesize", prefix+"sizeinbytes"))
	f.path(r.col(prefix+"path", prefix+"filepath", prefix+"fullpath", prefix+"exe", prefix+"imagepath"))
	f.name(r.col(prefix+"name", prefix+"filename"))
	if prefix == "" || prefix == "file" {
		f.size(r.col("filesize", "size"))
	}
	if prefix == "" || prefix == "file" || prefix == "target" || prefix == "image" {
		f.path(r.col("filepath", "targetpath", "targetfilename", "imageloaded", "path", "image", "processpath"))
		f.name(r.col("filename"))
	}
	f.put(cmp.Or(unseeded([]string{role}, role), note))
}

func (r *record) certificate() {
	for _, m := range r.list {
		if kind, ok := indicator.KindOfName(m.key); ok && kind.IsDigest() {
			r.t.refuseNamed(m, "certificate or TLS fingerprint")
		}
	}
}

// roleOf gives what a column's name says besides that it is a digest: process of process_md5, file of file.hash.sha256.
// hash reports a name that says so without the kind.
func roleOf(name string, kind indicator.Kind) (role string, hash bool) {
	words := indicator.PlainName(name)
	if kind.IsDigest() {
		words = strings.Replace(words, string(kind), "", 1)
	}
	for _, end := range []string{"hashes", "hash"} {
		if words, hash = strings.CutSuffix(words, end); hash {
			break
		}
	}
	if !kind.IsDigest() && hash {
		hash = slices.Contains([]string{"", "file", "process", "parent", "parentprocess", "image", "target", "dll", "sample", "malware", "threat"}, words)
	}
	return words, hash
}
