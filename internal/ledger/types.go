// Package ledger is the account of a hunt: which endpoint was asked what, what came back and what that proves. It is
// pure: no SQL, no clock, no input or output. Words and rules: docs/results.md and the table of states there.
package ledger

import (
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// State is the one coverage state in which an (endpoint, tool) of a run ends.
type State string

// The states, strongest first; a weaker answer never replaces a stronger one.
const (
	Hit         State = "hit"         // a digest that was asked for came back
	Denylisted  State = "denylisted"  // the agent refuses that text
	Unsupported State = "unsupported" // no such table or column there, or the tool can't look there
	Error       State = "error"       // any other failure, by name
	Timeout     State = "timeout"     // asked, and no answer in time
	Unverified  State = "unverified"  // an answer without a good control
	Partial     State = "partial"     // something in scope could not be read, or a budget was reached
	Absent      State = "absent"      // all stages answered, controls good, nothing left unread
	NotSeen     State = "not_seen"    // a recorded tool had data and no match; never proven
	Unasked     State = "unasked"     // its turn did not come
	Asleep      State = "asleep"      // not heard of since before the run
	Excluded    State = "excluded"    // left out by the hunt
)

// States lists every state, strongest first.
func States() []State {
	return []State{Hit, Denylisted, Unsupported, Error, Timeout, Unverified, Partial, Absent, NotSeen, Unasked, Asleep, Excluded}
}

// Mode says whether a tool looks at the endpoint now or searches what it stored.
type Mode string

// The two modes; only live tools prove.
const (
	Live     Mode = "live"
	Recorded Mode = "recorded"
)

// Stage is one way of looking at an endpoint, and the found_in of a hit.
type Stage string

// The stages, cheapest first; Telemetry is what recorded tools search.
const (
	Running   Stage = "running"
	Autoruns  Stage = "autoruns"
	Files     Stage = "files"
	Telemetry Stage = "telemetry"
)

// Who answers a query. The embedded engine tells beside its rows what it could not read; osqueryd does not, so more is
// counted in its answers.
const (
	EngineEmbedded = "embedded"
	EngineOsqueryd = "osqueryd"
)

// Query is what one tool is asked for one part of an endpoint's scope. It carries all that Judge needs to know what a
// full answer looks like.
type Query struct {
	ID        string                `json:"id"` // unique within the run and endpoint, e.g. "files-2-sized"; attempts add "#2"
	Stage     Stage                 `json:"stage"`
	Platform  string                `json:"platform"`            // linux, darwin, windows
	Root      string                `json:"root,omitempty"`      // files: the folder that is walked
	Text      string                `json:"text"`                // as sent, in the tool's own language
	Hashes    []indicator.Indicator `json:"hashes"`              // what is asked for, sorted by kind and value
	Sizes     []int64               `json:"sizes,omitempty"`     // files: exact sizes, sorted; empty = every size from 1 to MaxSize
	MaxSize   int64                 `json:"max_size,omitempty"`  // bytes; bigger files are out of scope
	MaxDepth  int                   `json:"max_depth,omitempty"` // files: the walk stops there; reached = partial
	SelfPath  string                `json:"self_path,omitempty"` // the agent's own image: listed, never partial
	Siblings  map[string]string     `json:"siblings,omitempty"`  // matched md5 or sha1 -> the sha256 known for it; of a collision all, with a space between
	Recheck   []string              `json:"recheck,omitempty"`   // paths that had vanished in the first attempt and are asked once more
	Budget    Budget                `json:"budget,omitzero"`
	Splits    bool                  `json:"splits,omitempty"`     // files: an answer over budget tells its sums by folder, see Sub
	Part      Part                  `json:"part,omitzero"`        // files: which part of an earlier query this one is
	Engine    string                `json:"engine,omitempty"`     // embedded or osqueryd: who answers
	MustExist bool                  `json:"must_exist,omitempty"` // files: the root was named by a person; a missing one is partial
	Narrowed  int                   `json:"narrowed,omitempty"`   // hashes that this stage was not asked, by the hunt's choice
	Window    Window                `json:"window,omitzero"`      // telemetry: the days that are searched
	Adds      bool                  `json:"adds,omitempty"`       // telemetry: its hits count, its silence is part of no claim
	Blind     bool                  `json:"blind,omitempty"`      // its text holds no digest: all that was hashed comes back, and hits are found here
	Behind    string                `json:"behind,omitempty"`     // telemetry: why the endpoint's data may not reach the window's end
}

// Budget is the most that one query may hash on an endpoint; zero values are no limit.
type Budget struct {
	Files int64 `json:"files,omitempty"`
	Bytes int64 `json:"bytes,omitempty"`
}

// Window is the days that a recorded tool searches. To is when the search was planned.
type Window struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	Note string    `json:"note,omitempty"` // for people: what set From, or that nobody knows whether the records go back that far
}

// Row is one row of an answer as the tool gave it. Column names are those of the query's text; values are raw bytes.
type Row = map[string]string

// Unread is something in scope that could not be read, told by the tool itself beside the rows.
type Unread struct {
	Path   string `json:"path"` // raw bytes
	Op     string `json:"op"`   // the table or call, e.g. "file", "hash", "processes"
	Reason string `json:"reason"`
	Size   int64  `json:"size,omitempty"`
}

// LeftOut is something that was left out of the scope on purpose, such as a network mount.
type LeftOut struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Failure is an answer that is no answer: its state is one of error, timeout, denylisted, unsupported.
type Failure struct {
	State   State  `json:"state"`
	Message string `json:"message"`
}

// Answer is what came back from one endpoint for one query.
type Answer struct {
	Rows        []Row     `json:"rows,omitempty"`
	Failure     *Failure  `json:"failure,omitempty"`
	Unread      []Unread  `json:"unread,omitempty"` // capped by the tool; UnreadTotal is the true count
	UnreadTotal int       `json:"unread_total,omitempty"`
	LeftOut     []LeftOut `json:"left_out,omitempty"`
	Remembered  int64     `json:"remembered,omitempty"` // digests that an earlier query or run made of files that have not changed
	Doubt       string    `json:"doubt,omitempty"`      // why it may be another machine's: whatever it says is unverified, its hits stay
	Notes       []string  `json:"notes,omitempty"`      // what else there is to say; nothing hangs on it
	StartedAt   time.Time `json:"started_at"`
	FinishedAt  time.Time `json:"finished_at"`
}

// HitRow is one row of an answer that matches a hunted indicator.
type HitRow struct {
	FoundIn   Stage               `json:"found_in"`
	Path      string              `json:"path"` // raw bytes; dedupe on it
	Name      string              `json:"name,omitempty"`
	Size      int64               `json:"size"` // bytes; -1 unknown
	MD5       string              `json:"md5"`
	SHA1      string              `json:"sha1"`
	SHA256    string              `json:"sha256"`
	Matched   indicator.Indicator `json:"matched"`
	Conflict  bool                `json:"conflict"` // matched by md5 or sha1, yet sha256 is not the known sibling
	Owner     string              `json:"owner"`
	MTime     time.Time           `json:"mtime,omitzero"`
	PID       int64               `json:"pid,omitempty"`
	Cmdline   string              `json:"cmdline,omitempty"`
	StartedAt time.Time           `json:"started_at,omitzero"`
}

// Counts is how much an answer looked at.
type Counts struct {
	FilesSeen   int64 `json:"files_seen"`
	FilesHashed int64 `json:"files_hashed"`
	BytesHashed int64 `json:"bytes_hashed"`
	FilesUnread int64 `json:"files_unread"` // files and folders in scope that could not be read
}

// Verdict is what one answer proves.
type Verdict struct {
	State   State     `json:"state"`
	Proven  bool      `json:"proven"` // control good and nothing in scope left unread; a hit may be proven or not
	Reason  string    `json:"reason,omitempty"`
	Hits    []HitRow  `json:"hits,omitempty"`
	Counts  Counts    `json:"counts"`
	Unread  []Unread  `json:"unread,omitempty"`   // at most 100, for people
	LeftOut []LeftOut `json:"left_out,omitempty"` // said with the scope
	Notes   []string  `json:"notes,omitempty"`    // out of scope by rule, e.g. "212 kernel threads"
	Recheck []string  `json:"recheck,omitempty"`  // vanished paths to ask once more before the verdict stands
	Refused int       `json:"refused,omitempty"`  // hit rows that were not taken: nobody asked for what they carry
	Subs    []Sub     `json:"-"`                  // over budget: the folders into which the query may be split
	// Remembered is how many of the digests an earlier query or run made, of files that have not changed since.
	Remembered int64 `json:"remembered,omitempty"`
}

// Coverage is the standing of one (endpoint, tool) of a run: the union of its verdicts.
type Coverage struct {
	State  State  `json:"state"`
	Proven bool   `json:"proven"`
	Reason string `json:"reason,omitempty"`
	Scope  string `json:"scope,omitempty"`
	Counts Counts `json:"counts"`
	Hits   int    `json:"hits"`
}
