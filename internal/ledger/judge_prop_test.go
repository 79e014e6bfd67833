package ledger_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/ledger"
)

func TestGoodAnswersSayWhatTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyModel(t)
		v := ledger.Judge(m.q, m.good())
		want := ledger.Absent
		switch {
		case m.hits > 0:
			want = ledger.Hit
		case !m.complete():
			want = ledger.Partial
		}
		if v.State != want || v.Proven != m.complete() || len(v.Hits) != m.hits {
			t.Fatalf("model %+v: verdict %+v", m, v)
		}
		if (v.State == ledger.Partial) == (v.Reason == "") && m.hits == 0 {
			t.Fatalf("state %s with the reason %q", v.State, v.Reason)
		}
	})
}

func TestTheOrderOfRowsSaysNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyModel(t)
		a := m.good()
		want := ledger.Judge(m.q, a)
		a.Rows = rapid.Permutation(a.Rows).Draw(t, "rows")
		if diff := cmp.Diff(want, ledger.Judge(m.q, a)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestALostRowIsNeverAbsent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyModel(t)
		a := m.good()
		i := rapid.IntRange(0, len(a.Rows)-1).Draw(t, "row")
		lost := a.Rows[i]
		a.Rows = slices.Delete(slices.Clone(a.Rows), i, i+1)
		if v := ledger.Judge(m.q, a); v.Proven || v.State == ledger.Absent {
			t.Fatalf("without %v: verdict %+v", lost, v)
		}
	})
}

func TestARowMoreRaisesNoTrust(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyModel(t)
		a := m.good()
		lost := ledger.Row{"kind": "none"}
		if rapid.Bool().Draw(t, "broken") {
			i := rapid.IntRange(0, len(a.Rows)-1).Draw(t, "lost")
			lost = a.Rows[i]
			a.Rows = slices.Delete(slices.Clone(a.Rows), i, i+1)
		}
		before := ledger.Judge(m.q, a)
		extra := anyRow(t)
		if rapid.Bool().Draw(t, "twice") && len(a.Rows) > 0 {
			extra = rapid.SampledFrom(a.Rows).Draw(t, "again")
		}
		if extra["kind"] == lost["kind"] && (extra["kind"] != "count" || extra["name"] == lost["name"]) {
			return // it may mend the answer
		}
		a.Rows = append(slices.Clone(a.Rows), extra)
		after := ledger.Judge(m.q, a)
		if after.Proven {
			t.Fatalf("with %v more: %+v, before %+v", extra, after, before)
		}
		if after.State == ledger.Absent || len(after.Hits) < len(before.Hits) {
			t.Fatalf("with %v more: %+v, before %+v", extra, after, before)
		}
	})
}

func TestWhatTheToolCouldNotReadIsNeverAbsent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyModel(t)
		a := m.good()
		a.Unread = []ledger.Unread{{
			Path: rapid.SampledFrom([]string{"/home/x", "/locked/0", "/proc/200/exe"}).Draw(t, "path"),
			Op:   rapid.SampledFrom([]string{"file", "hash", "processes", "mounts"}).Draw(t, "op"), Reason: "permission denied",
		}}
		a.UnreadTotal = rapid.IntRange(1, 3).Draw(t, "total")
		v := ledger.Judge(m.q, a)
		if m.q.Stage != ledger.Autoruns && (v.Proven || v.State == ledger.Absent) {
			t.Fatalf("unread %v: %+v", a.Unread, v)
		}
		if m.q.Stage == ledger.Autoruns && !v.Proven {
			t.Fatalf("autoruns block proof: %+v", v)
		}
	})
}

func TestAFailureProvesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyModel(t)
		a := m.good()
		a.Failure = &ledger.Failure{State: rapid.SampledFrom(append(ledger.States(), "", "clean")).Draw(t, "state"), Message: "it broke"}
		v := ledger.Judge(m.q, a)
		allowed := []ledger.State{ledger.Error, ledger.Timeout, ledger.Denylisted, ledger.Unsupported}
		if m.hits > 0 {
			allowed = []ledger.State{ledger.Hit}
		}
		if v.Proven || !slices.Contains(allowed, v.State) || v.Reason != "it broke" || len(v.Hits) != m.hits {
			t.Fatalf("failure %+v: %+v", a.Failure, v)
		}
	})
}

func TestAskingAgainNeverLosesAHitNorProvesByItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyModel(t)
		m.missing = max(m.missing, 1)
		a := m.good()
		first := ledger.Judge(m.q, a)
		again := m.q
		again.Recheck = first.Recheck
		second := model{q: again, hashed: rapid.IntRange(0, 3).Draw(t, "hashed"), hits: rapid.IntRange(0, 1).Draw(t, "found"), missing: rapid.IntRange(0, 1).Draw(t, "still")}
		b := second.good()
		whole := true
		if rapid.Bool().Draw(t, "broken") {
			whole = false
			i := rapid.IntRange(0, len(b.Rows)-1).Draw(t, "lost")
			b.Rows = slices.Delete(slices.Clone(b.Rows), i, i+1)
		}
		v := ledger.Rejudge(m.q, a, again, b)
		if len(v.Hits) < len(first.Hits) {
			t.Fatalf("hits got lost: %+v, before %+v", v, first)
		}
		if v.Proven && (!whole || second.missing > 0 || m.unhashed > 0) && m.q.Stage != ledger.Autoruns {
			t.Fatalf("second answer %+v (whole %v) proves: %+v", second, whole, v)
		}
		if whole && second.missing == 0 && m.unhashed == 0 && m.q.Stage == ledger.Files && !v.Proven {
			t.Fatalf("gone is fine, yet %+v", v)
		}
	})
}
