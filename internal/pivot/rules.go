package pivot

import (
	"slices"

	"github.com/hunter-project/hunter/internal/indicator"
)

// Rule says what a relation is worth, and what hunter does with it.
type Rule struct {
	Trust  int  // 0–100; an edge's confidence is Trust times the source's own value, or Trust where it has none
	Follow bool // leads on at the next depth
	Hunt   bool // what it leads to is hunted
	Never  bool // neither, whatever a hunt says
}

// RuleOf gives the rule of a relation. What a report calls a victim's own is never hunted. Membership in a report keeps the source's own value as it is. Fuzzy relations and
// those to hosts and addresses neither lead on nor are hunted unless a hunt says follow.
func RuleOf(r indicator.Relation) Rule {
	switch r {
	case indicator.RelAlert, indicator.RelSeed, indicator.RelSibling, indicator.RelSameReport, indicator.RelReportsOn, indicator.RelInReport:
		return Rule{Trust: 100, Follow: true, Hunt: true}
	case indicator.RelVictim:
		return Rule{Trust: 100, Never: true}
	case indicator.RelDrops, indicator.RelDroppedBy, indicator.RelContains:
		return Rule{Trust: 60, Follow: true, Hunt: true}
	case indicator.RelContainedIn:
		return Rule{Trust: 40, Hunt: true}
	case indicator.RelExecutes, indicator.RelExecutedBy:
		return Rule{Trust: 50, Hunt: true}
	case indicator.RelDownloadsFrom, indicator.RelServes, indicator.RelCommunicates, indicator.RelContactedBy:
		return Rule{Trust: 50}
	case indicator.RelSameC2:
		return Rule{Trust: 40}
	default: // similar, related, related_report and what nobody foresaw
		return Rule{Trust: 30}
	}
}

// DefaultLimits bound a pivot when a hunt says nothing. One report may be a feed of everything and one hash may be in
// thousands of reports, so both are bounded on their own, well above any report about one threat.
func DefaultLimits() Limits {
	return Limits{Depth: 1, MaxIndicators: 5000, PerReport: 1000, PerIndicator: 100}
}

// DefaultOptions are those of a hunt that says nothing. No least confidence is set: a hash matches a file or does not, and
// public MISP events often mark malware as not for detection.
func DefaultOptions() Options { return Options{Limits: DefaultLimits()} }

// follows reports whether a relation leads on: by its rule, or because the hunt says so.
func (o Options) follows(r indicator.Relation) bool {
	rule := RuleOf(r)
	return rule.Follow || (o.told(r) && !rule.Never)
}

// hunts reports whether what a relation leads to is hunted.
func (o Options) hunts(r indicator.Relation) bool {
	rule := RuleOf(r)
	return rule.Hunt || (o.told(r) && !rule.Never)
}

func (o Options) told(r indicator.Relation) bool { return slices.Contains(o.Follow, r) }

// confidence is what an edge is worth: membership in a report keeps the source's own value, other relations are worth
// their trust times that value.
func confidence(r indicator.Relation, own int) int {
	own = min(max(own, 0), 100)
	trust := RuleOf(r).Trust
	switch {
	case trust == 100:
		return own
	case own == 0:
		return trust
	default:
		return trust * own / 100
	}
}
