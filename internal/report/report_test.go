package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

var update = flag.Bool("update", false, "write golden files")

const (
	alertSHA = "74dc260aa1b5de03b157cefa384e5384e591710d28b4db33b2f2e4d1539f9d16"
	foundSHA = "3b7606979f3b55bcc110b8ccadb78597bd949534a4a61017e0e95a8541ae0561"
	foundMD5 = "03b86596559fe700bc4246bc4995ffd9"
	run      = "01a20e94-fe08-7110-87d3-26829af5c10e"
)

func at(minute int) time.Time { return time.Date(2026, 11, 20, 10, minute, 0, 123e6, time.UTC) }

// view is a run with everything that a presenter has to tell, and names that attack terminals, pages and spreadsheets.
func view() report.View {
	code := 1
	ref := func(k indicator.Kind, v string) indicator.Ref {
		return indicator.RefOf(indicator.Indicator{Kind: k, Value: v})
	}
	rep := indicator.Report{Provider: "misp", ID: "r1", Title: "Invoice \x1b[31mlure", TLP: indicator.TLPAmber, Published: at(0), Category: "Cyber <b>Crime</b>", Risk: "HIGH", Families: []string{"Fixture|Locker"}}
	alert := indicator.Ref{Kind: indicator.RefAlert, Value: "siem-2291"}
	target := func(host string, mode ledger.Mode, state ledger.State, proven bool, reason string) results.Target {
		return results.Target{
			Endpoint: "id-" + host, Hostname: host, Tool: map[ledger.Mode]string{ledger.Live: "this-machine", ledger.Recorded: "cb"}[mode], Mode: mode,
			Platform: "linux", Coverage: ledger.Coverage{State: state, Proven: proven, Reason: reason}, AnsweredAt: at(2), WindowFrom: at(0), WindowTo: at(2),
		}
	}
	return report.View{
		Run: results.RunSummary{
			Run: results.Run{
				ID: run, Hunt: "siem-ransomware", Title: "=cmd()", State: results.RunFinished, StartedAt: at(1), FinishedAt: at(3), ExitCode: &code,
				TLP: indicator.TLPAmber, Case: "INC-7", Scope: "running, files up to 50 MiB in /srv", PivotComplete: false,
			},
			Hunted: 2, Refused: 1, Narrowed: 1, Unaskable: 1, Endpoints: 4, NotSeen: 1, Proven: 1, VerifiedRatio: 1.0 / 3, HitsTotal: 2,
			States: map[ledger.State]int{ledger.Hit: 1, ledger.Absent: 1, ledger.Partial: 1, ledger.Excluded: 1},
		},
		Seeds:   []indicator.Ref{ref(indicator.SHA256, alertSHA)},
		Skipped: []results.Skipped{{Provider: "misp", Indicator: "md5:" + foundMD5, Reason: "rate limited until 10:05"}},
		Cut:     []results.Cut{{Provider: "misp", At: "report:misp:r1", Limit: "max_per_report", Kept: 1000, Total: 50000}},
		Indicators: []results.RunIndicator{
			{Indicator: indicator.Indicator{Kind: indicator.SHA256, Value: foundSHA}, Status: results.StatusHunted},
			{Indicator: indicator.Indicator{Kind: indicator.SHA256, Value: alertSHA}, Status: results.StatusHunted},
			{Indicator: indicator.Indicator{Kind: indicator.MD5, Value: "d41d8cd98f00b204e9800998ecf8427e"}, Status: results.StatusRefused, Reason: "digest of the empty file"},
			{Indicator: indicator.Indicator{Kind: indicator.SHA256, Value: alertSHA}, Status: results.StatusUnaskable, Tool: "cb", Reason: "only its sha256 is known; cb takes md5"},
			{Indicator: indicator.Indicator{Kind: indicator.SHA256, Value: alertSHA}, Status: results.StatusNarrowed, Tool: "this-machine", Reason: "no size is known"},
		},
		Targets: []results.Target{
			target("fin-01", ledger.Live, ledger.Hit, true, ""), target("fin-02", ledger.Live, ledger.Absent, true, ""),
			target("fin-03\x1b]0;x\a", ledger.Live, ledger.Partial, false, "1 file could not be read: permission denied (/srv/<b>)"),
			target("lab", ledger.Live, ledger.Excluded, false, "excluded by lab"), target("plant", ledger.Recorded, ledger.NotSeen, false, ""),
		},
		Hits: []results.StoredHit{
			{
				ID: 1, Run: run, Hunt: "siem-ransomware", Endpoint: "id-fin-01", Hostname: "fin-01", Tool: "this-machine", ObservedAt: at(2), PathText: `=HYPERLINK("x")`,
				Row: ledger.HitRow{
					FoundIn: ledger.Files, Path: `=HYPERLINK("x")`, Size: 24, MD5: foundMD5, SHA256: foundSHA, Owner: "root", MTime: at(0),
					Matched: indicator.Indicator{Kind: indicator.SHA256, Value: foundSHA},
				},
			},
			{
				ID: 2, Run: run, Hunt: "siem-ransomware", Endpoint: "id-fin-01", Hostname: "fin-01", Tool: "this-machine", ObservedAt: at(2), PathText: `/srv/\x1b[2Jx`,
				Row: ledger.HitRow{
					FoundIn: ledger.Running, Path: "/srv/\x1b[2Jx", Size: -1, MD5: foundMD5, SHA256: alertSHA, PID: 42, Cmdline: "x <script>", StartedAt: at(1),
					Matched: indicator.Indicator{Kind: indicator.MD5, Value: foundMD5}, Conflict: true,
				},
			},
		},
		HitsTotal: 2,
		Edges: []indicator.Edge{
			{From: alert, To: ref(indicator.SHA256, alertSHA), Relation: indicator.RelAlert, Confidence: 100, Time: at(0), Raw: strings.Repeat("a", 64)},
			{From: ref(indicator.SHA256, alertSHA), To: ref(indicator.SHA256, foundSHA), Relation: indicator.RelSameReport, Provider: "misp", Report: "misp:r1", Confidence: 70, Time: at(0), Raw: strings.Repeat("b", 64)},
			{From: ref(indicator.SHA256, foundSHA), To: ref(indicator.MD5, foundMD5), Relation: indicator.RelSibling, Provider: "misp", Report: "misp:r1", Confidence: 100},
		},
		Files:   []indicator.File{{SHA256: foundSHA, MD5: foundMD5, Size: 24, Names: []string{"invoice.exe"}}, {SHA256: alertSHA}},
		Reports: []indicator.Report{rep},
		Notes:   []string{"left out: /srv/nfs (nfs4)"},
	}
}

// golden compares what a presenter writes with the file of that name.
func golden(t *testing.T, name string, present func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := present(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	return b.String()
}

func TestRunForms(t *testing.T) {
	t.Parallel()
	v := view()
	for name, present := range map[string]func(io.Writer, report.View) error{
		"run.txt": report.Text(report.Style{Next: true}), "run.json": report.JSON, "run.csv": report.CSV, "run.say.txt": report.Say,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := golden(t, name, func(w io.Writer) error { return present(w, v) })
			for _, bad := range []string{"\x1b", "\a"} {
				if strings.Contains(out, bad) {
					t.Errorf("%q reaches a terminal", bad)
				}
			}
		})
	}
}

// Colours change nothing but colours.
func TestColour(t *testing.T) {
	t.Parallel()
	var plain, colour bytes.Buffer
	if err := errors.Join(report.Text(report.Style{})(&plain, view()), report.Text(report.Style{Color: true})(&colour, view())); err != nil {
		t.Fatal(err)
	}
	stripped := strings.NewReplacer("\x1b[1m", "", "\x1b[1;31m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(colour.String())
	if diff := cmp.Diff(plain.String(), stripped); diff != "" || colour.String() == plain.String() {
		t.Error(diff)
	}
}

// Lists are capped, totals are not.
func TestCap(t *testing.T) {
	t.Parallel()
	v := view()
	for range 1500 {
		v.Targets = append(v.Targets, v.Targets[2])
	}
	var b bytes.Buffer
	if err := report.JSON(&b, v); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Total int   `json:"gaps_total"`
		Gaps  []any `json:"gaps"`
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Total != 1501 || len(got.Gaps) != report.Cap {
		t.Errorf("%d gaps of %d", len(got.Gaps), got.Total)
	}
}

func graph() report.Graph {
	v := view()
	g := v.Graph()
	g.Complete = false
	g.Cut = []pivot.Cut{{Provider: "misp", At: "report:misp:r1", Limit: "max_per_report", Kept: 1, Total: 50000}}
	g.Nodes = []pivot.Node{
		{Ref: indicator.Ref{Kind: "sha256", Value: alertSHA}, Confidence: 100, Seed: true},
		{Ref: indicator.Ref{Kind: "sha256", Value: foundSHA}, Depth: 1, Confidence: 70}, {Ref: indicator.Ref{Kind: "md5", Value: foundMD5}, Depth: 1, Confidence: 70},
	}
	return report.Graph{Graph: g, Refused: []pivot.Refused{{Kind: indicator.MD5, Value: foundMD5, Reason: "on the never list x"}}}
}

func TestGraphForms(t *testing.T) {
	t.Parallel()
	g := graph()
	golden(t, "pivot.txt", func(w io.Writer) error { return report.GraphText(w, g) })
	golden(t, "pivot.tree.txt", func(w io.Writer) error { return report.GraphTree(w, g) })
	golden(t, "pivot.json", func(w io.Writer) error { return report.GraphJSON(w, g) })
	plain := golden(t, "pivot.plain.txt", func(w io.Writer) error { return report.GraphPlain(w, g) })
	if strings.Contains(plain, foundMD5) {
		t.Error("what is refused is handed on")
	}
	g.Kinds = []indicator.Kind{indicator.MD5}
	g.Refused = nil
	golden(t, "pivot.md5.txt", func(w io.Writer) error { return report.GraphPlain(w, g) })
	g.Reports = true
	golden(t, "pivot.reports.txt", func(w io.Writer) error { return report.GraphText(w, g) })
}

// A writer that fails is told, and not taken for a report.
func TestBrokenWriter(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"text": report.Text(report.Style{})(broken{}, view()), "json": report.JSON(broken{}, view()), "csv": report.CSV(broken{}, view()),
		"say": report.Say(broken{}, view()), "tree": report.GraphTree(broken{}, graph()), "plain": report.GraphPlain(broken{}, graph()),
	} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A run that failed, or that is not at its end, says so wherever it is told of.
func TestUnfinishedRunsSaySo(t *testing.T) {
	t.Parallel()
	failed, detached, stopped := view(), view(), view()
	stopped.Run.State, stopped.Run.Error = results.RunStopped, "stopped: 3 of 60 endpoints have errors\x1b[2J"
	failed.Run.State, failed.Run.Error = results.RunFailed, "plan: no tool knows an endpoint \"x\"\x1b[2J"
	detached.Run.State, detached.Run.FinishedAt, detached.Run.ExitCode = results.RunDetached, time.Time{}, nil
	text := func(v report.View) string {
		var b bytes.Buffer
		if err := errors.Join(report.Text(report.Style{Next: true})(&b, v), report.Say(&b, v)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, want := range []string{"FAILED    plan: no tool knows", "The run failed: plan: no tool knows", `\x1b[2J`, "next      hunter run --resume " + run} {
		if got := text(failed); !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	for _, want := range []string{"The run is not at its end (detached).", "next      hunter run --resume " + run} {
		if got := text(detached); !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	for _, want := range []string{"STOPPED   3 of 60 endpoints have errors", "The run was stopped before its end: 3 of 60 endpoints have errors", `\x1b[2J`} {
		if got := text(stopped); !strings.Contains(got, want) || strings.Contains(got, "FAILED") {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	var page bytes.Buffer
	if err := report.Markdown(&page, stopped); err != nil || !strings.Contains(page.String(), "The run was stopped: 3 of 60 endpoints have errors") || strings.Contains(page.String(), "has not ended") {
		t.Errorf("%v\n%s", err, page.String())
	}
}

// A run of thousands of seeds is told by the first ones and their number.
func TestManySeeds(t *testing.T) {
	t.Parallel()
	v := view()
	for range 20_000 {
		v.Seeds = append(v.Seeds, v.Seeds[0])
	}
	var b bytes.Buffer
	if err := report.Text(report.Style{})(&b, v); err != nil || b.Len() > 10_000 || !strings.Contains(b.String(), "seed      and 19991 more") {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
}

// A hit among what starts by itself says by what it is started.
func TestAutorunSaysWhatStartsIt(t *testing.T) {
	t.Parallel()
	v := view()
	v.Hits[0].Row.FoundIn, v.Hits[0].Row.Name = ledger.Autoruns, "cron:/etc/cron.d/x"
	var b bytes.Buffer
	if err := report.Text(report.Style{})(&b, v); err != nil || !strings.Contains(b.String(), "started by cron:/etc/cron.d/x") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// Times of a pivot are written like all others: UTC, with milliseconds, also when they are zero.
func TestGraphTimes(t *testing.T) {
	t.Parallel()
	g := graph()
	g.Graph.Edges[0].Time = time.Date(2016, 12, 13, 19, 34, 35, 0, time.FixedZone("", 3600))
	var b bytes.Buffer
	if err := report.GraphJSON(&b, g); err != nil || !strings.Contains(b.String(), `"time":"2016-12-13T18:34:35.000Z"`) {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// A reason that only some endpoints of a state have is not told as that of all.
func TestReasonsOfAState(t *testing.T) {
	t.Parallel()
	v := view()
	gap := func(host, reason string) results.Target {
		return results.Target{Endpoint: host, Hostname: host, Tool: "fleet", Mode: ledger.Live, Coverage: ledger.Coverage{State: ledger.Timeout, Reason: reason}}
	}
	for _, c := range []struct {
		second, want string
	}{{"asked 4 times", "2 endpoints timeout (asked 4 times)"}, {"asked once", "2 endpoints timeout (one of them: asked 4 times)"}} {
		v.Targets = []results.Target{gap("a", "asked 4 times"), gap("b", c.second)}
		if got := report.Sentence(v); !strings.Contains(got, c.want) {
			t.Errorf("%q is not in %s", c.want, got)
		}
	}
}
