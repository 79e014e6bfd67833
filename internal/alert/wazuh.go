package alert

import "cmp"

// knownWazuh knows a line of alerts.json, which is also what the integrator hands on.
func knownWazuh(doc *node) bool {
	return doc.at("rule").isObject() && doc.at("agent").isObject() && doc.has("rule.level") && doc.has("manager", "decoder", "location", "syscheck")
}

func readWazuh(t *taker) {
	a, doc := t.alert, t.doc
	a.Source = "wazuh"
	a.ID, a.Rule, a.Severity = doc.textAt("id"), doc.textAt("rule.description"), doc.textAt("rule.level")
	a.Host = doc.textAt("agent.name", "agent.ip")
	a.Time = timeOf(doc.textAt("timestamp", "@timestamp"))
	a.User = doc.textAt("data.win.eventdata.user", "syscheck.audit.user.name", "syscheck.uname_after", "data.dstuser")
	a.Tags = doc.words("rule.groups")
	t.syscheck(doc.at("syscheck"))
	t.virustotal(doc.at("data.virustotal"))
	t.windowsEvent(doc.at("data.win.eventdata"))
	t.record(doc.at("data.osquery.columns")).files("")
	if data := doc.at("data"); data != nil {
		t.record(data).files("")
		t.suricataFiles(data)
	}
}

// syscheck takes a file whose integrity changed: as it is now, and as it was, which is no seed.
func (t *taker) syscheck(s *node) {
	if s == nil {
		return
	}
	for _, state := range []struct{ end, note string }{{"_after", ""}, {"_before", noteBefore}} {
		f := t.find(s)
		for _, kind := range []string{"md5", "sha1", "sha256"} {
			f.digest(s.at(kind+state.end), kind)
		}
		f.path(s.textAt("path"))
		f.size(s.textAt("size" + state.end))
		f.put(state.note)
	}
}

// virustotal takes the file that Wazuh asked VirusTotal about. Its sha1 beside the source is that of the same file.
func (t *taker) virustotal(v *node) {
	if v == nil {
		return
	}
	f := t.find(v)
	f.members(v.at("source"))
	f.members(v)
	f.path(v.textAt("source.file", "file"))
	f.put("")
}

// windowsEvent takes an event of Sysmon, whose digests are of the module or file that it names, else of the process image.
func (t *taker) windowsEvent(e *node) {
	if e == nil {
		return
	}
	for _, l := range []*node{e.at("hashes"), e.at("hash")} {
		f := t.find(e)
		f.any(l)
		f.path(cmp.Or(e.textAt("imageloaded"), e.textAt("targetfilename"), e.textAt("image")))
		f.put("")
	}
	f := t.find(e)
	f.members(e)
	f.path(cmp.Or(e.textAt("imageloaded"), e.textAt("targetfilename"), e.textAt("image")))
	f.put("")
}
