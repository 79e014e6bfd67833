package campaign_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
)

// counter is a tool that counts one second a question, 200 MiB in each.
type counter struct {
	edr.Tool
	now  time.Time
	cost edr.Cost
}

func (c *counter) Estimate(context.Context, edr.Endpoint, []ledger.Query) (edr.Cost, bool, error) {
	c.now = c.now.Add(time.Second)
	return c.cost, true, nil
}

// measured is a store that knows how fast was read.
type measured struct {
	campaign.Store
	speed map[bool]int64
	err   error
}

func (m measured) ReadSpeed(_ context.Context, _, _ string, gentle bool) (int64, error) {
	return m.speed[gentle], m.err
}

func TestForecast(t *testing.T) {
	t.Parallel()
	ep := edr.Endpoint{ID: "e"}
	plan := edr.Plan{Tools: []edr.ToolPlan{{
		Tool: edr.Description{Name: "this-machine"}, Endpoints: []edr.EndpointPlan{{Endpoint: ep, Queries: []ledger.Query{{ID: "a"}, {ID: "b"}}}, {Endpoint: edr.Endpoint{ID: "left out"}}},
	}}}
	for name, c := range map[string]struct {
		store  measured
		gentle bool
		least  bool
		limit  int64
		takes  time.Duration
	}{
		"nobody has read there":      {},
		"as earlier runs did":        {store: measured{speed: map[bool]int64{false: 100 << 20}}, takes: 6 * time.Second},
		"gentle, for the first time": {store: measured{speed: map[bool]int64{false: 100 << 20}}, gentle: true, limit: 50 << 20, takes: 10 * time.Second},
		"gentle, and slower":         {store: measured{speed: map[bool]int64{true: 10 << 20}}, gentle: true, limit: 50 << 20, takes: 42 * time.Second},
		"gentler than before":        {store: measured{speed: map[bool]int64{true: 50 << 20}}, gentle: true, limit: 10 << 20, takes: 42 * time.Second},
		"not counted to the end":     {store: measured{speed: map[bool]int64{false: 100 << 20}}, least: true},
		"the store fails":            {store: measured{speed: map[bool]int64{false: 100 << 20}, err: errors.New("no")}},
	} {
		tool := &counter{Tool: newSpy(t), now: time.Unix(1_764_000_000, 0), cost: edr.Cost{Files: 7, Bytes: 200 << 20, Least: c.least}}
		camp := newCampaign(c.store, tool)
		camp.Now, camp.Cap = func() time.Time { return tool.now }, c.limit
		f, ok := camp.Estimate(t.Context(), &campaign.Prepared{Plan: plan, Spec: campaign.Spec{Gentle: c.gentle}})
		if !ok || f.Takes != c.takes || f.Cost != (edr.Cost{Files: 14, Bytes: 400 << 20, Least: c.least}) {
			t.Errorf("%s: %+v, %v", name, f, ok)
		}
		if each := f.Each[campaign.Pair{Endpoint: "e", Tool: "this-machine"}]; len(f.Each) != 1 || each["a"] != tool.cost || each["b"] != tool.cost {
			t.Errorf("%s: %+v", name, f.Each)
		}
	}
}
