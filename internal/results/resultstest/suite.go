// Package resultstest is the suite that every engine of the results store passes.
package resultstest

import (
	"testing"

	"github.com/hunter-project/hunter/internal/results"
)

// Run runs the suite. open gives an empty store of its own to each test, and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T) *results.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *results.Store)
	}{
		{"a run lives", runLives},
		{"a run resumes", runResumes},
		{"runs are found by prefix", runsFound},
		{"runs are listed", runsListed},
		{"unknown runs are refused", unknownRuns},
		{"events are a ledger", eventsAppend},
		{"a clock that goes back is noticed", clockBack},
		{"a pivot comes back", pivotRoundTrip},
		{"a pivot is replaced", pivotReplaced},
		{"edges to an indicator", edgesTo},
		{"raw bodies are kept once", rawOnce},
		{"a plan comes back", planRoundTrip},
		{"a plan is all or nothing", planAtomic},
		{"a plan with answers stands", planStands},
		{"asking is counted", asking},
		{"an answer comes back byte for byte", answerRoundTrip},
		{"attempts are all kept", attempts},
		{"an answer again doubles nothing", redelivery},
		{"an answer nobody planned is refused", unplanned},
		{"parts come with their answer", partsComeWithTheirAnswer},
		{"speed", speed},
		{"many hits at once", manyHits},
		{"hits are filtered and paged", hitsFiltered},
		{"a search comes back with its hits", searchRoundTrip},
		{"a search nobody planned is refused", searchUnplanned},
		{"hits teach", known},
		{"findings join tools and runs", findings},
		{"a person's verdict stays", triageStays},
		{"hosts show their newest standing", hosts},
		{"seen before", seenBefore},
		{"views have the columns of the contract", viewColumns},
		{"views count", viewCounts},
		{"the ratio without endpoints is 0", noEndpoints},
		{"views are safe to print", viewsSafe},
		{"many write and read at once", concurrent},
		{"a fleet is asked and answers", fleetLives},
		{"a delivery again doubles nothing", deliveredTwice},
		{"what is lost is asked again", lostIsAskedAgain},
		{"what is answered is not asked again", lostByAnswer},
		{"a denylisted text is remembered", denylistedIsRemembered},
		{"a text that is held is given up", heldGivenUp},
		{"two runs share a node", fleetIsShared},
		{"a fleet run pauses", fleetPauses},
		{"a paused run keeps what is lost", fleetParksLost},
		{"a fleet run stops", fleetStops},
		{"late endpoints are asked", fleetAsksLate},
		{"servers and leases", servers},
		{"wishes", wishes},
		{"errands", errands},
		{"errands step aside", errandsStepAside},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}
