package campaign

import "context"

// Turn looks once at everything, waits for what that began, and looks again.
func (s *Steward) Turn(ctx context.Context) {
	s.tick(ctx)
	s.work.Wait()
	s.tick(ctx)
}

// Begin looks for the first time, as Run does.
func (s *Steward) Begin(ctx context.Context) {
	s.tick(ctx)
	s.work.Wait()
}
