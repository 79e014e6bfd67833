package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

const askedMD5 = "44d88612fea8a8f36de82e1278abb02f"

func telemetry() ledger.Query {
	return ledger.Query{
		ID: "search-0", Stage: ledger.Telemetry, Hashes: []indicator.Indicator{{Kind: indicator.MD5, Value: askedMD5}},
		Window: ledger.Window{From: time.Date(2026, 10, 26, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)},
	}
}

func answer(rows ...ledger.Row) ledger.Answer { return ledger.Answer{Rows: rows} }

func TestSearch(t *testing.T) {
	t.Parallel()
	control := ledger.Row{"kind": "control", "name": "6871516d8c965192d4f6291fb8344dac"}
	hit := ledger.Row{"kind": "hit", "endpoint": "1", "path": `c:\users\public\a.com`, "md5": askedMD5, "pid": "5708", "n": "1763641537"}
	for _, c := range []struct {
		name   string
		answer ledger.Answer
		state  ledger.State
		says   string
		hits   int
	}{
		{"no match, the control found", answer(control), ledger.NotSeen, "", 0},
		{"a match", answer(control, hit), ledger.NotSeen, "", 1},
		{"no rows at all look like no match", answer(), ledger.Unverified, "did not find the file", 0},
		{"a match without control stays a match", answer(hit), ledger.Unverified, "did not find the file", 1},
		{"a part of the server did not answer", answer(control, ledger.Row{"kind": "gap", "name": "incomplete_results"}), ledger.Partial, "incomplete_results", 0},
		{"a digest that was not asked for", answer(control, ledger.Row{"kind": "hit", "endpoint": "1", "md5": strings.Repeat("1", 32)}), ledger.Unverified, "no digest that was asked for", 0},
		{"a match on nobody", answer(control, ledger.Row{"kind": "hit", "md5": askedMD5}), ledger.Unverified, "names no endpoint", 0},
		{"a row of its own", answer(control, ledger.Row{"kind": "x"}), ledger.Unverified, "unknown kind", 0},
		{"no answer", ledger.Answer{Failure: &ledger.Failure{State: ledger.Error, Message: "HTTP 504"}}, ledger.Error, "HTTP 504", 0},
		{"matches before it broke", ledger.Answer{Rows: []ledger.Row{hit}, Failure: &ledger.Failure{State: ledger.Timeout, Message: "late"}}, ledger.Timeout, "late", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := ledger.JudgeSearch(telemetry(), c.answer)
			if got.State != c.state || !strings.Contains(got.Reason, c.says) || len(got.HitsOn["1"]) != c.hits || got.Proven || len(got.Hits) != 0 {
				t.Errorf("judged %+v", got)
			}
			for _, h := range got.HitsOn["1"] {
				if h.PID != 5708 || h.StartedAt.IsZero() || h.FoundIn != ledger.Telemetry || h.Size != -1 {
					t.Errorf("hit %+v", h)
				}
			}
		})
	}
}

// A search that only adds hits needs no control; what it lacks is told all the same.
func TestSearchThatAdds(t *testing.T) {
	t.Parallel()
	q := telemetry()
	q.Adds = true
	if got := ledger.JudgeSearch(q, answer()); got.State != ledger.NotSeen || len(got.Notes) != 1 {
		t.Errorf("judged %+v", got)
	}
	if got := ledger.JudgeSearch(q, answer(ledger.Row{"kind": "control", "name": "x"})); got.State != ledger.NotSeen || len(got.Notes) != 0 {
		t.Errorf("judged %+v", got)
	}
	if got := ledger.JudgeSearch(q, answer(ledger.Row{"kind": "gap", "name": "cut"})); got.State != ledger.Partial {
		t.Errorf("judged %+v", got)
	}
	if got := ledger.JudgeSearch(q, ledger.Answer{Failure: &ledger.Failure{State: ledger.Error, Message: "HTTP 504"}}); got.State != ledger.Error {
		t.Errorf("judged %+v", got)
	}
}

func TestPresence(t *testing.T) {
	t.Parallel()
	behind := telemetry()
	behind.Behind = "offline since 2026-11-20"
	for _, c := range []struct {
		name   string
		query  ledger.Query
		answer ledger.Answer
		state  ledger.State
		says   string
	}{
		{"data", telemetry(), answer(ledger.Row{"kind": "present", "n": "3"}), ledger.NotSeen, ""},
		{"no data", telemetry(), answer(ledger.Row{"kind": "present", "n": "0"}), ledger.Unverified, "no data of this endpoint from 2026-10-26 to 2026-11-25"},
		{"no word", telemetry(), answer(), ledger.Unverified, "0 rows say"},
		{"two words", telemetry(), answer(ledger.Row{"kind": "present", "n": "0"}, ledger.Row{"kind": "present", "n": "3"}), ledger.Unverified, "2 rows say"},
		{"no number", telemetry(), answer(ledger.Row{"kind": "present", "n": "many"}), ledger.Unverified, "no number"},
		{"data, yet behind", behind, answer(ledger.Row{"kind": "present", "n": "3"}), ledger.Partial, "offline since"},
		{"failed", telemetry(), ledger.Answer{Failure: &ledger.Failure{State: ledger.Error, Message: "HTTP 401"}}, ledger.Error, "HTTP 401"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := ledger.Judge(c.query, c.answer)
			if got.State != c.state || !strings.Contains(got.Reason, c.says) || got.Proven {
				t.Errorf("judged %+v", got)
			}
		})
	}
}

// anyShare draws a verdict such as a search or presence query of a recorded tool gives, or none yet.
func anyShare(t *rapid.T) *ledger.Verdict {
	if rapid.Bool().Draw(t, "open") {
		return nil
	}
	v := ledger.Verdict{
		State:  rapid.SampledFrom([]ledger.State{ledger.Error, ledger.Timeout, ledger.Unverified, ledger.Partial, ledger.NotSeen}).Draw(t, "state"),
		Reason: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "reason"),
	}
	for _, p := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"/a", "/b"}), 0, 2, rapid.ID).Draw(t, "paths") {
		v.Hits = append(v.Hits, ledger.HitRow{Path: p, Matched: sha(1), FoundIn: ledger.Telemetry})
	}
	return &v
}

// Whatever came in whatever order: recorded tools prove nothing, hits stand, and not seen needs every answer to be good.
func TestCoverRecorded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		presence := anyShare(t)
		if presence != nil {
			presence.Hits = nil
		}
		shares := rapid.SliceOfN(rapid.Custom(anyShare), 1, 4).Draw(t, "shares")
		cov := ledger.CoverRecorded(presence, shares, "stopped")
		if diff := cmp.Diff(cov, ledger.CoverRecorded(presence, rapid.Permutation(shares).Draw(t, "order"), "stopped")); diff != "" {
			t.Fatal(diff)
		}
		good, hits, open := presence != nil && presence.State == ledger.NotSeen, false, 0
		for _, s := range shares {
			if s == nil {
				open++
				continue
			}
			good = good && s.State == ledger.NotSeen
			hits = hits || len(s.Hits) > 0
		}
		switch {
		case cov.Proven:
			t.Fatal("a recorded tool proved something")
		case hits != (cov.State == ledger.Hit):
			t.Fatalf("hits %v, state %s", hits, cov.State)
		case (cov.State == ledger.NotSeen) != (good && !hits && open == 0):
			t.Fatalf("state %s of %+v and %+v", cov.State, presence, shares)
		case cov.State == ledger.Absent:
			t.Fatal("a recorded tool said absent")
		}
	})
}
