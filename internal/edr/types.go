// Package edr plans what endpoint tools are asked: which digest of each file object a tool takes, which stages, in which
// chunks, with which control, and what can not be asked. It knows no tool by name.
package edr

import (
	"context"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Tool is something that can ask endpoints.
type Tool interface {
	// Describe says what the tool is; it does no input or output.
	Describe() Description
	// Endpoints lists the hosts that the tool knows.
	Endpoints(ctx context.Context) ([]Endpoint, error)
	// Compile words the questions for one endpoint. It does no input or output; the texts are stable for the same work.
	Compile(ep Endpoint, w Work) ([]ledger.Query, error)
	// Ask puts one query to one endpoint and waits. A failure that belongs to the endpoint or query is in the answer; an
	// error is a tool that can't go on at all, or ctx's end.
	Ask(ctx context.Context, ep Endpoint, q ledger.Query) (ledger.Answer, error)
	// Close frees what the tool holds.
	Close() error
}

// Estimator is a tool that can count beforehand what its files questions would read on an endpoint.
type Estimator interface {
	// Estimate counts; ok is false when that would cost as much as asking. When ctx ends, cost is what was counted so far.
	Estimate(ctx context.Context, ep Endpoint, queries []ledger.Query) (cost Cost, ok bool, err error)
}

// Cost is what a search reads: files, and their bytes.
type Cost struct {
	Files, Bytes int64
	Least        bool // it was not counted to the end: at least so much
}

// Plus adds two costs.
func (c Cost) Plus(d Cost) Cost {
	return Cost{Files: c.Files + d.Files, Bytes: c.Bytes + d.Bytes, Least: c.Least || d.Least}
}

// Rechecker is a tool that can ask once more for paths that had vanished between two looks of one query.
type Rechecker interface {
	// Recheck words the second question; ok is false when there is none.
	Recheck(q ledger.Query, paths []string) (again ledger.Query, ok bool)
}

// Checker is a tool that can say whether it would answer, and whether its control is found, without asking for any hash of
// a hunt. It is found by type assertion.
type Checker interface {
	Check(ctx context.Context) []diag.Check
}

// Splitter is a tool that can ask in parts what was over its budget.
type Splitter interface {
	// Split words the parts, at most room; none are when it can not be split. Together they ask all that q did. It does
	// no input or output.
	Split(q ledger.Query, subs []ledger.Sub, room int) ([]ledger.Query, error)
}

// Searcher is a recorded tool: it searches at once what it stored of all its endpoints. Its Compile words, for an endpoint,
// the one query of Stage telemetry that asks whether anything of that endpoint lies in the window at all, with the first
// chunk alone; Ask puts that. Rows of answers: ledger.JudgeSearch and ledger.JudgePresence.
type Searcher interface {
	Tool
	// Window gives the days that a search made now covers. An error is a tool that can't go on at all.
	Window(ctx context.Context) (ledger.Window, error)
	// Searches words the searches for one chunk over everything. It does no input or output; w.Window bounds them, so that
	// a resumed run asks about the same days.
	Searches(w Work) ([]ledger.Query, error)
	// Search puts one search and waits for all its pages. A failure that belongs to the search is in the answer, with
	// the rows that had come; an error is a tool that can't go on at all, or ctx's end.
	Search(ctx context.Context, q ledger.Query) (ledger.Answer, error)
}

// Posted is a tool whose endpoints come and ask: its questions are posted in an outbox, and answers come in their own time,
// or never. Its Ask is not called; a campaign on a server drives it. Compile words questions for endpoints that are asleep, too.
type Posted interface {
	Tool
	// Lighter words a question anew for an agent that refuses its text or died in it: another text, and less work at once
	// where that is possible. ok is false when nothing lighter is left. It does no input or output.
	Lighter(q ledger.Query, attempt int) (lighter ledger.Query, ok bool, err error)
	// Answer reads what an endpoint delivered for a question. It does no input or output.
	Answer(q ledger.Query, d ledger.Delivery) ledger.Answer
}

// Hider is a tool that can word a query anew so that it tells no digest, as for an endpoint whose approval was taken back.
type Hider interface {
	// Blind words it. It does no input or output.
	Blind(q ledger.Query) (ledger.Query, error)
}

// Uniform is a tool that words its questions the same for endpoints that are alike, so that a plan for thousands of them words
// each once. Endpoints are alike when Likeness gives the same text and an alert saw the same files on them.
type Uniform interface {
	Likeness(ep Endpoint) string
}

// Selection narrows the endpoints of a run; empty lists do not narrow. Exclude names host names, ids or globs.
type Selection struct {
	Hosts     []string `json:"hosts,omitempty"`
	Platforms []string `json:"platforms,omitempty"`
	Labels    []string `json:"labels,omitempty"`
	Exclude   []string `json:"exclude,omitempty"`
}

// Narrows reports whether it names what is wanted, so that an endpoint that nobody listed is not.
func (s Selection) Narrows() bool { return len(s.Hosts)+len(s.Platforms)+len(s.Labels) > 0 }

// Description says what a tool can be asked.
type Description struct {
	Name  string           // unique in the set
	Type  string           // osquery, carbonblack_edr, …
	Mode  ledger.Mode      // live or recorded
	Kinds []indicator.Kind // digests it takes, in order of preference
	Chunk int              // digests one query may carry at most
	Local bool             // it looks at this machine alone
	Blind bool             // it can ask an endpoint without telling it a digest
}

// Endpoint is one host as one tool knows it.
type Endpoint struct {
	ID       string // stable for the tool, e.g. the host's uuid
	Hostname string
	Platform string // linux, darwin, windows
	LastSeen time.Time
	Labels   []string
	Notes    []string // what to say about it, e.g. "not root"
	Gone     string   // why the tool itself counts it out, e.g. "uninstalled"; such an endpoint is excluded
	Asleep   string   // posted tools: since when it has not come to ask, e.g. "last seen 2026-11-09"; its questions wait for it
	Cannot   string   // why it can not be asked at all, e.g. "osquery 4.9.0 is older than 5.5.1"; its state is unsupported
	Blind    string   // why it is not to learn what is hunted, e.g. "not approved"; it is asked without a digest
	Behind   string   // recorded tools: why its data may not reach the window's end, e.g. "offline since …"; at most partial
}

// Unsized says what the files stage does for a hash whose file size nobody knows.
type Unsized string

// The choices for unsized hashes.
const (
	UnsizedPlaces Unsized = "places" // every file up to max_size in the roots
	UnsizedFull   Unsized = "full"   // the same over every root, paced
	UnsizedSkip   Unsized = "skip"   // running and autoruns alone: narrowed
)

// Search is what to look at on an endpoint.
type Search struct {
	Where   []ledger.Stage
	Paths   map[string][]string // roots by platform; nil: the platform's defaults. Key "" holds for every platform (--path)
	Unsized Unsized
	MaxSize int64 // bytes
	Full    bool
	First   []Place // where an alert saw a file: looked at before all other files, also outside of the roots
}

// Place is a file's path on a host.
type Place struct{ Host, Path string }

// Work is what one tool is to ask of one endpoint: one chunk of targets.
type Work struct {
	Targets []Target
	Search  Search
	Window  ledger.Window // recorded tools: the days to search
	Blind   bool          // the endpoint is not to learn what is hunted
	Chunk   int           // 0-based
	Chunks  int
}

// Target is one file object as one tool is asked for it.
type Target struct {
	Ask  indicator.Indicator // the digest chosen for the tool
	File indicator.File
}

// Unaskable is a digest that a tool can not be asked.
type Unaskable struct {
	Value  string         `json:"value"`
	Kind   indicator.Kind `json:"kind"`
	Tool   string         `json:"tool"`
	Reason string         `json:"reason"`
}

// ToolPlan is what one tool is asked.
type ToolPlan struct {
	Tool      Description
	Targets   []Target
	Unaskable []Unaskable
	Narrowed  []Target // asked, but not in the files stage
	Endpoints []EndpointPlan
	Searches  []ledger.Query // recorded tools: what is searched over all endpoints, a chunk each
	Window    ledger.Window  // recorded tools
}

// EndpointPlan is what one endpoint is asked, cheapest stage first.
type EndpointPlan struct {
	Endpoint Endpoint
	Excluded string // reason; no queries
	Asleep   string // reason; no queries, but those of a posted tool, which wait until it comes
	Cannot   string // reason; no queries
	Carried  string // whose proof stands for a new one, with its date; no queries
	Failed   string // why nothing can be asked: the tool could not list its endpoints
	Queries  []ledger.Query
	Scope    string // "running, autoruns, files up to 50 MiB in /home, /tmp"
}

// Plan is everything a run will ask.
type Plan struct {
	Search Search
	Tools  []ToolPlan
	Scope  string
	Notes  []string // what intelligence changed of the search, such as a raised max_size
}
