package osquery

import (
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

// Failure turns the message of an agent that did not answer a query into what it means for coverage. osqueryd passes on
// SQLite's own words; "distributed query is denylisted" is its own.
func Failure(message string) *ledger.Failure {
	f := &ledger.Failure{State: ledger.Error, Message: message}
	for _, known := range []struct {
		words string
		state ledger.State
	}{
		{"denylisted", ledger.Denylisted}, {"no such table", ledger.Unsupported}, {"no such column", ledger.Unsupported},
		{"no such function", ledger.Unsupported},
	} {
		if strings.Contains(message, known.words) {
			f.State = known.state
			if f.State == ledger.Denylisted { // osqueryd's words say neither who refuses nor why
				f.Message = "the agent refuses the question for a day: its worker died in it, or was ended with it (" + message + ")"
			}
			break
		}
	}
	return f
}
