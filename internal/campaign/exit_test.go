package campaign_test

import (
	"testing"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	good := func() results.RunSummary {
		return results.RunSummary{
			Run: results.Run{PivotComplete: true}, Hunted: 1, Endpoints: 10, Proven: 10, VerifiedRatio: 1,
			States: map[ledger.State]int{ledger.Absent: 10},
		}
	}
	strict := campaign.DoneWhen{Verified: 1}
	for name, tt := range map[string]struct {
		change func(*results.RunSummary)
		done   campaign.DoneWhen
		want   int
	}{
		"proven":                     {func(*results.RunSummary) {}, strict, 0},
		"hit":                        {func(s *results.RunSummary) { s.HitsTotal = 1 }, strict, 1},
		"hit, nothing else proven":   {func(s *results.RunSummary) { s.HitsTotal, s.VerifiedRatio, s.PivotComplete = 1, 0, false }, strict, 1},
		"not all proven":             {func(s *results.RunSummary) { s.VerifiedRatio = 0.9 }, strict, 3},
		"enough proven":              {func(s *results.RunSummary) { s.VerifiedRatio = 0.95 }, campaign.DoneWhen{Verified: 0.95}, 0},
		"pivot cut":                  {func(s *results.RunSummary) { s.PivotComplete = false }, strict, 3},
		"pivot cut, accepted":        {func(s *results.RunSummary) { s.PivotComplete = false }, campaign.DoneWhen{Verified: 1, AnyPivot: true}, 0},
		"unaskable":                  {func(s *results.RunSummary) { s.Unaskable = 1 }, strict, 3},
		"unaskable, accepted":        {func(s *results.RunSummary) { s.Unaskable = 1 }, campaign.DoneWhen{Verified: 1, AnyUnaskable: true}, 0},
		"narrowed":                   {func(s *results.RunSummary) { s.Narrowed = 1 }, strict, 3},
		"nothing hunted":             {func(s *results.RunSummary) { s.Hunted = 0 }, strict, 3},
		"no endpoints":               {func(s *results.RunSummary) { s.Endpoints = 0 }, campaign.DoneWhen{}, 3},
		"all excluded":               {func(s *results.RunSummary) { s.States = map[ledger.State]int{ledger.Excluded: 10} }, campaign.DoneWhen{}, 3},
		"recorded tools":             {func(s *results.RunSummary) { s.NotSeen, s.Recorded = 5, 5 }, strict, 3},
		"recorded tools, accepted":   {func(s *results.RunSummary) { s.NotSeen, s.Recorded = 5, 5 }, campaign.DoneWhen{Verified: 1, NotSeen: true}, 0},
		"recorded alone, accepted":   {func(s *results.RunSummary) { s.NotSeen, s.Recorded, s.Endpoints, s.VerifiedRatio = 5, 5, 0, 0 }, campaign.DoneWhen{Verified: 1, NotSeen: true}, 0},
		"recorded, one without data": {func(s *results.RunSummary) { s.NotSeen, s.Recorded = 4, 5 }, campaign.DoneWhen{Verified: 1, NotSeen: true}, 3},
		"recorded, none seen at all": {func(s *results.RunSummary) { s.Recorded = 5 }, strict, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			tt.change(&s)
			if got := campaign.ExitCode(s, tt.done); got != tt.want {
				t.Errorf("exit code %d instead of %d", got, tt.want)
			}
		})
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	for want, codes := range map[int][]int{0: {0, 0}, 3: {0, 3, 0}, 1: {3, 1, 0}, 2: {1, 2, 3}} {
		if got := campaign.Worst(codes...); got != want {
			t.Errorf("%v: %d instead of %d", codes, got, want)
		}
	}
}
