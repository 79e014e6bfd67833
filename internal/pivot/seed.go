package pivot

import (
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// Options say how far a pivot goes and what of it is hunted. Their JSON form is frozen with a run.
type Options struct {
	Limits        Limits               `json:"limits"`
	Kinds         []indicator.Kind     `json:"kinds,omitempty"`  // of what is hunted; nil is every digest
	MinConfidence int                  `json:"min_confidence"`   // what is below is neither hunted nor led on from
	Follow        []indicator.Relation `json:"follow,omitempty"` // relations that lead on and are hunted though their rule says no
	TLP           indicator.TLP        `json:"tlp,omitempty"`    // of the hunt: the seed's label
	Now           func() time.Time     `json:"-"`                // the clock; nothing in Expand reads it, callers share it
}

// Seed is what a run starts from: file objects, other indicators, a report, or any of them together.
type Seed struct {
	Files      []indicator.File      `json:"files,omitempty"`
	Indicators []indicator.Indicator `json:"indicators,omitempty"` // digests without siblings, addresses, domains, …
	Report     string                `json:"report,omitempty"`     // "provider:id", or an id alone: every provider is asked
	Alert      string                `json:"alert,omitempty"`      // id of the alert that the digests are from; "" when given by a person
	Time       time.Time             `json:"time,omitzero"`        // of the alert
	Raw        *Raw                  `json:"raw,omitempty"`        // the alert as received; the body is stored apart
}

// IsEmpty reports whether the seed names nothing.
func (s Seed) IsEmpty() bool {
	for _, f := range s.Files {
		if !f.Best().IsZero() {
			return false
		}
	}
	return len(s.Indicators) == 0 && s.Report == ""
}
