package remote

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// seen collects when nodes polled or wrote, so that a poll writes nothing.
type seen struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (s *seen) note(node string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[string]time.Time{}
	}
	if at.After(s.at[node]) {
		s.at[node] = at
	}
}

// drain gives what was collected, and begins anew.
func (s *seen) drain() map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.at
	s.at = nil
	return out
}

// Flush stores when nodes were seen, at the latest now: the clock may have been set back since. What can't be stored is kept for
// the next time.
func (s *Server) Flush(ctx context.Context) error {
	batch := s.seen.drain()
	if len(batch) == 0 {
		return nil
	}
	now := s.opt.Now()
	for node, at := range batch {
		if at.After(now) {
			batch[node] = now
		}
	}
	err := s.opt.Nodes.Seen(ctx, batch)
	if err != nil {
		for node, at := range batch {
			s.seen.note(node, at)
		}
	}
	return err
}

// Start begins to store every few seconds which nodes were seen, until Close.
func (s *Server) Start() {
	s.life.Lock()
	defer s.life.Unlock()
	if s.stop != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.over = stop, make(chan struct{})
	go func(over chan struct{}) {
		defer close(over)
		tick := time.NewTicker(s.opt.Flush)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := s.Flush(ctx); err != nil && ctx.Err() == nil && s.quiet.AllowN(s.opt.Now(), 1) {
				s.opt.Log.Error("it could not be stored when nodes were seen; it is tried again", slog.Any("error", err))
			}
		}
	}(s.over)
}

// Close ends what Start began, and stores what was not stored yet. Call it when no request is being answered any more.
func (s *Server) Close(ctx context.Context) error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.stop != nil {
		s.stop()
		<-s.over
		s.stop = nil
	}
	return s.Flush(ctx)
}
