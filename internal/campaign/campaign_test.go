package campaign_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

const unknown = "74dc260aa1b5de03b157cefa384e5384e591710d28b4db33b2f2e4d1539f9d16"

func TestRunFindsAndProves(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 3)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	out, err := newCampaign(store, newSpy(t)).Run(t.Context(), specFor(roots, digest))
	if err != nil {
		t.Fatal(err)
	}
	if out.ExitCode != campaign.ExitHits || out.Summary.HitsTotal != 1 || out.Summary.Proven != 1 || out.Summary.State != results.RunFinished {
		t.Errorf("outcome %+v", out)
	}
	out, err = newCampaign(store, newSpy(t)).Run(t.Context(), specFor(roots, unknown))
	if err != nil {
		t.Fatal(err)
	}
	if out.ExitCode != campaign.ExitProven || out.Summary.States[ledger.Absent] != 1 || out.Summary.VerifiedRatio != 1 {
		t.Errorf("outcome %+v", out)
	}
}

// A run that is interrupted keeps what was answered; resumed, it asks the rest alone and ends as if nothing had been.
func TestInterruptedRunGoesOn(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 4)
	path := filepath.Join(t.TempDir(), "h.db")
	store := openStore(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	tool := newSpy(t)
	tool.before = func(ctx context.Context, q ledger.Query) error {
		if strings.HasSuffix(q.ID, "-02") { // the third place: interrupted while it is asked
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	out, err := newCampaign(store, tool).Run(ctx, specFor(roots, digest))
	if err != nil {
		t.Fatal(err)
	}
	if !out.Detached || out.ExitCode != campaign.ExitUnproven || out.Summary.State != results.RunDetached {
		t.Fatalf("outcome %+v", out)
	}
	targets, err := store.Targets(t.Context(), out.Run)
	if err != nil {
		t.Fatal(err)
	}
	if c := targets[0].Coverage; c.State == ledger.Absent || c.Proven || c.Reason == "" {
		t.Errorf("an interrupted search claims %+v", c)
	}
	answered := tool.total() - 1

	again := newSpy(t)
	end, err := newCampaign(store, again).Resume(t.Context(), out.Run)
	if err != nil {
		t.Fatal(err)
	}
	if end.Run != out.Run || end.ExitCode != campaign.ExitHits || end.Summary.HitsTotal != 1 || end.Summary.Proven != 1 {
		t.Errorf("resumed: %+v", end)
	}
	if want := len(roots) - answered; again.total() != want {
		t.Errorf("resumed: %d questions instead of %d: %v", again.total(), want, again.asked)
	}
	for id := range tool.asked {
		if again.asked[id] > 0 && !strings.HasSuffix(id, "-02") {
			t.Errorf("%s was answered and is asked again", id)
		}
	}
	third := newSpy(t)
	if last, err := newCampaign(store, third).Resume(t.Context(), out.Run); err != nil || last.ExitCode != campaign.ExitHits || third.total() != 0 {
		t.Errorf("a finished run is resumed: %+v, %v, %d questions", last, err, third.total())
	}
}

// A process that dies leaves a run as it was recorded: planned, or with some answers. Both go on.
func TestDeadRunGoesOn(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 2)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := newCampaign(&dying{Store: store}, newSpy(t))
	out, err := c.Run(ctx, specFor(roots, digest))
	if !errors.Is(err, errDead) {
		t.Fatalf("%+v, %v", out, err)
	}
	runs, err := store.Runs(t.Context(), results.Filter{})
	if err != nil || len(runs) != 1 {
		t.Fatalf("%v, %v", runs, err)
	}
	end, err := newCampaign(store, newSpy(t)).Resume(t.Context(), runs[0].ID)
	if err != nil || end.ExitCode != campaign.ExitHits || end.Summary.HitsTotal != 1 {
		t.Errorf("%+v, %v", end, err)
	}
}

var errDead = errors.New("the process is dead")

// dying is a store that takes a new run and nothing more.
type dying struct{ campaign.Store }

func (d *dying) CreateRun(ctx context.Context, run results.Run) error {
	return d.Store.CreateRun(context.WithoutCancel(ctx), run)
}
func (*dying) SavePivot(context.Context, string, results.Pivoted) error { return errDead }
func (*dying) SetRunState(context.Context, string, results.RunState, string) error {
	return errDead
}
func (*dying) FinishRun(context.Context, string, results.RunState, int, string) error {
	return errDead
}

func TestQueueAsksNothing(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 2)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	tool := newSpy(t)
	c := newCampaign(store, tool)
	out, err := c.Queue(t.Context(), specFor(roots, digest))
	if err != nil || !out.Detached || tool.total() != 0 || out.Summary.States[ledger.Unasked] != 1 {
		t.Fatalf("%+v, %v, %d questions", out, err, tool.total())
	}
	if end, err := c.Resume(t.Context(), out.Run); err != nil || end.Summary.HitsTotal != 1 {
		t.Errorf("%+v, %v", end, err)
	}
}

// What a tool can not do is a state of the endpoint, never an absence.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(context.Context, ledger.Query) error
		limit  time.Duration
		state  ledger.State
	}{
		"error":   {before: func(context.Context, ledger.Query) error { return errors.New("boom") }, state: ledger.Error},
		"timeout": {before: func(ctx context.Context, _ ledger.Query) error { <-ctx.Done(); return ctx.Err() }, limit: time.Millisecond, state: ledger.Timeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			roots, _ := planted(t, 1)
			store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
			tool := newSpy(t)
			tool.before = tt.before
			spec := specFor(roots, unknown)
			spec.Timeout = tt.limit
			out, err := newCampaign(store, tool).Run(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			if out.ExitCode != campaign.ExitUnproven || out.Summary.States[tt.state] != 1 || out.Summary.Proven != 0 {
				t.Errorf("%+v", out)
			}
		})
	}
}

// A run that can't go on says so in the store and in the error.
func TestFailedRun(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	spec := specFor([]string{t.TempDir()}, unknown)
	spec.Select = edr.Selection{Hosts: []string{"nobody"}}
	out, err := newCampaign(store, newSpy(t)).Run(t.Context(), spec)
	if err == nil || out.ExitCode != campaign.ExitError || !strings.Contains(err.Error(), "nobody") {
		t.Fatalf("%+v, %v", out, err)
	}
	sum, err := store.Run(t.Context(), out.Run)
	if err != nil || sum.State != results.RunFailed || !strings.Contains(sum.Error, "nobody") {
		t.Errorf("%+v, %v", sum, err)
	}
}

// An endpoint that is asked nothing says why, and the reason is the true one.
func TestNothingToAskSaysWhy(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 1)
	skip := specFor(roots, digest)
	skip.Search.Unsized = edr.UnsizedSkip
	for name, tt := range map[string]struct {
		spec campaign.Spec
		want string
	}{
		"refused":        {specFor(roots, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "no hash is hunted"},
		"unsized: skip":  {skip, "unsized: skip"},
		"not its digest": {md5Spec(roots), "no hash that this tool takes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
			out, err := newCampaign(store, sha256Only{newSpy(t)}).Run(t.Context(), tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			targets, err := store.Targets(t.Context(), out.Run)
			if err != nil {
				t.Fatal(err)
			}
			if c := targets[0].Coverage; out.ExitCode != campaign.ExitUnproven || c.State != ledger.Unasked || !strings.Contains(c.Reason, tt.want) {
				t.Errorf("exit %d, %+v", out.ExitCode, c)
			}
		})
	}
}

// A tool or provider that nobody has starts no run.
func TestUnknownNamesStartNoRun(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 1)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	c := newCampaign(store, newSpy(t))
	tool, provider := specFor(roots, digest), specFor(roots, digest)
	tool.Tools, provider.Providers = []string{"this-machin"}, []string{"feeds"}
	for _, spec := range []campaign.Spec{tool, provider} {
		if out, err := c.Run(t.Context(), spec); err == nil || out.Run != "" {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if _, err := c.Run(t.Context(), tool); !strings.Contains(err.Error(), `did you mean "this-machine"`) {
		t.Error(err)
	}
	if runs, err := store.Runs(t.Context(), results.Filter{}); err != nil || len(runs) > 0 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

// The list of indicators says of a seed what `why` says of it.
func TestSeedIsItsOwnReason(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 1)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	out, err := newCampaign(store, newSpy(t)).Run(t.Context(), specFor(roots, digest))
	if err != nil {
		t.Fatal(err)
	}
	all, err := store.Indicators(t.Context(), out.Run)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].Relation != indicator.RelSeed || all[0].Confidence != 100 {
		t.Errorf("%+v", all)
	}
}

// An end that comes while the ledger is read, or with the last answer, fails no run.
func TestInterruptedBetweenTheSteps(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 1)
	for name, tt := range map[string]struct {
		kind campaign.EventKind
		want results.RunState
	}{
		"planned": {campaign.EventPlanned, results.RunDetached}, "last answer": {campaign.EventAnswered, results.RunFinished},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := newCampaign(store, newSpy(t))
			c.Progress = func(e campaign.Event) {
				if e.Kind == tt.kind {
					cancel()
				}
			}
			out, err := c.Run(ctx, specFor(roots, digest))
			if err != nil || out.Summary.State != tt.want {
				t.Fatalf("%+v, %v", out, err)
			}
			if out, err = newCampaign(store, newSpy(t)).Resume(t.Context(), out.Run); err != nil || out.ExitCode != campaign.ExitHits {
				t.Errorf("resumed: %+v, %v", out, err)
			}
		})
	}
}
