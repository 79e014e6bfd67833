package alert

import (
	"cmp"
	"errors"
	"regexp"
	"strings"
)

// knownSTIX knows a bundle of STIX 2, and what TAXII hands out.
func knownSTIX(doc *node) bool {
	return doc.at("objects").isArray() && (doc.textAt("type") == "bundle" || strings.Contains(doc.textAt("objects.id"), "--"))
}

func readSTIX(t *taker) {
	a := t.alert
	a.Source = "stix"
	a.ID = t.doc.textAt("id")
	byID := map[string]*node{}
	for _, o := range t.doc.items("objects") {
		byID[o.textAt("id")] = o
	}
	for _, heading := range []string{"incident", "report", "grouping", "campaign", "indicator"} {
		for _, o := range t.doc.items("objects") {
			if o.textAt("type") == heading && a.Rule == "" {
				a.Rule = o.textAt("name")
				a.Time = timeOf(o.textAt("published", "valid_from", "created", "modified"))
				a.Tags = o.words("labels")
			}
		}
	}
	for _, o := range t.doc.items("objects") {
		note := ""
		if revoked := o.at("revoked"); revoked != nil && revoked.yes {
			note = "of an object that was revoked: no seed"
		}
		switch o.textAt("type") {
		case "file", "artifact":
			t.stixFile(o, byID, note)
		case "indicator":
			t.stixPattern(o, note)
		case "observed-data": // objects inside it were STIX 2.0's way
			if in := o.at("objects"); in.isObject() {
				for _, sub := range in.subs {
					t.stixObserved(sub, in, note)
				}
			}
		case "x509-certificate":
			t.stixCertificate(o)
		}
	}
}

func (t *taker) stixObserved(o, all *node, note string) {
	byID := map[string]*node{}
	for _, sub := range all.subs {
		byID[sub.key] = sub
	}
	switch o.textAt("type") {
	case "file", "artifact":
		t.stixFile(o, byID, note)
	case "x509-certificate":
		t.stixCertificate(o)
	}
}

func (t *taker) stixFile(o *node, byID map[string]*node, note string) {
	f := t.find(o)
	if hashes := o.at("hashes"); hashes.isObject() {
		for _, h := range hashes.subs {
			f.digest(h, h.key)
		}
	}
	f.size(o.textAt("size"))
	f.name(o.textAt("name"))
	f.folder(byID[o.textAt("parent_directory_ref")].textAt("path"), o.textAt("name"))
	f.put(note)
}

func (t *taker) stixCertificate(o *node) {
	if hashes := o.at("hashes"); hashes.isObject() {
		for _, h := range hashes.subs {
			t.refuseNamed(h, "certificate or TLS fingerprint")
		}
	}
}

var (
	stixHash  = regexp.MustCompile(`(?i)file:hashes\.(?:'([^']{1,40})'|"([^"]{1,40})"|([A-Za-z0-9_-]{1,40}))\s*=\s*'([^']{1,200})'`)
	stixName  = regexp.MustCompile(`(?i)file:name\s*=\s*'((?:[^'\\]|\\.){1,500})'`)
	stixSize  = regexp.MustCompile(`(?i)file:size\s*=\s*(\d{1,18})`)
	stixOther = regexp.MustCompile(`(?i)\bOR\b|\bFOLLOWEDBY\b|\]\s*AND\b`)
	stixNot   = regexp.MustCompile(`(?i)!=|\bNOT\b`)
)

// stixPattern takes the digests that an indicator compares files with. They are of one file when one observation asks for all of
// them; of alternatives nothing says that.
func (t *taker) stixPattern(o *node, note string) {
	l := o.at("pattern").first()
	if l == nil || l.text == "" || len(l.text) > 1<<16 {
		return
	}
	if kind := o.textAt("pattern_type"); cmp.Or(kind, "stix") != "stix" {
		return
	}
	matches := stixHash.FindAllStringSubmatch(l.text, -1)
	if hashes := strings.Count(l.text, "hashes"); stixNot.MatchString(l.text) || hashes > len(matches) {
		if hashes > 0 {
			t.refuse(l, "a pattern", errors.New("hashes are taken from patterns that compare them by = and exclude nothing; give the file's sha256, sha1 or md5"))
		}
		return
	}
	one := !stixOther.MatchString(l.text)
	f := t.find(o)
	for _, m := range matches {
		part := *l
		part.text = m[4]
		f.digest(&part, cmp.Or(m[1], m[2], m[3]))
		if !one {
			f.put(note)
			f = t.find(o)
		}
	}
	if one {
		if m := stixName.FindStringSubmatch(l.text); m != nil {
			f.name(strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(m[1]))
		}
		if m := stixSize.FindStringSubmatch(l.text); m != nil {
			f.size(m[1])
		}
		f.put(note)
	}
}
