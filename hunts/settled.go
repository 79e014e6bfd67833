package hunts

import (
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// What holds when neither a hunt nor its defaults nor a flag says anything.
const (
	DefaultDepth         = 1
	DefaultMaxIndicators = 5000
	DefaultMaxPerReport  = 1000
	DefaultMaxReports    = 100
	DefaultMaxSize       = 50 * ByteSize(1<<20)
	DefaultTimeout       = Duration(15 * time.Minute)
	DefaultLate          = Duration(14 * day)
	DefaultErrors        = Percent(20)
	DefaultDenylisted    = Percent(5)
	DefaultPrevalence    = Percent(10)
	DefaultVerified      = Percent(100)
)

// MaxPivotDepth is the deepest pivot; the key depth says the same.
const MaxPivotDepth = 10

// DefaultRate is how many endpoints are asked in a time.
func DefaultRate() Rate { return Rate{Count: 3000, Per: time.Minute} }

// DefaultWhere lists the stages, cheapest first.
func DefaultWhere() []ledger.Stage {
	return []ledger.Stage{ledger.Running, ledger.Autoruns, ledger.Files}
}

// Or gives *p, or def when p is nil.
func Or[T any](p *T, def T) T {
	if p == nil {
		return def
	}
	return *p
}

// Settled is a hunt's numbers and choices with every default applied.
type Settled struct {
	Depth, MinConfidence                    int
	MaxIndicators, MaxPerReport, MaxReports int
	Refresh                                 time.Duration // 0: as the provider's cache says
	Where                                   []ledger.Stage
	Unsized                                 Unsized
	MaxSize                                 int64 // bytes
	Canary                                  int   // -1: the rule of thumb, min(25, 5 %) above 200 hosts
	Rate                                    Rate
	Timeout, Late                           time.Duration
	Errors, Denylisted, Prevalence          float64 // ratios, 0 to 1
	Timeouts                                float64 // the same; 0 is no rule
	Verified                                float64 // ratio
	AnyPivot, AnyUnaskable, AcceptNotSeen   bool
	DeltaMaxAge                             time.Duration // 0: nothing is carried
	Status                                  Status
}

// Settled gives the values in effect. Set the pointers from flags first.
func (s Spec) Settled() Settled {
	where := s.Search.Where
	if len(where) == 0 {
		where = DefaultWhere()
	}
	return Settled{
		Depth:         Or(s.Pivot.Depth, DefaultDepth),
		MinConfidence: Or(s.Pivot.MinConfidence, 0),
		MaxIndicators: Or(s.Pivot.MaxIndicators, DefaultMaxIndicators),
		MaxPerReport:  Or(s.Pivot.MaxPerReport, DefaultMaxPerReport),
		MaxReports:    Or(s.Pivot.MaxReports, DefaultMaxReports),
		Refresh:       Or(s.Pivot.Refresh, 0).Std(),
		Where:         where,
		Unsized:       firstOf(s.Search.Unsized, UnsizedPlaces),
		MaxSize:       int64(Or(s.Search.MaxSize, DefaultMaxSize)),
		Canary:        Or(s.Run.Canary, -1),
		Rate:          Or(s.Run.Rate, DefaultRate()),
		Timeout:       Or(s.Run.Timeout, DefaultTimeout).Std(),
		Late:          Or(s.Run.Late, DefaultLate).Std(),
		Errors:        Or(s.Run.StopIf.Errors, DefaultErrors).Ratio(),
		Denylisted:    Or(s.Run.StopIf.Denylisted, DefaultDenylisted).Ratio(),
		Timeouts:      Or(s.Run.StopIf.Timeout, 0).Ratio(),
		Prevalence:    Or(s.Run.StopIf.Prevalence, DefaultPrevalence).Ratio(),
		Verified:      Or(s.DoneWhen.Verified, DefaultVerified).Ratio(),
		AnyPivot:      s.DoneWhen.Pivot == PivotAny,
		AnyUnaskable:  s.DoneWhen.Unaskable == UnaskableAny,
		AcceptNotSeen: s.DoneWhen.NotSeen == NotSeenAccept,
		DeltaMaxAge:   Or(s.Delta.MaxAge, 0).Std(),
		Status:        firstOf(s.Status, Experimental),
	}
}

func firstOf[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
