package ledger_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/ledger"
)

// postModel keeps beside a post what an onlooker would remember of it.
type postModel struct {
	post  ledger.Post
	at    time.Time
	since int  // polls without a hand-out since it was handed out or the node wrote last
	wrote bool // since it was handed out
	open  bool // to be asked: not answered since it was due
}

func newPostModel() *postModel {
	return &postModel{post: ledger.Post{}.Again(), at: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), open: true}
}

// wait lets time pass; now and then the clock steps, back as well.
func (m *postModel) wait(t *rapid.T) {
	step := rapid.OneOf(
		rapid.Int64Range(0, int64(7*time.Second)), rapid.Int64Range(0, int64(time.Hour)), rapid.Int64Range(-int64(48*time.Hour), 0),
	).Draw(t, "wait")
	m.at = m.at.Add(time.Duration(step))
}

func (m *postModel) poll(t *rapid.T) ledger.Act {
	was := m.post
	next, act := was.Poll(m.at)
	switch act {
	case ledger.ActNothing:
		if next != was {
			t.Fatalf("%+v changed to %+v and is not stored", was, next)
		}
	case ledger.ActHand:
		if !m.open {
			t.Fatalf("handed out after its answer: %+v", was)
		}
		if was.State == ledger.PostDue {
			m.since, m.wrote = 0, false
		} else if d := m.at.Sub(was.HandedAt).Abs(); m.since > 0 || m.wrote || d >= ledger.ResendWithin || next.HandedAt != was.HandedAt || next.Hands != was.Hands+1 {
			t.Fatalf("handed out again %s after the first time, %d polls later: %+v, then %+v", d, m.since, was, next)
		}
	case ledger.ActKeep:
		m.since++
	}
	if lost := next.State == ledger.PostLost; act == ledger.ActKeep && lost != (m.since >= 2) {
		t.Fatalf("after %d clean polls %+v", m.since, next)
	}
	if was.State == ledger.PostHanded && next.State != ledger.PostHanded && act != ledger.ActKeep {
		t.Fatalf("%+v became %+v by %d", was, next, act)
	}
	m.post = next
	return act
}

func (m *postModel) write() {
	if m.post.State == ledger.PostHanded {
		m.since, m.wrote = 0, true
	}
	m.post = m.post.Written()
}

func TestAPostIsLostByTwoCleanPollsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newPostModel()
		t.Repeat(map[string]func(*rapid.T){
			"wait":  m.wait,
			"poll":  func(t *rapid.T) { m.poll(t) },
			"write": func(*rapid.T) { m.write() },
			"answer": func(*rapid.T) {
				m.post, m.open = m.post.Answered(), false
				m.since, m.wrote = 0, false
			},
			"again": func(*rapid.T) { m.post, m.open = m.post.Again(), true },
			"": func(t *rapid.T) {
				if m.post.State == ledger.PostLost && m.since < ledger.CleanPolls {
					t.Fatalf("lost after %d clean polls: %+v", m.since, m.post)
				}
			},
		})
	})
}

func TestALostReplyGetsTheSameAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newPostModel()
		m.poll(t)
		first := m.at
		for range rapid.IntRange(1, ledger.MaxHands-1).Draw(t, "polls") {
			m.at = first.Add(time.Duration(rapid.Int64Range(0, int64(ledger.ResendWithin)-1).Draw(t, "after")))
			if act := m.poll(t); act != ledger.ActHand || m.post.State != ledger.PostHanded {
				t.Fatalf("%s after the hand-out: %d, %+v", m.at.Sub(first), act, m.post)
			}
		}
	})
}

func TestAWriteResets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newPostModel()
		m.poll(t)
		m.at = m.at.Add(time.Minute)
		m.poll(t)
		m.write()
		if within := rapid.Bool().Draw(t, "soon"); within {
			m.at = m.post.HandedAt.Add(time.Second) // the clock stepped
		}
		for i := range ledger.CleanPolls {
			if m.post.State == ledger.PostLost {
				t.Fatalf("lost after %d polls", i)
			}
			if act := m.poll(t); act != ledger.ActKeep {
				t.Fatalf("poll %d leads to %d: %+v", i, act, m.post)
			}
		}
		if m.post.State != ledger.PostLost {
			t.Fatalf("not lost: %+v", m.post)
		}
	})
}

// TestNoPostWaitsForEver has an agent that polls and never writes, with a clock that steps.
func TestNoPostWaitsForEver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newPostModel()
		m.poll(t)
		away := 0
		for range 2 * ledger.MaxHands {
			m.wait(t)
			if m.at.Sub(m.post.HandedAt).Abs() >= ledger.ResendWithin {
				away++
			}
			m.poll(t)
		}
		if away >= ledger.CleanPolls && m.post.State != ledger.PostLost {
			t.Fatalf("after %d polls away from the hand-out: %+v", away, m.post)
		}
	})
}

func TestWhatDoesNotMove(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, state := range []ledger.PostState{ledger.PostNone, ledger.PostLost, ledger.PostHeld} {
		p := ledger.Post{State: state, Hands: 1}
		if next, act := p.Poll(at); next != p || act != ledger.ActNothing || p.Written() != p {
			t.Errorf("%q: %+v, %d", state, next, act)
		}
	}
	p := ledger.Post{State: ledger.PostHanded, HandedAt: at, Hands: ledger.MaxHands}
	if next, act := p.Poll(at.Add(time.Second)); next != p || act != ledger.ActNothing {
		t.Errorf("handed out once too often: %+v, %d", next, act)
	}
	if got := ledger.PostName("R", "files-1", 3); got != "hunter-R-files-1-a3" {
		t.Error(got)
	}
}
