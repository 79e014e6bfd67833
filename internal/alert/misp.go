package alert

import (
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// knownMISP knows an event of MISP, with or without what its API puts around it, and the answer of a search for attributes.
func knownMISP(doc *node) bool {
	return doc.has("event.attribute", "event.object") && doc.has("event.info", "event.uuid") || doc.has("response.attribute.type") ||
		doc.has("info") && doc.has("attribute", "object") && doc.has("threat_level_id", "orgc", "distribution")
}

func readMISP(t *taker) {
	a, event := t.alert, t.doc
	for _, around := range []string{"event", "response"} {
		if in := event.at(around).first(); in.isObject() {
			event = in
			break
		}
	}
	a.ID, a.Rule, a.Source = event.textAt("uuid", "id"), event.textAt("info"), event.textAt("orgc.name", "org.name")
	a.Time = timeOf(event.textAt("timestamp", "date"))
	a.Severity = mispThreat(event.textAt("threat_level_id"))
	for _, tag := range event.items("tag") {
		a.Tags = append(a.Tags, tag.textAt("name"))
	}
	for _, at := range event.items("attribute") {
		m := &mispFile{find: t.find(at)}
		m.attribute(at)
		m.put(m.why(false))
	}
	for _, o := range event.items("object") {
		t.mispObject(o)
	}
	if !hasSeed(a.Alert) {
		a.unmarked()
	}
}

const noteUnmarked = "of attributes that are not marked for detection (to_ids): no seed"

// unmarked makes seeds of an event that marks nothing: many publishers leave to_ids off in all of it.
func (a *Alert) unmarked() {
	marked := map[indicator.Indicator]bool{}
	for i, f := range a.Files {
		if f.Note != noteUnmarked {
			continue
		}
		a.Files[i].Seed, a.Files[i].Note = true, "the event marks nothing for detection (to_ids)"
		for _, d := range f.File.Digests() {
			marked[d] = true
		}
	}
	for i, h := range a.Found {
		a.Found[i].Seed = h.Seed || marked[h.Indicator]
	}
}

// mispObject takes an object of an event. Only the digests of one named file are said to be of one file.
func (t *taker) mispObject(o *node) {
	gone := o.at("deleted") != nil && o.at("deleted").yes
	if o.textAt("name") != "file" {
		for _, at := range o.items("attribute") {
			m := &mispFile{find: t.find(at)}
			m.attribute(at)
			m.put(m.why(gone))
		}
		return
	}
	m := &mispFile{find: t.find(o)}
	for _, at := range o.items("attribute") {
		m.attribute(at)
	}
	m.put(m.why(gone))
}

func mispThreat(id string) string {
	switch id {
	case "1":
		return "high"
	case "2":
		return "medium"
	case "3":
		return "low"
	case "4":
		return "undefined"
	}
	return id
}

// mispFile is a file while its attributes are read.
type mispFile struct {
	*find
	meant bool // an attribute of it is marked for detection, or does not say
}

// why says why the file is no seed, or nothing.
func (m *mispFile) why(gone bool) string {
	switch {
	case gone:
		return "of an object that was deleted: no seed"
	case !m.meant:
		return noteUnmarked
	}
	return ""
}

func (m *mispFile) attribute(at *node) {
	value := at.at("value").first()
	if value == nil || value.text == "" {
		return
	}
	if gone := at.at("deleted"); gone != nil && gone.yes {
		m.t.skip(value.text[strings.LastIndexByte(value.text, '|')+1:])
		return
	}
	before := len(m.found)
	types := strings.Split(at.textAt("type"), "|")
	values := []string{value.text}
	switch i := strings.LastIndexByte(value.text, '|'); {
	case types[0] == "malware-sample" && i >= 0:
		types, values = []string{"filename", "md5"}, []string{value.text[:i], value.text[i+1:]}
	case len(types) == 2 && i >= 0:
		values = []string{value.text[:i], value.text[i+1:]}
	case len(types) != 1:
		return
	}
	for i, typ := range types {
		if i >= len(values) {
			break
		}
		part := *value
		part.text = values[i]
		m.value(&part, typ, at.textAt("object_relation"))
	}
	ids := at.at("to_ids")
	if len(m.found) > before && (ids == nil || ids.yes || ids.text == "1") {
		m.meant = true
	}
}

func (m *mispFile) value(l *node, typ, relation string) {
	_, refused := indicator.RefusedName(typ)
	switch {
	case slices.Contains([]string{"md5", "sha1", "sha256"}, typ), refused:
		m.digest(l, typ)
	case relation == "size-in-bytes":
		m.size(l.text)
	case relation == "fullpath", relation == "path":
		m.path(cut(l.text, maxText))
	case typ == "filename":
		m.name(cut(l.text, maxText))
	}
}
