package report_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// The runs of which pages have golden files, beside view().

func digests(name string) (sha, md string) {
	s, m := sha256.Sum256([]byte(name)), md5.Sum([]byte(name))
	return hex.EncodeToString(s[:]), hex.EncodeToString(m[:])
}

func digestRef(k indicator.Kind, v string) indicator.Ref {
	return indicator.RefOf(indicator.Indicator{Kind: k, Value: v})
}

func pageTarget(host, tool string, mode ledger.Mode, state ledger.State, proven bool, reason string) results.Target {
	return results.Target{
		Endpoint: "id-" + host, Hostname: host, Tool: tool, Mode: mode, Platform: "linux", AnsweredAt: at(2),
		WindowFrom: at(0).Add(-14 * 24 * time.Hour), WindowTo: at(1), Coverage: ledger.Coverage{State: state, Proven: proven, Reason: reason},
	}
}

// settled counts the states of the targets as the store does.
func settled(v report.View) report.View {
	r := &v.Run
	r.States, r.Endpoints, r.Proven, r.NotSeen, r.Recorded = map[ledger.State]int{}, 0, 0, 0, 0
	for _, t := range v.Targets {
		if t.Mode == ledger.Recorded {
			r.Recorded++
			if t.Coverage.State == ledger.NotSeen {
				r.NotSeen++
			}
			continue
		}
		r.Endpoints++
		r.States[t.Coverage.State]++
		if t.Coverage.Proven {
			r.Proven++
			if t.Carried != "" {
				r.Carried++
			}
		}
	}
	if n := r.Endpoints - r.States[ledger.Excluded]; n > 0 {
		r.VerifiedRatio = float64(r.Proven) / float64(n)
	}
	for _, i := range v.Indicators {
		switch i.Status {
		case results.StatusRefused:
			r.Refused++
		case results.StatusNarrowed:
			r.Narrowed++
		case results.StatusUnaskable:
			r.Unaskable++
		case results.StatusHunted:
			r.Hunted++
		}
	}
	r.HitsTotal = v.HitsTotal
	return v
}

// base is a run whose pivot went from one alert through one report to n files.
func base(hunt, title string, code, n int) report.View {
	seed, _ := digests("seed")
	alert := indicator.Ref{Kind: indicator.RefAlert, Value: "siem-2291"}
	v := report.View{
		Run: results.RunSummary{Run: results.Run{
			ID: run, Hunt: hunt, Title: title, State: results.RunFinished, StartedAt: at(1), FinishedAt: at(3), ExitCode: &code,
			TLP: indicator.TLPGreen, Scope: "running, autoruns, files up to 50 MiB in /home, /tmp, /opt", PivotComplete: true, DoneWhen: 1,
		}},
		Seeds: []indicator.Ref{digestRef(indicator.SHA256, seed)},
		Edges: []indicator.Edge{{From: alert, To: digestRef(indicator.SHA256, seed), Relation: indicator.RelAlert, Confidence: 100, Time: at(0)}},
		Files: []indicator.File{{SHA256: seed, Size: 84480, Names: []string{"invoice.exe"}}},
		Reports: []indicator.Report{{
			Provider: "threatscape", ID: "15-00008884", Title: "A loader and its siblings", TLP: indicator.TLPGreen, Published: at(0),
			Tags: []string{"Cyber Crime", "malware: EMOTET", "riskRating: HIGH"},
		}},
		Indicators: []results.RunIndicator{{Indicator: indicator.Indicator{Kind: indicator.SHA256, Value: seed}, Status: results.StatusHunted, Relation: indicator.RelAlert, Confidence: 100}},
		Queries: []report.Query{
			{Tool: "this-machine", ID: "running-1", Platform: "linux", Endpoints: 3, Text: "SELECT p.pid, p.path\nFROM processes p\nWHERE p.path <> '';"},
			{Tool: "this-machine", ID: "files-1-sized", Platform: "linux", Endpoints: 3, Text: "SELECT path, size FROM file WHERE directory = '/home' AND size IN (84480);"},
		},
	}
	for i := range n {
		sha, md := digests(fmt.Sprint("file ", i))
		v.Files = append(v.Files, indicator.File{SHA256: sha, MD5: md, Size: int64(1000 + i), Names: []string{fmt.Sprintf("stage-%d.dll", i)}})
		v.Edges = append(v.Edges,
			indicator.Edge{From: v.Seeds[0], To: digestRef(indicator.SHA256, sha), Relation: indicator.RelSameReport, Provider: "threatscape", Report: "threatscape:15-00008884", Confidence: 70, Time: at(0)},
			indicator.Edge{From: digestRef(indicator.SHA256, sha), To: digestRef(indicator.MD5, md), Relation: indicator.RelSibling, Provider: "threatscape", Report: "threatscape:15-00008884", Confidence: 100})
		v.Indicators = append(v.Indicators, results.RunIndicator{
			Indicator: indicator.Indicator{Kind: indicator.SHA256, Value: sha}, Status: results.StatusHunted, Relation: indicator.RelSameReport,
			Provider: "threatscape", Report: "threatscape:15-00008884", Confidence: 70,
		})
	}
	v.Edges = append(v.Edges, indicator.Edge{
		From: v.Seeds[0], To: digestRef(indicator.Domain, "update.invalid"), Relation: indicator.RelSameReport, Provider: "threatscape", Report: "threatscape:15-00008884", Confidence: 60,
	})
	return v
}

// provenView is a run without hits that proves it.
func provenView() report.View {
	v := base("proven-absent", "The loader is not here", 0, 4)
	for i := range 3 {
		v.Targets = append(v.Targets, pageTarget(fmt.Sprint("srv-0", i+1), "this-machine", ledger.Live, ledger.Absent, true, ""))
	}
	old := pageTarget("srv-04", "this-machine", ledger.Live, ledger.Absent, true, "")
	old.Carried, old.AnsweredAt = "01a20e00-0000-7000-8000-000000000000", at(0).Add(-48*time.Hour)
	v.Targets = append(v.Targets, old, pageTarget("lab-01", "this-machine", ledger.Live, ledger.Excluded, false, "excluded by lab-*"))
	return settled(v)
}

// gapsView is a run with every gap there is, and a recorded tool beside the live one.
func gapsView() report.View {
	v := base("gaps", "The loader on the plant floor", 3, 4)
	reasons := map[ledger.State]string{
		ledger.Partial: "2 files could not be read: permission denied (/home/ann/.ssh)", ledger.Unverified: "the control did not come back",
		ledger.Error: "osqueryd: no such table: file", ledger.Timeout: "no answer within 15m", ledger.Denylisted: "the agent refuses the text",
		ledger.Unsupported: "no table processes", ledger.Unasked: "stopped: errors above 20%", ledger.Asleep: "last seen 2026-11-09", ledger.Excluded: "excluded by lab",
	}
	for i, s := range ledger.States() {
		switch s {
		case ledger.Hit, ledger.NotSeen:
		case ledger.Absent:
			for k := range 5 {
				v.Targets = append(v.Targets, pageTarget(fmt.Sprint("ok-", k), "fleet", ledger.Live, s, true, ""))
			}
		default:
			v.Targets = append(v.Targets, pageTarget(fmt.Sprint("host-", i), "fleet", ledger.Live, s, false, reasons[s]))
		}
	}
	for i, s := range []ledger.State{ledger.NotSeen, ledger.NotSeen, ledger.NotSeen, ledger.Unverified, ledger.Partial, ledger.Error, ledger.Asleep} {
		v.Targets = append(v.Targets, pageTarget(fmt.Sprint("plant-", i), "plant-floor", ledger.Recorded, s, false, reasons[s]))
	}
	sha, md := digests("file 1")
	v.Indicators = append(v.Indicators,
		results.RunIndicator{Indicator: indicator.Indicator{Kind: indicator.SHA256, Value: sha}, Status: results.StatusUnaskable, Tool: "plant-floor", Reason: "only its sha256 is known; plant-floor takes md5"},
		results.RunIndicator{Indicator: indicator.Indicator{Kind: indicator.MD5, Value: md}, Status: results.StatusNarrowed, Tool: "fleet", Reason: "no size is known; running and autoruns alone"},
		results.RunIndicator{
			Indicator: indicator.Indicator{Kind: indicator.MD5, Value: "d41d8cd98f00b204e9800998ecf8427e"}, Status: results.StatusRefused, Reason: "digest of the empty file",
			Relation: indicator.RelSameReport, Provider: "threatscape", Report: "threatscape:15-00008884", Confidence: 70,
		})
	v.Edges = append(v.Edges, indicator.Edge{
		From: v.Seeds[0], To: digestRef(indicator.MD5, "d41d8cd98f00b204e9800998ecf8427e"), Relation: indicator.RelSameReport, Provider: "threatscape", Report: "threatscape:15-00008884", Confidence: 70,
	})
	v.Queries = append(v.Queries, report.Query{Tool: "plant-floor", ID: "telemetry-1", Text: "(md5:" + md + ")", Search: true})
	v.Run.PivotComplete = false
	v.Cut = []results.Cut{{Provider: "threatscape", At: "report:threatscape:15-00008884", Limit: "max_per_report", Kept: 4, Total: 900}}
	v.Skipped = []results.Skipped{{Provider: "threatscape", Indicator: "domain:update.invalid", Reason: "quota: 0 of 1000 left until 2026-11-21"}}
	v.Notes = []string{"left out: /srv/nfs (nfs4)", "212 kernel threads have no file"}
	return settled(v)
}

// openView is a run that was left before its end: no hits, and nothing claimed.
func openView() report.View {
	v := base("left", "", 3, 0)
	v.Run.State, v.Run.ExitCode, v.Run.FinishedAt, v.Run.TLP = results.RunDetached, nil, time.Time{}, ""
	v.Reports, v.Edges = nil, nil
	v.Queries = nil
	v.Targets = []results.Target{pageTarget("srv-01", "this-machine", ledger.Live, ledger.Unasked, false, "detached before its turn")}
	return settled(v)
}

// manyView is a run with 5,000 hits on 400 of 12,000 endpoints, of which the store gave the first thousand, and a pivot of
// 600 files from 14 reports.
func manyView() report.View { return wideView(14) }

// wideView is manyView with a pivot of so many reports.
func wideView(reports int) report.View {
	v := base("many", "The loader everywhere", 1, 0)
	v.Run.TLP = indicator.TLPAmberStrict
	var found []string
	for r := range reports {
		rep := indicator.Report{Provider: "misp", ID: fmt.Sprintf("5be1e65d-8198-497b-bdf5-%012d", r), Title: fmt.Sprintf("Wave %d of the loader", r+1), TLP: indicator.TLPGreen, Published: at(r % 60), Tags: []string{"type:OSINT"}}
		v.Reports = append(v.Reports, rep)
		for i := range 43 {
			sha, md := digests(fmt.Sprint("wave ", r, " file ", i))
			v.Files = append(v.Files, indicator.File{SHA256: sha, MD5: md})
			v.Edges = append(v.Edges, indicator.Edge{From: v.Seeds[0], To: digestRef(indicator.SHA256, sha), Relation: indicator.RelSameReport, Provider: "misp", Report: rep.Ref(), Confidence: 70})
			status, reason := results.StatusHunted, ""
			if i%9 == 8 {
				status, reason = results.StatusRefused, "on the never list"
			}
			v.Indicators = append(v.Indicators, results.RunIndicator{Indicator: indicator.Indicator{Kind: indicator.SHA256, Value: sha}, Status: status, Reason: reason, Report: rep.Ref(), Confidence: 70})
			if i == 0 && r%3 == 0 {
				found = append(found, sha)
			}
		}
	}
	for i := range 12000 {
		state, proven, reason := ledger.Absent, true, ""
		switch {
		case i%30 == 0:
			state, proven = ledger.Hit, i%60 == 0
		case i%37 == 0:
			state, proven, reason = ledger.Asleep, false, "last seen 2026-11-09"
		case i == 7:
			state, proven, reason = ledger.Denylisted, false, "the agent refuses the text"
		}
		v.Targets = append(v.Targets, pageTarget(fmt.Sprintf("pc-%05d", i), "fleet", ledger.Live, state, proven, reason))
	}
	for i := range report.Cap {
		sha := found[i%len(found)]
		v.Hits = append(v.Hits, results.StoredHit{
			ID: int64(i + 1), Run: run, Hunt: "many", Endpoint: fmt.Sprintf("id-pc-%05d", i*30%12000), Hostname: fmt.Sprintf("pc-%05d", i*30%12000), Tool: "fleet", ObservedAt: at(2),
			PathText: fmt.Sprintf(`C:\Users\user%d\AppData\Roaming\loader.dll`, i),
			Row:      ledger.HitRow{FoundIn: ledger.Files, Size: 84480, SHA256: sha, Matched: indicator.Indicator{Kind: indicator.SHA256, Value: sha}, Owner: "SYSTEM"},
		})
	}
	v.HitsTotal = 5000
	return settled(v)
}
