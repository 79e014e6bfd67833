package indicator

import (
	"strings"
	"time"
)

// Report describes one intelligence product: an iSIGHT report, a MISP event, an OTX pulse, a STIX report or grouping.
type Report struct {
	Provider  string    `json:"provider"`
	ID        string    `json:"id"` // stable id of the provider, e.g. a MISP event's uuid; the public form is PROVIDER:ID
	Title     string    `json:"title,omitempty"`
	TLP       TLP       `json:"tlp,omitempty"`
	Assumed   bool      `json:"tlp_assumed,omitempty"` // the source stated no TLP; it was derived
	Published time.Time `json:"published,omitzero"`
	Tags      []string  `json:"tags,omitempty"`

	// What the source says of the threat, in its own words.
	Category string   `json:"category,omitempty"` // the field of threats, such as ThreatScape's "Cyber Crime"
	Type     string   `json:"type,omitempty"`     // malware, threat, vulnerability, …
	Risk     string   `json:"risk,omitempty"`     // how it is rated, such as HIGH
	Families []string `json:"malware_families,omitempty"`
	Actors   []string `json:"actors,omitempty"`
}

// About gives what the source says of the threat in one line, "" when it says nothing.
func (r Report) About() string { return strings.Join(r.Said(), "; ") }

// Said gives what the source says of the threat, point by point.
func (r Report) Said() []string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+value)
		}
	}
	add("", r.Category)
	add("", r.Type)
	add("risk ", r.Risk)
	add("malware family ", strings.Join(r.Families, ", "))
	add("actor ", strings.Join(r.Actors, ", "))
	return parts
}

// Ref is the public form of the report's id, "provider:id".
func (r Report) Ref() string { return r.Provider + ":" + r.ID }

// Relation says how two things in intelligence belong together. Directions run from the known thing to the new one.
type Relation string

// The relations hunter knows; what each is worth: pivot.RuleOf.
const (
	RelAlert         Relation = "alert"        // from an alert to a digest in it
	RelSeed          Relation = "seed"         // given by a person
	RelSibling       Relation = "sibling"      // another digest of the same bytes
	RelInReport      Relation = "in_report"    // indicator to report
	RelReportsOn     Relation = "reports_on"   // report to indicator
	RelSameReport    Relation = "same_report"  // both named in one report
	RelDrops         Relation = "drops"        // writes it when run
	RelDroppedBy     Relation = "dropped_by"   //
	RelContains      Relation = "contains"     // archive, installer, attachment
	RelContainedIn   Relation = "contained_in" //
	RelDownloadsFrom Relation = "downloads_from"
	RelServes        Relation = "serves"
	RelCommunicates  Relation = "communicates_with"
	RelContactedBy   Relation = "contacted_by"
	RelExecutes      Relation = "executes"
	RelExecutedBy    Relation = "executed_by"
	RelSimilar       Relation = "similar"
	RelSameC2        Relation = "same_c2"
	RelRelatedReport Relation = "related_report"
	RelRelated       Relation = "related"
	RelVictim        Relation = "victim" // to what belongs to who was attacked: told, never hunted
)

// Inverse gives the relation seen from the other end.
func (r Relation) Inverse() Relation {
	pairs := map[Relation]Relation{
		RelInReport: RelReportsOn, RelDrops: RelDroppedBy, RelContains: RelContainedIn, RelDownloadsFrom: RelServes,
		RelCommunicates: RelContactedBy, RelExecutes: RelExecutedBy,
	}
	for a, b := range pairs {
		switch r {
		case a:
			return b
		case b:
			return a
		}
	}
	return r
}
