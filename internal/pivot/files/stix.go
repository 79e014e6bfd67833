package files

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// stixObject is what is read of a STIX 2.1 object, of any type.
type stixObject struct {
	Type         string            `json:"type"`
	ID           string            `json:"id"`
	Modified     time.Time         `json:"modified"`
	Revoked      bool              `json:"revoked"`
	Confidence   *int              `json:"confidence"`
	Markings     []string          `json:"object_marking_refs"`
	Name         string            `json:"name"`
	Published    time.Time         `json:"published"`
	Created      time.Time         `json:"created"`
	Labels       []string          `json:"labels"`
	ObjectRefs   []string          `json:"object_refs"`
	SampleRefs   []string          `json:"sample_refs"`
	ContainsRefs []string          `json:"contains_refs"`
	Pattern      string            `json:"pattern"`
	PatternType  string            `json:"pattern_type"`
	ValidFrom    time.Time         `json:"valid_from"`
	Hashes       map[string]string `json:"hashes"`
	Size         int64             `json:"size"`
	Value        string            `json:"value"`
	Key          string            `json:"key"`
	Relationship string            `json:"relationship_type"`
	Source       string            `json:"source_ref"`
	Target       string            `json:"target_ref"`
	Definition   struct {
		TLP string `json:"tlp"`
	} `json:"definition"`
	Extensions map[string]struct {
		TLP      string   `json:"tlp_2_0"`
		Contains []string `json:"contains_refs"`
	} `json:"extensions"`

	line   int
	groups []stixGroup
}

// maxStix bounds the objects of one bundle: their references point anywhere, so they are held in memory.
const maxStix = 2_000_000

// stixBundle collects objects until all references can be followed.
type stixBundle struct {
	objects map[string]*stixObject
	order   []string
}

// stixKeep adds an object; of two with one id the one modified last stands.
func (p *parser) stixKeep(raw json.RawMessage) error {
	var o stixObject
	if err := json.Unmarshal(raw, &o); err != nil {
		var head struct{ Type, ID string }
		if json.Unmarshal(raw, &head) == nil && head.Type == "" {
			return &shape{"an object without a type"}
		}
		p.k.refuse(p.line(), head.ID, "a STIX "+head.Type+" whose fields have the wrong types")
		return nil
	}
	if o.Type == "" {
		return &shape{"an object without a type"}
	}
	if p.stix == nil {
		p.stix = &stixBundle{objects: map[string]*stixObject{}}
	}
	p.format = "stix"
	o.line = p.line()
	old, there := p.stix.objects[o.ID]
	switch {
	case there && !o.Modified.After(old.Modified):
		return nil
	case !there:
		p.stix.order = append(p.stix.order, o.ID)
	}
	p.stix.objects[o.ID] = &o
	if len(p.stix.order) > maxStix {
		return &shape{fmt.Sprintf("a bundle of over %d objects; split it", maxStix)}
	}
	return nil
}

// finish stores a bundle: first what every object names, then reports and relationships.
func (b *stixBundle) finish(p *parser) error {
	for _, id := range b.order {
		o := b.objects[id]
		if o.Revoked {
			continue
		}
		o.groups = o.read(p.k)
		for _, g := range o.groups {
			if err := p.k.object(g.file); err != nil {
				return err
			}
			for _, ind := range g.all() {
				if err := p.k.mention(ind); err != nil {
					return err
				}
			}
		}
	}
	for _, id := range b.order {
		o := b.objects[id]
		if o.Revoked {
			continue
		}
		var err error
		switch o.Type {
		case "report", "grouping":
			err = b.report(p, o)
		case "relationship":
			err = b.relate(p, o, o.Source, o.Target, o.Relationship)
		default:
			err = b.contains(p, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read gives what one object names.
func (o *stixObject) read(k *sink) []stixGroup {
	switch o.Type {
	case "file", "artifact":
		return o.file(k)
	case "indicator":
		if o.PatternType != "" && o.PatternType != "stix" {
			k.refuse(o.line, o.ID, "a pattern of type "+o.PatternType+" is not read")
			return nil
		}
		groups, refused, err := readPattern(o.Pattern)
		if err != nil {
			k.refuse(o.line, o.ID, "its pattern is not understood: "+err.Error())
			return nil
		}
		for _, r := range refused {
			k.refuse(o.line, o.ID, "not an exact value: "+r)
		}
		return groups
	}
	kind, ok := stixKind(o.Type)
	if !ok {
		return nil
	}
	value := o.Value
	switch kind {
	case indicator.Mutex:
		value = o.Name
	case indicator.RegistryKey:
		value = o.Key
	}
	return []stixGroup{{others: indicatorsOf(kind, value)}}
}

func (o *stixObject) file(k *sink) []stixGroup {
	g := stixGroup{file: indicator.File{Size: o.Size}}
	names := make([]string, 0, len(o.Hashes))
	for alg := range o.Hashes {
		names = append(names, alg)
	}
	slices.Sort(names)
	for _, alg := range names {
		kind, ok := indicator.KindOfName(alg)
		if !ok || !kind.IsDigest() {
			if what, refused := indicator.RefusedName(alg); refused {
				k.refuse(o.line, o.Hashes[alg], what+" is not hunted by")
			}
			continue
		}
		ind, err := indicator.Parse(kind, o.Hashes[alg])
		if err != nil {
			k.refuse(o.line, o.Hashes[alg], err.Error())
			continue
		}
		g.file.SetDigest(kind, ind.Value)
	}
	if o.Name != "" {
		g.file.Names = []string{o.Name}
		g.others = indicatorsOf(indicator.Filename, o.Name)
	}
	return []stixGroup{g}
}

func (g stixGroup) all() []indicator.Indicator {
	return append(g.file.Digests(), g.others...)
}

// handles gives one indicator a group: the strongest digest, or the others.
func (g stixGroup) handles() []indicator.Indicator {
	if best := g.file.Best(); !best.IsZero() {
		return []indicator.Indicator{best}
	}
	return g.others
}

// follow gives the groups that a reference leads to: a malware's samples, an observation's objects, both ends of a
// relationship.
func (b *stixBundle) follow(ref string, depth int) []*stixObject {
	o, ok := b.objects[ref]
	if !ok || o.Revoked || depth > 4 {
		return nil
	}
	refs := slices.Concat(o.SampleRefs)
	switch o.Type {
	case "observed-data":
		refs = append(refs, o.ObjectRefs...)
	case "relationship":
		refs = append(refs, o.Source, o.Target)
	}
	out := []*stixObject{}
	if len(o.groups) > 0 {
		out = append(out, o)
	}
	for _, r := range refs {
		out = append(out, b.follow(r, depth+1)...)
	}
	return out
}

func (o *stixObject) confidence() int {
	if o.Confidence != nil && *o.Confidence >= 0 && *o.Confidence <= 100 {
		return *o.Confidence
	}
	return 50
}

// report stores a report or grouping with everything that its references lead to.
func (b *stixBundle) report(p *parser, o *stixObject) error {
	id, err := p.k.report(o.ID)
	if err != nil {
		return err
	}
	tlp, assumed := b.tlp(o.Markings)
	head := indicator.Report{ID: o.ID, Title: o.Name, TLP: tlp, Assumed: assumed, Published: o.Published, Tags: o.Labels}
	if head.Published.IsZero() {
		head.Published = o.Created
	}
	if err := p.k.describe(id, head); err != nil {
		return err
	}
	for _, ref := range o.ObjectRefs {
		if other, ok := b.objects[ref]; ok && other.Type == "report" {
			if err := p.k.link(o.ID, ref); err != nil {
				return err
			}
		}
		for _, x := range b.follow(ref, 0) {
			own := indicator.TLP("")
			if len(x.Markings) > 0 {
				own, _ = b.tlp(x.Markings)
			}
			for _, g := range x.groups {
				for _, ind := range g.all() {
					at := x.ValidFrom
					if at.IsZero() {
						at = x.Modified
					}
					if err := p.k.member(id, member{ind: ind, confidence: x.confidence(), time: at, tlp: own}); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// stixRelation maps relationship types; ok is false for those that join no observables.
func stixRelation(name string) (rel indicator.Relation, ok bool) {
	switch name {
	case "drops":
		return indicator.RelDrops, true
	case "downloads":
		return indicator.RelDownloadsFrom, true
	case "communicates-with", "beacons-to", "exfiltrates-to":
		return indicator.RelCommunicates, true
	case "contains":
		return indicator.RelContains, true
	case "derived-from", "duplicate-of", "variant-of":
		return indicator.RelSimilar, true
	case "related-to":
		return indicator.RelRelated, true
	}
	return "", false
}

func (b *stixBundle) relate(p *parser, o *stixObject, source, target, name string) error {
	rel, ok := stixRelation(name)
	if !ok {
		return nil
	}
	confidence := 0
	if o.Confidence != nil {
		confidence = o.confidence()
	}
	tlp, _ := b.tlp(o.Markings)
	for _, from := range b.follow(source, 0) {
		for _, to := range b.follow(target, 0) {
			for _, x := range handlesOf(from) {
				for _, y := range handlesOf(to) {
					if x == y {
						continue
					}
					if err := p.k.edge(x, y, rel, confidence, "", o.Modified, tlp); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func handlesOf(o *stixObject) []indicator.Indicator {
	var out []indicator.Indicator
	for _, g := range o.groups {
		out = append(out, g.handles()...)
	}
	return out
}

// contains stores what a file says it holds.
func (b *stixBundle) contains(p *parser, o *stixObject) error {
	refs := slices.Clone(o.ContainsRefs)
	for _, x := range o.Extensions {
		refs = append(refs, x.Contains...)
	}
	for _, r := range refs {
		if err := b.relate(p, o, o.ID, r, "contains"); err != nil {
			return err
		}
	}
	return nil
}

// tlp gives the strictest TLP of markings; without any that is known it is amber, and assumed.
func (b *stixBundle) tlp(markings []string) (t indicator.TLP, assumed bool) {
	for _, m := range markings {
		if label, ok := stixTLP(m); ok {
			t = indicator.Stricter(t, label)
			continue
		}
		if o, ok := b.objects[m]; ok {
			for _, text := range append([]string{o.Definition.TLP, o.Name}, extensionTLPs(o)...) {
				if label, ok := indicator.ParseTLP(text); ok {
					t = indicator.Stricter(t, label)
				}
			}
		}
	}
	if t == "" {
		return indicator.TLPAmber, true
	}
	return t, false
}

func extensionTLPs(o *stixObject) []string {
	var out []string
	for _, x := range o.Extensions {
		out = append(out, x.TLP)
	}
	return out
}

// stixTLP knows the marking definitions of TLP 1.0 (STIX 2.1, section 7.2.1.4) and TLP 2.0 (OASIS' extension).
func stixTLP(id string) (indicator.TLP, bool) {
	switch strings.TrimPrefix(id, "marking-definition--") {
	case "613f2e26-407d-48c7-9eca-b8e91df99dc9", "94868c89-83c2-464b-929b-a1a8aa3c8487":
		return indicator.TLPClear, true
	case "34098fce-860f-48ae-8e50-ebd3cc5e41da", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb":
		return indicator.TLPGreen, true
	case "f88d31f6-486f-44da-b317-01333bde0b82", "55d920b0-5e8b-4f79-9ee9-91f868d9b421":
		return indicator.TLPAmber, true
	case "826578e1-40ad-459f-bc73-ede076f81f37", "939a9414-2ddd-4d32-a0cd-375ea402b003":
		return indicator.TLPAmberStrict, true
	case "5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "e828b379-4e03-4974-9ac4-e53a884c97c1":
		return indicator.TLPRed, true
	}
	return "", false
}
