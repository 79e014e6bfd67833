//go:build sqlite_vtable

package embedded

import "context"

// Pace keeps an engine from being felt: one goroutine works, and pauses where it is told to.
type Pace interface {
	// Wait is called after n bytes of a file were read, and with 0 between two pieces of other work. It returns when the
	// work may go on; its error is ctx's end.
	Wait(ctx context.Context, n int) error
}

// Work is what a query got done: files whose digests it has, and bytes of them.
type Work struct{ Files, Bytes int64 }

// rest pauses after n bytes were read, as long as the pace demands.
func (e *Engine) rest(ctx context.Context, n int) error {
	if e.opt.Pace == nil {
		return nil
	}
	return e.opt.Pace.Wait(ctx, n)
}

// did tells the meter.
func (e *Engine) did(files, bytes int64) {
	if e.opt.Meter != nil {
		e.opt.Meter(Work{Files: files, Bytes: bytes})
	}
}
