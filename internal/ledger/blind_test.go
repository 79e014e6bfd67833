package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/ledger"
)

// Of a blind answer everything must be there: a row that is missing, doubled or without its digests could hide a hit.
func TestBlindAnswers(t *testing.T) {
	t.Parallel()
	blindQuery := func(stage ledger.Stage) ledger.Query {
		q := query(stage, ledger.EngineOsqueryd, "linux")
		q.Blind = true
		return q
	}
	for name, c := range map[string]struct {
		stage  ledger.Stage
		change func(q *ledger.Query, rows []ledger.Row) []ledger.Row
		state  ledger.State
		says   string
		hits   int
	}{
		"as it is": {ledger.Files, func(_ *ledger.Query, rows []ledger.Row) []ledger.Row { return rows }, ledger.Hit, "", 1},
		"a row lost": {ledger.Files, func(_ *ledger.Query, rows []ledger.Row) []ledger.Row { return without(rows, "/bad/0") }, ledger.Unverified,
			"3 hashed files are listed instead of 4", 0},
		"a row and its count lost": {ledger.Files, func(_ *ledger.Query, rows []ledger.Row) []ledger.Row {
			return counted(without(rows, "/bad/0"), "seen", 3)
		}, ledger.Unverified, "4 files were hashed and 3 are told", 0},
		"a program of two processes": {ledger.Running, func(_ *ledger.Query, rows []ledger.Row) []ledger.Row {
			return counted(append(rows, seen("/good/0", hex64(1000))), "seen", 5)
		}, ledger.Hit, "", 1},
		"a file twice": {ledger.Files, func(_ *ledger.Query, rows []ledger.Row) []ledger.Row {
			return counted(append(rows, seen("/good/0", hex64(1000))), "seen", 5)
		}, ledger.Hit, "4 files were hashed and 5 are told", 1},
		"without a digest": {ledger.Files, func(_ *ledger.Query, rows []ledger.Row) []ledger.Row {
			rows[2] = seen("/bad/0", "zz")
			return rows
		}, ledger.Unverified, "its sha256 did not come", 0},
		"a hit that nobody could ask for": {ledger.Files, func(q *ledger.Query, rows []ledger.Row) []ledger.Row {
			return append(rows, row("hit", "path", "/liar", "sha256", q.Hashes[1].Value))
		}, ledger.Hit, "a hit row, and no digest was asked for", 2},
		"not blind": {ledger.Files, func(q *ledger.Query, rows []ledger.Row) []ledger.Row {
			q.Blind = false
			return rows
		}, ledger.Unverified, `unknown kind "seen"`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := model{q: blindQuery(c.stage), hits: 1, hashed: 3}
			a := m.good()
			a.Rows = c.change(&m.q, a.Rows)
			got := ledger.Judge(m.q, a)
			if got.State != c.state || len(got.Hits) != c.hits || !strings.Contains(got.Reason, c.says) || got.Proven != (c.says == "") {
				t.Errorf("%+v", got)
			}
			for _, h := range got.Hits {
				if !slices.Contains(m.q.Hashes, h.Matched) {
					t.Errorf("hit %+v", h)
				}
			}
		})
	}
}

func without(rows []ledger.Row, path string) []ledger.Row {
	return slices.DeleteFunc(rows, func(r ledger.Row) bool { return r["path"] == path })
}

func counted(rows []ledger.Row, name string, n int) []ledger.Row {
	for _, r := range rows {
		if r["kind"] == "count" && r["name"] == name {
			r["n"] = fmt.Sprint(n)
		}
	}
	return rows
}

// More than an answer lists is a gap, with its number.
func TestBlindAnswersAreCapped(t *testing.T) {
	t.Parallel()
	q := query(ledger.Running, ledger.EngineEmbedded, "linux")
	q.Blind = true
	m := model{q: q, hashed: ledger.SeenMax}
	a := m.good()
	for _, name := range []string{"seen", "hashed", "candidates"} {
		counted(a.Rows, name, ledger.SeenMax+7)
	}
	got := ledger.Judge(q, a)
	if got.State != ledger.Partial || got.Proven || !strings.Contains(got.Reason, "7 digests more than an answer lists") {
		t.Errorf("%s %s", got.State, got.Reason)
	}
}
