package carbonblack_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/carbonblack"
	"github.com/hunter-project/hunter/internal/edr/carbonblack/carbonblacktest"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// hitOn is a process whose program is the hunted file.
func hitOn(sensor int) carbonblacktest.Process {
	return carbonblacktest.Process{
		Sensor: sensor, MD5: eicar, Path: `c:\users\public\a.com`, PID: 5708, Fields: map[string]any{"start": "2026-11-20T12:25:37.19Z"},
	}
}

// nth is an md5 that tells its number.
func nth(n int) string { return fmt.Sprintf("%032x", n+1) }

// A hit is a hit of the digest that it matched, whatever else was asked and in whatever way the record has it.
func TestWhatMatched(t *testing.T) {
	t.Parallel()
	s := lab(t)
	asked := []string{eicar}
	for n := range 20 {
		asked = append(asked, nth(n))
	}
	s.Processes = append(
		s.Processes,
		hitOn(1), // as the program
		carbonblacktest.Process{Sensor: 2, MD5: other, Path: `c:\drop.exe`, Has: []string{nth(3), nth(11)}},              // written by a program that nobody asked for
		carbonblacktest.Process{Sensor: 3, MD5: nth(5), Path: `c:\both.exe`, Has: []string{nth(6)}},                      // both
		carbonblacktest.Process{Sensor: 4, MD5: svchost, Path: `c:\windows\system32\svchost.exe`, Has: []string{nth(7)}}, // behind the control itself
		carbonblacktest.Process{Sensor: 5, MD5: strings.ToUpper(nth(8)), Path: `c:\upper.exe`},
	)
	process, _ := searched(t, connect(t, s.URL, nil), asked...)
	if process.State != ledger.NotSeen {
		t.Errorf("%+v", process.Verdict)
	}
	got := map[string][]string{}
	for sensor, hits := range process.HitsOn {
		for _, h := range hits {
			got[sensor] = append(got[sensor], h.Matched.Value+" "+h.Path)
		}
		slices.Sort(got[sensor])
	}
	want := map[string][]string{
		"1": {eicar + ` c:\users\public\a.com`}, "2": {nth(3) + " ", nth(11) + " "}, "3": {nth(5) + ` c:\both.exe`, nth(6) + " "}, "4": {nth(7) + " "},
		"5": {nth(8) + ` c:\upper.exe`},
	}
	for sensor := range want {
		slices.Sort(want[sensor])
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v instead of %v", got, want)
	}
	if share := process.Share("2"); !strings.Contains(share.Reason, `written or loaded by c:\drop.exe`) {
		t.Errorf("%+v", share)
	}
}

// Pages are read to the empty one, whatever the server estimates; each process counts once.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, segments := range []bool{false, true} {
		for _, total := range []int{0, 1_000_000} {
			s := lab(t)
			s.NoGroups = segments
			for n := range 250 {
				p := hitOn(n + 1)
				p.Segments = 3
				s.Processes = append(s.Processes, p)
			}
			s.Change = func(_ *http.Request, body map[string]any) { body["total_results"] = total }
			process, _ := searched(t, connect(t, s.URL, nil), eicar)
			if len(process.HitsOn) != 250 || process.State != ledger.NotSeen || process.Counts.FilesSeen != 250 {
				t.Errorf("segments %t, estimate %d: %d endpoints, %+v", segments, total, len(process.HitsOn), process.Verdict)
			}
		}
	}
}

// A server that repeats itself or never ends is not followed for ever, and that is said.
func TestEndlessPages(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fresh bool
		words string
	}{"the same page": {false, "same records again"}, "always new": {true, "more than 10000 records"}} {
		s := lab(t)
		made := 0
		s.Change = func(r *http.Request, body map[string]any) {
			if q := r.URL.Query().Get("q"); r.URL.Path != "/api/v1/process" || strings.Contains(q, svchost) || !strings.Contains(q, eicar) {
				return
			}
			var rows []any
			for range 100 {
				id := 1
				if tt.fresh {
					made++
					id = made
				}
				rows = append(rows, map[string]any{"id": fmt.Sprint(id), "process_md5": eicar, "sensor_id": 1, "process_pid": id})
			}
			body["results"] = rows
		}
		process, _ := searched(t, connect(t, s.URL, nil), eicar)
		if process.State != ledger.Partial || !strings.Contains(process.Reason, tt.words) || len(process.HitsOn["1"]) == 0 {
			t.Errorf("%s: %+v", name, process.Verdict)
		}
		if n := len(s.Requests()); n > 210 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

// What the server keeps back, or does not understand, is a gap.
func TestGaps(t *testing.T) {
	t.Parallel()
	for words, change := range map[string]func(map[string]any){
		"filtered":           func(b map[string]any) { b["filtered"] = map[string]any{"hour_of_day": []any{}, "hidden": 3} },
		"incomplete_results": func(b map[string]any) { b["incomplete_results"] = true },
		"terms":              func(b map[string]any) { b["terms"] = []string{"md5:" + other} },
		"(2 of 2)":           func(b map[string]any) { delete(b, "terms") },
		"not asked for":      func(b map[string]any) { b["terms"] = append(b["terms"].([]string), "md5:"+other) },
	} {
		s := lab(t)
		s.Processes = append(s.Processes, hitOn(1))
		s.Change = func(_ *http.Request, body map[string]any) { change(body) }
		tool := connect(t, s.URL, nil)
		process, binary := searched(t, tool, eicar)
		if process.State != ledger.Partial || !strings.Contains(process.Reason, words) || len(process.HitsOn["1"]) != 1 {
			t.Errorf("%s: %+v", words, process)
		}
		if binary.State == ledger.NotSeen {
			t.Errorf("%s: %+v", words, binary)
		}
	}
}

// A part of the server that answers at the second asking leaves no gap.
func TestIncompleteOnce(t *testing.T) {
	t.Parallel()
	s := lab(t)
	asked := map[string]int{}
	s.Change = func(r *http.Request, body map[string]any) {
		if asked[r.URL.RawQuery]++; asked[r.URL.RawQuery] == 1 && r.URL.Path == "/api/v1/process" {
			body["incomplete_results"], body["results"] = true, []any{}
		}
	}
	process, _ := searched(t, connect(t, s.URL, nil), eicar)
	if process.State != ledger.NotSeen {
		t.Errorf("%+v", process.Verdict)
	}
}

// Without a control nothing is a "no"; hits are hits all the same. The store of binaries only adds hits: that it was searched
// without one is noted, and that it lost what it had listed itself is a gap.
func TestControlMissing(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 32)
	for name, spoil := range map[string]func(*carbonblacktest.Server){
		"nothing recorded": func(s *carbonblacktest.Server) { s.Processes, s.Binaries = nil, nil },
		"md5s of zeros": func(s *carbonblacktest.Server) {
			s.Processes[0].MD5, s.Processes[1].MD5, s.Binaries = zeros, zeros[:30], nil
		},
		"listed and not found again": func(s *carbonblacktest.Server) {
			s.Change = func(r *http.Request, body map[string]any) {
				if strings.Contains(r.URL.Query().Get("q"), svchost) {
					body["results"] = []any{}
				}
			}
		},
	} {
		s := lab(t)
		spoil(s)
		process, binary := searched(t, connect(t, s.URL, nil), eicar)
		lost := strings.Contains(binary.Reason, "did not find the file that it had listed itself")
		if process.State != ledger.Unverified || len(binary.Notes) != 1 || lost != (name == "listed and not found again") || lost != (binary.State == ledger.Partial) {
			t.Errorf("%s: %+v, %+v", name, process.Verdict, binary.Verdict)
		}
		if cov := ledger.CoverRecorded(&ledger.Verdict{State: ledger.NotSeen}, []*ledger.Verdict{&process.Verdict, &binary.Verdict}, ""); cov.State != ledger.Unverified {
			t.Errorf("%s: an endpoint is %s", name, cov.State)
		}
		s.Processes = append(s.Processes, hitOn(2))
		if process, _ := searched(t, connect(t, s.URL, nil), eicar); len(process.HitsOn["2"]) != 1 {
			t.Errorf("%s: the hit is lost: %+v", name, process)
		}
	}
}

// When the file that the server lists is itself hunted, it is control and hit.
func TestControlIsHunted(t *testing.T) {
	t.Parallel()
	s := lab(t)
	process, binary := searched(t, connect(t, s.URL, nil), svchost)
	if process.State != ledger.NotSeen || len(process.HitsOn) != 2 || len(binary.HitsOn) != 2 {
		t.Errorf("%+v, %+v", process, binary)
	}
}

// A server that answers another question than was put makes no hits of it; a record of which nobody can say what it
// matched is told with its endpoint.
func TestOtherAnswers(t *testing.T) {
	t.Parallel()
	s := lab(t)
	s.Processes = append(s.Processes, hitOn(1))
	s.Change = func(r *http.Request, body map[string]any) { // whatever is asked, the control is looked for as well
		if terms := body["terms"].([]string); len(terms) > 0 && strings.HasPrefix(terms[0], "md5:") && !slices.Contains(terms, "md5:"+svchost) {
			body["terms"] = append(terms, "md5:"+svchost)
			body["results"] = append(body["results"].([]any), map[string]any{"id": "x", "sensor_id": 2, "process_md5": svchost, "path": "c:\\svchost.exe", "process_pid": 7})
		}
	}
	process, _ := searched(t, connect(t, s.URL, nil), eicar)
	if len(process.HitsOn["1"]) != 1 || len(process.HitsOn["2"]) != 0 || process.State != ledger.Partial {
		t.Errorf("%+v", process)
	}
	s = lab(t)
	s.Processes = append(s.Processes, carbonblacktest.Process{Sensor: 2, MD5: other, Path: `c:\drop.exe`, Has: []string{eicar}})
	s.Change = func(r *http.Request, body map[string]any) { // a digest alone finds nothing
		if q := r.URL.Query().Get("q"); strings.HasPrefix(q, "(md5:") && !strings.Contains(q, " OR ") {
			body["results"] = []any{}
		}
	}
	process, _ = searched(t, connect(t, s.URL, nil), eicar, nth(1))
	if share := process.Share("2"); len(process.HitsOn) != 0 || share.State != ledger.Partial || !strings.Contains(share.Reason, `a record of c:\drop.exe (pid 4002) matches`) {
		t.Errorf("%+v", process)
	}
}

// The md5 of zeros stands for every file that the server does not know: it is not looked for, and that is said.
func TestZeros(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 32)
	for _, asked := range [][]string{{zeros}, {zeros, eicar}} {
		s := lab(t)
		s.Processes = append(s.Processes, carbonblacktest.Process{Sensor: 2, MD5: zeros, Path: `c:\unknown.exe`})
		process, binary := searched(t, connect(t, s.URL, nil), asked...)
		if process.State != ledger.Partial || binary.State != ledger.Partial || len(process.HitsOn) != 0 || !strings.Contains(process.Reason, "zeros") {
			t.Errorf("%+v, %+v", process, binary)
		}
		if sent := strings.Join(s.Requests(), "\n"); strings.Contains(sent, zeros) {
			t.Error(sent)
		}
		s.Processes, s.Binaries = nil, nil // no control either: there is nothing at all to ask for
		if process, binary := searched(t, connect(t, s.URL, nil), asked...); process.State != ledger.Unverified || binary.State != ledger.Partial {
			t.Errorf("%+v, %+v", process, binary)
		}
	}
}

// A control that has fallen out of the records since it was listed is chosen anew, and the search is good.
func TestControlIsGone(t *testing.T) {
	t.Parallel()
	s := lab(t)
	tool := connect(t, s.URL, nil)
	searched(t, tool, eicar)
	for i := range s.Processes {
		s.Processes[i].MD5 = other
	}
	s.Binaries[0].MD5 = strings.ToUpper(other)
	process, binary := searched(t, tool, eicar)
	if process.State != ledger.NotSeen || binary.State != ledger.NotSeen {
		t.Errorf("%+v, %+v", process.Verdict, binary.Verdict)
	}
}

// A quiet server: its last record is older than a day.
func TestControlOfTheWindow(t *testing.T) {
	t.Parallel()
	s := lab(t)
	for i := range s.Processes {
		s.Processes[i].Updated = s.Now.Add(-10 * 24 * time.Hour)
	}
	if process, _ := searched(t, connect(t, s.URL, nil), eicar); process.State != ledger.NotSeen {
		t.Errorf("%+v", process.Verdict)
	}
}

// A failure in the middle keeps the hits that had come.
func TestFailureKeepsHits(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusGatewayTimeout, http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound} {
		s := lab(t)
		for n := range 150 {
			s.Processes = append(s.Processes, hitOn(n+1))
		}
		s.Intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Query().Get("start") == "100" {
				w.WriteHeader(status)
				return true
			}
			return false
		}
		process, _ := searched(t, connect(t, s.URL, nil), eicar)
		if process.State != ledger.Error || len(process.HitsOn) != 100 {
			t.Errorf("%d: %d hits, %+v", status, len(process.HitsOn), process.Verdict)
		}
	}
}

// A binary under several names, on hosts that are not all named.
func TestBinaries(t *testing.T) {
	t.Parallel()
	s := lab(t)
	s.Binaries = append(s.Binaries, carbonblacktest.Binary{
		MD5: strings.ToUpper(eicar), Names: []string{`c:\a.com`, `d:\b.com`}, Seen: []string{"A|7", "A|7", "ODD|NAME|8", "nameless"},
		Fields: map[string]any{"host_count": 5},
	})
	_, binary := searched(t, connect(t, s.URL, nil), eicar, other)
	if len(binary.HitsOn["7"]) != 1 || len(binary.HitsOn["8"]) != 1 || binary.HitsOn["7"][0].Path != "" || binary.State != ledger.Partial {
		t.Errorf("%+v", binary)
	}
	for _, words := range []string{"counts 5 hosts", "no id of: nameless"} {
		if !strings.Contains(binary.Reason, words) {
			t.Errorf("%q: no %q", binary.Reason, words)
		}
	}
	if share := binary.Share("7"); !strings.Contains(share.Reason, `c:\a.com, d:\b.com`) {
		t.Errorf("%+v", share)
	}
}

// Presence is of the sensor that was asked for, in the window.
func TestPresence(t *testing.T) {
	t.Parallel()
	s := lab(t)
	s.Processes[1].Updated = s.Now.Add(-40 * 24 * time.Hour)
	tool := connect(t, s.URL, nil)
	for sensor, want := range map[string]ledger.State{"1": ledger.NotSeen, "2": ledger.Unverified, "77": ledger.Unverified} {
		if v := present(t, tool, sensor); v.State != want {
			t.Errorf("sensor %s: %+v", sensor, v)
		}
	}
	for words, change := range map[string]func(map[string]any){
		"filtered":            func(b map[string]any) { b["filtered"] = []any{1} },
		"incomplete_results":  func(b map[string]any) { b["incomplete_results"] = true },
		"terms":               func(b map[string]any) { b["terms"] = []string{"sensor_id", "1"} },
		"no data":             func(b map[string]any) { b["results"].([]any)[0].(map[string]any)["sensor_id"] = 2 },
		"no data of this end": func(b map[string]any) { b["results"] = []any{} }, // the estimate alone is no record
	} {
		s := lab(t)
		s.Change = func(_ *http.Request, body map[string]any) { change(body) }
		if v := present(t, connect(t, s.URL, nil), "1"); v.State == ledger.NotSeen || !strings.Contains(v.Reason, words) {
			t.Errorf("%s: %+v", words, v)
		}
	}
}

func present(t *testing.T, tool *carbonblack.Tool, sensor string) ledger.Verdict {
	t.Helper()
	ep := edr.Endpoint{ID: sensor}
	queries, err := tool.Compile(ep, work(eicar))
	if err != nil || len(queries) != 1 {
		t.Fatal(queries, err)
	}
	a, err := tool.Ask(t.Context(), ep, queries[0])
	if err != nil {
		t.Fatal(err)
	}
	return ledger.JudgePresence(queries[0], a)
}

// Nothing but 32 hex digits ever gets into an address; queries that were changed are not put.
func TestInjection(t *testing.T) {
	t.Parallel()
	s := lab(t)
	tool := connect(t, s.URL, nil)
	good, err := tool.Searches(work(eicar))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []indicator.Indicator{
		{Kind: indicator.MD5, Value: eicar + ") OR (process_name:a"}, {Kind: indicator.MD5, Value: "*"}, {Kind: indicator.MD5, Value: ""},
		{Kind: indicator.MD5, Value: eicar + "\n"}, {Kind: indicator.MD5, Value: strings.Repeat("0", 40)}, {Kind: indicator.SHA1, Value: strings.Repeat("a", 40)},
		{Kind: indicator.SHA256, Value: strings.Repeat("a", 64)}, {Kind: indicator.SHA1, Value: eicar}, {Kind: indicator.Domain, Value: "a.example"},
	} {
		w := work(eicar)
		w.Targets = append(w.Targets, edr.Target{Ask: bad})
		if qs, err := tool.Searches(w); err == nil {
			t.Errorf("%q: %v", bad, qs)
		}
		q := good[0]
		q.Hashes = []indicator.Indicator{bad}
		refused(t, tool, q)
	}
	for _, change := range []func(*ledger.Query){
		func(q *ledger.Query) { q.Text += "&x=1" },
		func(q *ledger.Query) { q.Text = strings.Replace(q.Text, "/process", "/banning/blacklist", 1) },
		func(q *ledger.Query) { q.Hashes = nil },
		func(q *ledger.Query) {
			q.Hashes = append(q.Hashes, indicator.Indicator{Kind: indicator.MD5, Value: other})
		},
		func(q *ledger.Query) { q.Window.From = q.Window.From.Add(time.Hour) },
	} {
		q := good[0]
		change(&q)
		refused(t, tool, q)
	}
	for _, id := range []string{"", "0", "1 OR sensor_id:2", "*", "-1", "a", strings.Repeat("9", 20)} {
		ep := edr.Endpoint{ID: id}
		if qs, err := tool.Compile(ep, work(eicar)); err == nil {
			t.Errorf("%q: %v", id, qs)
		}
		if a, err := tool.Ask(t.Context(), ep, ledger.Query{Text: "GET /api/v1/process?q=sensor_id:" + id}); err != nil || a.Failure == nil {
			t.Errorf("%q: %+v, %v", id, a, err)
		}
	}
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests: %q", n, s.Requests())
	}
}

func refused(t *testing.T, tool *carbonblack.Tool, q ledger.Query) {
	t.Helper()
	if a, err := tool.Search(t.Context(), q); err != nil || a.Failure == nil || len(a.Rows) != 0 {
		t.Errorf("%+v: %+v, %v", q, a, err)
	}
}

// A text is the request as sent but for the control, and short enough for every proxy; upper case is folded.
func TestTexts(t *testing.T) {
	t.Parallel()
	s := lab(t)
	tool := connect(t, s.URL, nil)
	var many []string
	for n := range 120 {
		many = append(many, strings.ToUpper(nth(n)))
	}
	queries, err := tool.Searches(work(many...))
	if err != nil || len(queries) != 6 {
		t.Fatal(len(queries), err)
	}
	ids := map[string]bool{}
	for _, q := range queries {
		ids[q.ID] = true
		if len(q.Text) > 3500 || strings.Count(q.Text, "{control}") != 1 || strings.ToLower(q.Hashes[0].Value) != q.Hashes[0].Value {
			t.Errorf("%d: %s", len(q.Text), q.Text)
		}
		a, err := tool.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(a.Rows, func(r ledger.Row) bool { return r["kind"] == "control" })
		if i < 0 || strings.Replace(q.Text, "{control}", a.Rows[i]["name"], 1) != a.Rows[i]["text"] || !slices.Contains(s.Requests(), strings.TrimPrefix(a.Rows[i]["text"], "GET ")) {
			t.Errorf("%s: %v", q.Text, a.Rows)
		}
	}
	if len(ids) != 6 {
		t.Error(ids)
	}
}
