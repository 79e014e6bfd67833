package files

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// mispAttribute is what is read of a MISP attribute (MISP core format, misp-rfc).
type mispAttribute struct {
	UUID      string    `json:"uuid"`
	Type      string    `json:"type"`
	Relation  string    `json:"object_relation"`
	Value     string    `json:"value"`
	Timestamp flexible  `json:"timestamp"`
	ToIDs     *bool     `json:"to_ids"`
	Deleted   bool      `json:"deleted"`
	Tags      []mispTag `json:"Tag"`
}

type mispTag struct {
	Name string `json:"name"`
}

type mispObject struct {
	UUID       string          `json:"uuid"`
	Name       string          `json:"name"`
	Deleted    bool            `json:"deleted"`
	Attributes []mispAttribute `json:"Attribute"`
	References []mispReference `json:"ObjectReference"`
}

type mispReference struct {
	Referenced   string `json:"referenced_uuid"`
	Relationship string `json:"relationship_type"`
	Deleted      bool   `json:"deleted"`
}

// flexible is a number that may come as text.
type flexible string

// UnmarshalJSON takes numbers, texts and null.
func (f *flexible) UnmarshalJSON(b []byte) error {
	*f = flexible(strings.Trim(string(b), `"`))
	if *f == "null" {
		*f = ""
	}
	return nil
}

func (f flexible) time() time.Time {
	n, err := strconv.ParseInt(string(f), 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// event is one MISP event while it is read.
type event struct {
	k        *sink
	report   int64
	head     indicator.Report
	tlp      indicator.TLP
	dist     string
	parts    mispParts
	extends  string
	related  []string
	position func() int
}

// mispEvent reads the value of "Event", one attribute or object at a time.
func (p *parser) mispEvent() error {
	if err := p.json.delim('{'); err != nil {
		return err
	}
	return p.mispEventMembers(nil)
}

// mispEventMembers reads an event whose brace has been read; first is a key that was read with it, with its reader.
func (p *parser) mispEventMembers(first func(*event) error) error {
	p.format = "misp"
	p.events++
	id, err := p.k.report("event " + strconv.Itoa(p.events))
	if err != nil {
		return err
	}
	e := &event{k: p.k, report: id, parts: mispParts{k: p.k}, position: p.line}
	if first != nil {
		if err := first(e); err != nil {
			return err
		}
	}
	if err := p.json.members(func(key string) error { return p.mispKey(e, key) }); err != nil {
		return err
	}
	return e.close(p.name, p.events)
}

// mispKey reads one member of an event.
func (p *parser) mispKey(e *event, key string) error {
	j := p.json
	switch key {
	case "info":
		return j.element(&e.head.Title)
	case "uuid":
		return j.element(&e.head.ID)
	case "distribution":
		var f flexible
		err := j.element(&f)
		e.dist = string(f)
		return err
	case "extends_uuid":
		return j.element(&e.extends)
	case "timestamp":
		var f flexible
		err := j.element(&f)
		if t := f.time(); e.head.Published.IsZero() {
			e.head.Published = t
		}
		return err
	case "date":
		var s string
		err := j.element(&s)
		if t, perr := time.Parse(time.DateOnly, s); perr == nil {
			e.head.Published = t
		}
		return err
	case "Tag":
		var tags []mispTag
		err := j.element(&tags)
		for _, t := range tags {
			e.head.Tags = append(e.head.Tags, t.Name)
		}
		e.tlp = indicator.Stricter(e.tlp, tlpOf(tags))
		return err
	case "RelatedEvent":
		var rel []struct {
			Event struct {
				UUID string `json:"uuid"`
			} `json:"Event"`
		}
		err := j.element(&rel)
		for _, r := range rel {
			e.related = append(e.related, r.Event.UUID)
		}
		return err
	case "Attribute":
		return j.array(func() error {
			var a mispAttribute
			if err := j.element(&a); err != nil {
				return err
			}
			_, err := e.attribute(a, nil)
			return err
		})
	case "Object":
		return j.array(func() error {
			var o mispObject
			if err := j.element(&o); err != nil {
				return err
			}
			return e.object(o)
		})
	default:
		return j.skip()
	}
}

// tlpOf gives the strictest TLP among tags.
func tlpOf(tags []mispTag) (t indicator.TLP) {
	for _, tag := range tags {
		if label, ok := indicator.ParseTLP(tag.Name); ok && strings.HasPrefix(strings.ToLower(tag.Name), "tlp:") {
			t = indicator.Stricter(t, label)
		}
	}
	return t
}

// mispKinds names the attribute types that are indicators.
func mispKind(typ string) (indicator.Kind, bool) {
	switch typ {
	case "md5", "sha1", "sha256":
		return indicator.Kind(typ), true
	case "ip-src", "ip-dst", "ip-src|port", "ip-dst|port":
		return indicator.IPv4, true
	case "domain", "hostname", "hostname|port":
		return indicator.Domain, true
	case "url", "uri":
		return indicator.URL, true
	case "email", "email-src", "email-dst":
		return indicator.Email, true
	case "filename":
		return indicator.Filename, true
	case "user-agent":
		return indicator.UserAgent, true
	case "mutex":
		return indicator.Mutex, true
	case "regkey", "regkey|value":
		return indicator.RegistryKey, true
	}
	return "", false
}

// split takes a composite value apart: each part with its type.
func (a mispAttribute) split() []mispAttribute {
	left, right, composite := strings.Cut(a.Type, "|")
	if a.Type == "malware-sample" {
		left, right, composite = "filename", "md5", true
	}
	at := strings.LastIndex(a.Value, "|")
	if !composite || at < 0 {
		return []mispAttribute{a}
	}
	x, y := a, a
	x.Type, x.Value = left, a.Value[:at]
	y.Type, y.Value = right, a.Value[at+1:]
	if right == "ip" {
		y.Type = "ip-dst"
	}
	return []mispAttribute{x, y}
}

// attribute stores one attribute, and gives the indicators in it. Inside an object, file collects the file object;
// outside, a composite of name and digest is a file object of its own.
func (e *event) attribute(a mispAttribute, file *indicator.File) ([]indicator.Indicator, error) {
	if a.Deleted {
		return nil, nil
	}
	confidence := 50
	if a.ToIDs != nil {
		confidence = 30
		if *a.ToIDs {
			confidence = 70
		}
	}
	own := file == nil
	if own {
		file = &indicator.File{}
	}
	var out []indicator.Indicator
	for _, part := range a.split() {
		if what, refused := indicator.RefusedName(part.Type); refused {
			e.k.refuse(e.position(), part.Value, what+" is no file hash")
			continue
		}
		kind, ok := mispKind(part.Type)
		if !ok {
			if part.Relation == "size-in-bytes" {
				if n, err := strconv.ParseInt(strings.TrimSpace(part.Value), 10, 64); err == nil && n > 0 {
					file.Size = n
				}
			}
			continue
		}
		ind, err := indicator.Parse(kind, part.Value)
		if err != nil {
			e.k.refuse(e.position(), part.Value, err.Error())
			continue
		}
		if kind.IsDigest() && file.Digest(kind) == "" {
			file.SetDigest(kind, ind.Value)
		}
		if kind == indicator.Filename {
			file.Names = append(file.Names, ind.Value)
		}
		out = append(out, ind)
		m := member{ind: ind, confidence: confidence, time: a.Timestamp.time(), tlp: tlpOf(a.Tags)}
		if err := e.k.member(e.report, m); err != nil {
			return nil, err
		}
	}
	if a.UUID != "" {
		if err := e.parts.put(a.UUID, out); err != nil {
			return nil, err
		}
	}
	if own {
		return out, e.k.object(*file)
	}
	return out, nil
}

// object stores a MISP object; one named file is a file object.
func (e *event) object(o mispObject) error {
	if o.Deleted {
		return nil
	}
	file := indicator.File{}
	var all []indicator.Indicator
	for _, a := range o.Attributes {
		inds, err := e.attribute(a, &file)
		if err != nil {
			return err
		}
		all = append(all, inds...)
	}
	for _, r := range o.References {
		if !r.Deleted {
			if err := e.parts.link(mispLink{From: o.UUID, To: r.Referenced, Name: r.Relationship}); err != nil {
				return err
			}
		}
	}
	if best := file.Best(); !best.IsZero() {
		all = []indicator.Indicator{best}
	}
	if err := e.parts.put(o.UUID, all); err != nil {
		return err
	}
	if o.Name != "file" { // digests in other objects are not said to be of one file
		return nil
	}
	return e.k.object(file)
}

// mispRelation maps MISP's relationship names; inverse says that the edge runs the other way.
func mispRelation(name string) (rel indicator.Relation, inverse bool) {
	switch name {
	case "drops", "dropped":
		return indicator.RelDrops, false
	case "dropped-by":
		return indicator.RelDrops, true
	case "contains", "includes":
		return indicator.RelContains, false
	case "contained-by", "contained-within", "included-in", "extracted-from":
		return indicator.RelContains, true
	case "downloads", "downloads-from", "downloaded-from":
		return indicator.RelDownloadsFrom, false
	case "downloaded":
		return indicator.RelDownloadsFrom, true
	case "communicates-with", "connected-to", "connects-to", "beacons-to", "exfiltrates-to":
		return indicator.RelCommunicates, false
	case "executes":
		return indicator.RelExecutes, false
	case "executed-by":
		return indicator.RelExecutes, true
	case "derived-from", "variant-of", "similar", "duplicate-of":
		return indicator.RelSimilar, false
	default:
		return indicator.RelRelated, false
	}
}

// close stores what is known of the event once all of it has been read.
func (e *event) close(name string, n int) error {
	e.head.TLP = e.tlp
	if e.head.TLP == "" {
		e.head.TLP, e.head.Assumed = assumedTLP(e.dist), true
	}
	if e.head.ID == "" {
		e.head.ID = name + "#" + strconv.Itoa(n)
	}
	id, label, err := e.k.name(e.report, e.head.ID)
	if err != nil {
		return err
	}
	described := e.head
	described.TLP = indicator.Stricter(e.head.TLP, label) // of the same event before
	if err := e.k.describe(id, described); err != nil {
		return err
	}
	err = e.parts.each(func(l mispLink, from, to []indicator.Indicator) error {
		rel, inverse := mispRelation(l.Name)
		if inverse {
			from, to = to, from
		}
		for _, a := range from {
			for _, b := range to {
				if a == b {
					continue
				}
				if err := e.k.edge(a, b, rel, 0, e.head.ID, e.head.Published, e.head.TLP); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, to := range append(slices.Clone(e.related), e.extends) {
		if to != "" {
			if err := e.k.link(e.head.ID, to); err != nil {
				return err
			}
		}
	}
	return e.parts.close()
}

// assumedTLP derives a label from MISP's distribution when the event has none.
func assumedTLP(distribution string) indicator.TLP {
	switch distribution {
	case "0":
		return indicator.TLPRed
	case "2", "3":
		return indicator.TLPGreen
	default:
		return indicator.TLPAmber
	}
}

// restAnswer reads the value of "response": a list of events, or the answer of an attribute search.
func (p *parser) restAnswer() error {
	return p.json.array(func() error {
		return p.json.object(func(key string) error {
			if key == "Event" {
				return p.mispEvent()
			}
			return p.json.skip()
		})
	})
}

var _ json.Unmarshaler = (*flexible)(nil)
