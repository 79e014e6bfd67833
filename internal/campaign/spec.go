// Package campaign carries one run from its seed to its end: pivot, plan, ask, judge, record. Every decision is stored
// before it is acted on, so a run can die at any moment and go on later under the same id.
package campaign

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// Spec is everything that decides what a run does; it is frozen in the store when the run is created.
type Spec struct {
	Hunt       string        `json:"hunt"`
	Title      string        `json:"title,omitempty"`
	TLP        indicator.TLP `json:"tlp,omitempty"`
	Case       string        `json:"case,omitempty"`
	HuntsFiles []string      `json:"hunts_files,omitempty"` // where tools and providers were defined
	Seed       pivot.Seed    `json:"seed"`
	Alerts     []alert.Taken `json:"alerts,omitempty"` // what was taken from the alerts that the seed is from
	MoreAlerts int           `json:"more_alerts,omitempty"`
	Refused    []Refused     `json:"refused,omitempty"`   // seeds that were refused before the pivot
	Providers  []string      `json:"providers,omitempty"` // names, in order; nil = all
	NoPivot    bool          `json:"no_pivot,omitempty"`
	Pivot      pivot.Options `json:"pivot"`
	Refresh    time.Duration `json:"refresh,omitempty"` // older answers are asked again; 0 is as each provider says
	Never      []string      `json:"never,omitempty"`   // files of known-good digests
	Tools      []string      `json:"tools,omitempty"`   // names; nil = all
	Select     edr.Selection `json:"select"`
	Search     edr.Search    `json:"search"`
	DoneWhen   DoneWhen      `json:"done_when"`
	Timeout    time.Duration `json:"timeout,omitempty"` // of one query; 0 is none, and DefaultTimeout on a fleet
	Fleet      Fleet         `json:"fleet,omitzero"`    // how a fleet is gone through; zero is DefaultFleet
	Gentle     bool          `json:"gentle,omitempty"`  // this machine is searched so that nobody feels it
	MaxAge     time.Duration `json:"max_age,omitempty"` // of a proof that is carried; 0: every endpoint is asked
}

// Refused is a digest that was given and is not hunted.
type Refused struct {
	Value  string         `json:"value"`
	Kind   indicator.Kind `json:"kind"`
	Reason string         `json:"reason"`
}

// DoneWhen is what a hunt accepts as proven.
type DoneWhen struct {
	Verified     float64 `json:"verified"`                // least verified_ratio, 0–1
	AnyPivot     bool    `json:"any_pivot,omitempty"`     // an incomplete pivot is accepted
	AnyUnaskable bool    `json:"any_unaskable,omitempty"` // hashes that can't be asked are accepted
	NotSeen      bool    `json:"not_seen,omitempty"`      // recorded tools that saw nothing are accepted
}

// freeze gives the form in which a spec is stored.
func (s Spec) freeze() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("freeze the run's definition: %w", err)
	}
	return b, nil
}

// Thaw reads back a stored spec.
func Thaw(definition []byte) (Spec, error) {
	var s Spec
	if err := json.Unmarshal(definition, &s); err != nil {
		return Spec{}, fmt.Errorf("read the run's stored definition: %w", err)
	}
	return s, nil
}
