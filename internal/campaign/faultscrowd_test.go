package campaign_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// TestCrowd has a crowd of machines behind one address enrol within a minute, and then come back all at once after the server
// died in the middle of a run, each on a connection of its own.
func TestCrowd(t *testing.T) {
	t.Parallel()
	enrolling, returning := 2000, 1000
	if testing.Short() {
		enrolling, returning = 300, 200
	}
	r := newRig(t, 0, remote.Limits{})
	var refused atomic.Int64
	agents := make([]*remotetest.Agent, enrolling)
	lines := make([]*remotetest.Line, enrolling)
	for i := range agents {
		lines[i] = &remotetest.Line{}
		instance := fmt.Sprint("instance ", i)
		agents[i] = remotetest.New(remotetest.Options{
			Post: func(ctx context.Context, path string, header http.Header, body []byte) ([]byte, error) {
				r.reach(lines[i])
				return lines[i].Post(ctx, path, header, body)
			},
			Secret: rigSecret, Identifier: fmt.Sprint("laptop ", i), Instance: instance, Now: r.clock.time,
			Answer: func(text string) remotetest.Result { return r.finds(i, instance, text) },
			Sleep:  func(ctx context.Context, _ time.Duration) error { refused.Add(1); return ctx.Err() },
		})
		r.with[i] = i%100 == 0
	}
	all := func(agents []*remotetest.Agent, atOnce int, do func(a *remotetest.Agent) error) (took time.Duration) {
		t.Helper()
		began := time.Now()
		var wg sync.WaitGroup
		errs := make(chan error, len(agents))
		room := make(chan struct{}, atOnce)
		for _, a := range agents {
			room <- struct{}{}
			wg.Go(func() { errs <- do(a); <-room })
		}
		wg.Wait()
		close(errs)
		failed := 0
		for err := range errs {
			if err != nil && !strings.Contains(err.Error(), "busy; keep the results") { // no loss: it comes again
				if failed++; failed < 5 {
					t.Error(err)
				}
			}
		}
		return time.Since(began)
	}
	enrolled := all(agents, 100, func(a *remotetest.Agent) error { return a.Enroll(t.Context()) })
	nodes, err := r.store.Nodes(t.Context())
	if err != nil || len(nodes) != enrolling || refused.Load() != 0 {
		t.Errorf("%d of %d enrolled, %d refused, %v", len(nodes), enrolling, refused.Load(), err)
	}
	if slices.ContainsFunc(nodes, func(n ledger.Node) bool { return n.Twin != "" }) {
		t.Error("a laptop is taken for another one")
	}
	for _, l := range lines {
		l.Close()
	}

	s := r.spec(r.digest)
	s.Fleet = campaign.DefaultFleet()
	s.Fleet.Canary, s.Fleet.Rate = 0, campaign.Rate{Count: 100_000, Per: time.Second}
	for i := range returning {
		s.Select.Hosts = append(s.Select.Hosts, fmt.Sprint("laptop ", i))
	}
	run := r.request(s)
	r.turn(time.Second)
	r.again()
	r.turn(time.Second)
	came := agents[:returning]
	returned := all(came, returning, func(a *remotetest.Agent) error { return a.Step(t.Context()) })
	counts := r.api.Counts()
	busy := refused.Load()
	if counts.Polls < int64(returning) || counts.Unknown != 0 || counts.Failed != 0 || counts.Panics != 0 || counts.Malformed != 0 {
		t.Errorf("%+v", counts)
	}
	r.until(run, 10, func() { all(came, 50, func(a *remotetest.Agent) error { return a.Step(t.Context()) }) }) // busy: kept, and taken now
	r.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: returning / 100, ledger.Absent: returning - returning/100})
	if r.summary(run).HitsTotal != returning/100 || r.doubled(run) != 0 {
		t.Errorf("%d hits, %d doubled", r.summary(run).HitsTotal, r.doubled(run))
	}
	for _, l := range lines {
		l.Close()
	}
	t.Logf("%d behind one address enrolled in %s, 0 refused; %d came back at once after a crash in %s: %d polls, %d told busy and taken later, %d hits, 0 doubled",
		enrolling, enrolled.Round(time.Millisecond), returning, returned.Round(time.Millisecond), counts.Polls, busy, returning/100)
}
