package osquery

import "github.com/hunter-project/hunter/internal/ledger"

// Answer turns what an agent of a fleet delivered for a question into an answer.
func Answer(_ ledger.Query, d ledger.Delivery) ledger.Answer { return d.Answer(Failure) }
