package alert

import (
	"cmp"
	"strings"
)

const graphType = "microsoft.graph.security."

// knownGraph knows alerts_v2 of Microsoft Graph: evidence whose items say which type of Graph they are of.
func knownGraph(doc *node) bool {
	ev := doc.at("evidence")
	return ev.isArray() && (strings.Contains(ev.textAt("@odata.type"), graphType) || doc.has("detectorid", "provideralertid", "servicesource"))
}

func readGraph(t *taker) {
	a, doc := t.alert, t.doc
	a.ID, a.Rule, a.Severity = doc.textAt("id"), doc.textAt("title"), doc.textAt("severity")
	a.Source = doc.textAt("productname", "servicesource", "detectionsource")
	a.Time = timeOf(doc.textAt("createddatetime", "firstactivitydatetime"))
	a.Tags = doc.words("systemtags")
	hosts := map[string]string{}
	evidence := doc.items("evidence")
	for _, e := range evidence {
		host := e.textAt("devicednsname", "hostname")
		if host != "" && strings.Contains(e.textAt("@odata.type"), "deviceEvidence") {
			a.Host = cmp.Or(a.Host, host)
			if id := e.textAt("mdedeviceid"); id != "" {
				hosts[id] = host
			}
		}
		a.User = cmp.Or(a.User, e.textAt("useraccount.userprincipalname", "useraccount.accountname"))
	}
	for _, e := range evidence {
		t.graphEvidence(e, hosts[e.textAt("mdedeviceid")])
	}
}

// graphEvidence takes the files of one piece of evidence.
func (t *taker) graphEvidence(e *node, host string) {
	note := ""
	if e.textAt("verdict") == "noThreatsFound" {
		note = "of a file in which the product found no threat: no seed"
	}
	if host == t.alert.Host {
		host = ""
	}
	if strings.HasSuffix(e.textAt("@odata.type"), "fileHashEvidence") || e.has("algorithm") && e.has("value") {
		f := t.find(e)
		f.digest(e.at("value"), e.textAt("algorithm"))
		f.put(note)
	}
	for _, part := range []struct{ key, note string }{{"filedetails", note}, {"imagefile", note}, {"parentprocessimagefile", noteParent}} {
		at := e.at(part.key)
		if !at.isObject() {
			continue
		}
		f := t.find(at)
		f.members(at)
		f.file.Host = host
		f.folder(at.textAt("filepath"), at.textAt("filename"))
		f.size(at.textAt("filesize"))
		f.put(part.note)
	}
}
