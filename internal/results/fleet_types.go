package results

import (
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Post is one attempt at asking a node a planned query. Its name is ledger.PostName of its run, planned query and attempt.
type Post struct {
	Query   ledger.Query // in the words of this attempt
	Attempt int          // from 1; greater than that of any attempt before
}

// PostedQuery is what a node was given under a name. Queries of one text share their slices and maps: do not change them.
type PostedQuery struct {
	Node       string // the endpoint's id
	Name       string
	Run        string   // "" for what hunter asked for itself
	RunState   RunState // when it was read
	Hunt       string
	Tool       string
	Hostname   string       // as the run's plan has it
	ID         string       // of the planned query
	Query      ledger.Query // in the words of this attempt
	Attempt    int
	HandedAt   time.Time // first
	AnsweredAt time.Time // last; zero while no answer came
}

// DeliveryRecord is an answer that came under a name, or what hunter says in its place when none came. The embedded record's
// Query is the planned one, or at least has its ID; Coverage is that of the endpoint with this answer, so whoever computes it
// does so for one answer of an endpoint after the other.
type DeliveryRecord struct {
	AnswerRecord
	Name       string
	At         time.Time // when it came, by our clock
	Repost     *Post     // the same planned query is asked again in other words, and the node goes on with it; nil: it goes on with what is next
	Denylisted bool      // the agent refuses the text that it was given: remembered for a day
	Open       bool      // a later attempt at the query is under way: this answer does not settle it
	GivenUp    bool      // the answer is hunter's own word for one that never came; the name stays unanswered
}

// Recorded is what became of a delivery.
type Recorded struct {
	Fresh    bool     // false: the same answer was there, or too many had come under its name; nothing has changed
	Late     bool     // the run had ended: it counts, and the run's exit code may be another now
	RunState RunState // when it was recorded
	Settled  bool     // the endpoint has nothing left to answer in this run
	Next     bool     // something is due for the node
}

// OpenPost is a post of a run that needs a decision: it is lost, held, or was handed out long ago.
type OpenPost struct {
	Node     string
	Hostname string
	Tool     string
	Name     string
	ID       string       // of the planned query
	Query    ledger.Query // in the words of this attempt
	Attempt  int
	State    ledger.PostState
	HandedAt time.Time // zero when it was not handed out
	Hands    int
	Silent   bool // the node has not polled since it was handed out
	Untold   bool // it tells digests, and the node is not approved any more
}

// FleetCounts is where a run on a fleet stands.
type FleetCounts struct {
	WaveCounts              // of all live targets
	Waves      []WaveCounts // of those released, by wave
	Posts      PostCounts   // what lies in the outbox for it
	Prevalence []Prevalence // the most common matches, most endpoints first; at most 20
	Late       time.Time    // until when it asks endpoints after its end; zero: not at all
}

// WaveCounts counts live targets.
type WaveCounts struct {
	Wave     int
	Targets  int
	Released int
	Settled  int // released, and nothing is left to ask
	Answered int // at least one answer came
	States   map[ledger.State]int
}

// PostCounts counts the posts of a run by their state.
type PostCounts struct{ Due, Handed, Lost, Held int }

// Prevalence is on how many endpoints a run found an indicator.
type Prevalence struct {
	Indicator indicator.Indicator
	Endpoints int
}

// Errand is something that hunter asks a node for itself, outside of any run: its labels, its inventory.
type Errand struct {
	Node  string
	Name  string       // unique for ever, e.g. hunter-node-labels-<uuidv7>
	Query ledger.Query // only Text and MaxSize are looked at
}

// ServerInfo is one `hunter serve` on this database.
type ServerInfo struct {
	ID        string // UUIDv7
	Host      string
	PID       int
	Address   string // https://…
	Version   string
	StartedAt time.Time
	BeatAt    time.Time // it lived then
	StoppedAt time.Time // zero: it did not say that it ended
}

// What a person can wish of a run that a server carries.
const (
	WishPause  = "pause"
	WishResume = "resume"
	WishStop   = "stop"
)
