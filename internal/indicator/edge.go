package indicator

import "time"

// The kinds of Ref that are no indicators.
const (
	RefReport = "report"
	RefAlert  = "alert"
)

// Ref names a node of an intelligence graph: an indicator (its kind and value), a report ("report", "provider:id") or
// an alert ("alert", its id).
type Ref struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// RefOf gives the Ref of an indicator.
func RefOf(i Indicator) Ref { return Ref{Kind: string(i.Kind), Value: i.Value} }

// ReportRef gives the Ref of a report by its public form, "provider:id".
func ReportRef(ref string) Ref { return Ref{Kind: RefReport, Value: ref} }

// Indicator gives back the indicator of a Ref; ok is false for reports and alerts.
func (r Ref) Indicator() (ind Indicator, ok bool) {
	if r.Kind == RefReport || r.Kind == RefAlert || r.Kind == "" {
		return Indicator{}, false
	}
	return Indicator{Kind: Kind(r.Kind), Value: r.Value}, true
}

// String gives "kind:value".
func (r Ref) String() string { return r.Kind + ":" + r.Value }

// Edge says how one node led to another, and who said so.
type Edge struct {
	From       Ref       `json:"from"`
	To         Ref       `json:"to"`
	Relation   Relation  `json:"relation"`
	Provider   string    `json:"provider,omitempty"`
	Report     string    `json:"report,omitempty"` // "provider:id"
	Confidence int       `json:"confidence"`       // 0–100, the source's own value or the relation's default
	Time       time.Time `json:"time,omitzero"`    // when the source says so
	Raw        string    `json:"raw,omitempty"`    // digest of the stored answer
	TLP        TLP       `json:"tlp,omitempty"`
}
