package alert

import (
	"cmp"
	"strings"
)

// knownSuricata knows a line of eve.json that is about files.
func knownSuricata(doc *node) bool {
	switch doc.textAt("event_type") {
	case "fileinfo":
		return doc.at("fileinfo").isObject()
	case "alert":
		return doc.has("alert.signature", "alert.signature_id")
	}
	return false
}

// readSuricata takes the files of an event. The host is the one that received: the file's packets run from source to
// destination. A sensor sees no path on a disk; the name is the last part of the address.
func readSuricata(t *taker) {
	a, doc := t.alert, t.doc
	a.Source = "suricata"
	a.ID = doc.textAt("flow_id")
	a.Rule = doc.textAt("alert.signature")
	a.Severity = doc.textAt("alert.severity")
	a.Time = timeOf(doc.textAt("timestamp"))
	a.Host = doc.textAt("dest_ip")
	t.suricataFiles(doc)
}

// suricataFiles takes the file of a fileinfo event and the files beside an alert.
func (t *taker) suricataFiles(doc *node) {
	for _, n := range append(doc.items("fileinfo"), doc.items("files")...) {
		if !n.object {
			continue
		}
		f := t.find(n)
		f.members(n)
		name, _, _ := strings.Cut(n.textAt("filename"), "?")
		f.name(name)
		f.size(n.textAt("size"))
		f.put(unwhole(n))
	}
}

// unwhole says why the digest of a file on the wire is not that of the whole file, or nothing.
func unwhole(n *node) string {
	state := n.textAt("state")
	switch gaps := n.at("gaps"); {
	case gaps != nil && gaps.yes:
		return "of a file that the sensor saw with gaps: no seed"
	case cmp.Or(state, "CLOSED") != "CLOSED":
		return "of a file that the sensor did not see whole: no seed"
	}
	return ""
}
