package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// daemon answers as an osqueryd would, from hunter's own tables.
type daemon struct{ *embedded.Engine }

func (d daemon) Query(ctx context.Context, text string) ([]map[string]string, error) {
	res, err := d.Engine.Query(ctx, text)
	if err != nil {
		return nil, err
	}
	return res.Rows, nil
}

// splitting is a spy whose questions have a budget of four files.
type splitting struct {
	*spy
	edr.Splitter
}

func newSplitting(t *testing.T) splitting {
	t.Helper()
	tool := local.New("this-machine", local.Options{
		Budget: ledger.Budget{Files: 4},
		Dial: func(context.Context) (local.Asker, error) {
			engine, err := embedded.Open(embedded.Options{})
			return daemon{engine}, err
		},
	})
	t.Cleanup(func() { _ = tool.Close() })
	return splitting{&spy{Tool: tool, asked: map[string]int{}}, tool}
}

// forgetful is a store whose process dies right after an answer was recorded.
type forgetful struct {
	campaign.Store
	left int
}

func (f *forgetful) RecordAnswer(ctx context.Context, a results.AnswerRecord) error {
	err := f.Store.RecordAnswer(ctx, a)
	if f.left--; f.left == 0 {
		return errors.Join(err, errDead)
	}
	return err
}

func (*forgetful) FinishRun(context.Context, string, results.RunState, int, string) error { return nil }

// What is over budget is asked in parts, which are the endpoint's proof; a run that dies anywhere on the way goes on with
// the same parts, and asks none of them twice.
func TestOverBudgetIsAskedInParts(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 1)
	for _, sub := range []string{"a", "b", "b/deep", "b/deeper", "c"} {
		if err := os.MkdirAll(filepath.Join(roots[0], sub), 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if err := os.WriteFile(filepath.Join(roots[0], sub, fmt.Sprint(i)), []byte(sub+fmt.Sprint(i)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	whole := newSplitting(t)
	out, err := newCampaign(store, whole).Run(t.Context(), specFor(roots, digest))
	if err != nil {
		t.Fatal(err)
	}
	if out.ExitCode != campaign.ExitHits || out.Summary.HitsTotal != 1 || whole.total() < 6 {
		t.Fatalf("%+v, %d questions", out, whole.total())
	}
	if os.Geteuid() == 0 && out.Summary.Proven != 1 { // without root's rights osqueryd proves nothing
		t.Errorf("%+v", out.Summary)
	}
	if out, err := newCampaign(store, newSplitting(t)).Run(t.Context(), specFor(roots, unknown)); err != nil || (os.Geteuid() == 0 && out.ExitCode != campaign.ExitProven) {
		t.Errorf("%+v, %v", out, err)
	}
	for dies := 1; dies <= whole.total(); dies++ {
		dead, again := newSplitting(t), newSplitting(t)
		first, err := newCampaign(&forgetful{Store: store, left: dies}, dead).Run(t.Context(), specFor(roots, digest))
		if !errors.Is(err, errDead) {
			t.Fatalf("%d: %+v, %v", dies, first, err)
		}
		end, err := newCampaign(store, again).Resume(t.Context(), first.Run)
		if err != nil || end.ExitCode != campaign.ExitHits || end.Summary.HitsTotal != 1 || end.Summary.Proven != out.Summary.Proven {
			t.Fatalf("%d: %+v, %v", dies, end, err)
		}
		for id := range whole.asked {
			if dead.asked[id]+again.asked[id] != 1 {
				t.Errorf("died after %d answers: %s is asked %d times", dies, id, dead.asked[id]+again.asked[id])
			}
		}
		if dead.total()+again.total() != whole.total() {
			t.Errorf("died after %d answers: %d questions instead of %d", dies, dead.total()+again.total(), whole.total())
		}
	}
}
