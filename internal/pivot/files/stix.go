package files

import (
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// stixObject is what is read of a STIX 2.1 object, of any type.
type stixObject struct {
	Type         string            `json:"type,omitzero"`
	ID           string            `json:"id,omitzero"`
	Modified     time.Time         `json:"modified,omitzero"`
	Revoked      bool              `json:"revoked,omitzero"`
	Confidence   *int              `json:"confidence,omitzero"`
	Markings     []string          `json:"object_marking_refs,omitzero"`
	Name         string            `json:"name,omitzero"`
	Published    time.Time         `json:"published,omitzero"`
	Created      time.Time         `json:"created,omitzero"`
	Labels       []string          `json:"labels,omitzero"`
	ObjectRefs   []string          `json:"object_refs,omitzero"`
	SampleRefs   []string          `json:"sample_refs,omitzero"`
	ContainsRefs []string          `json:"contains_refs,omitzero"`
	Pattern      string            `json:"pattern,omitzero"`
	PatternType  string            `json:"pattern_type,omitzero"`
	ValidFrom    time.Time         `json:"valid_from,omitzero"`
	Hashes       map[string]string `json:"hashes,omitzero"`
	Size         int64             `json:"size,omitzero"`
	Value        string            `json:"value,omitzero"`
	Key          string            `json:"key,omitzero"`
	Relationship string            `json:"relationship_type,omitzero"`
	Source       string            `json:"source_ref,omitzero"`
	Target       string            `json:"target_ref,omitzero"`
	Definition   struct {
		TLP string `json:"tlp,omitzero"`
	} `json:"definition,omitzero"`
	Extensions map[string]struct {
		TLP      string   `json:"tlp_2_0,omitzero"`
		Contains []string `json:"contains_refs,omitzero"`
	} `json:"extensions,omitzero"`

	line   int // where it stands in the file
	groups []stixGroup
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
	if depth > 4 {
		return nil
	}
	o, ok := b.object(ref)
	if !ok || o.Revoked {
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
		if other, ok := b.object(ref); ok && other.Type == "report" {
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
		if o, ok := b.object(m); ok {
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
