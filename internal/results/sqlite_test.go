package results_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

func TestMain(m *testing.M) {
	if helper() {
		return
	}
	goleak.VerifyTestMain(m)
}

// open gives a store in a new file.
func open(t testing.TB, path string, opt results.Options) *results.Store {
	t.Helper()
	s, err := results.Open(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSuite(t *testing.T) {
	resultstest.Run(t, func(t *testing.T) *results.Store {
		return open(t, filepath.Join(t.TempDir(), "hunter.db"), results.Options{})
	})
}
