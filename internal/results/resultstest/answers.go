package resultstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

func answerRoundTrip(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	row := Row(HostilePath)
	row.PID, row.StartedAt, row.Cmdline = 7, At(-1).Truncate(time.Second), "cmd\x1b[2J"
	a := Answered(RunOne, "h1", "fleet", At(1), ledger.Hit, false, row)
	a.Verdict.Unread = []ledger.Unread{{Path: "/root/\xc3(", Op: "file", Reason: "permission denied"}}
	a.Answer.Unread, a.Answer.UnreadTotal = a.Verdict.Unread, 1
	ok(t, s.RecordAnswer(ctx, a))

	answers, err := s.Answers(ctx, RunOne, "h1", "", "")
	ok(t, err)
	if len(answers) != 1 {
		t.Fatalf("%d answers", len(answers))
	}
	same(t, "answer", a.Answer, answers[0].Answer)
	verdicts, err := s.Verdicts(ctx, RunOne)
	ok(t, err)
	same(t, "verdict", a.Verdict, verdicts[0].Verdict)
	queries, err := s.Queries(ctx, RunOne)
	ok(t, err)
	same(t, "verdict to resume with", &a.Verdict, queries[0].Verdict)
	hits, _, err := s.Hits(ctx, results.Filter{})
	ok(t, err)
	want := row
	want.Name, want.Cmdline = `a\x0ab\x1b[31m\xff.bin`, `cmd\x1b[2J`
	same(t, "hit", []results.StoredHit{{
		ID: hits[0].ID, Run: RunOne, Hunt: "sweep", Endpoint: "h1", Hostname: "h1.plant.example", Tool: "fleet", Finding: hits[0].Finding,
		ObservedAt: At(1), Row: want, PathText: `/tmp/a\x0ab\x1b[31m\xff.bin`,
	}}, hits)
	one, err := s.Hit(ctx, hits[0].ID)
	ok(t, err)
	same(t, "hit by number", hits[0], one)
	targets, err := s.Targets(ctx, RunOne)
	ok(t, err)
	cov := a.Coverage
	cov.Scope = targets[0].Scope
	same(t, "coverage", cov, targets[0].Coverage)
	same(t, "answered at", At(1), targets[0].AnsweredAt)
}

func attempts(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	first := Answered(RunOne, "h1", "fleet", At(1), ledger.Hit, false, Row("/tmp/x"))
	ok(t, s.RecordAnswer(ctx, first))
	second := Answered(RunOne, "h1", "fleet", At(2), ledger.Timeout, false)
	second.Coverage = first.Coverage // the union: the hit stands
	ok(t, s.RecordAnswer(ctx, second))
	verdicts, err := s.Verdicts(ctx, RunOne)
	ok(t, err)
	var states []ledger.State
	for _, v := range verdicts {
		states = append(states, v.Verdict.State)
	}
	same(t, "verdicts", []ledger.State{ledger.Hit, ledger.Timeout}, states)
	answers, err := s.Answers(ctx, RunOne, "h1", "fleet", "files-1")
	ok(t, err)
	if len(answers) != 2 || answers[0].Answer.FinishedAt != At(1) {
		t.Errorf("answers: %+v", answers)
	}
	r, err := s.Run(ctx, RunOne)
	ok(t, err)
	if r.HitsTotal != 1 || r.States[ledger.Hit] != 1 {
		t.Errorf("the hit is gone: %+v", r)
	}
}

func redelivery(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	running := Row("/tmp/x")
	running.FoundIn, running.PID, running.StartedAt = ledger.Running, 9, At(-5).Truncate(time.Second)
	reused := running
	reused.StartedAt = At(-3).Truncate(time.Second) // another process of the same number
	byMD5 := Row("/tmp/x")
	byMD5.Matched = ind(indicator.MD5, MD5A)
	a := Answered(RunOne, "h1", "fleet", At(1), ledger.Hit, true, Row("/tmp/x"), running, reused, byMD5, Row("/tmp/y"), Row("/tmp/\xff"), Row("/tmp/\xfe"))
	for range 3 {
		ok(t, s.RecordAnswer(ctx, a))
	}
	again := a
	again.Answer.FinishedAt = At(2) // the same rows, asked once more
	ok(t, s.RecordAnswer(ctx, again))
	_, total, err := s.Hits(ctx, results.Filter{})
	ok(t, err)
	found, err := s.Findings(ctx, results.Filter{})
	ok(t, err)
	verdicts, err := s.Verdicts(ctx, RunOne)
	ok(t, err)
	events, err := s.Events(ctx, RunOne, 0, 0)
	ok(t, err)
	same(t, "hits, findings, answers, events", []int{7, 4, 2, 6}, []int{total, len(found), len(verdicts), len(events)})
	for _, f := range found {
		if f.Runs != 1 || f.FirstSeen != At(1) || f.LastSeen != At(2) {
			t.Errorf("finding: %+v", f)
		}
	}
}

func unplanned(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	for _, change := range []func(a *results.AnswerRecord){
		func(a *results.AnswerRecord) { a.Run = "nope" },
		func(a *results.AnswerRecord) { a.Endpoint = "h2" },
		func(a *results.AnswerRecord) { a.Tool = "edr" },
		func(a *results.AnswerRecord) { a.Query.ID = "files-2" },
	} {
		a := Answered(RunOne, "h1", "fleet", At(1), ledger.Hit, true, Row("/tmp/x"))
		change(&a)
		is(t, s.RecordAnswer(ctx, a), results.ErrNotPlanned)
	}
	_, total, err := s.Hits(ctx, results.Filter{})
	ok(t, err)
	answers, err := s.Answers(ctx, RunOne, "", "", "")
	ok(t, err)
	if total != 0 || len(answers) != 0 {
		t.Errorf("%d hits and %d answers were stored", total, len(answers))
	}
}

func manyHits(t *testing.T, s *results.Store) {
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	var rows []ledger.HitRow
	for i := range 3000 {
		rows = append(rows, Row(fmt.Sprintf("/tmp/%d/x", i)))
	}
	ok(t, s.RecordAnswer(t.Context(), Answered(RunOne, "h1", "fleet", At(1), ledger.Hit, true, rows...)))
	hits, total, err := s.Hits(t.Context(), results.Filter{Limit: 10})
	ok(t, err)
	if total != 3000 || len(hits) != 10 {
		t.Errorf("%d of %d hits", len(hits), total)
	}
}

func hitsFiltered(t *testing.T, s *results.Store) {
	Fill(t, s)
	ctx := t.Context()
	for name, c := range map[string]struct {
		f    results.Filter
		want int
	}{
		"all":       {results.Filter{}, 6},
		"run":       {results.Filter{Run: RunOne}, 5},
		"last run":  {results.Filter{Run: "last"}, 1},
		"hunt":      {results.Filter{Hunt: "sweep"}, 1},
		"endpoint":  {results.Filter{Host: "host-01"}, 2},
		"host name": {results.Filter{Host: "HOST-01.plant.example"}, 2},
		"matched":   {results.Filter{Hash: MD5A}, 6},
		"sha256":    {results.Filter{Hash: SHA256B}, 1},
		"no hash":   {results.Filter{Hash: SHA256C}, 0},
		"since":     {results.Filter{Since: At(5)}, 2},
	} {
		hits, total, err := s.Hits(ctx, c.f)
		ok(t, err)
		if len(hits) != c.want || total != c.want {
			t.Errorf("%s: %d hits, total %d, want %d", name, len(hits), total, c.want)
		}
	}
	var seen []int64
	for after := int64(0); ; {
		page, total, err := s.Hits(ctx, results.Filter{Limit: 2, After: after})
		ok(t, err)
		if total != 6 {
			t.Errorf("total %d on a page", total)
		}
		if len(page) == 0 {
			break
		}
		for _, h := range page {
			after = h.ID
			seen = append(seen, h.ID)
		}
	}
	if len(seen) != 6 {
		t.Errorf("the pages have %d hits", len(seen))
	}
}

func findings(t *testing.T, s *results.Store) {
	Fill(t, s)
	ctx := t.Context()
	all, err := s.Findings(ctx, results.Filter{})
	ok(t, err)
	if len(all) != 4 {
		t.Fatalf("%d findings: %+v", len(all), all)
	}
	want := results.Finding{
		ID: all[0].ID, Endpoint: "host-00", Hostname: "host-00.plant.example", Path: "/home/alice/evil.bin", SHA256: SHA256A, Matched: SHA256A,
		FirstSeen: At(1), LastSeen: At(31), Runs: 2, Verdict: results.FindingNew,
	}
	same(t, "two tools in two runs are one finding", want, all[0])
	for name, c := range map[string]struct {
		f    results.Filter
		want int
	}{
		"run": {results.Filter{Run: RunTwo}, 1}, "hunt": {results.Filter{Hunt: "siem-ransomware"}, 4}, "state": {results.Filter{State: "benign"}, 1},
		"hash": {results.Filter{Hash: SHA256B}, 1}, "md5": {results.Filter{Hash: MD5A}, 4}, "since": {results.Filter{Since: At(30)}, 1},
		"limit": {results.Filter{Limit: 3}, 3}, "host": {results.Filter{Host: "host-00"}, 2},
	} {
		got, err := s.Findings(ctx, c.f)
		ok(t, err)
		if len(got) != c.want {
			t.Errorf("%s: %d findings, want %d", name, len(got), c.want)
		}
	}
}

func triageStays(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	Start(t, s, RunTwo, "sweep", At(30), Plan([]string{"h1"}, nil))
	ok(t, s.RecordAnswer(ctx, Answered(RunOne, "h1", "fleet", At(1), ledger.Hit, true, Row("/tmp/x"))))
	found, err := s.Findings(ctx, results.Filter{})
	ok(t, err)
	ok(t, s.Triage(ctx, found[0].ID, results.FindingConfirmed, "bob", "line\nbreak"))
	ok(t, s.RecordAnswer(ctx, Answered(RunTwo, "h1", "fleet", At(31), ledger.Hit, true, Row("/tmp/x"))))
	found, err = s.Findings(ctx, results.Filter{})
	ok(t, err)
	if len(found) != 1 || found[0].Verdict != results.FindingConfirmed || found[0].Owner != "bob" || found[0].Note != `line\x0abreak` || found[0].Runs != 2 {
		t.Errorf("findings: %+v", found)
	}
	if err := s.Triage(ctx, found[0].ID, "maybe", "", ""); err == nil {
		t.Error("a verdict that is no verdict was stored")
	}
}

func hosts(t *testing.T, s *results.Store) {
	Fill(t, s)
	ctx := t.Context()
	for name, c := range map[string]struct {
		f    results.Filter
		want []string // run, endpoint, tool, state, hits
	}{
		"host": {results.Filter{Host: "host-00"}, []string{RunOne + " host-00 edr hit 1", RunTwo + " host-00 fleet hit 1"}},
		"run":  {results.Filter{Run: "0193a", Host: "host-00"}, []string{RunOne + " host-00 edr hit 1", RunOne + " host-00 fleet hit 2"}},
		// its newest standing is unasked, in the second run
		"state":   {results.Filter{State: "absent"}, []string{RunOne + " host-03 fleet absent 0"}},
		"unasked": {results.Filter{State: "unasked", Hunt: "sweep"}, []string{RunTwo + " host-02 fleet unasked 0"}},
		"limit":   {results.Filter{Since: At(1), Limit: 1}, []string{RunTwo + " host-00 fleet hit 1"}},
	} {
		rows, err := s.Hosts(ctx, c.f)
		ok(t, err)
		var got []string
		for _, h := range rows {
			got = append(got, fmt.Sprintf("%s %s %s %s %d", h.Run, h.Endpoint, h.Tool, h.Coverage.State, h.Coverage.Hits))
		}
		same(t, name, c.want, got)
	}
	rows, err := s.Hosts(ctx, results.Filter{Host: "host-02"})
	ok(t, err)
	if len(rows) != 1 || !rows[0].AnsweredAt.IsZero() || rows[0].LastAnswered != At(3) || rows[0].Hunt != "sweep" {
		t.Errorf("host-02: %+v", rows)
	}
}

func seenBefore(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Fill(t, s)
	for name, c := range map[string]struct {
		hashes []string
		want   results.Seen
	}{
		"hunted whole":       {[]string{SHA256A}, results.Seen{Runs: 2, Absent: 2, LastAbsent: At(4), Hits: 5, LastHit: At(31)}},
		"unaskable for one":  {[]string{SHA256B}, results.Seen{}},
		"refused":            {[]string{SHA256C}, results.Seen{}},
		"one of them unsaid": {[]string{SHA256A, SHA256B, SHA256A}, results.Seen{Hits: 5, LastHit: At(31)}},
		"narrowed":           {[]string{MD5A}, results.Seen{Hits: 1, LastHit: At(2)}},
		"nothing":            {nil, results.Seen{}},
	} {
		got, err := s.SeenBefore(ctx, c.hashes)
		ok(t, err)
		same(t, name, c.want, got)
	}
}
