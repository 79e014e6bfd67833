//go:build !windows

package agent

import (
	"context"
	"io"
)

// AsService runs work; the system's service manager speaks to it by signals.
func AsService(ctx context.Context, logs io.Writer, work func(ctx context.Context, logs io.Writer) error) error {
	return work(ctx, logs)
}
