package osquery_test

import (
	"context"
	"errors"
	"testing"
	"time"

	osquery "github.com/osquery/osquery-go"
)

func TestLockerWaits(t *testing.T) {
	t.Parallel()
	deadline, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	gone, end := context.WithCancel(t.Context())
	end()
	past, endPast := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer endPast()

	for name, tc := range map[string]struct {
		ctx          context.Context
		normal, most time.Duration
		want         string
		is           error
	}{
		"no deadline":     {t.Context(), time.Millisecond, time.Hour, "timeout after 1ms", nil},
		"deadline":        {deadline, time.Hour, 2 * time.Millisecond, "timeout after maximum of 2ms", nil},
		"cancelled":       {gone, time.Hour, time.Hour, "context canceled: context canceled", context.Canceled},
		"deadline passed": {past, time.Hour, time.Hour, "context canceled: context deadline exceeded", context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			l := osquery.NewLocker(tc.normal, tc.most)
			if err := l.Lock(context.Background()); err != nil {
				t.Fatal(err)
			}
			err := l.Lock(tc.ctx)
			if err == nil || err.Error() != tc.want {
				t.Errorf("Lock = %v, want %q", err, tc.want)
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("Lock = %v, is no %v", err, tc.is)
			}
			l.Unlock()
			if err := l.Lock(context.Background()); err != nil {
				t.Errorf("Lock after Unlock: %v", err)
			}
		})
	}
}

func TestUnlockOfUnlocked(t *testing.T) {
	t.Parallel()
	defer func() {
		if got := recover(); got != "unlock of unlocked locker" {
			t.Errorf("panic = %v", got)
		}
	}()
	osquery.NewLocker(time.Second, time.Second).Unlock()
}
