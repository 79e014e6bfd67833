package osquery

import (
	"fmt"

	"github.com/hunter-project/hunter/internal/ledger"
)

// Blind words a query anew for an endpoint that is not to learn what is hunted any more, as its approval was taken back. It asks
// all that the query did; what it hashed comes back, and hits are found by ledger.Judge.
func Blind(q ledger.Query) (ledger.Query, error) {
	if q.Blind {
		return q, nil
	}
	q.Blind = true
	if len(q.Recheck) > 0 {
		again, _ := Recheck(q, q.Recheck)
		again.ID = q.ID
		return again, nil
	}
	if q.Stage == ledger.Files {
		q.Budget = blindBudget(q.Budget)
	}
	text, err := Text(questionOf(q))
	if err != nil {
		return ledger.Query{}, fmt.Errorf("ask %s without telling a digest: %w", q.ID, err)
	}
	q.Text = text
	return q, nil
}
