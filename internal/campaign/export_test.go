package campaign

import "context"

// Turn looks once at everything, waits for what that began, and looks again.
func (s *Steward) Turn(ctx context.Context) {
	s.tick(ctx, false)
	s.work.Wait()
	s.tick(ctx, false)
}

// Begin looks for the first time, as Run does.
func (s *Steward) Begin(ctx context.Context) {
	s.tick(ctx, true)
	s.work.Wait()
}
