package campaign

import (
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// The exit codes of a run.
const (
	ExitProven   = 0 // finished, no hits, and proven
	ExitHits     = 1 // hits
	ExitError    = 2 // error, usage, invalid file
	ExitUnproven = 3 // no hits, not proven
)

// ExitCode judges a run by its totals and by what its hunt accepts as proven.
func ExitCode(sum results.RunSummary, done DoneWhen) int {
	if sum.HitsTotal > 0 || sum.States[ledger.Hit] > 0 {
		return ExitHits
	}
	recorded := sum.Recorded > 0
	switch {
	case !sum.PivotComplete && !done.AnyPivot:
		return ExitUnproven
	case (sum.Unaskable > 0 || sum.Narrowed > 0) && !done.AnyUnaskable:
		return ExitUnproven
	case recorded && (!done.NotSeen || sum.NotSeen < sum.Recorded): // what was never seen proves nothing; what is not even that less
		return ExitUnproven
	case sum.Hunted == 0:
		return ExitUnproven
	case sum.Endpoints == 0 && recorded:
		return ExitProven
	case sum.Endpoints-sum.States[ledger.Excluded] <= 0:
		return ExitUnproven
	case sum.VerifiedRatio < done.Verified:
		return ExitUnproven
	}
	return ExitProven
}

// Worst gives the exit code of several runs in one command: 2 before 1 before 3 before 0.
func Worst(codes ...int) int {
	worst := ExitProven
	rank := map[int]int{ExitProven: 0, ExitUnproven: 1, ExitHits: 2, ExitError: 3}
	for _, c := range codes {
		if rank[c] > rank[worst] {
			worst = c
		}
	}
	return worst
}
