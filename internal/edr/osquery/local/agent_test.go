//go:build !windows

package local_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/ledger"
)

// agent answers as an osqueryd would, from the same tables; it notes what it is asked and can fail.
type agent struct {
	engine *embedded.Engine
	fail   error
	asked  []string
	closed int
}

func (a *agent) Query(ctx context.Context, text string) ([]map[string]string, error) {
	a.asked = append(a.asked, text)
	if a.fail != nil {
		return nil, a.fail
	}
	res, err := a.engine.Query(ctx, text)
	if err != nil {
		return nil, err
	}
	return res.Rows, nil
}

func (a *agent) Close() error { a.closed++; return nil }

func dialing(t *testing.T, a *agent, dials *int) func(context.Context) (local.Asker, error) {
	t.Helper()
	engine, err := embedded.Open(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	a.engine = engine
	return func(context.Context) (local.Asker, error) { *dials++; return a, nil }
}

// The texts worded for osqueryd are sound SQL, find what is there, and prove what is not.
func TestThroughAgent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "sub", "evil.bin"), "evil through an agent")
	known := sums("evil through an agent")
	for name, sized := range map[string]bool{"size known": true, "size unknown": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, dials := &agent{}, 0
			file := known
			if sized {
				file.Size = int64(len("evil through an agent"))
			}
			search := edr.Search{Where: []ledger.Stage{ledger.Files}, Paths: map[string][]string{"": {dir}}, Unsized: edr.UnsizedPlaces, MaxSize: edr.DefaultMaxSize}
			cov, hits, verdicts := hunt(t, local.Options{Dial: dialing(t, a, &dials)}, search, file)
			if cov.State != ledger.Hit || len(hits) != 1 || hits[0].SHA256 != known.SHA256 || dials != 1 {
				t.Errorf("%+v, %+v, %d dials, %+v", cov, hits, dials, verdicts)
			}
			if sized == strings.Contains(a.asked[0], "size BETWEEN 1") {
				t.Errorf("the wrong walk: %s", a.asked[0])
			}
			absent, _, verdicts := hunt(t, local.Options{Dial: dialing(t, &agent{}, &dials)}, search, sums("nowhere"))
			if absent.State == ledger.Hit || (absent.State == ledger.Absent) != absent.Proven {
				t.Errorf("%+v, %+v", absent, verdicts)
			}
		})
	}
}

// An agent that fails is an error of the endpoint, by its own words, and is dialled again for the next query.
func TestAgentFails(t *testing.T) {
	t.Parallel()
	a, dials := &agent{fail: errors.New("osqueryd answered status 1: no such table: hash")}, 0
	search := edr.Search{Where: []ledger.Stage{ledger.Files}, Paths: map[string][]string{"": {t.TempDir(), t.TempDir()}}, Unsized: edr.UnsizedPlaces, MaxSize: edr.DefaultMaxSize}
	cov, hits, _ := hunt(t, local.Options{Dial: dialing(t, a, &dials)}, search, sums("x"))
	if cov.Proven || cov.State != ledger.Unsupported || len(hits) != 0 || dials != 2 || a.closed < 2 {
		t.Errorf("%+v, %d dials, %d closed", cov, dials, a.closed)
	}
	gone := local.New("this-machine", local.Options{})
	answer, err := gone.Ask(t.Context(), edr.Endpoint{}, ledger.Query{Engine: ledger.EngineOsqueryd, Text: "SELECT 1"})
	if err != nil || answer.Failure == nil || !strings.Contains(answer.Failure.Message, "socket is not there") {
		t.Errorf("a run worded for osqueryd goes on without it: %+v, %v", answer, err)
	}
}
