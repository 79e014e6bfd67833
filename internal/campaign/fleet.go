package campaign

import "time"

// Fleet is how a run goes through endpoints that come and ask.
type Fleet struct {
	Canary int           `json:"canary"` // how many are asked first; 0 is none, CanaryByRule the rule of thumb
	Rate   Rate          `json:"rate"`
	Late   time.Duration `json:"late"` // how long after its start endpoints that come back are asked, and answers taken
	StopIf StopIf        `json:"stop_if"`
}

// Rate is how many endpoints are let go in a time.
type Rate struct {
	Count int           `json:"count"`
	Per   time.Duration `json:"per"`
}

// StopIf holds shares of the endpoints that answered, 0 to 1; 0 is no rule.
type StopIf struct {
	Errors     float64 `json:"errors,omitempty"`     // from this share on the run stops
	Denylisted float64 `json:"denylisted,omitempty"` // the same
	Timeout    float64 `json:"timeout,omitempty"`    // the same, of those that were asked
	Prevalence float64 `json:"prevalence,omitempty"` // a hash on more than this share is set aside for a person
}

// CanaryByRule asks the smaller of 25 and 5 % first where there are more than 200 endpoints.
const CanaryByRule = -1

// DefaultTimeout is how long an endpoint of a fleet has for one query.
const DefaultTimeout = 15 * time.Minute

// DefaultFleet is what holds when nobody says anything.
func DefaultFleet() Fleet {
	return Fleet{
		Canary: CanaryByRule, Rate: Rate{Count: 3000, Per: time.Minute}, Late: 14 * 24 * time.Hour,
		StopIf: StopIf{Errors: 0.2, Denylisted: 0.05, Prevalence: 0.1},
	}
}

// Settled gives the settings in effect: the zero value is the default.
func (f Fleet) Settled() Fleet {
	def := DefaultFleet()
	switch {
	case f == Fleet{}:
		return def
	case f.Rate.Count <= 0 || f.Rate.Per <= 0:
		f.Rate = def.Rate
	}
	return f
}

// canary gives how many of so many endpoints are asked first; 0 is none.
func (f Fleet) canary(endpoints int) int {
	const least, most, share = 200, 25, 20
	switch {
	case f.Canary >= endpoints: // it would be all
		return 0
	case f.Canary >= 0:
		return f.Canary
	case endpoints > least:
		return min(most, endpoints/share)
	}
	return 0
}

// longest is how long a run may be under way: endpoints that come back are asked for so long, and never for less than by default.
func (f Fleet) longest() time.Duration { return max(f.Late, DefaultFleet().Late) }

// timeout is how long an endpoint of a fleet has for one query.
func (s Spec) timeout() time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	return DefaultTimeout
}
