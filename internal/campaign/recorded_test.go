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
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

const seenMD5 = "44d88612fea8a8f36de82e1278abb02f"

// archive is a recorded tool in memory: sensors, of which some have data, and hits.
type archive struct {
	sensors []edr.Endpoint
	data    map[string]string // "3" records of an endpoint; none is no data
	hits    []string          // endpoints
	control bool
	listErr error
	findErr error
	asked   map[string]int
	stop    func() // called at the first search
}

var archiveWindow = ledger.Window{From: time.Date(2026, 10, 26, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}

func (a *archive) Describe() edr.Description {
	return edr.Description{Name: "plant-floor", Type: "archive", Mode: ledger.Recorded, Kinds: []indicator.Kind{indicator.MD5}, Chunk: 2}
}

func (a *archive) Endpoints(context.Context) ([]edr.Endpoint, error) { return a.sensors, a.listErr }

func (a *archive) Window(context.Context) (ledger.Window, error) { return archiveWindow, nil }

func (a *archive) Compile(ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	return []ledger.Query{{ID: "present", Stage: ledger.Telemetry, Text: "sensor_id:" + ep.ID, Window: w.Window}}, nil
}

func (a *archive) Searches(w edr.Work) ([]ledger.Query, error) {
	q := ledger.Query{ID: "search-" + string(rune('0'+w.Chunk)), Stage: ledger.Telemetry, Text: "md5", Window: w.Window}
	for _, t := range w.Targets {
		q.Hashes = append(q.Hashes, t.Ask)
	}
	return []ledger.Query{q}, nil
}

func (a *archive) Ask(_ context.Context, ep edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
	n := a.data[ep.ID]
	if n == "" {
		n = "0"
	}
	return ledger.Answer{Rows: []ledger.Row{{"kind": "present", "n": n}}}, nil
}

func (a *archive) Search(ctx context.Context, q ledger.Query) (ledger.Answer, error) {
	a.asked[q.ID]++
	if a.stop != nil && q.ID == "search-1" {
		a.stop()
		<-ctx.Done()
		return ledger.Answer{}, ctx.Err()
	}
	if a.findErr != nil {
		return ledger.Answer{}, a.findErr
	}
	var out ledger.Answer
	if a.control {
		out.Rows = append(out.Rows, ledger.Row{"kind": "control", "name": strings.Repeat("6", 32)})
	}
	for _, h := range q.Hashes {
		if h.Value == seenMD5 {
			for _, e := range a.hits {
				out.Rows = append(out.Rows, ledger.Row{"kind": "hit", "endpoint": e, "hostname": "host-" + e, "path": `c:\a.com`, "md5": seenMD5})
			}
		}
	}
	return out, nil
}

func (a *archive) Close() error { return nil }

func newArchive() *archive {
	at := archiveWindow.To
	return &archive{
		sensors: []edr.Endpoint{
			{ID: "1", Hostname: "host-1", LastSeen: at},
			{ID: "2", Hostname: "host-2", LastSeen: at},
			{ID: "3", Hostname: "host-3", LastSeen: at},
			{ID: "4", Hostname: "host-4", LastSeen: archiveWindow.From.AddDate(0, -1, 0)},
			{ID: "5", Hostname: "host-5", LastSeen: at, Gone: "uninstalled"},
			{ID: "6", Hostname: "host-6", LastSeen: at, Behind: "offline since 2026-11-20"},
		},
		data: map[string]string{"1": "9", "2": "4", "6": "2"}, hits: []string{"1", "5", "77"}, control: true, asked: map[string]int{},
	}
}

// archiveSpec asks for three digests, in two searches.
func archiveSpec() campaign.Spec {
	spec := campaign.Spec{Hunt: "sweep", Pivot: pivot.DefaultOptions(), Search: edr.DefaultSearch(), DoneWhen: campaign.DoneWhen{Verified: 1, NotSeen: true}}
	spec.SeedHashes([]indicator.Indicator{
		{Kind: indicator.MD5, Value: seenMD5}, {Kind: indicator.MD5, Value: strings.Repeat("1", 32)}, {Kind: indicator.MD5, Value: strings.Repeat("2", 32)},
	})
	return spec
}

// states gives the state of every target by its endpoint.
func states(t *testing.T, s *results.Store, run string) map[string]results.Target {
	t.Helper()
	targets, err := s.Targets(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]results.Target{}
	for _, x := range targets {
		out[x.Endpoint] = x
	}
	return out
}

func wantState(t *testing.T, got map[string]results.Target, id string, state ledger.State, says string) {
	t.Helper()
	c := got[id].Coverage
	if c.State != state || !strings.Contains(c.Reason, says) || c.Proven {
		t.Errorf("endpoint %s is %s (%q), proven %v; want %s (%q)", id, c.State, c.Reason, c.Proven, state, says)
	}
}

func TestRecordedTool(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	tool := newArchive()
	out, err := newCampaign(store, tool).Run(t.Context(), archiveSpec())
	if err != nil {
		t.Fatal(err)
	}
	got := states(t, store, out.Run)
	wantState(t, got, "1", ledger.Hit, "")
	wantState(t, got, "2", ledger.NotSeen, "")
	wantState(t, got, "3", ledger.Unverified, "no data of this endpoint")
	wantState(t, got, "4", ledger.Asleep, "last seen 2026-09-26")
	wantState(t, got, "5", ledger.Excluded, "uninstalled")
	wantState(t, got, "6", ledger.Partial, "offline since")
	wantState(t, got, "77", ledger.Hit, "not in the tool's list")
	if w := got["2"]; !w.WindowFrom.Equal(archiveWindow.From) || w.Mode != ledger.Recorded || w.Scope == "" {
		t.Errorf("target %+v", w)
	}
	if got["77"].Hostname != "host-77" {
		t.Errorf("extra endpoint is called %q", got["77"].Hostname)
	}
	if out.ExitCode != campaign.ExitHits || out.Summary.HitsTotal != 2 || out.Summary.Endpoints != 0 || out.Summary.Recorded != 6 || out.Summary.NotSeen != 1 {
		t.Errorf("outcome %+v", out)
	}
	if tool.asked["search-0"] != 1 || tool.asked["search-1"] != 1 {
		t.Errorf("asked %v", tool.asked)
	}
}

// Without the control nothing was looked at, whatever the answer looks like.
func TestRecordedToolWithoutControl(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	tool := newArchive()
	tool.control, tool.hits = false, nil
	out, err := newCampaign(store, tool).Run(t.Context(), archiveSpec())
	if err != nil {
		t.Fatal(err)
	}
	got := states(t, store, out.Run)
	for _, id := range []string{"1", "2"} {
		wantState(t, got, id, ledger.Unverified, "did not find the file that the server itself had listed")
	}
	if out.ExitCode != campaign.ExitUnproven {
		t.Errorf("outcome %+v", out)
	}
}

func TestRecordedToolNotSeen(t *testing.T) {
	t.Parallel()
	for accept, code := range map[bool]int{true: campaign.ExitProven, false: campaign.ExitUnproven} {
		store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
		tool := newArchive()
		tool.sensors, tool.hits = tool.sensors[:2], nil
		spec := archiveSpec()
		spec.DoneWhen.NotSeen = accept
		out, err := newCampaign(store, tool).Run(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if out.ExitCode != code || out.Summary.NotSeen != 2 {
			t.Errorf("accept %v: outcome %+v", accept, out)
		}
	}
}

// A tool that can't list its endpoints is one gap that stands for all of them; one that can't go on is asked no more.
func TestRecordedToolDown(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	tool := newArchive()
	tool.listErr = errors.New("the credentials are refused (HTTP 401)")
	out, err := newCampaign(store, tool).Run(t.Context(), archiveSpec())
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, states(t, store, out.Run), edr.AllEndpoints, ledger.Error, "HTTP 401")
	if out.ExitCode != campaign.ExitUnproven {
		t.Errorf("outcome %+v", out)
	}

	tool = newArchive()
	tool.findErr = errors.New("the credentials are refused (HTTP 401)")
	out, err = newCampaign(store, tool).Run(t.Context(), archiveSpec())
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, states(t, store, out.Run), "2", ledger.Error, "HTTP 401")
	if len(tool.asked) != 1 {
		t.Errorf("after its refusal it was asked on: %v", tool.asked)
	}
}

// Only the hosts that a hunt names count; hits elsewhere are not its own.
func TestRecordedToolNarrowed(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	spec := archiveSpec()
	spec.Select.Hosts = []string{"host-2"}
	out, err := newCampaign(store, newArchive()).Run(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	got := states(t, store, out.Run)
	wantState(t, got, "2", ledger.NotSeen, "")
	queries, err := store.Queries(t.Context(), out.Run)
	if err != nil || len(queries) != 3 || len(queries[0].Search.Notes)+len(queries[1].Search.Notes) != 1 {
		t.Errorf("queries %+v, %v", queries, err)
	}
	if len(got) != 1 || out.Summary.HitsTotal != 0 {
		t.Errorf("targets %v, %d hits", got, out.Summary.HitsTotal)
	}
}

func TestRecordedToolResumes(t *testing.T) {
	t.Parallel()
	store := openStore(t, filepath.Join(t.TempDir(), "h.db"))
	ctx, cancel := context.WithCancel(t.Context())
	tool := newArchive()
	tool.stop = cancel
	out, err := newCampaign(store, tool).Run(ctx, archiveSpec())
	if err != nil || !out.Detached {
		t.Fatalf("outcome %+v, %v", out, err)
	}
	if s := states(t, store, out.Run)["2"].Coverage.State; s == ledger.NotSeen {
		t.Errorf("half a search says %s", s)
	}
	tool.stop = nil
	again, err := newCampaign(store, tool).Resume(t.Context(), out.Run)
	if err != nil {
		t.Fatal(err)
	}
	got := states(t, store, out.Run)
	wantState(t, got, "1", ledger.Hit, "")
	wantState(t, got, "2", ledger.NotSeen, "")
	wantState(t, got, "77", ledger.Hit, "not in the tool's list")
	if again.Run != out.Run || tool.asked["search-0"] != 1 || tool.asked["search-1"] != 2 || again.Summary.HitsTotal != 2 {
		t.Errorf("outcome %+v, asked %v", again, tool.asked)
	}
}
