package alert

import (
	"cmp"
	"strings"
)

// entityLists are the places of the entities in an alert, an incident and the body of an automation.
func entityLists() []string {
	return []string{"entities", "relatedentities", "properties.entities", "properties.relatedentities", "object.properties.relatedentities"}
}

// knownSentinel knows entities of Microsoft Sentinel: those of an alert, with Type and $id, and those of the REST API, with kind
// and properties; also their list alone.
func knownSentinel(doc *node) bool {
	return len(entitiesOf(doc)) > 0
}

// entitiesOf finds the list of entities, which the table SecurityAlert holds as a text.
func entitiesOf(doc *node) []*node {
	if isEntities(doc) {
		return doc.subs
	}
	for _, path := range entityLists() {
		at := doc.at(path)
		if at != nil && strings.HasPrefix(strings.TrimSpace(at.text), "[") {
			at = at.inner()
		}
		if isEntities(at) {
			return at.subs
		}
	}
	return nil
}

func isEntities(n *node) bool {
	if !n.isArray() {
		return false
	}
	for _, e := range n.subs {
		if e.has("type") && e.has("$id") || e.has("kind") && e.at("properties").isObject() {
			return true
		}
	}
	return false
}

// inner parses JSON that stands in a text, in the place of the text. nil when it is none.
func (n *node) inner() *node {
	docs, err := parse([]byte(n.text))
	if err != nil || len(docs) != 1 {
		return nil
	}
	in := docs[0]
	in.up, in.key, in.pos = n.up, n.key, n.pos
	return in
}

// sentinel holds the entities of one alert while they are followed.
type sentinel struct {
	t       *taker
	byID    map[string]*node
	used    map[*node]bool // hashes that belong to a file, files that were taken
	images  map[*node]bool // of processes
	parents map[*node]bool // of parent processes
}

func readSentinel(t *taker) {
	a, doc := t.alert, t.doc
	s := &sentinel{t: t, byID: map[string]*node{}, used: map[*node]bool{}, images: map[*node]bool{}, parents: map[*node]bool{}}
	a.ID = doc.textAt("systemalertid", "vendororiginalid", "properties.systemalertid", "object.name", "properties.incidentnumber", "name", "id")
	a.Rule = doc.textAt("alertname", "alertdisplayname", "displayname", "properties.title", "properties.alertdisplayname", "object.properties.title")
	a.Severity = doc.textAt("alertseverity", "severity", "properties.severity", "object.properties.severity")
	a.Source = cmp.Or(doc.textAt("productname", "properties.productname"), "sentinel")
	a.Time = timeOf(doc.textAt("timegenerated", "starttime", "starttimeutc", "properties.createdtimeutc", "properties.timegenerated", "object.properties.createdtimeutc"))
	list := entitiesOf(doc)
	for _, e := range list {
		s.index(e)
	}
	for _, e := range list {
		if kindOfEntity(e) == "process" {
			s.process(e, false)
		}
	}
	for _, e := range list {
		switch b := body(e); kindOfEntity(e) {
		case "host":
			a.Host = cmp.Or(a.Host, hostName(b))
		case "account":
			a.User = cmp.Or(a.User, b.textAt("fullname", "name", "accountname"))
		case "file":
			s.file(e, s.parents[e] && !s.images[e])
		}
	}
	a.Host = cmp.Or(a.Host, doc.textAt("compromisedentity"))
	for _, e := range list {
		if kindOfEntity(e) == "filehash" && !s.used[e] {
			f := t.find(e)
			s.hash(f, e)
			f.put("")
		}
	}
}

// body gives the object that holds an entity's own fields.
func body(e *node) *node {
	if in := e.at("properties"); in.isObject() {
		return in
	}
	return e
}

func kindOfEntity(e *node) string { return strings.ToLower(e.textAt("kind", "type")) }

func hostName(b *node) string {
	name, domain := b.textAt("hostname", "netbiosname"), b.textAt("dnsdomain")
	if name != "" && domain != "" && !strings.Contains(name, ".") {
		return name + "." + domain
	}
	return name
}

// index notes every entity that others can point at, also those inside others.
func (s *sentinel) index(n *node) {
	if n.object {
		ids := []string{n.textAt("$id")}
		if n.at("properties").isObject() {
			ids = append(ids, n.textAt("id"), n.textAt("name"))
		}
		for _, id := range ids {
			if id != "" && s.byID[id] == nil {
				s.byID[id] = n
			}
		}
	}
	for _, sub := range n.subs {
		s.index(sub)
	}
}

// follow gives what a reference means: {"$ref": "4"}, the id of an entity as a text, or the entity itself.
func (s *sentinel) follow(n *node) *node {
	switch {
	case n == nil:
		return nil
	case n.text != "":
		return s.byID[n.text]
	case n.member("$ref") != nil:
		return s.byID[n.textAt("$ref")]
	}
	return n
}

// process takes the image of a process, and leaves out that of its parent.
func (s *sentinel) process(e *node, parent bool) {
	b := body(e)
	for _, key := range []string{"imagefile", "imagefileentityid"} {
		image := s.follow(b.at(key))
		if image == nil {
			continue
		}
		if parent {
			s.parents[image] = true
		} else {
			s.images[image] = true
		}
		if image.up != nil && !image.up.array { // inside the process, so it is not in the list
			s.file(image, parent)
		}
	}
	if up := s.follow(b.at("parentprocess")); up != nil && !parent {
		s.process(up, true)
	}
	if up := s.follow(b.at("parentprocessentityid")); up != nil && !parent {
		s.process(up, true)
	}
}

// file takes a file entity with the hashes that it points at, which are of one file.
func (s *sentinel) file(e *node, parent bool) {
	if s.used[e] || !e.isObject() {
		return
	}
	s.used[e] = true
	b, f := body(e), s.t.find(e)
	f.members(b)
	for _, key := range []string{"filehashes", "filehashentityids"} {
		for _, ref := range b.items(key) {
			if h := s.follow(ref); h != nil {
				s.used[h] = true
				s.hash(f, h)
			}
		}
	}
	f.folder(b.textAt("directory"), b.textAt("name", "filename"))
	f.size(b.textAt("sizeinbytes"))
	for _, key := range []string{"host", "hostentityid"} {
		if h := s.follow(b.at(key)); h != nil {
			s.t.alert.Host = cmp.Or(s.t.alert.Host, hostName(body(h)))
			if name := hostName(body(h)); name != s.t.alert.Host {
				f.file.Host = name
			}
		}
	}
	note := ""
	if parent {
		note = noteParent
	}
	f.put(note)
}

func (s *sentinel) hash(f *find, h *node) {
	b := body(h)
	value := b.at("value")
	if value == nil {
		value = b.at("hashvalue")
	}
	f.digest(value, cmp.Or(b.textAt("algorithm"), "unknown"))
}
