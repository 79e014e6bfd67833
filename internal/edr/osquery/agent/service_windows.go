package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows/svc"
)

// serviceName is that of the service in the notes of docs/agent.md. A service with a process of its own may have any.
const serviceName = "hunter-agent"

// AsService runs work, as a service when the service manager has started this process. Its logs then go to a file beside the
// program, which begins anew at each start: a service has no standard error.
func AsService(ctx context.Context, logs io.Writer, work func(ctx context.Context, logs io.Writer) error) error {
	is, err := svc.IsWindowsService()
	if err != nil {
		return fmt.Errorf("find out whether this is a service: %w", err)
	}
	if !is {
		return work(ctx, logs)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the folder for the log: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(filepath.Dir(self), "hunter-agent.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	s := &service{ctx: ctx, work: func(ctx context.Context) error { return work(ctx, f) }}
	err = svc.Run(serviceName, s)
	return errors.Join(err, s.err, f.Close())
}

// service is the agent under the service manager.
type service struct {
	ctx  context.Context //nolint:containedctx // the service manager hands none over
	work func(ctx context.Context) error
	err  error
}

// Execute runs until the service manager says stop, or the machine shuts down.
func (s *service) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (specific bool, code uint32) {
	const takes = svc.AcceptStop | svc.AcceptShutdown
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.work(ctx) }()
	status <- svc.Status{State: svc.Running, Accepts: takes}
	for {
		select {
		case s.err = <-done:
			if s.err != nil {
				return true, 2
			}
			return false, 0
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending}
				stop()
			}
		}
	}
}
