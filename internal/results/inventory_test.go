package results_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

func stampOf(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// enrolled stores a node as the room that enrols them does.
func enrolled(t *testing.T, s *results.Store, n ledger.Node) {
	t.Helper()
	host, err := json.Marshal(n.Host)
	if err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256([]byte(n.ID))
	w, _ := s.DB()
	if _, err := w.ExecContext(t.Context(), `INSERT INTO node (id, key_hash, identifier, hostname, platform, host, agent, version, instance, secret, address, approved, enrolled_at, last_seen)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'main', '192.0.2.7', ?, ?, ?)`, n.ID, key[:], n.Identifier, n.Hostname, n.Platform, string(host), n.Agent, n.Version, n.Instance,
		n.Approved, stampOf(n.EnrolledAt), stampOf(n.LastSeen)); err != nil {
		t.Fatal(err)
	}
	for kind, value := range map[string]string{"identifier": n.Identifier, "hostname": n.Hostname, "serial": n.Serial} {
		if _, err := w.ExecContext(t.Context(), `INSERT INTO node_name (node, kind, value, first_seen) VALUES (?, ?, ?, ?)`, n.ID, kind, value, stampOf(n.EnrolledAt)); err != nil {
			t.Fatal(err)
		}
	}
}

func node(id, hostname, platform string, seen int) ledger.Node {
	return ledger.Node{
		ID: id, Host: ledger.Host{Identifier: "id-" + hostname, Hostname: hostname, Platform: platform, Serial: "SN-" + id}, Agent: ledger.AgentOsquery, Version: "5.23.0",
		EnrolledAt: resultstest.At(0), LastSeen: resultstest.At(seen),
	}
}

// fleetStore has three nodes, of which h1 was asked by a run, beside the endpoint "edr-only" that never enrolled.
func fleetStore(t *testing.T, approval results.Approval) *results.Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "hunter.db"), results.Options{Approval: approval})
	enrolled(t, s, node("h1", "web-1", "linux", 10))
	enrolled(t, s, node("h2", "ws-2\x1b[2J\u202e", "windows", 50))
	own := node("h3", "mac-3", "darwin", 50)
	own.Agent, own.Version, own.Approved = ledger.AgentHunter, "0.2", true
	enrolled(t, s, own)
	resultstest.Start(t, s, resultstest.RunOne, "sweep", resultstest.At(0), resultstest.Plan([]string{"h1"}, []string{"edr-only"}))
	return s
}

func endpoints(hosts []results.HostRow) string {
	var out []string
	for _, h := range hosts {
		id := h.Endpoint
		if h.Node == nil {
			id += "!"
		}
		if h.Run == "" {
			id += "-"
		}
		out = append(out, id)
	}
	return strings.Join(out, " ")
}

func TestHostsAndNodes(t *testing.T) {
	t.Parallel()
	s := fleetStore(t, results.Approval{Labels: []string{"server"}})
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(s.TakeLook(t.Context(), "h1", ledger.Look{Able: true, Version: "5.5.1", Labels: map[string]bool{"server": true, "old": false}, All: true}, resultstest.At(20)))
	check(s.TakeLook(t.Context(), "h2", ledger.Look{Able: true, Version: "4.9.0", Cannot: "osquery 4.9.0 is older than 5.5.1"}, resultstest.At(20)))
	for name, c := range map[string]struct {
		f    results.Filter
		nf   results.NodeFilter
		want string
	}{
		"all":                        {want: "edr-only! h1 h3- h2-"},
		"in a run":                   {f: results.Filter{Run: resultstest.RunOne}, want: "edr-only! h1"},
		"by state":                   {f: results.Filter{State: "hit"}, want: ""},
		"by id":                      {f: results.Filter{Host: "h2"}, want: "h2-"},
		"by another name":            {f: results.Filter{Host: "sn-H1"}, want: "h1"},
		"by the name in the run":     {f: results.Filter{Host: resultstest.Hostname("edr-only")}, want: "edr-only!"},
		"by platform":                {nf: results.NodeFilter{Platforms: []string{"linux", "darwin"}}, want: "edr-only! h1 h3-"},
		"by label":                   {nf: results.NodeFilter{Labels: []string{"server", "x"}}, want: "h1"},
		"by version":                 {nf: results.NodeFilter{Versions: []string{"5.5"}}, want: "h1"},
		"not by half a version":      {nf: results.NodeFilter{Versions: []string{"5.5.", "5."}}, want: ""},
		"by agent":                   {nf: results.NodeFilter{Agent: ledger.AgentHunter}, want: "h3-"},
		"seen since":                 {nf: results.NodeFilter{SeenSince: resultstest.At(30)}, want: "h3- h2-"},
		"unseen since":               {nf: results.NodeFilter{UnseenSince: resultstest.At(30)}, want: "h1"},
		"that can not be asked":      {nf: results.NodeFilter{CannotAlone: true}, want: "h2-"},
		"that are not approved":      {nf: results.NodeFilter{Unapproved: true}, want: "h2-"},
		"one":                        {f: results.Filter{Limit: 1}, want: "edr-only!"},
		"nobody is called like that": {f: results.Filter{Host: "' OR 1=1 --"}, want: ""},
	} {
		got, err := s.HostsAndNodes(t.Context(), c.f, c.nf)
		if err != nil || endpoints(got) != c.want {
			t.Errorf("%s: %q instead of %q, %v", name, endpoints(got), c.want, err)
		}
	}
	all, err := s.Inventory(t.Context(), results.NodeFilter{Host: "h1"})
	check(err)
	n := all[0]
	if len(all) != 1 || n.Serial != "SN-h1" || len(n.Names) != 3 || n.Version != "5.5.1" || !n.Approved || n.ApprovedBy != results.ApprovedByLabel || n.LookedAt != resultstest.At(20) ||
		cmp.Diff([]string{"server"}, n.Labels) != "" || n.Address != "192.0.2.7" || n.Twin != "" {
		t.Errorf("%+v", n)
	}
	twin := node("h9", "web-1", "linux", 60)
	enrolled(t, s, twin)
	if all, err = s.Inventory(t.Context(), results.NodeFilter{Host: "h1"}); err != nil || !strings.Contains(all[0].Twin, "h9") {
		t.Errorf("a twin is not seen: %+v, %v", all, err)
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	s := fleetStore(t, results.Approval{Labels: []string{"server"}})
	state := func(id string) string {
		t.Helper()
		all, err := s.Inventory(t.Context(), results.NodeFilter{Host: id})
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %+v, %v", id, all, err)
		}
		return all[0].ApprovedBy
	}
	look := func(id string, labels map[string]bool) {
		t.Helper()
		if err := s.TakeLook(t.Context(), id, ledger.Look{Labels: labels}, resultstest.At(20)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(id, by string) {
		t.Helper()
		if got := state(id); got != by {
			t.Errorf("%s is approved by %q instead of %q", id, got, by)
		}
	}
	want("h1", "")
	want("h3", results.ApprovedAtEnrolment)
	look("h1", map[string]bool{"server": true})
	want("h1", results.ApprovedByLabel)
	look("h1", map[string]bool{"server": false})
	want("h1", "")
	look("h3", map[string]bool{"other": true})
	want("h3", results.ApprovedAtEnrolment)
	if ids, err := s.Approve(t.Context(), []string{"WEB-1", "h1", "id-web-1"}); err != nil || cmp.Diff([]string{"h1"}, ids) != "" {
		t.Errorf("%v, %v", ids, err)
	}
	look("h1", map[string]bool{"server": false})
	want("h1", results.ApprovedByPerson)
	if _, err := s.Unapprove(t.Context(), []string{"h1"}); err != nil {
		t.Error(err)
	}
	want("h1", "")

	enrolled(t, s, node("h9", "web-1", "linux", 60))
	_, err := s.Approve(t.Context(), []string{"h2", "nobody", "web-1"})
	if !errors.Is(err, results.ErrNoNode) || !errors.Is(err, results.ErrManyNodes) || !strings.Contains(err.Error(), `"nobody"`) || !strings.Contains(err.Error(), "h1, h9") {
		t.Errorf("%v", err)
	}
	want("h2", "")
}

func TestForget(t *testing.T) {
	t.Parallel()
	s := fleetStore(t, results.Approval{})
	if err := s.TakeLook(t.Context(), "h1", ledger.Look{Labels: map[string]bool{"server": true}}, resultstest.At(20)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Forget(t.Context(), []string{"web-1"}); err != nil {
		t.Fatal(err)
	}
	got, err := s.HostsAndNodes(t.Context(), results.Filter{}, results.NodeFilter{})
	if err != nil || endpoints(got) != "edr-only! h1! h3- h2-" {
		t.Errorf("%q, %v", endpoints(got), err)
	}
	if _, err := s.Forget(t.Context(), []string{"web-1"}); !errors.Is(err, results.ErrNoNode) {
		t.Error(err)
	}
	_, r := s.DB()
	for _, table := range []string{"node_name", "node_label"} {
		var n int
		if err := r.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table+` WHERE node = 'h1'`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d rows are left, %v", table, n, err)
		}
	}
	if err := s.TakeLook(t.Context(), "h1", ledger.Look{Able: true, Labels: map[string]bool{"x": true}}, resultstest.At(30)); err != nil {
		t.Errorf("an answer of a node that was forgotten: %v", err)
	}
}

func TestDueLooks(t *testing.T) {
	t.Parallel()
	s := fleetStore(t, results.Approval{})
	due := func(at time.Time, limit int) string {
		t.Helper()
		nodes, err := s.DueLooks(t.Context(), at, limit)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, n := range nodes {
			out = append(out, n.ID)
		}
		return strings.Join(out, " ")
	}
	seen := func(at time.Time) time.Time {
		t.Helper()
		w, _ := s.DB()
		if _, err := w.ExecContext(t.Context(), `UPDATE node SET last_seen = ?`, stampOf(at)); err != nil {
			t.Fatal(err)
		}
		return at
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	start := seen(resultstest.At(59))
	if got := due(start, 10) + "; " + due(start, 2) + "; " + due(start.Add(2*time.Hour), 10); got != "h1 h2 h3; h1 h2; " {
		t.Errorf("%q", got)
	}
	check(s.LookSent(t.Context(), []string{"h1", "h2"}, start))
	check(s.TakeLook(t.Context(), "h1", ledger.Look{Able: true}, start.Add(time.Minute)))
	check(s.TakeLook(t.Context(), "h3", ledger.Look{Able: true}, start.Add(time.Minute))) // without having been sent: it is due all the same
	for after, want := range map[time.Duration]string{time.Minute: "h3", 61 * time.Minute: "h3 h2", 25 * time.Hour: "h3 h1 h2"} {
		if got := due(seen(start.Add(after)), 10); got != want {
			t.Errorf("after %s: %q instead of %q", after, got, want)
		}
	}
}

func TestParseApproval(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]results.Approval{
		"": {}, "manual": {}, "auto": {Auto: true}, "label:a label:b": {Labels: []string{"a", "b"}},
	} {
		got, err := results.ParseApproval(strings.Fields(words))
		if err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%q: %+v, %v", words, got, err)
		}
	}
	for _, words := range []string{"yes", "label:", "auto manual", "auto label:a", "label:a manual"} {
		if got, err := results.ParseApproval(strings.Fields(words)); err == nil {
			t.Errorf("%q is taken: %+v", words, got)
		}
	}
}

// Nothing that tells digests is handed to a node whose approval was taken back, whether it waited for it then or comes later.
func TestUnapprovedAreToldNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		blind, before bool
		want          string
	}{
		"it waits":             {false, false, ""},
		"it comes later":       {false, true, ""},
		"blind, it waits":      {true, false, "asked"},
		"blind, it comes then": {true, true, "asked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, filepath.Join(t.TempDir(), "hunter.db"), results.Options{})
			n := node("h1", "web-1", "linux", 10)
			n.Approved = true
			enrolled(t, s, n)
			plan := resultstest.Plan([]string{"h1"}, nil)
			for i := range plan.Queries {
				plan.Queries[i].Query.Blind = c.blind
			}
			resultstest.Start(t, s, resultstest.RunOne, "sweep", resultstest.At(0), plan)
			unapprove := func() {
				if _, err := s.Unapprove(t.Context(), []string{"h1"}); err != nil {
					t.Fatal(err)
				}
			}
			if c.before {
				unapprove()
			}
			if _, err := s.Release(t.Context(), resultstest.RunOne, "fleet", []string{"h1"}, 0, resultstest.At(1)); err != nil {
				t.Fatal(err)
			}
			if !c.before {
				unapprove()
			}
			p, known, err := s.Poll(t.Context(), sha256.Sum256([]byte("h1")), resultstest.At(2))
			if err != nil || !known || (p.Handout != nil) != (c.want != "") {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}
