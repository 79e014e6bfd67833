package results_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// BenchmarkSavePlan stores a plan of 10,000 indicators and 1,000 endpoints.
func BenchmarkSavePlan(b *testing.B) {
	var live []string
	for i := range 1000 {
		live = append(live, fmt.Sprintf("h%04d", i))
	}
	plan := resultstest.Plan(live, nil)
	for i := range 10_000 {
		x := plan.Indicators[1]
		x.Indicator.Value = fmt.Sprintf("%064x", i)
		plan.Indicators = append(plan.Indicators, x)
	}
	s := open(b, filepath.Join(b.TempDir(), "hunter.db"), results.Options{})
	resultstest.Start(b, s, resultstest.RunOne, "sweep", resultstest.At(0), plan)
	for b.Loop() {
		if err := s.SavePlan(b.Context(), resultstest.RunOne, plan); err != nil {
			b.Fatal(err)
		}
	}
}
