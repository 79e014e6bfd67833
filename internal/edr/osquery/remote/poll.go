package remote

import (
	"net/http"
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
		return reply{status: http.StatusOK, body: handout(p)}
	case p.Soon:
		return reply{status: http.StatusOK, body: bodySoon}
	}
	return reply{status: http.StatusOK, body: bodyIdle}
}
