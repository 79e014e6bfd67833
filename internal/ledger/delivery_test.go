package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// A doubt about who answered leaves the hits and takes the proof.
func TestDoubtfulAnswerIsUnverified(t *testing.T) {
	t.Parallel()
	q := query(ledger.Files, ledger.EngineOsqueryd, "linux")
	for hits, want := range map[int]ledger.State{0: ledger.Unverified, 2: ledger.Hit} {
		a := model{q: q, hits: hits, hashed: 5}.good()
		if v := ledger.Judge(q, a); !v.Proven {
			t.Fatalf("the model is no good answer: %+v", v)
		}
		a.Doubt = ledger.TwoMachines
		v := ledger.Judge(q, a)
		if v.State != want || v.Proven || len(v.Hits) != hits || v.Reason != ledger.TwoMachines {
			t.Errorf("%d hits: %+v", hits, v)
		}
	}
}

// The second answer to a question is as doubtful as the first.
func TestDoubtfulSecondAnswer(t *testing.T) {
	t.Parallel()
	q := query(ledger.Files, ledger.EngineOsqueryd, "linux")
	first := model{q: q, missing: 1, hashed: 3}.good()
	again := q
	again.Recheck = ledger.Judge(q, first).Recheck
	second := ledger.Answer{Doubt: ledger.TwoMachines}
	if v := ledger.Rejudge(q, first, again, second); v.Proven || v.State != ledger.Partial {
		t.Errorf("%+v", v)
	}
	if j := ledger.Join(first, second); j.Doubt != ledger.TwoMachines {
		t.Errorf("joined, the doubt is %q", j.Doubt)
	}
}

// Rows that nobody asked for are counted once each, and told in one line.
func TestRefusedRowsAreCounted(t *testing.T) {
	t.Parallel()
	q := query(ledger.Files, ledger.EngineOsqueryd, "linux")
	a := model{q: q, hashed: 5}.good()
	for range 50 {
		a.Rows = append(a.Rows, row("hit", "path", "/lie", "sha256", hex64(77)))
	}
	v := ledger.Judge(q, a)
	if v.Refused != 50 || len(v.Hits) != 0 || v.State != ledger.Unverified || strings.Count(v.Reason, "no digest that was asked for") != 1 {
		t.Errorf("%+v", v)
	}
}

func TestDeliveryIsAnAnswer(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	refuse := func(message string) *ledger.Failure {
		return &ledger.Failure{State: ledger.Denylisted, Message: message}
	}
	rows := []ledger.Row{meta()}
	for name, c := range map[string]struct {
		d    ledger.Delivery
		want ledger.State
	}{
		"good":         {ledger.Delivery{Rows: rows}, ""},
		"refused":      {ledger.Delivery{Status: 1, Message: "distributed query is denylisted"}, ledger.Denylisted},
		"silent":       {ledger.Delivery{Status: 1}, ledger.Error},
		"cut":          {ledger.Delivery{Rows: rows, Cut: "answer too large: 1.2 GiB"}, ledger.Error},
		"cut and good": {ledger.Delivery{Rows: rows, Cut: "answer too large: 1.2 GiB", Status: 1, Message: "x"}, ledger.Error},
	} {
		c.d.ReceivedAt = at
		a := c.d.Answer(refuse)
		switch {
		case (a.Failure == nil) != (c.want == ""), len(a.Rows) != len(c.d.Rows), !a.FinishedAt.Equal(at):
			t.Errorf("%s: %+v", name, a)
		case a.Failure != nil && (a.Failure.State != c.want || a.Failure.Message == ""):
			t.Errorf("%s: %+v", name, a.Failure)
		}
	}
}

func TestInstanceOf(t *testing.T) {
	t.Parallel()
	m := meta()
	m["owner"] = "8a2d"
	if got := ledger.InstanceOf([]ledger.Row{control(), m}); got != "8a2d" {
		t.Errorf("instance %q", got)
	}
	if got := ledger.InstanceOf([]ledger.Row{control()}); got != "" {
		t.Errorf("instance %q of nobody", got)
	}
}
