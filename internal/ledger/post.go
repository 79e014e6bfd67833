package ledger

import (
	"fmt"
	"time"
)

// PostState is where the one query that a node is to be asked next stands.
type PostState string

// The states of a post.
const (
	PostNone   PostState = ""       // nothing is to be asked
	PostDue    PostState = "due"    // the next poll gets it
	PostHanded PostState = "handed" // a poll got it, and no answer is there yet
	PostLost   PostState = "lost"   // two clean polls went by without an answer
	PostHeld   PostState = "held"   // not to be handed out in these words: the agent is known to refuse them
)

// Bounds of a post.
const (
	ResendWithin = 6 * time.Second // an agent reads again 1 s and 5 s after a read that failed
	CleanPolls   = 2               // so many say that a query is lost
	MaxHands     = 8               // of one post: three tries, each sent twice by a dead connection, and a worker that started anew
)

// Post is one query on its way to a node. The zero value is none. All its methods are pure and give what it becomes.
type Post struct {
	State    PostState
	HandedAt time.Time // when it was handed out first
	Hands    int       // how often it was handed out
	PolledAt time.Time // the first poll after that which did not get it again
	Clean    int       // polls since the hand-out, or since the node wrote last, that did not get it again
	Wrote    bool      // the node wrote something since the hand-out, or had a write refused
}

// Act is what a poll is answered with, and whether what became of the post is to be stored before that.
type Act int

// What a poll leads to.
const (
	ActNothing Act = iota // nothing for the agent, and nothing has changed
	ActKeep               // nothing for the agent; store the post first
	ActHand               // the query for the agent; store the post first
)

// Poll says what a poll of the node leads to. The clock may step: a query is lost by the number of polls, never by time.
func (p Post) Poll(at time.Time) (Post, Act) {
	switch {
	case p.State == PostDue:
		return Post{State: PostHanded, HandedAt: at, Hands: 1}, ActHand
	case p.State != PostHanded:
		return p, ActNothing
	case p.replyLost(at) && p.Hands >= MaxHands:
		return p, ActNothing
	case p.replyLost(at):
		p.Hands++
		return p, ActHand
	}
	if p.PolledAt.IsZero() {
		p.PolledAt = at
	}
	if p.Clean++; p.Clean >= CleanPolls {
		p.State = PostLost
	}
	return p, ActKeep
}

// replyLost says whether a poll at a moment is one that did not get the reply to the one before. An agent runs what it got,
// and writes the answers, before it polls again.
func (p Post) replyLost(at time.Time) bool {
	since := at.Sub(p.HandedAt)
	return p.Clean == 0 && !p.Wrote && since < ResendWithin && since > -ResendWithin
}

// Written is a write of the node that does not answer the post, was it taken or refused. What an agent could not deliver comes
// merged with what it delivers later, so the answer may be on its way still.
func (p Post) Written() Post {
	if p.State == PostHanded {
		p.Clean, p.Wrote = 0, true
	}
	return p
}

// Answered is the answer to the post: nothing is left to hand out.
func (p Post) Answered() Post { return Post{} }

// Again is a new attempt in place of this one.
func (p Post) Again() Post { return Post{State: PostDue} }

// PostName names one attempt at asking one endpoint a query of a run; attempts count from 1. It is never used again.
func PostName(run, query string, attempt int) string {
	return fmt.Sprintf("hunter-%s-%s-a%d", run, query, attempt)
}
