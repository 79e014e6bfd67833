package threatscape_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/threatscape"
	"github.com/hunter-project/hunter/internal/pivot/threatscape/threatscapetest"
	"github.com/hunter-project/hunter/internal/secret"
)

const (
	sampleA = "3b7606979f3b55bcc110b8ccadb78597bd949534a4a61017e0e95a8541ae0561"
	md5A    = "03b86596559fe700bc4246bc4995ffd9"
	sampleB = "7da1c40cc73581c4031530f4abb7dc6149fcaf782f5a8fecbbe9af33a68e680f"
	md5E    = "51a4e65ff3fab66bfb50f2f2d221363c"
	sampleF = "a43101b8dabe1732bfef0714b7fd31ce2598a6a9c744e6dbcd9ca49a0970282e"
	unknown = "daa7d29035c0f9f5fcb084499cebbdc235fb6b5af3115d458e2561a67679474e"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// clock stands at the moment of the vectors.
func clock() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func ref(t testing.TB, text string) secret.Ref {
	t.Helper()
	r, err := secret.ParseRef(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// server starts the recorded ThreatScape, in which every request must be right.
func server(t testing.TB, instead func(http.ResponseWriter, *http.Request) bool) *threatscapetest.Server {
	t.Helper()
	s := threatscapetest.New()
	s.Now, s.Instead = clock, instead
	t.Cleanup(s.Close)
	t.Cleanup(func() {
		for _, f := range s.Faults() {
			t.Errorf("a request is not as documented: %s", f)
		}
	})
	return s
}

func provider(t testing.TB, s *threatscapetest.Server, change func(*threatscape.Options)) *threatscape.Provider {
	t.Helper()
	opt := threatscape.Options{
		Config: threatscape.Config{URL: s.URL + "/", PublicKey: ref(t, "file:testdata/public.key"), PrivateKey: ref(t, "file:testdata/private.key")},
		HTTP:   httpx.Options{Now: clock, Rate: 10_000, FirstWait: time.Millisecond, MaxWait: time.Second},
	}
	if change != nil {
		change(&opt)
	}
	p, err := threatscape.New("threatscape", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() }) // it has nothing to say
	return p
}

func sha(value string) indicator.Indicator {
	return indicator.Indicator{Kind: indicator.SHA256, Value: value}
}

func limits() pivot.Limits { return pivot.DefaultLimits() }

// told writes edges as "relation kind:value report confidence".
func told(edges []pivot.Edge) []string {
	var out []string
	for _, e := range edges {
		out = append(out, fmt.Sprintf("%s %s %s %d", e.Relation, e.To, strings.TrimPrefix(e.Report, "threatscape:"), e.Confidence))
	}
	return out
}

func TestRelated(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	res, err := provider(t, s, nil).Related(t.Context(), sha(sampleA), limits())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"same_report domain:c2.hunter-fixture.example 15-00008884 90",
		"same_report email:billing@hunter-fixture.example 15-00008884 90",
		"same_report filename:invoice_8842.exe 15-00008884 90",
		"same_report filename:loader_old.exe 15-00008884 90",
		"same_report filename:svchst.dll 15-00008884 90",
		"same_report ipv4:192.0.2.44 15-00008884 90",
		"same_report md5:" + md5E + " 15-00008884 90",
		"same_report sha256:74dc260aa1b5de03b157cefa384e5384e591710d28b4db33b2f2e4d1539f9d16 15-00008884 90",
		"same_report sha256:78e155b216d07387cb7f6766d3a1f9fd1133384e1df9c1275927ec711d2c4079 15-00008884 90",
		"same_report sha256:" + sampleB + " 15-00008884 90",
		"same_report user_agent:Mozilla/4.0 (fixture) 15-00008884 90",
		"same_report url:http://dl.hunter-fixture.example/a.exe 15-00008884 80",
		"same_report filename:empty.bin 15-00008884 50",
		"same_report filename:invoice_8843.exe 15-00008884 50",
		"same_report sha256:b2d18719b1afed64d79ec06b73e68262b78a205d0236dc2b5abe1d1435dab2b1 15-00008884 50",
		"same_report sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 15-00008884 50",
		"victim filename:tool_good.exe 15-00008884 0",
		"victim sha256:" + sampleF + " 15-00008884 0",
		"same_report filename:invoice_8842.exe 15-00008042 90",
		"same_report filename:updater_x.exe 15-00008042 90",
		"same_report sha256:48cdf10d3ac4909dc1a5112b37f994a9b4f72c2fbb3e0ab765a91027a6c0c00d 15-00008042 90",
	}
	if diff := cmp.Diff(want, told(res.Edges)); diff != "" {
		t.Error(diff)
	}
	wantReports := []indicator.Report{
		{
			Provider: "threatscape", ID: "15-00008884", Title: "Ransomware Distributed by Invoice Lure", TLP: indicator.TLPAmber, Assumed: true,
			Published: time.Date(2015, 10, 8, 18, 0, 0, 0, time.UTC), Category: "Cyber Crime", Type: "malware", Risk: "HIGH",
			Families: []string{"FixtureLocker"}, Actors: []string{"actor-fixture"},
		},
		{
			Provider: "threatscape", ID: "15-00008042", Title: "Actor Overview of the Invoice Group", TLP: indicator.TLPAmber, Assumed: true,
			Published: time.Date(2015, 9, 1, 10, 0, 0, 0, time.UTC), Category: "Cyber Crime", Type: "malware", Families: []string{"FixtureLocker"},
		},
	}
	if diff := cmp.Diff(wantReports, res.Reports); diff != "" {
		t.Error(diff)
	}
	if len(res.Raw) != 1 || len(res.Cut)+len(res.Skipped) > 0 || res.Remembered != 0 {
		t.Errorf("%d raw, %v, %v", len(res.Raw), res.Cut, res.Skipped)
	}
	for _, e := range res.Edges {
		if e.Raw != res.Raw[0].Digest || e.Provider != "threatscape" || e.Time.IsZero() || e.TLP != indicator.TLPAmber || e.From != pivot.IndicatorRef(sha(sampleA)) {
			t.Errorf("%+v", e)
		}
	}
}

// JSON and XML say the same.
func TestXML(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	p := provider(t, s, func(o *threatscape.Options) { o.Config.Accept = "xml" })
	res, err := p.Related(t.Context(), sha(sampleA), limits())
	want := []string{
		"same_report filename:invoice_8842.exe 15-00008884 90", "same_report filename:svchst.dll 15-00008884 90", "same_report sha256:" + sampleB + " 15-00008884 90",
	}
	if diff := cmp.Diff(want, told(res.Edges)); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if diff := cmp.Diff([]indicator.File{
		{MD5: md5A, SHA1: "ddfccb8f030fcd4f79333764fad3298260db118d", SHA256: sampleA, Size: 24, Names: []string{"invoice_8842.exe"}},
		{MD5: "5c2bf212d57a6db9a6ba73e8fef4ed77", SHA1: "cad7f89e7df2bdb68429dd59075d9a1d08624ebb", SHA256: sampleB, Size: 24, Names: []string{"svchst.dll"}},
	}, res.Files); diff != "" {
		t.Error(diff)
	}
}

// One question a digest at most: what was asked is remembered, and a file that is stated in full needs none.
func TestResolveAsksOnce(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	p := provider(t, s, nil)
	digests := []indicator.Indicator{sha(sampleA), {Kind: indicator.MD5, Value: md5A}, sha(sampleB), {Kind: indicator.MD5, Value: md5E}, sha(unknown)}
	res, err := p.Resolve(t.Context(), digests)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/pivot/indicator/sha256/" + sampleA, "/pivot/indicator/md5/" + md5E, "/pivot/indicator/sha256/" + unknown}
	if diff := cmp.Diff(want, s.Asked()); diff != "" {
		t.Error(diff)
	}
	var set indicator.FileSet
	for _, f := range res.Files {
		set.Add(f)
	}
	for _, d := range digests[:4] {
		f, ok := set.Lookup(d)
		if !ok || f.Size != 24 || len(f.Names) != 1 || (len(f.Digests()) != 3 && d.Value != md5E) {
			t.Errorf("%s: %+v", d, f)
		}
	}
	if _, ok := set.Lookup(sha(unknown)); ok || len(res.Raw) != 2 {
		t.Errorf("unknown is known, or %d raw answers", len(res.Raw))
	}
	if _, err := p.Related(t.Context(), sha(sampleA), limits()); err != nil || len(s.Asked()) != 3 {
		t.Errorf("%v, asked %d times", err, len(s.Asked()))
	}
}

// The whole way from the alert's hash: what is hunted, and what is not, each with its reason.
func TestExpand(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	opt := pivot.DefaultOptions()
	opt.Follow = []indicator.Relation{indicator.RelVictim} // not even when it is told
	graph, err := pivot.Expand(t.Context(), pivot.Seed{Files: []indicator.File{{SHA256: sampleA}}}, []pivot.Provider{provider(t, s, nil)}, opt)
	if err != nil || !graph.Complete {
		t.Fatal(err, graph.Skipped)
	}
	files, refused := pivot.Hunted(graph, opt, &pivot.NeverList{}, clock())
	var hunted []string
	for _, f := range files {
		hunted = append(hunted, f.Best().Value[:8])
	}
	slices.Sort(hunted)
	if diff := cmp.Diff([]string{"3b760697", "48cdf10d", "51a4e65f", "74dc260a", "78e155b2", "7da1c40c", "b2d18719"}, hunted); diff != "" {
		t.Error(diff)
	}
	reasons := map[string]string{}
	for _, r := range refused {
		reasons[r.Value] = r.Reason
	}
	if !strings.Contains(reasons[sampleF], "a victim's own file, says threatscape:15-00008884") || len(refused) != 4 {
		t.Errorf("%v", reasons)
	}
	// The seed by three digests; E, two quoted digests, G and the empty file by one, since no row states them in full.
	if n := len(s.Asked()); n != 8 {
		t.Errorf("%d questions:\n%s", n, strings.Join(s.Asked(), "\n"))
	}
}

// A victim's file that is the seed is hunted: a person said so.
func TestVictimAsSeed(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	seed := pivot.Seed{Files: []indicator.File{{SHA256: sampleA}, {SHA256: sampleF}}}
	graph, err := pivot.Expand(t.Context(), seed, []pivot.Provider{provider(t, s, nil)}, pivot.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	files, _ := pivot.Hunted(graph, pivot.DefaultOptions(), &pivot.NeverList{}, clock())
	if !slices.ContainsFunc(files, func(f indicator.File) bool { return f.SHA256 == sampleF }) {
		t.Error("the seed is not hunted")
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	lim := limits()
	lim.PerReport, lim.PerIndicator = 3, 1
	res, err := provider(t, s, nil).Related(t.Context(), sha(sampleA), lim)
	if err != nil {
		t.Fatal(err)
	}
	want := []pivot.Cut{
		{Provider: "threatscape", At: "sha256:" + sampleA, Limit: "max_reports", Kept: 1, Total: 2},
		{Provider: "threatscape", At: "report:threatscape:15-00008884", Limit: "max_per_report", Kept: 3, Total: 16},
	}
	if diff := cmp.Diff(want, res.Cut); diff != "" {
		t.Error(diff)
	}
	if len(res.Edges) != 5 || len(res.Reports) != 1 { // victims are beside the limit
		t.Errorf("%v", told(res.Edges))
	}
	lim.Known = map[string]bool{"threatscape:15-00008884": true}
	if res, err = provider(t, s, nil).Related(t.Context(), sha(sampleA), lim); err != nil || len(res.Edges) != 0 || len(res.Reports) != 1 {
		t.Errorf("%v, %v", told(res.Edges), err)
	}
}

// Every kind is asked by its own type, escaped so that it can be nothing else.
func TestPaths(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	p := provider(t, s, nil)
	for text, want := range map[string]string{
		"md5:" + md5A: "/pivot/indicator/md5/" + md5A,
		"sha1:ddfccb8f030fcd4f79333764fad3298260db118d": "/pivot/indicator/sha1/ddfccb8f030fcd4f79333764fad3298260db118d",
		"ipv4:192.0.2.44":                    "/pivot/indicator/ip/192.0.2.44",
		"ipv6:2001:db8::1":                   "/pivot/indicator/ip/2001:db8::1",
		"domain:c2.example":                  "/pivot/indicator/domain/c2.example",
		"url:http://x.example/a b?c=d&e=ü#f": "/pivot/indicator/url?value=http%3A%2F%2Fx.example%2Fa%20b%3Fc%3Dd%26e%3D%C3%BC%23f",
		"email:a+b@x.example":                "/pivot/indicator/emailName/a+b@x.example",
		"filename:Invoice 1?.EXE":            "/pivot/indicator/fileName/invoice%201%3F.exe",
		`filename:C:\Users\x\Evil.exe`:       "/pivot/indicator/filePath/evil.exe",
		`registry_key:HKLM\Software\Run/x`:   "/pivot/indicator/registryKey/HKLM%5CSoftware%5CRun%2Fx",
		"filename:%2e%2e":                    "/pivot/indicator/fileName/%252e%252e",
	} {
		ind, err := indicator.Detect(text)
		if err != nil {
			t.Fatal(err)
		}
		before := len(s.Asked())
		if _, err := p.Related(t.Context(), ind, limits()); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if asked := s.Asked()[before:]; len(asked) != 1 || asked[0] != want {
			t.Errorf("%s: asked %q, not %q", text, asked, want)
		}
	}
	before := len(s.Asked())
	for _, value := range []string{"..", ".", "../..", `\\`, "a\x00b", "\xff"} {
		res, err := p.Related(t.Context(), indicator.Indicator{Kind: indicator.Filename, Value: value}, limits())
		if err != nil || len(res.Skipped) != 1 || !strings.Contains(res.Skipped[0].Reason, "can not be asked for") {
			t.Errorf("%q: %v, %v", value, res.Skipped, err)
		}
	}
	if res, err := p.Related(t.Context(), indicator.Indicator{Kind: indicator.Mutex, Value: "x"}, limits()); err != nil || len(res.Skipped) != 1 {
		t.Errorf("%v, %v", res.Skipped, err)
	}
	if len(s.Asked()) != before {
		t.Errorf("asked: %q", s.Asked()[before:])
	}
}

func TestFromReport(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	p := provider(t, s, nil)
	res, err := p.FromReport(t.Context(), "15-00008884", limits())
	if err != nil || len(res.Skipped)+len(res.Cut) > 0 {
		t.Fatal(err, res.Skipped)
	}
	var related, named []string
	for _, e := range res.Edges {
		if e.From != pivot.ReportRef("threatscape:15-00008884") || e.Raw == "" {
			t.Errorf("%+v", e)
		}
		if e.Relation == indicator.RelRelatedReport {
			related = append(related, e.To.Value)
		} else {
			named = append(named, string(e.Relation)+" "+e.To.String())
		}
	}
	if len(related) != 12 || !slices.Contains(related, "threatscape:Intel-1021023") || !slices.Contains(related, "threatscape:13-27820") || len(res.Raw) != 2 {
		t.Errorf("%d raw answers, related: %q", len(res.Raw), related)
	}
	if !slices.Contains(named, "reports_on sha256:"+sampleA) || !slices.Contains(named, "victim sha256:"+sampleF) || len(res.Reports) != 13 {
		t.Errorf("%d reports, %q", len(res.Reports), named)
	}
	// Related reports as bare ids, of a report without indicators.
	res, err = p.FromReport(t.Context(), "13-27820", limits())
	if err != nil || len(res.Edges) != 11 || res.Edges[0].Relation != indicator.RelRelatedReport || len(res.Reports) != 12 {
		t.Errorf("%v, %v", told(res.Edges), err)
	}
	for _, id := range []string{"99-00000000", "..", ".", "a b", "a\nb", ""} {
		res, err := p.FromReport(t.Context(), id, limits())
		if len(res.Edges)+len(res.Reports)+len(res.Raw) > 0 || (err != nil) {
			t.Errorf("%q: %+v, %v", id, res, err)
		}
	}
	for _, uri := range s.Asked() {
		if strings.Contains(uri, "..") || strings.Contains(uri, "/./") {
			t.Errorf("asked %s", uri)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	p := provider(t, s, nil)
	for _, text := range []string{sampleA, "invoice lure"} {
		res, err := p.Search(t.Context(), text, 200)
		if err != nil || len(res.Reports) != 1 || res.Reports[0].ID != "15-00008884" || res.Reports[0].Category != "Cyber Crime" || len(res.Cut) > 0 {
			t.Errorf("%s: %+v, %v", text, res, err)
		}
	}
}

// A search goes on until a page brings nothing new, and says when there is more.
func TestSearchPages(t *testing.T) {
	t.Parallel()
	s := server(t, func(w http.ResponseWriter, r *http.Request) bool {
		type hit struct {
			ID string `json:"reportId"`
		}
		var hits []hit
		offset, size := 0, 0
		if _, err := fmt.Sscanf(r.URL.Query().Get("offset")+" "+r.URL.Query().Get("limit"), "%d %d", &offset, &size); err != nil {
			t.Error(err)
		}
		for i := offset; i < min(offset+size, 250); i++ {
			hits = append(hits, hit{fmt.Sprintf("15-%04d", i)})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "message": hits})
		return true
	})
	p := provider(t, s, nil)
	res, err := p.Search(t.Context(), "x", 1000)
	if err != nil || len(res.Reports) != 250 || len(res.Cut) > 0 || len(s.Asked()) != 3 {
		t.Errorf("%d reports, %v, %v", len(res.Reports), res.Cut, err)
	}
	res, err = p.Search(t.Context(), "x", 150)
	if err != nil || len(res.Reports) != 150 || len(res.Cut) != 1 {
		t.Errorf("%d reports, %v, %v", len(res.Reports), res.Cut, err)
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	p := provider(t, s, nil)
	for _, format := range pivot.Formats() {
		name := "report." + format
		if format == "json" {
			name = "report_full.json"
		}
		doc, err := p.Fetch(t.Context(), "15-00008884", format)
		if err != nil || string(doc.Body) != string(threatscapetest.Read(name)) {
			t.Errorf("%s: %v, %q", format, err, doc.Body)
		}
	}
	for id, want := range map[string]string{
		"99-00000000": "no such report", "14-403": "not entitled", "14-200": "exceeds 90 days", "..": "can not be asked for", "a b": "no such report",
	} {
		if _, err := p.Fetch(t.Context(), id, "pdf"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := p.Fetch(t.Context(), "15-00008884", "docx"); err == nil || len(s.Asked()) != 5+3 {
		t.Errorf("%v, asked %q", err, s.Asked())
	}
}

// An answer of a day before is told as such; one that this provider got itself is not.
func TestRemembered(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	memory, now := &httpx.Memory{}, clock()
	change := func(o *threatscape.Options) { o.HTTP.Cache, o.HTTP.Now = memory, func() time.Time { return now } }
	s.Now = func() time.Time { return now }
	first := provider(t, s, change)
	for range 2 {
		if res, err := first.Related(t.Context(), sha(sampleA), limits()); err != nil || res.Remembered != 0 {
			t.Errorf("%d remembered, %v", res.Remembered, err)
		}
		now = now.Add(time.Hour)
	}
	second := provider(t, s, change)
	res, err := second.Related(t.Context(), sha(sampleA), limits())
	if err != nil || res.Remembered != 1 || res.Oldest != 2*time.Hour || len(s.Asked()) != 1 {
		t.Errorf("%d remembered, oldest %s, asked %d, %v", res.Remembered, res.Oldest, len(s.Asked()), err)
	}
	if _, err := second.Related(httpx.WithMaxAge(t.Context(), time.Hour), sha(sampleA), limits()); err != nil || len(s.Asked()) != 2 {
		t.Errorf("asked %d, %v", len(s.Asked()), err)
	}
	// Another version or another account is another question.
	s.Version = "2.5"
	other := provider(t, s, func(o *threatscape.Options) { change(o); o.Config.Version = "2.5" })
	if _, err := other.Related(t.Context(), sha(sampleA), limits()); err != nil || len(s.Asked()) != 3 {
		t.Errorf("asked %d, %v", len(s.Asked()), err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := server(t, func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := provider(t, s, nil).Resolve(ctx, []indicator.Indicator{sha(sampleA), sha(sampleB)}); !errors.Is(err, context.Canceled) || len(s.Asked()) > 1 {
		t.Errorf("%v, asked %q", err, s.Asked())
	}
}
