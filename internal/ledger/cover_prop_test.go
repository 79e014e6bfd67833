package ledger_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/ledger"
)

// anyVerdict draws a verdict, also such as Judge never makes.
func anyVerdict(t *rapid.T) ledger.Verdict {
	v := ledger.Verdict{
		State:  rapid.SampledFrom(ledger.States()[:8]).Draw(t, "state"),
		Proven: rapid.Bool().Draw(t, "proven"),
		Reason: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "reason"),
		Counts: ledger.Counts{FilesSeen: rapid.Int64Range(0, 2).Draw(t, "seen")},
	}
	if v.State == ledger.Hit {
		for _, p := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"/a", "/b", "/c"}), 1, 3, rapid.ID).Draw(t, "paths") {
			v.Hits = append(v.Hits, ledger.HitRow{Path: p, Matched: sha(1), FoundIn: ledger.Files})
		}
	}
	return v
}

func anyPlan(t *rapid.T) ([]ledger.Query, map[string][]ledger.Verdict) {
	planned := []ledger.Query{query(ledger.Running, "", "linux"), query(ledger.Autoruns, "", "linux"), query(ledger.Files, "", "linux")}
	planned = planned[:rapid.IntRange(1, 3).Draw(t, "queries")]
	got := map[string][]ledger.Verdict{}
	for _, q := range planned {
		got[q.ID] = rapid.SliceOfN(rapid.Custom(anyVerdict), 0, 4).Draw(t, q.ID)
	}
	return planned, got
}

func place(s ledger.State) int { return slices.Index(ledger.States(), s) }

func TestCoverDoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		planned, got := anyPlan(t)
		want := ledger.Cover(planned, got, "stopped")
		for id, vs := range got {
			got[id] = rapid.Permutation(vs).Draw(t, "order")
		}
		if diff := cmp.Diff(want, ledger.Cover(planned, got, "stopped")); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAbsentIsWhenAllIsProvenAndNothingFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		planned, got := anyPlan(t)
		cov := ledger.Cover(planned, got, "stopped")
		proven, asked, hit := true, false, false
		for _, q := range planned {
			one := false
			for _, v := range got[q.ID] {
				asked = true
				one = one || (v.Proven && (v.State == ledger.Hit || v.State == ledger.Absent))
				hit = hit || len(v.Hits) > 0
			}
			proven = proven && one
		}
		proven = proven && slices.ContainsFunc(planned, func(q ledger.Query) bool { return q.Stage != ledger.Autoruns })
		if cov.Proven != proven || (cov.State == ledger.Absent) != (proven && !hit) || (cov.State == ledger.Hit) != hit {
			t.Fatalf("coverage %+v of %+v", cov, got)
		}
		if !asked && (cov.State != ledger.Unasked || cov.Reason != "stopped") {
			t.Fatalf("nothing was asked: %+v", cov)
		}
		if !proven && cov.State != ledger.Hit && cov.State != ledger.Unasked && place(cov.State) >= place(ledger.Absent) {
			t.Fatalf("not proven: %+v", cov)
		}
	})
}

func TestAWeakerAnswerNeverLowersAState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		planned, got := anyPlan(t)
		q := planned[rapid.IntRange(0, len(planned)-1).Draw(t, "query")]
		before := ledger.Cover(planned, got, "stopped")
		v := anyVerdict(t)
		if v.State == ledger.Absent && !v.Proven {
			return // no answer says that
		}
		late := len(got[q.ID]) == 0
		got[q.ID] = append(slices.Clone(got[q.ID]), v)
		after := ledger.Cover(planned, got, "stopped")
		if after.Hits < before.Hits || (before.State == ledger.Hit && after.State != ledger.Hit) {
			t.Fatalf("hits got lost: %+v, before %+v", after, before)
		}
		if before.Proven && !after.Proven {
			t.Fatalf("proof got lost: %+v, before %+v", after, before)
		}
		if !v.Proven && !late && place(after.State) > place(before.State) {
			t.Fatalf("%+v lowered %+v to %+v", v, before, after)
		}
	})
}

func TestAttempts(t *testing.T) {
	timeout := ledger.Verdict{State: ledger.Timeout, Reason: "no answer within 15m"}
	denied := ledger.Verdict{State: ledger.Denylisted, Reason: "distributed query is denylisted"}
	partial := ledger.Verdict{State: ledger.Partial, Reason: "1 file"}
	absent := ledger.Verdict{State: ledger.Absent, Proven: true}
	hit := ledger.Verdict{State: ledger.Hit, Hits: []ledger.HitRow{{Path: "/a", Matched: sha(1)}}}
	q := query(ledger.Files, "", "linux")
	for _, c := range []struct {
		name   string
		vs     []ledger.Verdict
		state  ledger.State
		proven bool
	}{
		{"a probe tells why there was silence", []ledger.Verdict{timeout, denied}, ledger.Denylisted, false},
		{"a late answer that proves", []ledger.Verdict{timeout, absent}, ledger.Absent, true},
		{"a late answer that does not", []ledger.Verdict{timeout, partial}, ledger.Timeout, false},
		{"silence after a hit", []ledger.Verdict{hit, timeout}, ledger.Hit, false},
		{"proof after a hit", []ledger.Verdict{hit, absent}, ledger.Hit, true},
		{"absent that is not proven", []ledger.Verdict{{State: ledger.Absent}}, ledger.Unverified, false},
		{"partial that says it is proven", []ledger.Verdict{{State: ledger.Partial, Proven: true}}, ledger.Partial, false},
	} {
		cov := ledger.Cover([]ledger.Query{q}, map[string][]ledger.Verdict{q.ID: c.vs}, "stopped")
		if cov.State != c.state || cov.Proven != c.proven {
			t.Errorf("%s: %+v", c.name, cov)
		}
	}
	if v := ledger.Merge(nil); v.State != ledger.Unasked || v.Proven {
		t.Errorf("no verdict: %+v", v)
	}
}

func TestAutorunsNeitherGrantNorBlockProof(t *testing.T) {
	running, autoruns := query(ledger.Running, "", "linux"), query(ledger.Autoruns, "", "linux")
	proven := ledger.Verdict{State: ledger.Absent, Proven: true}
	cov := ledger.Cover([]ledger.Query{autoruns}, map[string][]ledger.Verdict{autoruns.ID: {proven}}, "stopped")
	if cov.Proven || cov.State != ledger.Partial {
		t.Errorf("autoruns alone: %+v", cov)
	}
	cov = ledger.Cover([]ledger.Query{running, autoruns}, map[string][]ledger.Verdict{running.ID: {proven}}, "stopped")
	if cov.Proven || cov.State != ledger.Partial {
		t.Errorf("autoruns not answered: %+v", cov)
	}
	cov = ledger.Cover([]ledger.Query{running, autoruns}, map[string][]ledger.Verdict{running.ID: {proven}, autoruns.ID: {proven}}, "stopped")
	if !cov.Proven || cov.State != ledger.Absent {
		t.Errorf("both: %+v", cov)
	}
}
