package report

import (
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 20, 10, 1, 20, 0, time.UTC)
	for want, to := range map[string]time.Time{
		"2026-11-20 10:01":                     {},
		"2026-11-20 10:01 to 10:03":            from.Add(2 * time.Minute),
		"2026-11-20 10:01 to 2026-11-21 10:01": from.Add(24 * time.Hour),
		"2026-11-20 10:01 to 09:01":            from.Add(-time.Hour), // the clock was set back, and a note says so
	} {
		if got := span(from, to); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
	if got := span(from, from.Add(30*time.Second)); got != "2026-11-20 10:01" {
		t.Error(got)
	}
}
