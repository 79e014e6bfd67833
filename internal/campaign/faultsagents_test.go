package campaign_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote/remotetest"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// keyHash is what of a node key is stored.
func keyHash(key string) ledger.KeyHash { return sha256.Sum256([]byte(key)) }

// agentsThatLie has one honest agent, one with the file, and one for each lie, in one run.
func agentsThatLie(t *testing.T) string {
	type lie struct {
		what   string
		with   bool
		tell   func(rows []map[string]string) []map[string]string
		state  ledger.State
		reason string
	}
	same := func(rows []map[string]string) []map[string]string { return rows }
	lies := []lie{
		{"honest", false, same, ledger.Absent, ""},
		{"honest, with the file", true, same, ledger.Hit, ""},
		{"rows left out", false, func(rows []map[string]string) []map[string]string { return rows[:len(rows)-1] }, ledger.Unverified, "control"},
		{"no rows", false, func([]map[string]string) []map[string]string { return nil }, ledger.Unverified, "0 meta rows"},
		{"other columns", false, func([]map[string]string) []map[string]string { return []map[string]string{{"pid": "1"}} }, ledger.Unverified, "a row of unknown kind"},
		{"a digest that was never asked", false, func(rows []map[string]string) []map[string]string {
			return append(rows, map[string]string{"kind": "hit", "path": "/x", "sha256": unknown})
		}, ledger.Unverified, "a hit row carries no digest that was asked for"},
		{"more rows than allowed", false, func(rows []map[string]string) []map[string]string {
			for i := range ledger.ListMax + 1 {
				rows = append(rows, map[string]string{"kind": "unhashed", "path": fmt.Sprint("/", i)})
			}
			return rows
		}, ledger.Unverified, "unhashed files are listed instead of"},
		{"meta of another machine, with the file", true, func(rows []map[string]string) []map[string]string {
			rows[slices.IndexFunc(rows, func(r map[string]string) bool { return r["kind"] == "meta" })]["owner"] = "another"
			return rows
		}, ledger.Hit, ledger.TwoMachines},
	}
	n := len(lies)
	added := 0
	r := newRig(t, n+1, remote.Limits{}, func(_ *rig, i int, o *remotetest.Options) {
		if i < n {
			o.Faults.Lie = func(_ string, res remotetest.Result) remotetest.Result { res.Rows = lies[i].tell(res.Rows); return res }
			return
		}
		o.Faults.Add = func(all map[string]remotetest.Result) { // it answers what nobody asked, once
			if len(all) > 0 && added == 0 {
				for name, res := range maps.Clone(all) {
					all[strings.Replace(name, "-a1", "-a3", 1)], all["hunter-nonsense"], added = res, res, 2
				}
			}
		}
	})
	for i, l := range lies {
		r.with[i] = l.with
	}
	r.with[n] = true
	s := r.spec(r.digest)
	run := r.request(s)
	r.turn(time.Second)
	r.until(run, 5, func() { r.steps(0, n+1) })
	states := map[ledger.State]int{}
	for i, l := range lies {
		c := r.target(run, i).Coverage
		states[c.State]++
		if c.State != l.state || !strings.Contains(c.Reason, l.reason) || c.Proven != (c.State == ledger.Absent || l.what == "honest, with the file") {
			t.Errorf("%s: %+v", l.what, c)
		}
		if r.agents[i].Waiting() != 0 || r.agents[i].Failed != 0 {
			t.Errorf("%s: not acknowledged: %d wait, %d failed", l.what, r.agents[i].Waiting(), r.agents[i].Failed)
		}
	}
	foreign := r.count(`SELECT sum(foreigners) FROM node`)
	if foreign != added || len(r.events(run, results.EventForeign)) != 1 || r.summary(run).HitsTotal != 3 || r.target(run, n).Coverage.State != ledger.Hit {
		t.Errorf("%d answers that nobody asked for are counted, %d hits, %+v", foreign, r.summary(run).HitsTotal, r.target(run, n).Coverage)
	}
	return fmt.Sprintf("%d lies: all acknowledged, 0 proven by a lie, 3 true hits kept; %d answers nobody asked for counted, 1 told in the run", n-2, foreign)
}

// stolenKey has an agent that uses the key of another one.
func stolenKey(t *testing.T) string {
	r := newRig(t, 3, remote.Limits{})
	r.with[1] = true
	run := r.request(r.spec(r.digest))
	r.turn(time.Second)
	thief := r.agents[1]
	thief.SetKey(r.agents[0].Key())
	r.steps(1, 2) // it gets what the first is due, and answers in its name
	if c := r.target(run, 0).Coverage; c.State != ledger.Hit || c.Proven || !strings.Contains(c.Reason, ledger.TwoMachines) {
		t.Errorf("%+v", c)
	}
	r.steps(0, 1)
	r.steps(2, 3)
	thief.SetKey("")
	r.until(run, 20, func() { r.steps(0, 3) })
	if c := r.target(run, 0).Coverage; c.State != ledger.Hit || c.Proven || !strings.Contains(c.Reason, ledger.TwoMachines) {
		t.Errorf("at the end: %+v", c)
	}
	if c := r.target(run, 2).Coverage; c.State != ledger.Absent || !c.Proven {
		t.Errorf("another one: %+v", c)
	}
	return "the hit is kept and unverified, 0 proven through it; others proven"
}

// tooLarge has two agents send far more than is kept, one of them with hits; the API reads it all.
func tooLarge(t *testing.T) string {
	const n, many = 3, 60_000
	r := newRig(t, n, remote.Limits{}, func(_ *rig, i int, o *remotetest.Options) {
		if i == n-1 {
			return
		}
		o.Faults.Lie = func(_ string, res remotetest.Result) remotetest.Result {
			junk := map[string]string{"kind": "seen", "path": strings.Repeat("x", 700)}
			out := slices.Clone(res.Rows[:1])
			for range many {
				out = append(out, junk)
			}
			res.Rows = append(out, res.Rows[1:]...)
			return res
		}
	})
	r.with[0] = true
	run := r.request(r.spec(r.digest))
	r.turn(time.Second)
	r.until(run, 5, func() { r.steps(0, n) })
	if c := r.target(run, 0).Coverage; c.State != ledger.Hit || c.Proven || !strings.Contains(c.Reason, "answer too large") {
		t.Errorf("with a hit: %+v", c)
	}
	if c := r.target(run, 1).Coverage; c.State != ledger.Error || !strings.Contains(c.Reason, "answer too large") {
		t.Errorf("without: %+v", c)
	}
	for i, a := range r.agents {
		if a.Waiting() != 0 || a.Failed != 0 {
			t.Errorf("agent %d: not acknowledged", i)
		}
	}
	if r.summary(run).HitsTotal != 1 || r.target(run, 2).Coverage.State != ledger.Absent {
		t.Errorf("%d hits, %+v", r.summary(run).HitsTotal, r.target(run, 2).Coverage)
	}
	return fmt.Sprintf("2 answers of %d MiB acknowledged: 1 hit kept, the other error \"answer too large\"; another host proven", many*720>>20)
}

// neverReads has an agent that asks over and over and reads no reply.
func neverReads(t *testing.T) string {
	const asks = 200
	r := newRig(t, 3, remote.Limits{RequestTime: time.Second})
	run := r.request(r.spec(r.digest))
	r.turn(time.Second)
	conn, err := tls.Dial("tcp", r.web.Listener.Addr().String(), r.client())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := fmt.Sprintf(`{"node_key":%q}`, r.agents[0].Key())
	if err := conn.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for range asks {
		if _, err := fmt.Fprintf(conn, "POST /api/osquery/distributed/read HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
			break // the server has had enough
		}
	}
	_ = conn.CloseWrite()
	_, _ = io.Copy(io.Discard, conn) // until the server has answered all that it will: then it is known what was handed out
	r.until(run, 40, func() { r.steps(1, 3) })
	hands := r.count(`SELECT count(*) FROM handout WHERE run = ? AND node = ?`, run, r.nodes[0].ID)
	c := r.target(run, 0).Coverage
	if c.State != ledger.Timeout || hands < 1 || hands > campaign.MaxAttempts {
		t.Errorf("%d names were handed out, %+v", hands, c)
	}
	r.wants(run, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 2, ledger.Timeout: 1})
	return fmt.Sprintf("%d polls unread: %d attempts handed out, then timeout; 2 others proven", asks, hands)
}

// twoMachines has two machines with one host identifier, both alive, and then one of them silent.
func twoMachines(t *testing.T) string {
	r := newRig(t, 2, remote.Limits{})
	r.turn(time.Minute)
	r.steps(0, 2)
	r.turn(30 * time.Second)
	r.add(2, func(_ *rig, _ int, o *remotetest.Options) { o.Identifier = "id0" })
	if r.nodes[2].ID == r.nodes[0].ID {
		t.Fatal("the second machine takes the place of the first, which lives")
	}
	r.turn(time.Minute)
	r.steps(0, 3)
	r.turn(time.Second)
	r.with[0], r.with[1], r.with[2] = true, false, false
	first := r.request(r.spec(r.digest))
	r.turn(time.Second)
	r.until(first, 5, func() { r.steps(0, 3) })
	if c := r.target(first, 0).Coverage; c.State != ledger.Hit || c.Proven || !strings.Contains(c.Reason, ledger.TwoMachines) {
		t.Errorf("the first, with the file: %+v", c)
	}
	if c := r.target(first, 2).Coverage; c.State != ledger.Unverified || !strings.Contains(c.Reason, ledger.TwoMachines) {
		t.Errorf("the second: %+v", c)
	}
	if c := r.target(first, 1).Coverage; c.State != ledger.Absent || !c.Proven || r.summary(first).HitsTotal != 1 {
		t.Errorf("another one: %+v, %d hits", c, r.summary(first).HitsTotal)
	}
	for range 5 { // the first one falls silent
		r.turn(time.Hour)
		r.steps(1, 3)
	}
	r.turn(time.Second)
	second := r.request(r.spec(unknown))
	r.turn(time.Second)
	r.until(second, 5, func() { r.steps(1, 3) })
	r.wants(second, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 2, ledger.Asleep: 1})
	if c := r.target(second, 2).Coverage; !c.Proven {
		t.Errorf("the second, alone: %+v", c)
	}
	r.steps(0, 1) // it is back: both are unverified again
	r.turn(time.Minute)
	third := r.request(r.spec(unknown))
	r.turn(time.Second)
	r.until(third, 5, func() { r.steps(0, 3) })
	r.wants(third, results.RunFinished, campaign.ExitUnproven, map[ledger.State]int{ledger.Absent: 1, ledger.Unverified: 2})
	return "both live: 2 unverified, 1 hit kept; one silent: the other proven; both again: 2 unverified"
}

// forgotten has a person remove hosts in the middle of a run: one that has its query, one that waits for it, one whose turn has
// not come, and one that has answered.
func forgotten(t *testing.T) string {
	const n = 8
	r := newRig(t, n, remote.Limits{})
	s := r.spec(r.digest)
	s.Fleet = campaign.DefaultFleet()
	s.Fleet.Rate = campaign.Rate{Count: n - 2, Per: time.Second}
	run := r.request(s)
	r.turn(time.Second)
	r.with[0], r.hold[1] = true, true
	r.steps(0, 2)
	let := r.count(`SELECT count(*) FROM target WHERE run = ? AND open = 1`, run)
	if _, err := r.store.Forget(t.Context(), []string{r.nodes[0].ID, r.nodes[1].ID, r.nodes[2].ID, r.nodes[n-1].ID}); err != nil {
		t.Fatal(err)
	}
	clear(r.hold)
	r.until(run, 10, func() { r.steps(3, n-1) })
	r.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 1, ledger.Absent: n - 4, ledger.Timeout: 1, ledger.Unasked: 2})
	for _, i := range []int{1, 2, n - 1} {
		if c := r.target(run, i).Coverage; !strings.Contains(c.Reason, "forgotten") {
			t.Errorf("%d: %+v", i, c)
		}
	}
	r.steps(1, 3) // they enrol anew, and are others
	r.turn(time.Second)
	nodes, err := r.store.Nodes(t.Context())
	if err != nil || len(nodes) != n-2 {
		t.Errorf("%d nodes, %v", len(nodes), err)
	}
	if len(r.events(run, results.EventForeign)) != 1 || r.agents[1].Waiting() != 0 {
		t.Errorf("what one had found comes under a name that is not its own: %+v", r.events(run, results.EventForeign))
	}
	return fmt.Sprintf("4 of %d forgotten (%d open): the run ends, 3 say that they were forgotten, 1 hit kept; 2 enrolled anew, 1 answer foreign", n, let)
}

// stopRule has so many hosts fail in one way that the run stops.
func stopRule(t *testing.T, state ledger.State) string {
	const n = 60
	r := newRig(t, n, remote.Limits{}, func(_ *rig, i int, o *remotetest.Options) {
		switch {
		case i%3 != 0:
		case state == ledger.Error:
			o.Answer = func(string) remotetest.Result { return remotetest.Result{Status: 1, Message: "disk I/O error"} }
		case state == ledger.Denylisted:
			o.Answer = func(string) remotetest.Result {
				return remotetest.Result{Status: 1, Message: remotetest.Denylisted}
			}
		case state == ledger.Timeout:
			o.Faults.Hold = func(string) bool { return true } // it polls, and never answers
		}
	})
	s := r.spec(unknown)
	s.Fleet = campaign.DefaultFleet()
	s.Fleet.Rate = campaign.Rate{Count: n - 5, Per: time.Second}
	switch state {
	case ledger.Timeout: // the first shares must not stop it
		s.Fleet.StopIf = campaign.StopIf{Timeout: 0.2}
	case ledger.Denylisted:
		s.Fleet.StopIf = campaign.StopIf{Denylisted: 0.2}
	}
	if state != ledger.Timeout { // some are not reached
		s.Fleet.Rate = campaign.Rate{Count: n - 5, Per: 10 * time.Minute}
	}
	run := r.request(s)
	r.turn(time.Second)
	sum := r.until(run, 60, func() { r.steps(0, n) })
	if sum.State != results.RunStopped || !strings.Contains(sum.Error, "ws-0") || !strings.Contains(sum.Error, "("+string(state)+")") || !strings.Contains(sum.Error, "more") {
		t.Errorf("%s: %q, %v", sum.State, sum.Error, sum.States)
	}
	unasked := 0
	for i := range n {
		c := r.target(run, i).Coverage
		if c.State == ledger.Unasked {
			unasked++
			if !strings.Contains(c.Reason, "stopped: ") {
				t.Errorf("%d: %+v", i, c)
			}
		}
		if c.Proven && i%3 == 0 {
			t.Errorf("%d: %+v", i, c)
		}
	}
	if sum.States[state] < 2 || (unasked == 0 && state != ledger.Timeout) {
		t.Errorf("%v", sum.States)
	}
	before := r.count(`SELECT count(*) FROM handout WHERE run = ?`, run)
	r.steps(0, n)
	if after := r.count(`SELECT count(*) FROM handout WHERE run = ?`, run); after != before {
		t.Errorf("%d were asked after the stop", after-before)
	}
	return fmt.Sprintf("%d hosts: %d %s, stopped with the hosts named; %d unasked with the reason, 0 asked after it", n, sum.States[state], state, unasked)
}

// knows is a source of intelligence with one report: the seed and another file.
type knows struct{ seed, other indicator.Indicator }

func (knows) Describe() pivot.Description {
	return pivot.Description{Name: "knows", Type: "files", Local: true}
}

func (knows) Resolve(context.Context, []indicator.Indicator) (pivot.Result, error) {
	return pivot.Result{}, nil
}

func (k knows) Related(_ context.Context, ind indicator.Indicator, _ pivot.Limits) (pivot.Result, error) {
	if ind != k.seed {
		return pivot.Result{}, nil
	}
	rep := indicator.Report{Provider: "knows", ID: "1", Title: "a report"}
	return pivot.Result{
		Reports: []indicator.Report{rep},
		Edges:   []indicator.Edge{{From: indicator.RefOf(k.seed), To: indicator.RefOf(k.other), Relation: indicator.RelSameReport, Report: rep.Ref(), Confidence: 90, Provider: "knows"}},
	}, nil
}

// commonHash has intelligence name a file beside the seed that is on a third of the hosts: a library, say.
func commonHash(t *testing.T) string {
	const n = 60
	r := newRig(t, n, remote.Limits{})
	r.knowing(knows{indicator.Indicator{Kind: indicator.SHA256, Value: unknown}, indicator.Indicator{Kind: indicator.SHA256, Value: r.digest}})
	run := r.request(r.spec(unknown))
	for range 3 {
		r.turn(time.Second)
	}
	for i := range n {
		r.with[i] = i%3 == 0
	}
	r.steps(0, n-5)
	r.turn(time.Second)
	if told := r.events(run, results.EventAside); len(told) != 1 {
		t.Errorf("%d events with %d answers", len(told), n-5)
	}
	r.until(run, 10, func() { r.steps(0, n) }) // the others are asked for it all the same
	r.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: n / 3, ledger.Absent: n - n/3})
	told := r.events(run, results.EventAside)
	if len(told) != 1 || !strings.Contains(told[0].Detail, r.digest) {
		t.Fatalf("%+v", told)
	}
	v, err := report.Load(t.Context(), r.store, run)
	if err != nil {
		t.Fatal(err)
	}
	for name, present := range map[string]func(io.Writer, report.View) error{"say": report.Say, "text": report.Text(report.Style{}), "markdown": report.Markdown, "html": report.HTML, "json": report.JSON} {
		var out strings.Builder
		if err := present(&out, v); err != nil || !strings.Contains(out.String(), "a person is to judge it") {
			t.Errorf("%s does not tell of it: %v", name, err)
		}
	}
	return fmt.Sprintf("on %d of %d hosts: 1 event, told in say and every report, asked to the end (%d hits)", n/3, n, n/3)
}
