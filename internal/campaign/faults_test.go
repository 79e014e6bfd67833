package campaign_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// world is a small tree with hits early, midway and late, and what an undisturbed run over it brings.
type world struct {
	spec  campaign.Spec
	want  ending
	total int // questions
}

// ending is what of a run's end must be the same after a fault.
type ending struct {
	ExitCode, Hits, Proven int
	State                  results.RunState
	Paths                  []string
}

func newWorld(t *testing.T) world {
	t.Helper()
	const folders = 8
	base := t.TempDir()
	var roots []string
	var seeds []indicator.Indicator
	for i := range folders {
		root := filepath.Join(base, fmt.Sprint(i))
		text := fmt.Appendf(nil, "file %d of a test", i)
		if err := errors.Join(os.MkdirAll(root, 0o755), os.WriteFile(filepath.Join(root, "x.bin"), text, 0o644)); err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
		if i == 0 || i == folders/2 || i == folders-1 {
			sum := sha256.Sum256(text)
			seeds = append(seeds, indicator.Indicator{Kind: indicator.SHA256, Value: hex.EncodeToString(sum[:])})
		}
	}
	w := world{spec: specFor(roots, unknown), total: folders}
	w.spec.SeedHashes(seeds)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	tool := newSpy(t)
	out, err := newCampaign(store, tool).Run(t.Context(), w.spec)
	if err != nil || tool.total() != w.total {
		t.Fatalf("%+v, %v, %d questions", out, err, tool.total())
	}
	w.want = endingOf(t, store, out)
	if w.want.Hits != 3 || w.want.ExitCode != campaign.ExitHits || w.want.Proven != 1 {
		t.Fatalf("undisturbed: %+v", w.want)
	}
	return w
}

func endingOf(t *testing.T, store *results.Store, out campaign.Outcome) ending {
	t.Helper()
	e := ending{ExitCode: out.ExitCode, Hits: out.Summary.HitsTotal, Proven: out.Summary.Proven, State: out.Summary.State}
	hits, _, err := store.Hits(t.Context(), results.Filter{Run: out.Run})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hits {
		e.Paths = append(e.Paths, h.PathText)
	}
	return e
}

// goesOn resumes the only run of a store. It ends as an undisturbed one, and what had been answered is not asked again.
// There is nothing to resume when the fault came before the run was recorded.
func (w world) goesOn(t *testing.T, store *results.Store) (resumed bool) {
	t.Helper()
	runs, err := store.Runs(t.Context(), results.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) == 0 {
		return false
	}
	queries, err := store.Queries(t.Context(), runs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for _, q := range queries {
		if q.State == results.QueryAnswered {
			answered++
		}
	}
	tool := newSpy(t)
	out, err := newCampaign(store, tool).Resume(t.Context(), runs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.want, endingOf(t, store, out)); diff != "" || tool.total() != w.total-answered {
		t.Errorf("%d of %d were answered, %d asked again: %s", answered, w.total, tool.total(), diff)
	}
	return true
}

// wantFault checks that a run stopped with exit code 2 and that cause.
func wantFault(t *testing.T, out campaign.Outcome, err, cause error) {
	t.Helper()
	if !errors.Is(err, cause) || out.ExitCode != campaign.ExitError {
		t.Fatalf("exit %d, %v", out.ExitCode, err)
	}
}

// emptyDatabase gives the bytes of a results database without a run.
func emptyDatabase(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "h.db")
	if err := openStore(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// The disk is full at any moment of a run, from the first record to the last: the run says so, and with room it goes on.
func TestDiskFullAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := emptyDatabase(t)
	step, resumed := 1, 0
	if testing.Short() {
		step = 7
	}
	for room := 0; ; room += step {
		path := filepath.Join(t.TempDir(), "h.db")
		if err := os.WriteFile(path, made, 0o600); err != nil {
			t.Fatal(err)
		}
		small, err := results.Open(t.Context(), path, results.Options{MaxPages: len(made)/4096 + room})
		if err != nil {
			t.Fatal(err)
		}
		out, err := newCampaign(small, newSpy(t)).Run(t.Context(), w.spec)
		if closed := small.Close(); closed != nil {
			t.Fatal(closed)
		}
		if err == nil { // there was room enough
			break
		}
		wantFault(t, out, err, results.ErrFull)
		if w.goesOn(t, openStore(t, path)) {
			resumed++
		}
	}
	if resumed < 2 {
		t.Errorf("%d runs were resumed", resumed)
	}
	t.Logf("%d runs were resumed on a disk that had been full", resumed)
}

// Another process holds the database when an answer comes, at any question: the run says so, and goes on afterwards.
func TestLockedAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for k := range w.total {
		path := filepath.Join(t.TempDir(), "h.db")
		store, err := results.Open(t.Context(), path, results.Options{Busy: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		other, _ := openStore(t, path).DB()
		tool := newSpy(t)
		unlock := func() error { return nil }
		asked := 0
		tool.before = func(context.Context, ledger.Query) error {
			if asked++; asked == k+1 {
				tx, err := other.BeginTx(context.Background(), nil) // takes the write lock
				if err != nil {
					return err
				}
				unlock = tx.Rollback
			}
			return nil
		}
		out, err := newCampaign(store, tool).Run(t.Context(), w.spec)
		wantFault(t, out, err, results.ErrLocked)
		if err := errors.Join(unlock(), store.Close()); err != nil {
			t.Fatal(err)
		}
		if !w.goesOn(t, openStore(t, path)) {
			t.Error("the run is not there")
		}
	}
}

// The file is harmed under a run: it ends as if nothing had been, or it says that the database is damaged. What can still
// be opened afterwards goes on to the same end. Nothing is called finished that is not.
func TestDamagedUnderARun(t *testing.T) {
	t.Parallel()
	w, made := newWorld(t), emptyDatabase(t)
	moments := []int{0, w.total / 2, w.total - 1}
	if testing.Short() {
		moments = moments[1:2]
	}
	said := 0
	for name, harm := range map[string]func(b []byte) []byte{
		"cut off":         func(b []byte) []byte { return b[:len(b)/2] },
		"empty":           func([]byte) []byte { return nil },
		"written over":    func(b []byte) []byte { return bytes.Repeat([]byte{0xa5}, len(b)) },
		"its second half": func(b []byte) []byte { copy(b[len(b)/2:], bytes.Repeat([]byte{0xa5}, len(b)/2)); return b },
		"all but a page":  func(b []byte) []byte { clear(b[4096:]); return b },
	} {
		for _, suffix := range []string{"", "-wal"} {
			for _, k := range moments {
				if w.harmed(t, made, fmt.Sprintf("%s%s at question %d", name, suffix, k), suffix, k, harm) {
					said++
				}
			}
		}
	}
	if said == 0 {
		t.Error("no run noticed anything")
	}
	t.Logf("%d runs said that the database is damaged", said)
}

func (w world) harmed(t *testing.T, made []byte, what, suffix string, k int, harm func([]byte) []byte) (said bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "h.db")
	if err := os.WriteFile(path, made, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := results.Open(t.Context(), path, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tool := newSpy(t)
	asked := 0
	tool.before = func(context.Context, ledger.Query) error {
		if asked++; asked != k+1 {
			return nil
		}
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			return err
		}
		return os.WriteFile(path+suffix, harm(b), 0o600)
	}
	out, err := newCampaign(store, tool).Run(t.Context(), w.spec)
	switch {
	case err == nil:
		if diff := cmp.Diff(w.want, endingOf(t, store, out)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	case errors.Is(err, results.ErrDamaged) || errors.Is(err, results.ErrNotADatabase):
		said = true
		if out.ExitCode != campaign.ExitError {
			t.Errorf("%s: exit %d, %v", what, out.ExitCode, err)
		}
	default:
		t.Errorf("%s: %v", what, err)
	}
	_ = store.Close() // it may say so once more
	again, err := results.Open(t.Context(), path, results.Options{})
	if err != nil {
		if !errors.Is(err, results.ErrDamaged) && !errors.Is(err, results.ErrNotADatabase) {
			t.Errorf("%s: opened again: %v", what, err)
		}
		return true
	}
	defer again.Close() // it was read
	w.goesOn(t, again)
	return said
}

// twins are two endpoints that are this machine; the second answers when it is told to, and whatever else happens.
type twins struct {
	*spy
	now chan struct{}
}

func (w twins) Endpoints(ctx context.Context) ([]edr.Endpoint, error) {
	eps, err := w.spy.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	second := eps[0]
	second.ID += "-2"
	return append(eps, second), nil
}

func (w twins) Ask(ctx context.Context, ep edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
	if id, second := strings.CutSuffix(ep.ID, "-2"); second {
		<-w.now
		ep.ID, ctx = id, context.WithoutCancel(ctx)
	}
	return w.spy.Ask(ctx, ep, q)
}

// refusing is a store that takes no answer of one endpoint, and closes refused when it was given one.
type refusing struct {
	campaign.Store
	refused chan struct{}
}

func (r refusing) RecordAnswer(ctx context.Context, a results.AnswerRecord) error {
	if !strings.HasSuffix(a.Endpoint, "-2") {
		close(r.refused)
		return results.ErrLocked
	}
	return r.Store.RecordAnswer(ctx, a)
}

// An answer that comes when the run has failed already is kept.
func TestLateAnswerIsKept(t *testing.T) {
	t.Parallel()
	roots, digest := planted(t, 1)
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	failed := make(chan struct{})
	out, err := newCampaign(refusing{store, failed}, twins{newSpy(t), failed}).Run(t.Context(), specFor(roots, digest))
	wantFault(t, out, err, results.ErrLocked)
	if hits, _, err := store.Hits(t.Context(), results.Filter{}); err != nil || len(hits) != 1 || !strings.HasSuffix(hits[0].Endpoint, "-2") {
		t.Errorf("%+v, %v", hits, err)
	}
	open := make(chan struct{})
	close(open)
	tool := twins{newSpy(t), open}
	out, err = newCampaign(store, tool).Resume(t.Context(), out.Run)
	if err != nil || out.Summary.HitsTotal != 2 || tool.total() != 1 {
		t.Errorf("resumed: %+v, %v, %d questions", out, err, tool.total())
	}
}
