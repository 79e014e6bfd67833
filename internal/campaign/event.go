package campaign

import (
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
)

// EventKind names a moment of a run.
type EventKind string

// The moments that are told to Progress.
const (
	EventPivoted   EventKind = "pivoted"
	EventPlanned   EventKind = "planned"
	EventEstimated EventKind = "estimated"
	EventAsking    EventKind = "asking"
	EventAnswered  EventKind = "answered"
)

// Event is one moment of a run, for progress lines. Fields that do not concern its kind are zero.
type Event struct {
	Kind     EventKind
	Run      string
	Graph    *pivot.Graph
	Prepared *Prepared
	Endpoint string
	Tool     string
	Query    ledger.Query
	Verdict  ledger.Verdict
	Forecast Forecast
	Done     int // queries answered so far
	Total    int // queries of the run
}
