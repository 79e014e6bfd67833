//go:build sqlite_vtable

package agent

import (
	"context"
	"errors"
	"testing"

	"golang.org/x/sys/windows/svc"
)

// The service manager is told that the service runs, and ends it in order.
func TestService(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, end := range []svc.Cmd{svc.Stop, svc.Shutdown, 0} {
		s := &service{ctx: t.Context(), work: func(ctx context.Context) error {
			if end == 0 {
				return broken
			}
			<-ctx.Done()
			return nil
		}}
		requests, status := make(chan svc.ChangeRequest), make(chan svc.Status, 10)
		code := make(chan uint32)
		go func() {
			_, c := s.Execute(nil, requests, status)
			code <- c
		}()
		if got := <-status; got.State != svc.Running || got.Accepts != svc.AcceptStop|svc.AcceptShutdown {
			t.Errorf("%+v", got)
		}
		if end == 0 {
			if c := <-code; c != 2 || !errors.Is(s.err, broken) {
				t.Errorf("%d, %v", c, s.err)
			}
			continue
		}
		requests <- svc.ChangeRequest{Cmd: svc.Interrogate, CurrentStatus: svc.Status{State: svc.Running, CheckPoint: 7}}
		if got := <-status; got.CheckPoint != 7 {
			t.Errorf("%+v", got)
		}
		requests <- svc.ChangeRequest{Cmd: end}
		if got := <-status; got.State != svc.StopPending {
			t.Errorf("%+v", got)
		}
		if c := <-code; c != 0 || s.err != nil {
			t.Errorf("%d, %v", c, s.err)
		}
	}
}
