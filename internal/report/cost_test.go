package report_test

import (
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/report"
)

func TestCostText(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		cost  edr.Cost
		takes time.Duration
	}{
		"1 file, 42 bytes":                                    {edr.Cost{Files: 1, Bytes: 42}, 0},
		"214,000 files, 38 GiB, about 40 s":                   {edr.Cost{Files: 214_000, Bytes: 38 << 30}, 39_500 * time.Millisecond},
		"0 files, 0 bytes, about 1 s":                         {edr.Cost{}, time.Millisecond},
		"999 files, 1 KiB, about 3 min":                       {edr.Cost{Files: 999, Bytes: 1024}, 121 * time.Second},
		"1,234,567 files, 0 bytes, about 2 h 5 min":           {edr.Cost{Files: 1_234_567}, 125 * time.Minute},
		"more than could be counted in a moment":              {edr.Cost{Least: true}, 0},
		"at least 1,000 files, 2 KiB, not counted to the end": {edr.Cost{Files: 1000, Bytes: 2048, Least: true}, time.Second},
	} {
		if got := report.CostText(c.cost, c.takes); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}
