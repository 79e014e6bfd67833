package osquery_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

func compiled(t *testing.T, s edr.Search, targets ...edr.Target) []ledger.Query {
	t.Helper()
	queries, err := osquery.Compile(osquery.Osqueryd(), edr.Endpoint{ID: "e", Hostname: "ws-1", Platform: "linux"}, edr.Work{Targets: targets, Search: s, Chunks: 1})
	if err != nil {
		t.Fatal(err)
	}
	return queries
}

// TestLighterGolden holds the words of every lighter form: an agent's denylist goes by them.
func TestLighterGolden(t *testing.T) {
	t.Parallel()
	s := search("linux", "/home/eve", ledger.Running, ledger.Autoruns, ledger.Files)
	s.First = []edr.Place{{Host: "ws-1", Path: "/home/eve/x"}}
	var out []ledger.Query
	for _, q := range compiled(t, s, target(indicator.SHA256, "a", 1000), target(indicator.SHA256, "b", 0)) {
		for _, attempt := range []int{3, 4} {
			lighter, ok, err := osquery.Lighter(q, attempt)
			if err != nil || !ok {
				t.Fatalf("%s, attempt %d: %t, %v", q.ID, attempt, ok, err)
			}
			out = append(out, lighter)
		}
	}
	golden(t, "lighter", page(out))
}

// Whatever a question is, its lighter forms have words of their own, the same each time, ask for the same hashes in the same
// place, and hash no more at once; the question and the probe have none.
func TestLighterMeansTheSame(t *testing.T) {
	t.Parallel()
	s := search("linux", "/home/eve", ledger.Running, ledger.Autoruns, ledger.Files)
	s.First = []edr.Place{{Host: "ws-1", Path: "/home/eve/x"}}
	full := s
	full.Unsized = edr.UnsizedFull
	both := []edr.Target{target(indicator.SHA256, "a", 1000), target(indicator.MD5, "b", 0)}
	for _, q := range append(compiled(t, s, both...), compiled(t, full, both...)...) {
		texts := map[string]bool{q.Text: true}
		last := q.Budget
		for attempt := 1; attempt <= 4; attempt++ {
			l, ok, err := osquery.Lighter(q, attempt)
			if err != nil || ok != (attempt >= osquery.FirstLighter) {
				t.Fatalf("%s, attempt %d: %t, %v", q.ID, attempt, ok, err)
			}
			if !ok {
				continue
			}
			again, _, _ := osquery.Lighter(q, attempt)
			switch {
			case texts[l.Text], again.Text != l.Text:
				t.Errorf("%s, attempt %d: the words are not its own", q.ID, attempt)
			case l.ID != q.ID, l.Root != q.Root, l.MaxDepth != q.MaxDepth, l.MaxSize != q.MaxSize, len(l.Hashes) != len(q.Hashes), len(l.Sizes) != len(q.Sizes):
				t.Errorf("%s, attempt %d: another question: %+v", q.ID, attempt, l)
			case last != ledger.Budget{} && (l.Budget.Files > last.Files || l.Budget.Bytes > last.Bytes):
				t.Errorf("%s, attempt %d: a budget of %+v after %+v", q.ID, attempt, l.Budget, last)
			case strings.HasPrefix(q.ID, "00-files-any") && (l.Budget == last || !l.Splits):
				t.Errorf("%s, attempt %d is no less work: %+v", q.ID, attempt, l.Budget)
			}
			texts[l.Text], last = true, l.Budget
		}
	}
}

// The parts of a lighter form are the whole question, for the ledger too.
func TestPartsOfALighterFormAreTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := overQuestion("linux", "/home")
		q.Budget = ledger.Budget{Files: 5000, Bytes: 1 << 30}
		if rapid.Bool().Draw(t, "sized") {
			q.Sizes, q.Budget, q.Splits = []int64{7}, ledger.Budget{}, false
		}
		l, ok, err := osquery.Lighter(q, rapid.IntRange(3, 4).Draw(t, "attempt"))
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		subs := []ledger.Sub{{Path: "/home/a", Files: l.Budget.Files + 1, Bytes: 9}, {Path: "/home/b", Files: 3, Bytes: 8}}
		parts, err := osquery.Split(l, subs, ledger.MaxParts)
		if err != nil || len(parts) < 2 {
			t.Fatal(parts, err)
		}
		if !ledger.Replaced(append([]ledger.Query{q}, parts...))[q.ID] {
			t.Fatalf("the parts do not stand for the question: %+v", parts)
		}
	})
}

func TestAnswerOfAFleet(t *testing.T) {
	t.Parallel()
	a := osquery.Answer(ledger.Query{}, ledger.Delivery{Status: 1, Message: "distributed query is denylisted"})
	if a.Failure == nil || a.Failure.State != ledger.Denylisted {
		t.Errorf("%+v", a)
	}
}
