package pivot_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// victimOf gives the edge by which a report calls an indicator a victim's own.
func victimOf(from, to indicator.Indicator) pivot.Edge {
	return pivot.Edge{From: pivot.IndicatorRef(from), To: pivot.IndicatorRef(to), Relation: indicator.RelVictim, Report: "fake:V"}
}

// What a report calls a victim's own is never hunted, whoever else names it and whatever the hunt follows, and leads
// nowhere; only the seed itself is.
func TestVictimsAreNeverHunted(t *testing.T) {
	t.Parallel()
	tagging := &fake{
		direct:  []pivot.Edge{victimOf(sum("a"), md5Of("own")), victimOf(sum("a"), sum("alone")), victimOf(sum("b"), sum("a"))},
		reports: map[string][]member{"R": {{sum("a"), 70}, {sum("b"), 70}}, "L": {{sum("alone"), 70}, {sum("lost"), 70}}},
		files:   []indicator.File{{SHA256: sum("own").Value, MD5: md5Of("own").Value}},
	}
	naming := &fake{desc: pivot.Description{Name: "other"}, reports: map[string][]member{"X": {{sum("a"), 90}, {sum("own"), 95}}}}
	for _, providers := range [][]pivot.Provider{{tagging, naming}, {naming, tagging}} {
		opt := depth(3)
		opt.Follow = []indicator.Relation{indicator.RelVictim}
		g := expand(t, seedOf(sum("a")), opt, providers...)
		if _, there := node(g, sum("lost")); there {
			t.Error("a victim's own leads on")
		}
		files, refused := pivot.Hunted(g, opt, nil, time.Now())
		var hunted []string
		for _, f := range files {
			hunted = append(hunted, f.SHA256)
		}
		slices.Sort(hunted)
		want := []string{sum("a").Value, sum("b").Value}
		slices.Sort(want)
		if d := cmp.Diff(want, hunted); d != "" {
			t.Error(d)
		}
		if len(refused) != 2 {
			t.Errorf("%+v", refused)
		}
		for _, r := range refused {
			if r.Reason != "a victim's own file, says fake:V: never hunted unless it is the seed" || r.Relation != indicator.RelVictim || r.Report != "fake:V" {
				t.Errorf("%+v", r)
			}
		}
		if !g.Complete {
			t.Errorf("%+v", g.Skipped)
		}
	}
}

// The digest of an empty file leads to nobody's reports; as the seed it may.
func TestJunkLeadsNowhere(t *testing.T) {
	t.Parallel()
	empty := indicator.Indicator{Kind: indicator.MD5, Value: "d41d8cd98f00b204e9800998ecf8427e"}
	p := &fake{reports: map[string][]member{"R": {{sum("a"), 70}, {empty, 70}}, "S": {{empty, 70}, {sum("z"), 70}}}}
	if _, there := node(expand(t, seedOf(sum("a")), depth(3), p), sum("z")); there {
		t.Error("an empty file leads on")
	}
	if slices.Contains(p.asked, empty.String()) {
		t.Errorf("asked %v", p.asked)
	}
	if _, there := node(expand(t, seedOf(empty), depth(1), p), sum("z")); !there {
		t.Error("the seed does not lead on")
	}
}

// Reports that are related to the seed report are known without being followed.
func TestRelatedReportsOfTheSeedAreNamed(t *testing.T) {
	t.Parallel()
	p := chain()
	p.related = map[string][]string{"R2": {"R9", "R3", "R2"}}
	opt := depth(1)
	g := expand(t, pivot.Seed{Report: "R2"}, opt, p)
	var ids []string
	for _, r := range g.Reports {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	if d := cmp.Diff([]string{"R2", "R3", "R9"}, ids); d != "" || !g.Complete {
		t.Error(d, g.Skipped, g.Cut)
	}
	if slices.Contains(p.asked, "report:R3") || slices.Contains(p.asked, "report:R9") {
		t.Errorf("asked %v", p.asked)
	}
	if _, there := node(g, sum("d")); there {
		t.Error("a related report is followed")
	}
	opt.Limits.MaxIndicators = 1
	if g = expand(t, pivot.Seed{Report: "R2"}, opt, p); !slices.ContainsFunc(g.Cut, func(c pivot.Cut) bool { return c.At == "report:fake:R2" && c.Total == 2 }) {
		t.Errorf("%+v", g.Cut)
	}
}

// remembering answers from memory.
type remembering struct {
	*fake
	age time.Duration
}

func (r *remembering) Related(ctx context.Context, ind indicator.Indicator, lim pivot.Limits) (pivot.Result, error) {
	res, err := r.fake.Related(ctx, ind, lim)
	res.Remembered, res.Oldest = 1, r.age
	r.age /= 2
	return res, err
}

// A graph says which answers are not of now.
func TestRememberedAnswersAreTold(t *testing.T) {
	t.Parallel()
	p := &remembering{fake: chain(), age: time.Hour}
	g := expand(t, seedOf(sum("a")), depth(2), p)
	if len(g.Remembered) != 1 || g.Remembered[0].Provider != "fake" || g.Remembered[0].Answers < 2 || g.Remembered[0].Oldest != 3600 {
		t.Errorf("%+v", g.Remembered)
	}
}

// noting is a provider that can't answer for a report, and says so.
type noting struct{ *fake }

func (noting) FromReport(_ context.Context, id string, _ pivot.Limits) (pivot.Result, error) {
	return pivot.Result{Skipped: []pivot.Skip{{Provider: "fake", Indicator: "report:fake:" + id, Reason: "says no"}}}, nil
}

// Why a seed report is not had is told.
func TestSeedReportThatIsRefused(t *testing.T) {
	t.Parallel()
	_, err := pivot.Expand(t.Context(), pivot.Seed{Report: "R"}, []pivot.Provider{noting{chain()}}, depth(1))
	if err == nil || !strings.Contains(err.Error(), "says no") {
		t.Errorf("%v", err)
	}
}
