// Package results is the store: runs, what they decided and asked, answers, hits, findings and the ledger of coverage.
// The stable read interface is the five views report_runs, report_hits, report_findings, report_coverage and
// report_indicators (docs/results.md); everything else is private and changes by migration.
package results

import (
	"iter"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// RunState is where a run stands.
type RunState string

// The states of a run.
const (
	RunPlanned  RunState = "planned"
	RunRunning  RunState = "running"
	RunPaused   RunState = "paused"
	RunStopped  RunState = "stopped"
	RunDetached RunState = "detached"
	RunFinished RunState = "finished"
	RunFailed   RunState = "failed"
)

// RunStates lists where a run can stand.
func RunStates() []RunState {
	return []RunState{RunPlanned, RunRunning, RunPaused, RunStopped, RunDetached, RunFinished, RunFailed}
}

// Over reports whether nothing more is asked of a run in that state, but for endpoints that come back late.
func (s RunState) Over() bool { return s == RunFinished || s == RunStopped || s == RunFailed }

// Run is one execution of a hunt, from seed to report.
type Run struct {
	ID            string // UUIDv7
	Hunt          string
	Title         string
	State         RunState
	StartedAt     time.Time
	FinishedAt    time.Time // zero while it runs
	ExitCode      *int
	TLP           indicator.TLP
	Case          string
	Scope         string
	DoneWhen      float64 // verified_ratio that counts as proven, 0–1
	Definition    []byte  // JSON of what was frozen at the start: enough to resume
	PivotComplete bool
	Error         string // why it failed
	Served        bool   // it is for a server to carry
}

// Pivoted is what the pivot of a run found, stored before anything is asked.
type Pivoted struct {
	Seeds    []indicator.Ref
	Edges    []indicator.Edge
	Files    []indicator.File
	Reports  []indicator.Report
	Complete bool
	Skipped  []Skipped
	Cut      []Cut
	Raw      []Raw // bodies to keep; a body that is already stored is not stored twice
}

// Skipped is a question to intelligence that was not asked or not answered.
type Skipped struct {
	Provider  string `json:"provider"`
	Indicator string `json:"indicator"`
	Reason    string `json:"reason"`
}

// Cut says that a limit of the pivot left something out.
type Cut struct {
	Provider string `json:"provider,omitempty"`
	At       string `json:"at"`
	Limit    string `json:"limit"`
	Kept     int    `json:"kept"`
	Total    int    `json:"total"`
}

// Raw is an answer or alert body as received; Digest is the lower-case hex sha256 of Body.
type Raw struct {
	Digest string
	Body   []byte
}

// IndicatorStatus is what a run did with an indicator.
type IndicatorStatus string

// The statuses of an indicator in a run.
const (
	StatusHunted    IndicatorStatus = "hunted"
	StatusRefused   IndicatorStatus = "refused"
	StatusNarrowed  IndicatorStatus = "narrowed"
	StatusUnaskable IndicatorStatus = "unaskable"
)

// RunIndicator is one row of report_indicators.
type RunIndicator struct {
	Tool       string // "" for the whole run
	Indicator  indicator.Indicator
	Status     IndicatorStatus
	Reason     string
	Relation   indicator.Relation
	Provider   string
	Report     string
	Confidence int
	Sibling    string // the file object's best digest, for grouping
}

// Target is one (endpoint, tool) of a run: a row of report_coverage.
type Target struct {
	Endpoint   string
	Hostname   string
	Tool       string
	Mode       ledger.Mode
	Platform   string
	Scope      string
	Hashset    string // digest of the sorted hash set that it was asked for
	WindowFrom time.Time
	WindowTo   time.Time
	Coverage   ledger.Coverage
	AnsweredAt time.Time
	Proof      string // names what it is asked, word for word
	Carried    string // run whose proof stands for a new one; "" when it is asked itself
}

// QueryState is where one query to one endpoint stands.
type QueryState string

// The states of a query.
const (
	QueryPlanned  QueryState = "planned"
	QueryAsked    QueryState = "asked"
	QueryAnswered QueryState = "answered"
)

// StoredQuery is one query of a run for one endpoint, with its verdict once it is answered. One without an endpoint is a
// search of a recorded tool over all its endpoints.
type StoredQuery struct {
	Endpoint string
	Tool     string
	Seq      int // order within the endpoint, cheapest first
	Query    ledger.Query
	State    QueryState
	Attempts int
	Verdict  *ledger.Verdict
	Search   *ledger.Search   // of a search, instead of Verdict
	Verdicts []ledger.Verdict // all of them, oldest first; only EndpointQueries tells them
}

// IsSearch reports whether it is a search over all endpoints of its tool.
func (q StoredQuery) IsSearch() bool { return q.Endpoint == "" }

// SavedPlan is what a run decided to ask, stored in one transaction before anything is asked.
type SavedPlan struct {
	Scope      string
	Indicators []RunIndicator
	Targets    []Target
	Queries    []StoredQuery
	// Rest are further queries; nil is none. A fleet has a hundred thousand, which need not all be in memory at once.
	Rest iter.Seq[StoredQuery]
}

// all gives Queries and Rest.
func (p SavedPlan) all() iter.Seq[StoredQuery] {
	return func(yield func(StoredQuery) bool) {
		for _, q := range p.Queries {
			if !yield(q) {
				return
			}
		}
		if p.Rest != nil {
			p.Rest(yield)
		}
	}
}

// AnswerRecord is an answer with its verdict, recorded in one transaction with its hits and the endpoint's coverage.
type AnswerRecord struct {
	Run, Endpoint, Tool string
	Query               ledger.Query
	Answer              ledger.Answer
	Verdict             ledger.Verdict
	Coverage            ledger.Coverage // of the endpoint after this answer
	More                []StoredQuery   // what is asked on since this answer was over its budget
	Hunt                string
	Hostname            string
}

// SearchRecord is the answer to a search of a recorded tool, recorded in one transaction with its hits and with the
// coverage of the endpoints that it changes.
type SearchRecord struct {
	Run, Hunt, Tool string
	Query           ledger.Query
	Answer          ledger.Answer
	Search          ledger.Search
	Standings       []Standing // of endpoints with hits; others may be left to SetCoverages
	Extra           []Target   // endpoints with hits that the tool's list did not name; one that is there already stays
}

// Standing is the coverage of one (endpoint, tool).
type Standing struct {
	Endpoint string
	Tool     string
	Coverage ledger.Coverage
}

// Event is one entry of a run's ledger, in order.
type Event struct {
	Seq      int64
	Run      string
	At       time.Time
	Kind     string // one of the Event constants, or a run's state
	Endpoint string
	Tool     string
	Query    string
	Detail   string // JSON
}

// StoredHit is a row of report_hits.
type StoredHit struct {
	ID         int64
	Run        string
	Hunt       string
	Endpoint   string
	Hostname   string
	Tool       string
	Finding    int64
	ObservedAt time.Time
	Row        ledger.HitRow // raw path; the other texts are escaped for a terminal
	PathText   string        // escaped form of Row.Path, always valid UTF-8
}

// Finding is a row of report_findings.
type Finding struct {
	ID        int64
	Endpoint  string
	Hostname  string
	Path      string
	SHA256    string
	Matched   string
	FirstSeen time.Time
	LastSeen  time.Time
	Runs      int
	Verdict   string // new, confirmed, benign
	Owner     string
	Note      string
}

// RunSummary is a row of report_runs.
type RunSummary struct {
	Run
	Hunted, Refused, Narrowed, Unaskable int
	Endpoints                            int // live (endpoint, tool) pairs
	States                               map[ledger.State]int
	NotSeen                              int
	Recorded                             int // recorded (endpoint, tool) pairs that are not excluded
	Carried                              int // of Proven, those that an earlier run proved
	Proven                               int
	VerifiedRatio                        float64
	HitsTotal                            int
}

// Filter narrows lists of runs, hits, hosts and findings; zero fields do not filter.
type Filter struct {
	Run   string // id or unique prefix of at least 4 characters; "last" for the newest
	Hunt  string
	Host  string // endpoint id or host name
	Hash  string
	State string
	Since time.Time
	Limit int
	After int64 // cursor: hits, or findings of FindingsAfter, with a greater id
}
