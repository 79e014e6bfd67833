package carbonblack_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// together is the condition of the search that carries the control.
const together = "/api/v1/process?(md5:" + eicar + " OR md5:" + svchost + ")"

// The recorded hit is found, with all that its record tells.
func TestRecordedHit(t *testing.T) {
	t.Parallel()
	s := replay(t, [2]string{together, "process-hit"}, [2]string{"/api/v1/binary?(md5:", "binary-hit"})
	s.Processes[0].MD5, s.Processes[0].Has = svchost, []string{}
	s.Processes = append(s.Processes, hitOn(1))
	process, _ := searched(t, connect(t, s.URL, nil), eicar)
	if process.State != ledger.NotSeen || process.Reason != "" || len(process.HitsOn) != 1 {
		t.Fatalf("%+v", process)
	}
	want := []ledger.HitRow{{
		FoundIn: ledger.Telemetry, Path: `c:\users\public\a.com`, Name: "a.com", Size: -1, MD5: eicar, Owner: `LAB\user`, PID: 5708,
		Matched: indicator.Indicator{Kind: indicator.MD5, Value: eicar}, StartedAt: time.Date(2026, 11, 20, 12, 25, 37, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, process.HitsOn["1"]); diff != "" {
		t.Error(diff)
	}
}

// The recorded answer without hits is one, and the server is asked the right questions.
func TestRecordedClean(t *testing.T) {
	t.Parallel()
	s := replay(t, [2]string{together, "process-clean"})
	process, binary := searched(t, connect(t, s.URL, nil), eicar)
	if process.State != ledger.NotSeen || binary.State != ledger.NotSeen || len(process.HitsOn)+len(binary.HitsOn) != 0 {
		t.Fatalf("%+v, %+v", process, binary)
	}
	window := "cb.urlver=1&cb.min_last_update=2026-10-24T23%3A00%3A00Z&cb.group=id&facet=false&"
	want := []string{
		"/api/v1/process?" + window + "rows=10&sort=last_update%20desc&start=0&q=last_update%3A-1d",
		"/api/v1/process?" + window + "rows=100&sort=start%20asc&start=0&q=%28md5%3A" + eicar + "%20OR%20md5%3A" + svchost + "%29",
		"/api/v1/process?" + window + "rows=100&sort=start%20asc&start=0&q=%28md5%3A" + eicar + "%29",
		"/api/v1/binary?cb.urlver=1&facet=false&rows=10&start=0&q=is_executable_image%3Atrue",
		"/api/v1/binary?cb.urlver=1&facet=false&rows=100&start=0&q=%28md5%3A" + eicar + "%20OR%20md5%3A" + svchost + "%29",
		"/api/v1/binary?cb.urlver=1&facet=false&rows=100&start=1&q=%28md5%3A" + eicar + "%20OR%20md5%3A" + svchost + "%29",
	}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Error(diff)
	}
}

// What looks empty and is not has its reason, and is never a "no".
func TestRecordedLooksEmpty(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		state ledger.State
		words string
	}{
		"process-looks-empty-incomplete": {ledger.Unverified, "incomplete_results"},
		"process-looks-empty-terms":      {ledger.Unverified, "terms: the server did not look for md5:" + eicar},
	} {
		s := replay(t, [2]string{together, name})
		process, _ := searched(t, connect(t, s.URL, nil), eicar)
		if process.State != tt.state || !strings.Contains(process.Reason, tt.words) {
			t.Errorf("%s: %+v", name, process.Verdict)
		}
		s = replay(t, [2]string{"/api/v1/process?(md5:" + eicar + ")", name}) // the control came, the search without it is cut
		process, _ = searched(t, connect(t, s.URL, nil), eicar)
		if process.State != ledger.Partial || !strings.Contains(process.Reason, tt.words) {
			t.Errorf("%s after a good control: %+v", name, process.Verdict)
		}
	}
}

// Segments of one process are one hit, and the estimate of 1,922 records is not believed.
func TestRecordedSegments(t *testing.T) {
	t.Parallel()
	s := replay(t, [2]string{"/api/v1/process?(md5:", "process-segments"})
	process, _ := searched(t, connect(t, s.URL, nil), eicar)
	if len(process.HitsOn["1"]) != 1 || process.State != ledger.Unverified {
		t.Errorf("%+v", process)
	}
	if n := len(s.Requests()); n > 8 {
		t.Errorf("%d requests: %q", n, s.Requests())
	}
}

// A binary names hosts, not days.
func TestRecordedBinary(t *testing.T) {
	t.Parallel()
	s := replay(t, [2]string{"/api/v1/binary?(md5:", "binary-hit"})
	_, binary := searched(t, connect(t, s.URL, nil), eicar)
	hits := binary.HitsOn["1"]
	if len(hits) != 1 || hits[0].Path != `c:\users\public\a.com` || hits[0].Size != 68 || hits[0].MD5 != eicar || !hits[0].StartedAt.IsZero() {
		t.Errorf("%+v", binary)
	}
	if share := binary.Share("1"); !strings.Contains(share.Reason, "may be older than the window") {
		t.Errorf("%+v", share)
	}
}

func TestRecordedRefusals(t *testing.T) {
	t.Parallel()
	s := replay(t, [2]string{"/api/v1/process?", "401"})
	tool := connect(t, s.URL, nil)
	queries, err := tool.Searches(work(eicar))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := tool.Search(t.Context(), queries[0]); !errors.Is(err, httpx.ErrAuth) || len(a.Rows) != 0 || len(s.Requests()) != 1 {
		t.Errorf("%+v, %v, %d requests", a, err, len(s.Requests()))
	}
	s = replay(t, [2]string{together, "504"})
	tool = connect(t, s.URL, nil)
	a, err := tool.Search(t.Context(), queries[0])
	if err != nil || a.Failure == nil || a.Failure.State != ledger.Error || !strings.Contains(a.Failure.Message, "504") {
		t.Errorf("%+v, %v", a, err)
	}
	if n := len(s.Requests()); n != 5 { // the control, and four attempts
		t.Errorf("%d requests", n)
	}
}

// The recorded sensors: one is well, one has a backlog, one is offline.
func TestRecordedSensors(t *testing.T) {
	t.Parallel()
	s := replay(t, [2]string{"/api/v2/sensor", "sensors"})
	got, err := connect(t, s.URL, nil).Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []edr.Endpoint{
		{ID: "1", Hostname: "LAB-WIN-01", Platform: "windows", LastSeen: time.Date(2026, 11, 23, 22, 59, 38, 393861000, time.UTC)},
		{
			ID: "2", Hostname: "LAB-WIN-02", Platform: "windows", LastSeen: time.Date(2026, 11, 23, 22, 59, 30, 393861000, time.UTC),
			Behind: "298.6 MiB of records wait on the sensor", Notes: []string{"sensor health 90 of 100: Elevated memory usage"},
		},
		{
			ID: "3", Hostname: "LAB-WIN-03", Platform: "windows", LastSeen: time.Date(2026, 11, 5, 6, 12, 9, 393861000, time.UTC),
			Behind: "offline since 2026-11-05T06:12:09Z",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The oldest records that are searched bound the window; without the right to know, the configuration does, and says so.
func TestRecordedPartitions(t *testing.T) {
	t.Parallel()
	s := replay(t, [2]string{"/partition", "partitions"})
	w, err := connect(t, s.URL, nil).Window(t.Context())
	if err != nil || !w.From.Equal(time.Date(2026, 10, 30, 18, 7, 50, 0, time.UTC)) || !w.To.Equal(clock()) || w.Note == "" {
		t.Errorf("%+v, %v", w, err)
	}
	w, err = connect(t, lab(t).URL, nil).Window(t.Context())
	if err != nil || !w.From.Equal(clock().Add(-30*24*time.Hour)) || !strings.Contains(w.Note, "HTTP 403") {
		t.Errorf("%+v, %v", w, err)
	}
	s = lab(t)
	part := func(status, start string) map[string]any {
		return map[string]any{"status": status, "info": map[string]any{"startDate": start, "numDocs": 1}}
	}
	s.Partitions = map[string]any{ // a part in the middle is not mounted: what lies before it proves nothing
		"writer": part("hot", "2026-11-20T00:00:00Z"), "cbevents_2026_11_10_0000": part("warm", ""), "cbevents_2026_11_05_1200_x": map[string]any{"status": "cold"},
		"cbevents_2026_10_01_0000": part("warm", "2026-10-01T00:00:00Z"), "odd": part("warm", ""),
	}
	w, err = connect(t, s.URL, nil).Window(t.Context())
	if err != nil || !w.From.Equal(time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", w, err)
	}
	s = replay(t, [2]string{"/partition", "401"})
	if _, err := connect(t, s.URL, nil).Window(t.Context()); !errors.Is(err, httpx.ErrAuth) {
		t.Error(err)
	}
	s = lab(t)
	s.Intercept = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		_, _ = w.Write([]byte("<html>"))
		return true
	}
	if w, err := connect(t, s.URL, nil).Window(t.Context()); err != nil || !strings.Contains(w.Note, "HTML") {
		t.Errorf("%+v, %v", w, err)
	}
}
