package remote

import (
	"net/http"

	"github.com/hunter-project/hunter/internal/ledger"
)

// poll gives an agent the one query that is due for it. It is asked by every agent at every interval, and nearly always
// there is nothing.
func (s *Server) poll(r *http.Request, _ *http.ResponseController) reply {
	key, out, ok := s.nodeKey(r)
	if !ok {
		return out
	}
	now := s.opt.Now()
	p, known, err := s.opt.Outbox.Poll(r.Context(), key, now)
	switch {
	case err != nil:
		return s.trouble("look for queries", err)
	case !known:
		s.counts.unknown.Add(1)
		return invalid()
	}
	s.counts.polls.Add(1)
	s.seen.note(p.Node.ID, now)
	switch {
	case p.Handout != nil:
		s.counts.handouts.Add(1)
		return s.handout(p)
	case p.Soon:
		return reply{status: http.StatusOK, body: bodySoon}
	}
	return reply{status: http.StatusOK, body: bodyIdle}
}

// handout is the reply to a poll that is given a query. A query of a thousand hashes is a hundred kilobytes, and a wave asks
// thousands of agents at once: the room for it is used again.
func (s *Server) handout(p ledger.Polled) reply {
	room, ok := s.longs.Get().(*[]byte)
	if !ok {
		room = new([]byte)
	}
	*room = appendHandout((*room)[:0], p)
	return reply{status: http.StatusOK, long: room}
}
