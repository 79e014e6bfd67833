package campaign_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// Nothing that a node gets tells the digest: of a node that is not approved, of one whose approval is taken back in the middle of a
// run, and of a hunt that is tlp:red. The file is found all the same.
func TestFleetIsAskedBlind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, during bool
		tlp            indicator.TLP
	}{
		"not approved": {before: true}, "approval taken back": {during: true}, "red": {tlp: indicator.TLPRed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 1)
			unapprove := func(when bool) {
				if !when {
					return
				}
				if _, err := f.store.Unapprove(t.Context(), []string{f.nodes[0].ID}); err != nil {
					t.Fatal(err)
				}
			}
			unapprove(c.before)
			spec := f.spec(f.digest)
			spec.TLP, spec.Pivot.TLP = c.tlp, c.tlp
			spec.Timeout = time.Hour
			run := f.request(spec)
			f.poll(0)
			f.turn(time.Second)
			unapprove(c.during)
			asked := 0
			for range 20 {
				if h := f.poll(0); h != nil {
					asked++
					if strings.Contains(h.Text, f.digest) || !strings.Contains(h.Text, "'seen'") {
						t.Fatalf("it is told what is hunted:\n%s", h.Text)
					}
					f.deliver(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, true)})
				}
				f.turn(10 * time.Second)
			}
			got, err := f.store.Run(t.Context(), run)
			if err != nil || asked == 0 || got.HitsTotal != 1 || got.ExitCode == nil || *got.ExitCode != campaign.ExitHits {
				t.Errorf("asked %d times: %+v, %v", asked, got, err)
			}
		})
	}
}

// A question whose place is named after the hunted digest can't be asked without telling it: when the approval is taken back it is given
// up, and the run ends.
func TestPlaceThatTellsIsGivenUp(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	spec := f.spec(f.digest)
	spec.Search.First = []edr.Place{{Host: "ws-000", Path: f.root + "/" + f.digest}}
	run := f.request(spec)
	f.turn(time.Second)
	if _, err := f.store.Unapprove(t.Context(), []string{f.nodes[0].ID}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		for h := f.poll(0); h != nil; h = f.poll(0) {
			if strings.Contains(h.Text, f.digest) {
				t.Fatalf("it is told what is hunted:\n%s", h.Text)
			}
			f.deliver(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, false)})
		}
		f.turn(time.Second)
	}
	f.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Unsupported: 1})
}
