package files

import (
	"encoding/json"
	"fmt"
)

const (
	// maxStix bounds the objects of one bundle: their references point anywhere, so all are read before any is stored.
	maxStix = 2_000_000
	// stixHeld is how many of them are held in memory; those of a bigger bundle lie on a shelf.
	stixHeld = 10_000
)

// stixBundle collects objects until all references can be followed.
type stixBundle struct {
	k       *sink
	objects map[string]*stixObject // all, or those that were needed last; nil is one that the bundle does not have
	order   []string               // while all are held
	n       int                    // objects of the file
	shelf   *shelf
	err     error // the first of the shelf
}

// shelvedObject is an object as it lies on a shelf.
type shelvedObject struct {
	Line   int         `json:"line"`
	Object *stixObject `json:"object"`
}

func (s shelvedObject) object() *stixObject {
	s.Object.line = s.Line
	return s.Object
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
		p.stix = &stixBundle{k: p.k, objects: map[string]*stixObject{}}
	}
	p.format = "stix"
	o.line = p.line()
	if p.stix.n++; p.stix.n > maxStix {
		return &shape{fmt.Sprintf("a bundle of over %d objects; split it", maxStix)}
	}
	return p.stix.keep(&o)
}

func (b *stixBundle) keep(o *stixObject) error {
	if b.shelf != nil {
		return b.put(o)
	}
	old, there := b.objects[o.ID]
	switch {
	case there && !o.Modified.After(old.Modified):
		return nil
	case !there:
		b.order = append(b.order, o.ID)
	}
	b.objects[o.ID] = o
	if len(b.order) < stixHeld {
		return nil
	}
	s, err := newShelf(b.k, "stix_object")
	if err != nil {
		return err
	}
	b.shelf = s
	for _, id := range b.order {
		if err := b.put(b.objects[id]); err != nil {
			return err
		}
	}
	b.order = nil
	clear(b.objects)
	return nil
}

// put lays an object on the shelf; it is ranked by the time at which it was modified.
func (b *stixBundle) put(o *stixObject) error {
	return b.shelf.add(o.ID, o.Modified.UTC().Format("2006-01-02T15:04:05.000000000"), shelvedObject{o.line, o})
}

// object gives an object of the bundle by its id, with what it names.
func (b *stixBundle) object(id string) (*stixObject, bool) {
	o, there := b.objects[id]
	if there || b.shelf == nil || b.err != nil {
		return o, o != nil
	}
	var found shelvedObject
	there, b.err = b.shelf.get(id, &found)
	if there && b.err == nil {
		o = found.object()
		o.groups = o.read(&sink{}) // what is refused has been told
	}
	b.remember(id, o)
	return o, o != nil
}

func (b *stixBundle) remember(id string, o *stixObject) {
	if len(b.objects) >= stixHeld {
		clear(b.objects)
	}
	b.objects[id] = o
}

// each goes through the objects that are not revoked, in the order of the file.
func (b *stixBundle) each(take func(o *stixObject) error) error {
	one := func(o *stixObject) error {
		if o.Revoked {
			return nil
		}
		if err := take(o); err != nil {
			return err
		}
		return b.err
	}
	if b.shelf != nil {
		return b.shelf.each(func(_ string, value []byte) error {
			var s shelvedObject
			if err := json.Unmarshal(value, &s); err != nil {
				return err
			}
			return one(s.object())
		})
	}
	for _, id := range b.order {
		if err := one(b.objects[id]); err != nil {
			return err
		}
	}
	return nil
}

// finish stores a bundle: first what every object names, then reports and relationships.
func (b *stixBundle) finish(p *parser) error {
	err := b.each(func(o *stixObject) error {
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
		return nil
	})
	if err != nil {
		return err
	}
	err = b.each(func(o *stixObject) error {
		if b.shelf != nil { // what comes soon often names it
			o.groups = o.read(&sink{})
			b.remember(o.ID, o)
		}
		switch o.Type {
		case "report", "grouping":
			return b.report(p, o)
		case "relationship":
			return b.relate(p, o, o.Source, o.Target, o.Relationship)
		default:
			return b.contains(p, o)
		}
	})
	if err != nil || b.shelf == nil {
		return err
	}
	return b.shelf.drop()
}
