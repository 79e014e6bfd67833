package osquery

import (
	"context"
	"fmt"
	"time"
)

// locker is a mutex whose wait is bounded: an osqueryd connection carries one
// call at a time, and a caller must not wait for ever behind a long query.
type locker struct {
	held           chan struct{} // holds one token while locked
	defaultTimeout time.Duration // wait when the caller set no deadline
	maxWait        time.Duration // wait when the caller did
}

// NewLocker makes an unlocked locker. A Lock whose context has no deadline
// waits defaultTimeout, one with a deadline waits maxWait, or less when the
// deadline is nearer.
func NewLocker(defaultTimeout, maxWait time.Duration) *locker { //nolint:revive // the real module's signature
	return &locker{held: make(chan struct{}, 1), defaultTimeout: defaultTimeout, maxWait: maxWait}
}

// Lock takes the lock, or says why it could not in time.
func (l *locker) Lock(ctx context.Context) error {
	wait, text := l.defaultTimeout, "timeout after %s"
	if _, ok := ctx.Deadline(); ok {
		wait, text = l.maxWait, "timeout after maximum of %s"
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()

	select {
	case l.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("context canceled: %w", ctx.Err())
	case <-timer.C:
		return fmt.Errorf(text, wait)
	}
}

// Unlock frees the lock. It panics when the lock is not held.
func (l *locker) Unlock() {
	select {
	case <-l.held:
	default:
		panic("unlock of unlocked locker")
	}
}
