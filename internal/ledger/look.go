package ledger

// Look is what a node's answer to a question of hunter's own says about the node: what it can, and its labels.
type Look struct {
	Able    bool            // it speaks of what the node can: Cannot stands for what was known before
	Version string          // of the agent, as it says; "" is not told
	Cannot  string          // why the node can't be asked at all; "" when it can
	Note    string          // for people: what could not be learned, and why
	Labels  map[string]bool // of the labels that were asked for: whether the node has it
	All     bool            // Labels are all that there are: any other label of the node is an old one
	Again   []Query         // what is asked one by one, since together it failed
}

// Tells reports whether a query's words say what is hunted.
func (q Query) Tells() bool { return len(q.Hashes) > 0 && !q.Blind }
