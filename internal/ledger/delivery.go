package ledger

// TwoMachines is the doubt in an answer of a machine that shares its identity with another one.
const TwoMachines = "two machines with one identity"

// InstanceOf gives which instance of an agent an answer says that it is from, "" when it says nothing.
func InstanceOf(rows []Row) string {
	for _, r := range rows {
		if r["kind"] == "meta" {
			return r["owner"]
		}
	}
	return ""
}

// Answer gives what was delivered as an answer. failure reads the words with
// which that sort of agent refuses a question.
func (d Delivery) Answer(failure func(message string) *Failure) Answer {
	out := Answer{
		Rows: d.Rows, Unread: d.Unread, UnreadTotal: d.UnreadTotal, LeftOut: d.LeftOut, Remembered: d.Remembered,
		StartedAt: d.ReceivedAt, FinishedAt: d.ReceivedAt,
	}
	switch {
	case d.Cut != "":
		out.Failure = &Failure{State: Error, Message: d.Cut}
	case d.Status != 0 && d.Message == "":
		out.Failure = &Failure{State: Error, Message: "the agent failed without a word of why"}
	case d.Status != 0:
		out.Failure = failure(d.Message)
	}
	return out
}
