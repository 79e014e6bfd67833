package remote

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// write takes the answers of an agent. The body is read whatever its length, as an agent whose write breaks off sends it
// again for ever; only what may be kept is kept. {} is sent when all of that is stored.
func (s *Server) write(r *http.Request, rc *http.ResponseController) reply {
	if !enter(s.bodies) {
		return s.unread(r)
	}
	defer leave(s.bodies)
	sc := s.scanner(r, s.opt.Limits.WriteBody)
	defer s.release(sc)
	body := newWriteBody(sc, s.opt.Limits, &s.memory)
	defer body.free()
	err := body.parse()
	endless := errors.Is(err, errTooLarge)
	if err != nil && !endless {
		return s.unreadable(err)
	}
	_ = rc.SetReadDeadline(time.Time{}) // else the connection would be given up while the answers are stored
	found := body.nodeKey()
	if len(found) == 0 {
		found = []byte(headerKey(r)) // in the body it stands behind the rows
	}
	key, ok := keyOf(found)
	switch {
	case !ok && endless:
		return s.unreadable(err)
	case !ok:
		return noKey()
	}
	n, out, ok := s.known(r, key)
	if !ok {
		return out
	}
	now := s.opt.Now()
	s.seen.note(n.ID, now)
	if body.starved {
		return s.busy(r.Context(), n)
	}
	out = s.deliver(r.Context(), n, body.deliveries(n.Agent, endless, now))
	out.close = endless
	return out
}

// deliver stores answers when their turn comes. That the agent stops waiting does not end it: it would only send all again.
func (s *Server) deliver(ctx context.Context, n ledger.Node, got []ledger.Delivery) reply {
	if len(got) == 0 {
		return done()
	}
	if !s.turn(ctx) {
		return s.busy(ctx, n)
	}
	defer leave(s.storing)
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.Limits.DeliveryTime)
	defer cancel()
	if err := s.opt.Inbox.Deliver(storing, n, got); err != nil {
		s.refused(ctx, n)
		return s.trouble("store the results", err)
	}
	s.counts.writes.Add(1)
	s.counts.answers.Add(int64(len(got)))
	for _, d := range got {
		if d.Cut != "" {
			s.counts.cut.Add(1)
		}
	}
	return done()
}

// turn waits until a delivery may be stored; false when that takes too long.
func (s *Server) turn(ctx context.Context) bool {
	if enter(s.storing) {
		return true
	}
	wait := time.NewTimer(s.opt.Limits.DeliveryWait)
	defer wait.Stop()
	select {
	case s.storing <- struct{}{}:
		return true
	case <-wait.C:
	case <-ctx.Done():
	}
	return false
}

// busy makes a node keep its results for now.
func (s *Server) busy(ctx context.Context, n ledger.Node) reply {
	s.refused(ctx, n)
	return refuse(http.StatusServiceUnavailable, "busy; keep the results")
}

// refused notes that a node keeps results that it sent: it is not lost when nothing else comes.
func (s *Server) refused(ctx context.Context, n ledger.Node) {
	s.counts.refused.Add(1)
	if err := s.opt.Outbox.Refused(context.WithoutCancel(ctx), n.ID, s.opt.Now()); err != nil {
		s.trouble("note a refused write", err)
	}
}

// unread refuses a write when too many are being read already. Whose it is only its headers can tell.
func (s *Server) unread(r *http.Request) reply {
	out := refuse(http.StatusServiceUnavailable, "busy; keep the results")
	if key, ok := keyOf([]byte(headerKey(r))); ok {
		if n, _, ok := s.known(r, key); ok {
			out = s.busy(r.Context(), n)
		}
	} else {
		s.counts.refused.Add(1)
	}
	out.close = true
	return out
}

// enter takes a place when there is one.
func enter(places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	default:
		return false
	}
}

func leave(places chan struct{}) { <-places }
