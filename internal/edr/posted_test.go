package edr_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// outbox is a tool whose endpoints come and ask. It counts how often it words its questions.
type outbox struct {
	tool
	worded *int
}

func (o outbox) Compile(ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	*o.worded++
	qs, err := o.tool.Compile(ep, w)
	for i := range qs {
		qs[i].Text = ep.Platform + " " + strings.Join(w.Search.FirstOn(ep), " ")
	}
	return qs, err
}

func (outbox) Lighter(q ledger.Query, _ int) (ledger.Query, bool, error) { return q, false, nil }
func (outbox) Answer(_ ledger.Query, d ledger.Delivery) ledger.Answer {
	return ledger.Answer{Rows: d.Rows}
}
func (outbox) Likeness(ep edr.Endpoint) string                         { return ep.Platform }
func (o outbox) Endpoints(ctx context.Context) ([]edr.Endpoint, error) { return o.tool.Endpoints(ctx) }

// Questions of a posted tool wait for those that sleep; what can not be asked has none.
func TestPostedPlan(t *testing.T) {
	t.Parallel()
	files := []indicator.File{{SHA256: hex(indicator.SHA256, "a")}}
	ends := []edr.Endpoint{
		{ID: "a", Hostname: "awake", Platform: "linux"}, {ID: "b", Hostname: "sleeps", Platform: "linux", Asleep: "last seen 2026-11-09"},
		{ID: "c", Hostname: "old", Platform: "linux", Cannot: "osquery 4.9.0 is older than 5.5.1"}, {ID: "d", Hostname: "left-out", Platform: "linux", Asleep: "x"},
	}
	x := fleet(indicator.SHA256)
	x.ends = ends
	got := plan(t, files, outbox{x, new(int)}, edr.Selection{Exclude: []string{"left-out"}}, edr.Search{})
	for i, want := range []struct {
		queries        int
		asleep, cannot bool
	}{{1, false, false}, {1, true, false}, {0, false, true}, {0, true, false}} {
		ep := got.Endpoints[i]
		if len(ep.Queries) != want.queries || (ep.Asleep != "") != want.asleep || (ep.Cannot != "") != want.cannot {
			t.Errorf("%s: %+v", ep.Endpoint.Hostname, ep)
		}
	}
	plain := plan(t, files, x, edr.Selection{}, edr.Search{})
	if ep := plain.Endpoints[1]; ep.Asleep != "" || len(ep.Queries) != 1 {
		t.Errorf("a tool that asks by itself takes %q for asleep", ep.Endpoint.Hostname)
	}
	if ep := plain.Endpoints[2]; ep.Cannot == "" || len(ep.Queries) != 0 {
		t.Errorf("%+v", ep)
	}
}

// A plan for ten thousand endpoints words each question once for all that are alike; the host of an alert has its own.
func TestPlanOfAFleetWordsOnce(t *testing.T) {
	t.Parallel()
	x := fleet(indicator.SHA256)
	x.ends, x.desc.Chunk = nil, 1
	platforms := []string{"linux", "darwin", "windows"}
	for i := range 10_000 {
		x.ends = append(x.ends, edr.Endpoint{ID: fmt.Sprintf("%05d", i), Hostname: fmt.Sprintf("ws-%05d.example", i), Platform: platforms[i%3]})
	}
	files := []indicator.File{{SHA256: hex(indicator.SHA256, "a")}, {SHA256: hex(indicator.SHA256, "b")}}
	search := edr.DefaultSearch()
	search.First = []edr.Place{{Host: "WS-00003", Path: "/srv/evil"}, {Host: "ws-00004", Path: "/srv/evil"}}
	o := outbox{x, new(int)}
	got := plan(t, files, o, edr.Selection{}, search)
	if want := len(files) * (len(platforms) + 2); *o.worded != want {
		t.Errorf("worded %d times instead of %d", *o.worded, want)
	}
	for i, ep := range got.Endpoints {
		first := (i == 3 || i == 4) && platforms[i%3] != "windows"
		want := platforms[i%3] + " "
		if first {
			want += "/srv/evil"
		}
		if len(ep.Queries) != 2 || ep.Queries[0].Text != want || strings.Contains(ep.Scope, "/srv/evil") != first {
			t.Fatalf("%s: %+v, scope %q", ep.Endpoint.Hostname, ep.Queries, ep.Scope)
		}
	}
}

// Places that are named for every platform are looked at where they are paths; an endpoint on which none is can not be asked.
func TestPlacesOfAMixedFleet(t *testing.T) {
	t.Parallel()
	files := []indicator.File{{SHA256: hex(indicator.SHA256, "a")}}
	x := fleet(indicator.SHA256)
	x.ends = []edr.Endpoint{{ID: "a", Hostname: "l", Platform: "linux"}, {ID: "b", Hostname: "w", Platform: "windows"}, {ID: "c", Hostname: "m", Platform: "darwin"}}
	search := edr.DefaultSearch()
	for _, c := range []struct {
		paths  []string
		cannot string // of the endpoint on Windows
		scopes []string
	}{
		{[]string{"/srv"}, "no path on windows: /srv", []string{"/srv", "", "/srv"}},
		{[]string{"/srv", `D:\data`, "c:/x"}, "", []string{"/srv", `D:\data, c:\x`, "/srv"}},
	} {
		search.Paths, search.Where = map[string][]string{"": c.paths}, []ledger.Stage{ledger.Files}
		got := plan(t, files, outbox{x, new(int)}, edr.Selection{}, search)
		for i, ep := range got.Endpoints {
			want := ""
			if i == 1 {
				want = c.cannot
			}
			if ep.Cannot != want || (len(ep.Queries) == 0) != (want != "") || (c.scopes[i] != "" && !strings.HasSuffix(ep.Scope, " in "+c.scopes[i])) {
				t.Errorf("%s of %q: cannot %q, %d queries, scope %q", ep.Endpoint.Hostname, c.paths, ep.Cannot, len(ep.Queries), ep.Scope)
			}
		}
	}
}
