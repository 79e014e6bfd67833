package ledger

import (
	"crypto/sha256"
	"time"
)

// What sort of agent a node is. They answer the same SQL; hunter's own tells beside its rows what it could not read.
const (
	AgentOsquery = "osquery"
	AgentHunter  = "hunter"
)

// A node that has not come for so many intervals of its polls, and for so long at least, has fallen silent.
const (
	SilentPolls = 3
	SilentLeast = 3 * time.Minute
)

// Silence is how long a node that polls at an interval may stay away and still counts as awake.
func Silence(interval time.Duration) time.Duration { return max(SilentPolls*interval, SilentLeast) }

// KeyHash is the sha256 of a node key. The key itself is known to its agent alone.
type KeyHash [sha256.Size]byte

// Host is how a machine names itself when it enrols. Every text is as the agent sent it, bounded, without NULs.
type Host struct {
	Identifier string `json:"identifier"` // osquery's host_identifier: may be shared by cloned images
	Hostname   string `json:"hostname"`
	Computer   string `json:"computer,omitempty"`
	UUID       string `json:"uuid,omitempty"`   // of the hardware
	Serial     string `json:"serial,omitempty"` // of the hardware
	Platform   string `json:"platform"`         // linux, darwin, windows; as sent when it is none of these
	OS         string `json:"os,omitempty"`     // "Debian GNU/Linux 12 (bookworm)"
	Arch       string `json:"arch,omitempty"`
	CPUs       int    `json:"cpus,omitempty"`
	Memory     int64  `json:"memory,omitempty"` // bytes
}

// Enrolment is a machine that asks for a node key with a good secret.
type Enrolment struct {
	Key      KeyHash // of the key that it will get
	Host     Host
	Agent    string // AgentOsquery or AgentHunter
	Version  string
	Instance string // osquery's instance_id: kept in the agent's database, so new after a re-install
	Secret   string // which secret it knew, by name
	Address  string // from which it came
	At       time.Time
	Approved bool          // when it is new: it may be sent hashes
	Silent   time.Duration // an older key of its identifier that was not used for so long is replaced by this one
}

// Node is an agent that has enrolled: an endpoint that comes and asks.
type Node struct {
	ID string // the endpoint's id everywhere: a UUIDv7, given at the first enrolment; it outlives node keys
	Host
	Agent      string
	Version    string
	Instance   string
	Approved   bool   // may be sent hashes; else digests come back and are matched here
	Twin       string // why it may be one of two machines with one identity: whatever it says is unverified
	Labels     []string
	Cannot     string // why it can't be asked at all, e.g. "osquery 4.9.0 is older than 5.5.1"
	EnrolledAt time.Time
	LastSeen   time.Time
}

// Handout is one query as an agent is given it.
type Handout struct {
	Name    string // unique per run, query and attempt; never used again
	Text    string
	MaxSize int64 // bytes that files may have to be read, for agents that can be told; 0 is their own limit
}

// Polled is what a node gets at one poll.
type Polled struct {
	Node    Node
	Handout *Handout // nil: nothing is due
	Soon    bool     // more is due for it soon: it may come back faster than its interval
}

// Delivery is what an agent sent back under one name.
type Delivery struct {
	Name    string
	Rows    []Row  // raw bytes, also such as are no UTF-8
	Status  int    // 0 is good
	Message string // why it failed
	Unread  []Unread
	// UnreadTotal, LeftOut and Remembered are what hunter's own agent tells beside its rows; see Answer.
	UnreadTotal int
	LeftOut     []LeftOut
	Remembered  int64
	Cut         string // why not all that was sent is here, e.g. "answer too large: 1.2 GiB"; "" when all is
	ReceivedAt  time.Time
}
