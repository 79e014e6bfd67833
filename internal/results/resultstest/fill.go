package resultstest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// Digests of the filled database: made up, and well formed.
const (
	SHA256A = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
	SHA256B = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"
	SHA256C = "c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3"
	MD5A    = "d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4"
	SHA1A   = "e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5"
)

// The ids of the filled database's runs, oldest first.
const (
	RunOne = "0193a000-0000-7000-8000-000000000001"
	RunTwo = "0193b000-0000-7000-8000-000000000002"
)

// HostilePath has a newline, a terminal escape and a byte that is no UTF-8.
const HostilePath = "/tmp/a\nb\x1b[31m\xff.bin"

// At gives a moment of the filled database: minutes after its begin.
func At(minutes int) time.Time {
	return time.Date(2026, 11, 20, 10, minutes, 0, 123_000_000, time.UTC)
}

func ind(kind indicator.Kind, value string) indicator.Indicator {
	return indicator.Indicator{Kind: kind, Value: value}
}

// Raw makes a raw body of a text.
func Raw(text string) results.Raw {
	sum := sha256.Sum256([]byte(text))
	return results.Raw{Digest: hex.EncodeToString(sum[:]), Body: []byte(text)}
}

// Query makes the query that the filled database's endpoints are asked.
func Query(id string) ledger.Query {
	return ledger.Query{
		ID: id, Stage: ledger.Files, Platform: "linux", Root: "/home", Text: "SELECT …; -- " + id,
		Hashes: []indicator.Indicator{ind(indicator.SHA256, SHA256A), ind(indicator.MD5, MD5A)}, Sizes: []int64{84480},
	}
}

// Row makes a hit on SHA256A at a path.
func Row(path string) ledger.HitRow {
	return ledger.HitRow{
		FoundIn: ledger.Files, Path: path, Name: path[strings.LastIndexByte(path, '/')+1:], Size: 84480, MD5: MD5A, SHA1: SHA1A, SHA256: SHA256A,
		Matched: ind(indicator.SHA256, SHA256A), Owner: "alice", MTime: At(-600).Truncate(time.Second),
	}
}

// Answered makes an answer of an endpoint of a run, with the coverage that it leads to.
func Answered(run, endpoint, tool string, at time.Time, state ledger.State, proven bool, hits ...ledger.HitRow) results.AnswerRecord {
	rows := []ledger.Row{{"kind": "meta", "name": "host of " + endpoint}, {"kind": "control", "sha256": SHA256C}}
	for _, h := range hits {
		rows = append(rows, ledger.Row{"kind": "hit", "path": h.Path, "sha256": h.SHA256})
	}
	counts := ledger.Counts{FilesSeen: 1200, FilesHashed: 7, BytesHashed: 591360}
	reason := ""
	if !proven && state != ledger.Hit {
		reason = "because it is " + string(state)
	}
	return results.AnswerRecord{
		Run: run, Endpoint: endpoint, Tool: tool, Hostname: Hostname(endpoint), Query: Query("files-1"),
		Answer:   ledger.Answer{Rows: rows, StartedAt: at.Add(-time.Second), FinishedAt: at},
		Verdict:  ledger.Verdict{State: state, Proven: proven, Reason: reason, Hits: hits, Counts: counts},
		Coverage: ledger.Coverage{State: state, Proven: proven, Reason: reason, Counts: counts, Hits: len(hits)},
	}
}

// Hostname is the host name of an endpoint of the filled database.
func Hostname(endpoint string) string { return endpoint + ".plant.example" }

// Plan makes a plan with live targets (tool "fleet") and recorded ones (tool "edr"), each with one query.
func Plan(live, recorded []string) results.SavedPlan {
	p := results.SavedPlan{
		Scope: "files up to 50 MiB in /home",
		Indicators: []results.RunIndicator{
			{Indicator: ind(indicator.SHA256, SHA256A), Status: results.StatusHunted, Relation: indicator.RelSeed, Confidence: 100, Sibling: SHA256A},
			{
				Indicator: ind(indicator.SHA256, SHA256B), Status: results.StatusHunted, Relation: indicator.RelSameReport, Provider: "feeds",
				Report: "feeds:7", Confidence: 70, Sibling: SHA256B,
			},
			{Indicator: ind(indicator.SHA256, SHA256C), Status: results.StatusRefused, Reason: "known good: lists/good.txt:3"},
			{Tool: "edr", Indicator: ind(indicator.SHA256, SHA256B), Status: results.StatusUnaskable, Reason: "edr knows md5 alone, and none is known"},
			{Tool: "fleet", Indicator: ind(indicator.MD5, MD5A), Status: results.StatusNarrowed, Reason: "no size is known"},
		},
	}
	add := func(endpoint, tool string, mode ledger.Mode) {
		t := results.Target{
			Endpoint: endpoint, Hostname: Hostname(endpoint), Tool: tool, Mode: mode, Platform: "linux", Scope: p.Scope,
			Hashset:  strings.Repeat("0f", 32),
			Coverage: ledger.Coverage{State: ledger.Unasked, Reason: "its turn did not come", Scope: p.Scope},
		}
		if mode == ledger.Recorded {
			t.WindowFrom, t.WindowTo = At(-30*24*60), At(0)
		}
		p.Targets = append(p.Targets, t)
		p.Queries = append(p.Queries, results.StoredQuery{Endpoint: endpoint, Tool: tool, Query: Query("files-1"), State: results.QueryPlanned})
	}
	for _, e := range live {
		add(e, "fleet", ledger.Live)
	}
	for _, e := range recorded {
		add(e, "edr", ledger.Recorded)
	}
	return p
}

// Start stores a run with its plan.
func Start(t testing.TB, s *results.Store, id, hunt string, at time.Time, plan results.SavedPlan) {
	t.Helper()
	ctx := t.Context()
	ok(t, s.CreateRun(ctx, results.Run{
		ID: id, Hunt: hunt, Title: "The title of " + hunt, State: results.RunPlanned, StartedAt: at, TLP: "amber", Case: "INC-7",
		DoneWhen: 0.95, Definition: []byte(`{"hunt":"` + hunt + `"}`),
	}))
	ok(t, s.SavePivot(ctx, id, pivoted()))
	ok(t, s.SavePlan(ctx, id, plan))
	ok(t, s.SetRunState(ctx, id, results.RunRunning, "planned"))
}

func pivoted() results.Pivoted {
	raw := Raw(`{"Event":{"id":"7"}}`)
	seed, other := indicator.RefOf(ind(indicator.SHA256, SHA256A)), indicator.RefOf(ind(indicator.SHA256, SHA256B))
	return results.Pivoted{
		Seeds: []indicator.Ref{seed},
		Edges: []indicator.Edge{
			{From: seed, To: indicator.ReportRef("feeds:7"), Relation: indicator.RelInReport, Provider: "feeds", Report: "feeds:7", Confidence: 100, Raw: raw.Digest},
			{
				From: indicator.ReportRef("feeds:7"), To: other, Relation: indicator.RelReportsOn, Provider: "feeds", Report: "feeds:7", Confidence: 70,
				Time: At(-9000), Raw: raw.Digest, TLP: "amber",
			},
		},
		Files:    []indicator.File{{SHA256: SHA256A, MD5: MD5A, Size: 84480, Names: []string{"evil\xff.exe"}}, {SHA256: SHA256B}},
		Reports:  []indicator.Report{{Provider: "feeds", ID: "7", Title: "Report seven"}},
		Complete: true,
		Skipped:  []results.Skipped{{Provider: "threatscape", Indicator: "sha256:" + SHA256A, Reason: "above its max_tlp"}},
		Cut:      []results.Cut{{Provider: "feeds", At: "feeds:7", Limit: "max_per_report", Kept: 1, Total: 9}},
		Raw:      []results.Raw{raw},
	}
}

// Fill stores two runs that show all there is: live and recorded tools, every state, hits with hostile names, a finding
// that was seen twice, gaps.
func Fill(t testing.TB, s *results.Store) {
	t.Helper()
	ctx := t.Context()
	var live []string
	for i := range 14 {
		live = append(live, fmt.Sprintf("host-%02d", i))
	}
	Start(t, s, RunOne, "siem-ransomware", At(0), Plan(live, []string{"host-00", "host-20", "host-21"}))
	for i, state := range []ledger.State{
		ledger.Denylisted, ledger.Unsupported, ledger.Error, ledger.Timeout, ledger.Unverified, ledger.Partial, ledger.Asleep, ledger.Excluded,
	} {
		ok(t, s.SetCoverage(ctx, RunOne, live[4+i], "fleet", ledger.Coverage{State: state, Reason: "because it is " + string(state)}))
	}
	process := Row("/opt/run.bin")
	process.FoundIn, process.PID, process.Cmdline, process.StartedAt = ledger.Running, 4711, "/opt/run.bin --fast", At(-60).Truncate(time.Second)
	conflict := Row("/tmp/twin")
	conflict.Matched, conflict.SHA256, conflict.Conflict, conflict.Size, conflict.SHA1 = ind(indicator.MD5, MD5A), SHA256B, true, -1, ""
	for _, a := range []results.AnswerRecord{
		Answered(RunOne, "host-00", "fleet", At(1), ledger.Hit, true, Row("/home/alice/evil.bin"), process),
		Answered(RunOne, "host-01", "fleet", At(2), ledger.Hit, false, Row(HostilePath), conflict),
		Answered(RunOne, "host-02", "fleet", At(3), ledger.Absent, true),
		Answered(RunOne, "host-03", "fleet", At(4), ledger.Absent, true),
		Answered(RunOne, "host-00", "edr", At(5), ledger.Hit, false, Row("/home/alice/evil.bin")),
		Answered(RunOne, "host-20", "edr", At(5), ledger.NotSeen, false),
	} {
		ok(t, s.MarkAsked(ctx, a.Run, a.Endpoint, a.Tool, a.Query.ID))
		ok(t, s.RecordAnswer(ctx, a))
	}
	ok(t, s.FinishRun(ctx, RunOne, results.RunFinished, 1, ""))
	Start(t, s, RunTwo, "sweep", At(30), Plan([]string{"host-00", "host-02"}, nil))
	ok(t, s.RecordAnswer(ctx, Answered(RunTwo, "host-00", "fleet", At(31), ledger.Hit, true, Row("/home/alice/evil.bin"))))
	found, err := s.Findings(ctx, results.Filter{Host: "host-01"})
	ok(t, err)
	if len(found) == 0 {
		t.Fatal("no finding on host-01")
	}
	ok(t, s.Triage(ctx, found[0].ID, results.FindingBenign, "bob", "a test file"))
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
