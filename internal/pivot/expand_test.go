package pivot_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// chain is a – R1 – b – R2 – c – R3 – d, with low and unhunted side members.
func chain() *fake {
	return &fake{
		reports: map[string][]member{
			"R1": {{sum("a"), 70}, {sum("b"), 70}, {sum("low"), 10}, {domain("evil.example"), 50}},
			"R2": {{sum("b"), 70}, {sum("c"), 50}},
			"R3": {{sum("c"), 70}, {sum("d"), 90}},
			"R4": {{sum("low"), 70}, {sum("beyond low"), 90}},
			"R5": {{domain("evil.example"), 70}, {sum("by domain"), 80}},
		},
		meta: map[string]indicator.Report{"R1": {Title: "One", Published: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	for d, want := range map[int]string{
		-1: "a", 0: "a", 1: "a b low evil.example", 2: "a b low evil.example c by domain", 3: "a b low evil.example c by domain d",
		9: "a b low evil.example c by domain d",
	} {
		g := expand(t, seedOf(sum("a")), depth(d), chain())
		for _, name := range []string{"a", "b", "c", "d", "low", "beyond low", "by domain"} {
			_, got := node(g, sum(name))
			if wanted := strings.Contains(" "+strings.ReplaceAll(want, "by domain", "by_domain")+" ", " "+strings.ReplaceAll(name, " ", "_")+" "); got != wanted {
				t.Errorf("depth %d: %s in the graph is %v", d, name, got)
			}
		}
		if !g.Complete {
			t.Errorf("depth %d: not complete: %+v %+v", d, g.Cut, g.Skipped)
		}
	}
}

func TestEdgeSaysAll(t *testing.T) {
	t.Parallel()
	g := expand(t, seedOf(sum("a")), depth(1), chain())
	got := pivot.Explain(g, sum("b"))
	want := []pivot.Edge{{
		From: pivot.IndicatorRef(sum("a")), To: pivot.IndicatorRef(sum("b")), Relation: indicator.RelSameReport, Provider: "fake",
		Report: "fake:R1", Confidence: 70, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(g.Reports) != 1 || g.Reports[0].Title != "One" {
		t.Errorf("reports %+v", g.Reports)
	}
}

func TestSiblingsAreResolvedBeforeTheyArePivoted(t *testing.T) {
	t.Parallel()
	// one provider knows the sha256 of the seed's md5, another one the sha256's report
	first := &fake{desc: pivot.Description{Name: "one"}, files: []indicator.File{{MD5: md5Of("a").Value, SHA256: sum("a").Value, Size: 7}}}
	second := &fake{
		desc: pivot.Description{Name: "two"}, reports: map[string][]member{"R": {{sum("a"), 70}, {sum("b"), 70}}},
		files: []indicator.File{{SHA256: sum("a").Value, SHA1: sha1Of("a").Value}, {SHA256: sum("b").Value, SHA1: sha1Of("b").Value, Size: 9}},
	}
	g := expand(t, seedOf(md5Of("a")), depth(1), first, second)
	wantFiles := []indicator.File{
		{MD5: md5Of("a").Value, SHA1: sha1Of("a").Value, SHA256: sum("a").Value, Size: 7}, {SHA256: sum("b").Value, SHA1: sha1Of("b").Value, Size: 9},
	}
	if d := cmp.Diff(wantFiles, g.Files); d != "" {
		t.Error(d)
	}
	var steps []string
	for _, e := range pivot.Explain(g, sha1Of("b")) {
		steps = append(steps, e.Provider+" "+string(e.Relation))
	}
	if d := cmp.Diff([]string{"one sibling", "two same_report", "two sibling"}, steps); d != "" {
		t.Error(d)
	}
	if n, _ := node(g, sum("a")); !n.Seed || n.Depth != 0 {
		t.Errorf("the seed's sibling is %+v", n)
	}
	if n, _ := node(g, sha1Of("b")); n.Confidence != 70 || n.Depth != 1 || n.Seed {
		t.Errorf("the sibling of b is %+v", n)
	}
}

func TestCollisionMakesNoSibling(t *testing.T) {
	t.Parallel()
	p := &fake{files: []indicator.File{{MD5: md5Of("m").Value, SHA256: sum("one").Value}, {MD5: md5Of("m").Value, SHA256: sum("two").Value, Size: 4}}}
	g := expand(t, seedOf(md5Of("m")), depth(1), p)
	if len(g.Collisions) != 1 || g.Collisions[0].Digest != md5Of("m") || len(g.Collisions[0].Files) != 2 {
		t.Errorf("collisions %+v", g.Collisions)
	}
	files, refused := pivot.Hunted(g, depth(1), nil, time.Now())
	if d := cmp.Diff([]indicator.File{{MD5: md5Of("m").Value}}, files); d != "" || len(refused) != 0 {
		t.Error(d, refused)
	}
	// by the sha256, its md5 comes first as a sibling, then as a collision: it is not hunted
	g = expand(t, seedOf(sum("one")), depth(0), p)
	files, refused = pivot.Hunted(g, depth(0), nil, time.Now())
	if d := cmp.Diff([]indicator.File{{SHA256: sum("one").Value}}, files); d != "" {
		t.Error(d)
	}
	if len(refused) != 1 || refused[0].Value != md5Of("m").Value || !strings.Contains(refused[0].Reason, "collision") {
		t.Errorf("refused %+v", refused)
	}
}

func TestAlertLeadsTheChain(t *testing.T) {
	t.Parallel()
	raw := &pivot.Raw{Digest: sum("raw").Value, Body: []byte("{}")}
	seed := pivot.Seed{
		Files: []indicator.File{{MD5: md5Of("a").Value, SHA256: sum("a").Value}}, Alert: "2291",
		Time: time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC), Raw: raw,
	}
	g := expand(t, seed, depth(1), chain())
	why := pivot.Explain(g, sum("b"))
	if len(why) != 2 || why[0].Relation != indicator.RelAlert || why[0].From.String() != "alert:2291" || why[0].Raw != raw.Digest || why[0].Time.IsZero() {
		t.Errorf("chain %+v", why)
	}
	if len(pivot.Explain(g, md5Of("a"))) != 1 {
		t.Errorf("chain of the seed %+v", pivot.Explain(g, md5Of("a")))
	}
	// the frozen form of a seed leaves the body out and nothing else
	b, err := json.Marshal(seed)
	if err != nil || strings.Contains(string(b), "e30") {
		t.Fatalf("%s %v", b, err)
	}
	var back pivot.Seed
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	seed.Raw = &pivot.Raw{Digest: raw.Digest}
	if d := cmp.Diff(seed, back); d != "" {
		t.Error(d)
	}
	if _, err := json.Marshal(pivot.DefaultOptions()); err != nil {
		t.Error(err)
	}
}

func TestConfidence(t *testing.T) {
	t.Parallel()
	from := pivot.IndicatorRef(sum("a"))
	p := chain()
	for rel, own := range map[indicator.Relation]int{
		indicator.RelDrops: 80, indicator.RelContains: 0, indicator.RelSimilar: 100, indicator.RelContactedBy: 100, indicator.RelContainedIn: 70,
	} {
		p.direct = append(p.direct, pivot.Edge{From: from, To: pivot.IndicatorRef(sum(string(rel))), Relation: rel, Confidence: own})
	}
	g := expand(t, seedOf(sum("a")), depth(1), p)
	for rel, want := range map[indicator.Relation]int{
		indicator.RelDrops: 48, indicator.RelContains: 60, indicator.RelSimilar: 30, indicator.RelContactedBy: 50, indicator.RelContainedIn: 28,
	} {
		if n, _ := node(g, sum(string(rel))); n.Confidence != want {
			t.Errorf("%s: confidence %d, want %d", rel, n.Confidence, want)
		}
	}
	hunted := func(opt pivot.Options) map[string]bool {
		out := map[string]bool{}
		files, _ := pivot.Hunted(g, opt, nil, time.Now())
		for _, f := range files {
			out[f.SHA256] = true
		}
		return out
	}
	got := hunted(depth(1))
	for name, want := range map[string]bool{"drops": true, "contains": true, "similar": false, "contacted_by": false, "contained_in": false, "low": false, "b": true} {
		if got[sum(name).Value] != want {
			t.Errorf("%s hunted is %v", name, got[sum(name).Value])
		}
	}
	opt := depth(1)
	opt.Follow = []indicator.Relation{indicator.RelSimilar}
	if !hunted(opt)[sum("similar").Value] {
		t.Error("similar is not hunted though the hunt follows it")
	}
	opt.MinConfidence = 28
	if !hunted(opt)[sum("contained_in").Value] {
		t.Error("min_confidence is not inclusive")
	}
}

func TestTLP(t *testing.T) {
	t.Parallel()
	p := chain()
	p.desc.MaxTLP = indicator.TLPGreen
	p.meta["R1"] = indicator.Report{TLP: indicator.TLPAmber}
	opt := depth(2)
	g := expand(t, seedOf(sum("a")), opt, p)
	if n, _ := node(g, sum("b")); n.TLP != indicator.TLPAmber {
		t.Errorf("b is %q", n.TLP)
	}
	if _, ok := node(g, sum("c")); ok || g.Complete || len(g.Skipped) == 0 {
		t.Errorf("asked above max_tlp: %v", p.asked)
	}
	for _, s := range g.Skipped {
		if s.Provider != "fake" || !strings.Contains(s.Reason, "amber") || !strings.Contains(s.Reason, "green") {
			t.Errorf("skip %+v", s)
		}
	}
	// a red hunt asks nobody anything, not even siblings
	p.asked, opt.TLP = nil, indicator.TLPRed
	g = expand(t, seedOf(sum("a")), opt, p)
	if len(p.asked) != 0 || len(g.Skipped) != 1 || g.Complete {
		t.Errorf("asked %v, skipped %+v", p.asked, g.Skipped)
	}
}

func TestProviderFailure(t *testing.T) {
	t.Parallel()
	bad := chain()
	bad.desc.Name = "bad"
	bad.err = func(what string) error {
		if what == sum("b").String() {
			return errors.New("quota\x1b[31m reached")
		}
		return nil
	}
	good := chain()
	g := expand(t, seedOf(sum("a")), depth(3), bad, good)
	if _, ok := node(g, sum("d")); !ok {
		t.Error("the other provider was not asked on")
	}
	reasons := map[string]int{}
	for _, s := range g.Skipped {
		if s.Provider != "bad" {
			t.Errorf("skip %+v", s)
		}
		reasons[s.Reason]++
	}
	if reasons[`provider: quota\x1b[31m reached`] != 1 || reasons["not asked: provider failed"] < 2 || g.Complete {
		t.Errorf("reasons %v", reasons)
	}
}

func TestCancelGivesThePartialGraph(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := chain()
	p.err = func(what string) error {
		if what == sum("b").String() {
			cancel()
			return ctx.Err()
		}
		return nil
	}
	g, err := pivot.Expand(ctx, seedOf(sum("a")), []pivot.Provider{p}, depth(3))
	if !errors.Is(err, context.Canceled) || g == nil || g.Complete {
		t.Fatalf("%v %+v", err, g)
	}
	if _, ok := node(g, sum("b")); !ok {
		t.Error("what was known is lost")
	}
	if _, ok := node(g, sum("c")); ok {
		t.Error("asked on after the end")
	}
}

func TestSeedReport(t *testing.T) {
	t.Parallel()
	p := chain()
	p.related = map[string][]string{"R2": {"R3", "R2", "gone"}}
	for ref, ok := range map[string]bool{"fake:R2": true, "R2": true, "R9": false, "fake:R9": false, "other:R2": false} {
		g, err := pivot.Expand(t.Context(), pivot.Seed{Report: ref}, []pivot.Provider{p}, depth(1))
		if (err == nil) != ok {
			t.Errorf("%s: %v", ref, err)
		}
		if !ok {
			if !strings.Contains(err.Error(), ref) {
				t.Errorf("%s: the error does not name it: %v", ref, err)
			}
			continue
		}
		if d := cmp.Diff([]pivot.Ref{pivot.ReportRef("fake:R2")}, g.Seeds); d != "" {
			t.Error(d)
		}
		files, _ := pivot.Hunted(g, depth(1), nil, time.Now())
		if len(files) != 2 || len(pivot.Explain(g, sum("c"))) != 1 {
			t.Errorf("%s: hunted %+v", ref, files)
		}
	}
	opt := depth(1)
	opt.Follow = []indicator.Relation{indicator.RelRelatedReport}
	g := expand(t, pivot.Seed{Report: "R2"}, opt, p)
	var why []string
	for _, e := range pivot.Explain(g, sum("d")) {
		why = append(why, e.From.Value+" "+string(e.Relation))
	}
	if d := cmp.Diff([]string{"fake:R2 related_report", "fake:R3 reports_on"}, why); d != "" {
		t.Error(d)
	}
	if dangling := danglingEdges(g); len(dangling) > 0 {
		t.Errorf("dangling %+v", dangling)
	}
}

func TestSeedReportOfAFailingProvider(t *testing.T) {
	t.Parallel()
	p := chain()
	p.err = func(string) error { return errors.New("401 bad key") }
	_, err := pivot.Expand(t.Context(), pivot.Seed{Report: "fake:R2"}, []pivot.Provider{p}, depth(1))
	if err == nil || !strings.Contains(err.Error(), "401 bad key") {
		t.Errorf("error %v", err)
	}
}

func TestRelatedReportsOfAnIndicatorsReports(t *testing.T) {
	t.Parallel()
	p := chain()
	p.related = map[string][]string{"R1": {"R3"}}
	opt := depth(1)
	if _, ok := node(expand(t, seedOf(sum("a")), opt, p), sum("d")); ok {
		t.Error("a related report is followed though the hunt does not say so")
	}
	opt.Follow = []indicator.Relation{indicator.RelRelatedReport}
	g := expand(t, seedOf(sum("a")), opt, p)
	var why []string
	for _, e := range pivot.Explain(g, sum("d")) {
		why = append(why, string(e.Relation))
	}
	if d := cmp.Diff([]string{"in_report", "related_report", "reports_on"}, why); d != "" {
		t.Error(d)
	}
}

func TestKindsAreRespected(t *testing.T) {
	t.Parallel()
	p := chain()
	p.desc.Kinds = []indicator.Kind{indicator.SHA256}
	g := expand(t, seedOf(domain("evil.example"), sum("a")), depth(1), p)
	for _, what := range p.asked {
		if strings.HasPrefix(what, "domain:") {
			t.Errorf("asked %s", what)
		}
	}
	if !g.Complete {
		t.Errorf("a kind that a provider does not know makes the pivot incomplete: %+v", g.Skipped)
	}
}

func TestNoSeed(t *testing.T) {
	t.Parallel()
	for _, s := range []pivot.Seed{{}, {Files: []indicator.File{{Size: 4}}}} {
		if _, err := pivot.Expand(t.Context(), s, nil, depth(1)); !errors.Is(err, pivot.ErrNoSeed) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// A provider may send what is no digest, or edges from nowhere: neither may reach an endpoint or break the graph.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	from := pivot.IndicatorRef(sum("a"))
	upper := pivot.Ref{Kind: "sha256", Value: strings.ToUpper(sum("up").Value)}
	p := &fake{direct: []pivot.Edge{
		{From: from, To: pivot.Ref{Kind: "sha256", Value: "'; DROP TABLE file; --"}, Relation: indicator.RelDrops},
		{From: from, To: upper, Relation: indicator.RelDrops},
		{From: from, To: from, Relation: indicator.RelDrops},
		{From: from, To: pivot.Ref{}, Relation: indicator.RelDrops},
		{From: from, To: pivot.Ref{Kind: "md5", Value: strings.Repeat("x", 1<<20)}, Relation: indicator.RelDrops, Confidence: 1000},
	}}
	g := expand(t, seedOf(sum("a")), depth(1), p)
	if d := danglingEdges(g); len(d) > 0 {
		t.Errorf("dangling %+v", d)
	}
	files, refused := pivot.Hunted(g, depth(1), nil, time.Now())
	if d := cmp.Diff([]indicator.File{{SHA256: sum("a").Value}, {SHA256: sum("up").Value}}, files); d != "" {
		t.Error(d)
	}
	if len(refused) != 2 || !strings.Contains(refused[0].Reason, "malformed") || len(refused[0].Value) > indicator.MaxValue {
		t.Errorf("%d refused", len(refused))
	}
	if g.Complete {
		t.Error("an answer that was left out in part is complete")
	}
}
