package remote_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

func fleet(t *testing.T, nodes ...ledger.Node) (*bench, *remote.Tool) {
	t.Helper()
	b := newBench(t)
	for _, n := range nodes {
		b.nodes[n.ID] = n
	}
	return b, remote.NewTool("fleet", remote.ToolOptions{Nodes: b.book, Now: b.now})
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	host := func(name, platform string) ledger.Host { return ledger.Host{Hostname: name, Platform: platform} }
	at := time.Date(2026, 11, 25, 11, 0, 0, 0, time.UTC)
	b, tool := fleet(t,
		ledger.Node{ID: "1", Host: host("web", "linux"), Agent: ledger.AgentOsquery, Version: "5.5.1", Approved: true, LastSeen: at, Labels: []string{"dmz"}},
		ledger.Node{ID: "2", Host: host("old", "linux"), Agent: ledger.AgentOsquery, Version: "4.9.0", Approved: true},
		ledger.Node{ID: "3", Host: host("bsd", "freebsd"), Agent: ledger.AgentOsquery, Version: "5.23.0", Approved: true},
		ledger.Node{ID: "4", Host: host("twin", "windows"), Agent: ledger.AgentHunter, Version: "1.0.0", Twin: "two machines with one identity"},
		ledger.Node{ID: "5", Host: host("no hash", "darwin"), Agent: ledger.AgentOsquery, Version: "unknown", Approved: true, Cannot: "no table hash"},
	)
	got, err := tool.Endpoints(t.Context())
	const never = "not seen since it enrolled"
	want := []edr.Endpoint{
		{ID: "1", Hostname: "web", Platform: "linux", LastSeen: at, Asleep: "last seen 2026-11-25", Labels: []string{"dmz"}},
		{ID: "2", Hostname: "old", Platform: "linux", Asleep: never, Cannot: "osquery 4.9.0 is older than 5.5.1"},
		{ID: "3", Hostname: "bsd", Platform: "freebsd", Asleep: never, Cannot: `hunter has no queries for the platform "freebsd"`},
		{ID: "4", Hostname: "twin", Platform: "windows", Asleep: never, Blind: "not approved", Notes: []string{"two machines with one identity"}},
		{ID: "5", Hostname: "no hash", Platform: "darwin", Asleep: never, Cannot: "no table hash"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	b.fail = errBook
	if _, err := tool.Endpoints(t.Context()); err == nil {
		t.Error("a failure reads as an empty fleet")
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, old := range map[string]bool{"5.5.0": true, "5.4.99": true, "4.9": true, "5.5.1": false, "5.23.0-12-gabc": false, "6.0": false, "5.6": false, "": false, "x": false} {
		if got := remote.Cannot(ledger.Node{Host: ledger.Host{Platform: "linux"}, Agent: ledger.AgentOsquery, Version: version}); (got != "") != old {
			t.Errorf("%s: %q", version, got)
		}
	}
}

// The same question has the same text on every node of a platform; hunter's own agents are asked without a budget.
func TestCompile(t *testing.T) {
	t.Parallel()
	host := ledger.Host{Hostname: "h", Platform: "linux"}
	_, tool := fleet(t,
		ledger.Node{ID: "1", Host: host, Agent: ledger.AgentOsquery, Approved: true}, ledger.Node{ID: "2", Host: ledger.Host{Hostname: "other", Platform: "linux"}, Agent: ledger.AgentOsquery, Approved: true},
		ledger.Node{ID: "3", Host: host, Agent: ledger.AgentHunter, Approved: true},
	)
	files := []indicator.File{{SHA256: strings.Repeat("a1", 32)}, {MD5: strings.Repeat("b2", 16), Size: 84480}}
	plan, err := edr.MakePlan(t.Context(), files, []edr.Tool{tool}, edr.Selection{}, edr.DefaultSearch())
	if err != nil {
		t.Fatal(err)
	}
	eps := plan.Tools[0].Endpoints
	if len(eps) != 3 || len(eps[0].Queries) < 10 {
		t.Fatalf("%d endpoints", len(eps))
	}
	if diff := cmp.Diff(eps[0].Queries, eps[1].Queries); diff != "" {
		t.Error(diff)
	}
	for i, want := range []string{ledger.EngineOsqueryd, ledger.EngineOsqueryd, ledger.EngineEmbedded} {
		budget := false
		for _, q := range eps[i].Queries {
			budget = budget || q.Budget != (ledger.Budget{})
			if q.Engine != want || q.SelfPath != "" {
				t.Errorf("%s: %s %s", eps[i].Endpoint.ID, q.Engine, q.SelfPath)
			}
		}
		if budget != (want == ledger.EngineOsqueryd) {
			t.Errorf("%s: budget %t", eps[i].Endpoint.ID, budget)
		}
	}
	q := eps[0].Queries[0]
	lighter, ok, err := tool.Lighter(q, 3)
	if err != nil || !ok || lighter.Text == q.Text || !strings.HasSuffix(lighter.Text, "/* attempt 3 */") {
		t.Error(lighter.Text, ok, err)
	}
	d := tool.Describe()
	if d.Name != "fleet" || d.Type != "osquery_remote" || d.Mode != ledger.Live || d.Chunk != 5000 || d.Local || len(d.Kinds) != 3 {
		t.Errorf("%+v", d)
	}
	if _, err := tool.Ask(t.Context(), eps[0].Endpoint, q); err == nil {
		t.Error("a fleet was asked at once")
	}
}

func TestToolCheck(t *testing.T) {
	t.Parallel()
	b, tool := fleet(t)
	if got := tool.Check(t.Context()); got[0].State != diag.CheckUnknown || !strings.Contains(got[0].Next, "enroll-kit") {
		t.Errorf("%+v", got)
	}
	b.node("one", ledger.AgentHunter)
	if got := tool.Check(t.Context()); !diag.AllOK(got) || !strings.Contains(got[0].Detail, "1 machines enrolled, 1 polled") {
		t.Errorf("%+v", got)
	}
	b.move(4 * time.Minute)
	if got := tool.Check(t.Context()); got[0].State != diag.CheckFail {
		t.Errorf("%+v", got)
	}
	b.fail = errBook
	if got := tool.Check(t.Context()); got[0].State != diag.CheckUnknown {
		t.Errorf("%+v", got)
	}
	if err := tool.Close(); err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if err := remote.NewConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, d := range []time.Duration{0, time.Second, -time.Minute, 2 * time.Hour} {
		if (&remote.Config{Interval: d}).Validate() == nil {
			t.Error(d)
		}
	}
}

// Nodes that polled within three intervals, or three minutes, are awake.
func TestAsleep(t *testing.T) {
	t.Parallel()
	b, _ := fleet(t)
	now := b.now()
	for ago, want := range map[time.Duration]bool{0: false, 3 * time.Minute: false, 3*time.Minute + time.Second: true} {
		b.nodes["1"] = ledger.Node{ID: "1", Host: ledger.Host{Platform: "linux"}, LastSeen: now.Add(-ago)}
		got, err := remote.NewTool("fleet", remote.ToolOptions{Nodes: b.book, Now: func() time.Time { return now }}).Endpoints(t.Context())
		if err != nil || (got[0].Asleep != "") != want {
			t.Errorf("%s: %q, %v", ago, got[0].Asleep, err)
		}
	}
}
