package campaign_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// wallClock is a machine's clock that can be set.
type wallClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *wallClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func (c *wallClock) set(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// The clock is set back and forth between the questions of a run, and again before it is resumed: it finds and proves what it
// would have, asks nothing twice, and says that its times are not in order when they are not.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tt := range map[string]struct {
		steps  []time.Duration // before each question in turn
		resume time.Duration
		note   string
	}{
		"steady":         {steps: []time.Duration{0}},
		"forward":        {steps: []time.Duration{time.Hour, 400 * 24 * time.Hour}, resume: 24 * time.Hour},
		"back":           {steps: []time.Duration{-time.Second, -2 * time.Hour}, resume: -time.Minute, note: "set back by 2 h"},
		"back and forth": {steps: []time.Duration{-90 * time.Minute, 3 * time.Hour}, note: "set back by 90 min"},
		"at the resume":  {steps: []time.Duration{0}, resume: -50 * 365 * 24 * time.Hour, note: "set back by"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := &wallClock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
			store, err := results.Open(t.Context(), filepath.Join(t.TempDir(), "h.db"), results.Options{Now: at.Now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			asked := 0
			jumping := func(interrupt int) *campaign.Campaign {
				tool := newSpy(t)
				tool.Tool = local.New("this-machine", local.Options{Now: at.Now})
				tool.before = func(ctx context.Context, _ ledger.Query) error {
					at.set(tt.steps[asked%len(tt.steps)])
					if asked++; asked == interrupt {
						cancel()
						return ctx.Err()
					}
					return nil
				}
				c := newCampaign(store, tool)
				c.Now = at.Now
				return c
			}
			out, err := jumping(w.total/2).Run(ctx, w.spec)
			if err != nil || !out.Detached {
				t.Fatalf("%+v, %v", out, err)
			}
			at.set(tt.resume)
			out, err = jumping(0).Resume(t.Context(), out.Run)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(w.want, endingOf(t, store, out)); diff != "" || asked != w.total+1 {
				t.Errorf("%d questions, %s", asked, diff)
			}
			v, err := report.Load(t.Context(), store, "last")
			if err != nil {
				t.Fatal(err)
			}
			told := strings.Join(v.Remarks, "\n")
			if v.Run.ID != out.Run || strings.Contains(told, "set back") != (tt.note != "") || !strings.Contains(told, tt.note) {
				t.Errorf("run %s, notes %q instead of %q", v.Run.ID, told, tt.note)
			}
			hits, _, err := store.Hits(t.Context(), results.Filter{Run: out.Run})
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range hits {
				if h.ObservedAt.IsZero() {
					t.Errorf("%s was found at no time", h.PathText)
				}
			}
		})
	}
}

// The run that was stored last is the last one, and the first of the list, whatever the clock said.
func TestLastRunIsTheLastStored(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 1)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	var made []string
	for _, step := range []time.Duration{0, -2 * time.Hour, time.Hour, -48 * time.Hour} {
		now = now.Add(step)
		c := newCampaign(store, newSpy(t))
		c.Now = func() time.Time { return now }
		out, err := c.Run(t.Context(), specFor(roots, digest))
		if err != nil {
			t.Fatal(err)
		}
		made = append([]string{out.Run}, made...)
		if last, err := store.Run(t.Context(), "last"); err != nil || last.ID != out.Run {
			t.Errorf("last is %s, not %s, %v", last.ID, out.Run, err)
		}
	}
	runs, err := store.Runs(t.Context(), results.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, r := range runs {
		listed = append(listed, r.ID)
	}
	if diff := cmp.Diff(made, listed); diff != "" {
		t.Error(diff)
	}
	hosts, err := store.Hosts(t.Context(), results.Filter{})
	if err != nil || len(hosts) != 1 || hosts[0].Run != made[0] {
		t.Errorf("%+v, %v", hosts, err)
	}
}
