package campaign_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/ledger"
)

// An endpoint that was proven lately for the same questions is carried, with its date; other questions, an older proof or
// a hit are asked anew. A carried proof is never carried on.
func TestCarriedProof(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 2)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	now := time.Now()
	run := func(what string, age time.Duration, root []string, carried bool, code int) campaign.Outcome {
		t.Helper()
		tool := newSpy(t)
		c := newCampaign(store, tool)
		c.Now = func() time.Time { return now }
		spec := specFor(root, unknown)
		if code == campaign.ExitHits {
			spec = specFor(root, digest)
		}
		spec.MaxAge = age
		out, err := c.Run(t.Context(), spec)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if (tool.total() == 0) != carried || (out.Summary.Carried == 1) != carried || out.ExitCode != code {
			t.Errorf("%s: %d questions, outcome %+v", what, tool.total(), out)
		}
		return out
	}
	first := run("nothing to carry", time.Hour, roots, false, campaign.ExitProven)
	now = now.Add(50 * time.Minute)
	again := run("the same questions", time.Hour, roots, true, campaign.ExitProven)
	targets, err := store.Targets(t.Context(), again.Run)
	if err != nil {
		t.Fatal(err)
	}
	if x := targets[0]; x.Carried != first.Run || x.Coverage.State != ledger.Absent || !strings.Contains(x.Coverage.Reason, first.Run) || x.AnsweredAt.IsZero() {
		t.Errorf("target %+v", x)
	}
	run("without delta", 0, roots[:1], false, campaign.ExitProven)
	now = now.Add(50 * time.Minute)
	run("the proof is too old by now, though it was carried", time.Hour, roots, false, campaign.ExitProven)
	run("other places", time.Hour, roots[1:], false, campaign.ExitProven)
	run("a hit is no proof", time.Hour, roots, false, campaign.ExitHits)
	run("a hit is no proof, asked again", time.Hour, roots, false, campaign.ExitHits)
}

// A proof whose age is not known is not carried: it was made later than now, or a run behind it was, so that the clock was set
// back in between.
func TestNoProofIsCarriedOverAClockThatWentBack(t *testing.T) {
	t.Parallel()
	roots, _ := planted(t, 2)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	right := time.Now()
	now := right
	run := func(what string, root []string, carried bool) {
		t.Helper()
		tool := &spy{Tool: local.New("this-machine", local.Options{Now: func() time.Time { return now }}), asked: map[string]int{}}
		c := newCampaign(store, tool)
		c.Now = func() time.Time { return now }
		spec := specFor(root, unknown)
		spec.MaxAge = 24 * time.Hour
		out, err := c.Run(t.Context(), spec)
		if err := errors.Join(err, tool.Close()); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if (tool.total() == 0) != carried || (out.Summary.Carried == 1) != carried || out.ExitCode != campaign.ExitProven {
			t.Errorf("%s: %d questions, outcome %+v", what, tool.total(), out)
		}
	}
	run("first", roots, false)
	now = right.Add(365 * 24 * time.Hour)
	run("a year ahead the proof is too old", roots, false)
	now = right.Add(time.Hour)
	run("the newer proof is of next year, and says that the first one may be of any age", roots, false)
	now = right.Add(2 * time.Hour)
	run("the proof of an hour ago, made since the clock was right again", roots, true)
	run("other places", roots[:1], false)
	now = right.Add(30 * time.Minute)
	run("half an hour later by the clock, and nobody knows how long", roots[:1], false)
}
