package alert

import (
	"cmp"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// knownTheHive knows alerts and cases of TheHive 3 to 5 with their observables (artifacts in the older ones), an observable
// alone, and the webhook that carries any of them as its object.
func knownTheHive(doc *node) bool {
	body := hiveBody(doc)
	return body.at("observables.datatype") != nil || body.at("artifacts.datatype") != nil ||
		body.has("datatype") && body.has("data", "attachment")
}

// hiveBody gives what a webhook is about.
func hiveBody(doc *node) *node {
	if in := doc.at("object"); in.isObject() && doc.has("operation", "objecttype") {
		return in
	}
	return doc
}

func readTheHive(t *taker) {
	a, body := t.alert, hiveBody(t.doc)
	a.ID = cmp.Or(body.textAt("_id", "id", "sourceref"), t.doc.textAt("objectid"))
	a.Rule = body.textAt("title", "message")
	a.Source = cmp.Or(body.textAt("source"), "thehive")
	a.Severity = cmp.Or(strings.ToLower(body.textAt("severitylabel")), hiveSeverity(body.textAt("severity")))
	a.Time = timeOf(body.textAt("date", "startdate", "_createdat", "createdat"))
	a.Tags = body.words("tags")
	observables := append(body.items("observables"), body.items("artifacts")...)
	if len(observables) == 0 {
		observables = []*node{body}
	}
	for _, o := range observables {
		t.observable(o)
	}
}

func hiveSeverity(n string) string {
	switch n {
	case "1":
		return "low"
	case "2":
		return "medium"
	case "3":
		return "high"
	case "4":
		return "critical"
	}
	return n
}

// observable takes one observable. The digests of an attachment are of one file; those of others stand alone, and a tag may
// say that one is no file hash.
func (t *taker) observable(o *node) {
	kind := o.textAt("datatype")
	switch kind {
	case "hostname", "fqdn":
		t.alert.Host = cmp.Or(t.alert.Host, o.textAt("data"))
		return
	case "file":
		at := o.at("attachment").first()
		if at == nil {
			return
		}
		f := t.find(at)
		for _, h := range at.items("hashes") {
			f.any(h)
		}
		f.members(at)
		f.name(at.textAt("name"))
		f.size(at.textAt("size"))
		f.put("")
		return
	}
	what, refused := indicator.RefusedName(kind)
	if kind == "hash" {
		for _, tag := range o.items("tags") {
			if w, no := tagRefuses(tag.text); no {
				what, refused = w, true
			}
		}
	}
	named, ok := indicator.KindOfName(kind)
	for _, l := range o.items("data") {
		f := t.find(o)
		switch {
		case refused:
			t.refuseNamed(l, what)
		case kind == "hash":
			f.any(l)
		case ok && named.IsDigest():
			f.digest(l, kind)
		}
		f.put("")
	}
}

// tagRefuses reports a tag of a hash that calls it something else than a file's. Tags are free words: "stolen-certificate" says
// nothing of the hash.
func tagRefuses(tag string) (what string, ok bool) {
	what, ok = indicator.RefusedName(tag)
	free := strings.ContainsAny(tag, " \t") || what == "password hash" || strings.Contains(strings.ToLower(tag), "certificate")
	return what, ok && !free
}
