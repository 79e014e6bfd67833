package files

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hunter-project/hunter/internal/indicator"
)

// partsHeld is how many parts and links of an event are held in memory; those of a bigger one lie on shelves.
const partsHeld = 20_000

// mispParts are the objects and attributes of an event, by uuid, and what links them. A link may name what comes later.
type mispParts struct {
	k       *sink
	held    map[string][]indicator.Indicator // an object's digest, or an attribute's value
	links   []mispLink
	shelved struct{ parts, links *shelf }
	n       int // of all, in order
}

type mispLink struct {
	From, To, Name string
}

func (m *mispParts) rank() string {
	m.n++
	return fmt.Sprintf("%016d", m.n)
}

// shelve makes a shelf where there is none yet.
func (m *mispParts) shelve(s **shelf, name string) (err error) {
	if *s == nil {
		*s, err = newShelf(m.k, name)
	}
	return err
}

// put keeps what a uuid stands for; of two with one uuid the last counts.
func (m *mispParts) put(uuid string, inds []indicator.Indicator) error {
	if m.held == nil {
		m.held = map[string][]indicator.Indicator{}
	}
	m.held[uuid] = inds
	if len(m.held) < partsHeld {
		return nil
	}
	if err := m.shelve(&m.shelved.parts, "misp_part"); err != nil {
		return err
	}
	rank := m.rank()
	for key, x := range m.held {
		if err := m.shelved.parts.add(key, rank, x); err != nil {
			return err
		}
	}
	clear(m.held)
	return nil
}

// link keeps a reference from one uuid to another.
func (m *mispParts) link(l mispLink) error {
	m.links = append(m.links, l)
	if len(m.links) < partsHeld {
		return nil
	}
	if err := m.shelve(&m.shelved.links, "misp_link"); err != nil {
		return err
	}
	for _, x := range m.links {
		rank := m.rank()
		if err := m.shelved.links.add(rank, rank, x); err != nil {
			return err
		}
	}
	m.links = m.links[:0]
	return nil
}

// get gives what a uuid stands for.
func (m *mispParts) get(uuid string) (inds []indicator.Indicator, err error) {
	if inds, there := m.held[uuid]; there || m.shelved.parts == nil {
		return inds, nil
	}
	_, err = m.shelved.parts.get(uuid, &inds)
	return inds, err
}

// each goes through the links, in order, with what they join.
func (m *mispParts) each(take func(l mispLink, from, to []indicator.Indicator) error) error {
	one := func(l mispLink) error {
		from, err := m.get(l.From)
		if err != nil {
			return err
		}
		to, err := m.get(l.To)
		if err != nil {
			return err
		}
		return take(l, from, to)
	}
	if m.shelved.links != nil {
		err := m.shelved.links.each(func(_ string, value []byte) error {
			var l mispLink
			if err := json.Unmarshal(value, &l); err != nil {
				return err
			}
			return one(l)
		})
		if err != nil {
			return err
		}
	}
	for _, l := range m.links {
		if err := one(l); err != nil {
			return err
		}
	}
	return nil
}

// close ends the shelves: the next event has its own.
func (m *mispParts) close() error {
	var errs []error
	for _, s := range []*shelf{m.shelved.parts, m.shelved.links} {
		if s != nil {
			errs = append(errs, s.drop())
		}
	}
	return errors.Join(errs...)
}
