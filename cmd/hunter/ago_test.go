package main

import (
	"testing"
	"time"
)

func TestAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "0 seconds ago", time.Second: "1 second ago", -3 * time.Second: "0 seconds ago", 3 * time.Minute: "3 minutes ago", 3 * time.Hour: "3 hours ago",
		72 * time.Hour: "3 days ago", -time.Hour: "at 2026-11-25T13:00:00Z, which is still to come by this machine's clock",
	} {
		if got := ago(now.Add(-d), now); got != want {
			t.Errorf("%s: %q instead of %q", d, got, want)
		}
	}
}
