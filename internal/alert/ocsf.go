package alert

import (
	"cmp"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// knownOCSF knows events of the Open Cybersecurity Schema Framework of any class.
func knownOCSF(doc *node) bool {
	return doc.has("class_uid") && doc.has("category_uid", "metadata.version")
}

func readOCSF(t *taker) {
	a, doc := t.alert, t.doc
	a.ID = doc.textAt("finding_info.uid", "finding.uid", "metadata.uid", "metadata.original_event_uid", "uid")
	a.Rule = doc.textAt("finding_info.title", "finding.title", "rule.name", "finding_info.analytic.name", "message")
	a.Source = doc.textAt("metadata.product.name", "metadata.product.vendor_name")
	a.Severity = cmp.Or(strings.ToLower(doc.textAt("severity")), ocsfSeverity(doc.textAt("severity_id")))
	a.Time = timeOf(doc.textAt("time", "time_dt"))
	a.Host = doc.textAt("device.hostname", "device.name", "evidences.device.hostname", "resources.hostname", "device.ip")
	a.User = doc.textAt("actor.user.name", "evidences.actor.user.name", "user.name")
	t.ocsfFiles(doc, "")
	for _, e := range doc.items("evidences") {
		note := ""
		switch e.textAt("verdict_id") {
		case "1", "3", "5", "6": // false positive, disregard, benign, test
			note = "of evidence that the product does not hold against the file: no seed"
		}
		t.ocsfFiles(e, note)
	}
	for _, m := range doc.items("malware") {
		t.ocsfFiles(m, "")
		for _, f := range m.items("files") {
			t.ocsfFile(f, "", "")
		}
	}
	if len(a.Found) == 0 {
		t.ocsfObservables()
	}
}

func ocsfSeverity(id string) string {
	switch id {
	case "1":
		return "informational"
	case "2":
		return "low"
	case "3":
		return "medium"
	case "4":
		return "high"
	case "5":
		return "critical"
	case "6":
		return "fatal"
	}
	return ""
}

// ocsfFiles takes the files of an event or of a piece of evidence. The process of the actor is the one that did it, such as a
// shell, and that of a parent is its own matter.
func (t *taker) ocsfFiles(n *node, note string) {
	host := n.textAt("device.hostname")
	if host == t.alert.Host {
		host = ""
	}
	for _, p := range []string{"file", "file_result", "process.file", "module.file", "driver.file", "job.file", "script.file", "email.files"} {
		for _, f := range n.items(p) {
			t.ocsfFile(f, host, note)
		}
	}
	for _, p := range []string{"process.parent_process.file", "actor.process.file", "actor.process.parent_process.file"} {
		t.ocsfFile(n.at(p), host, noteParent)
	}
}

func (t *taker) ocsfFile(n *node, host, note string) {
	if !n.isObject() {
		return
	}
	f := t.find(n)
	f.file.Host = host
	for _, h := range append(n.items("hashes"), n.items("fingerprints")...) {
		f.digest(h.at("value"), ocsfAlgorithm(h))
	}
	f.path(n.textAt("path"))
	if f.file.Path == "" {
		f.folder(n.textAt("parent_folder"), n.textAt("name"))
	}
	f.name(n.textAt("name"))
	f.size(n.textAt("size"))
	f.put(note)
	for _, s := range append(n.items("signature"), n.items("signatures")...) {
		if d := s.at("digest"); d.isObject() {
			t.refuseNamed(d.at("value"), "authentihash")
		}
		for _, print := range s.items("certificate.fingerprints") {
			t.refuseNamed(print.at("value"), "certificate or TLS fingerprint")
		}
	}
}

// ocsfAlgorithm names the algorithm of a fingerprint. The source's own word goes before the number, as it may say more.
func ocsfAlgorithm(h *node) string {
	word := h.textAt("algorithm")
	if _, no := indicator.RefusedName(word); no {
		return word
	}
	switch h.textAt("algorithm_id") {
	case "1":
		return "md5"
	case "2":
		return "sha1"
	case "3":
		return "sha256"
	case "4":
		return "sha512"
	case "5":
		return "ssdeep"
	case "6":
		return "tlsh"
	case "7":
		return "quickxorhash"
	}
	return cmp.Or(word, "unknown")
}

// ocsfObservables takes the digests of the list of observables, which repeats values of the event without saying which are of
// one file: only when there are no others.
func (t *taker) ocsfObservables() {
	const typeHash, typeFingerprint = "8", "30"
	for _, o := range t.doc.items("observables") {
		if id := o.textAt("type_id"); id == typeHash || id == typeFingerprint {
			name := strings.ToLower(o.textAt("name"))
			if strings.Contains(name, "certificate") || strings.Contains(name, "signature") || strings.Contains(name, "ja3") {
				t.refuseNamed(o.at("value"), "certificate or TLS fingerprint")
				continue
			}
			f := t.find(o)
			f.any(o.at("value"))
			f.put(unseeded(strings.Split(name, "."), ""))
		}
	}
}
