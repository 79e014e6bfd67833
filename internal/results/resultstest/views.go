package resultstest

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// Columns are the columns that each view has at least.
func Columns() map[string][]string {
	return map[string][]string{
		"report_runs": strings.Fields(`run hunt state started_at finished_at exit_code pivot_complete hunted refused narrowed unaskable endpoints hit
			absent partial unverified error denylisted unsupported timeout unasked asleep excluded not_seen proven verified_ratio`),
		"report_hits": strings.Fields(`run hunt endpoint hostname tool found_in path size md5 sha1 sha256 matched_kind matched_value conflict owner mtime
			pid cmdline started_at observed_at`),
		"report_findings": strings.Fields(`finding endpoint hostname path sha256 matched_value first_seen last_seen runs verdict owner note`),
		"report_coverage": strings.Fields(`run endpoint hostname tool mode platform state proven reason scope hashset files_seen files_hashed bytes_hashed
			files_unread window_from window_to answered_at`),
		"report_indicators": strings.Fields(`run tool kind value status reason relation provider report confidence`),
	}
}

// Table reads a query's answer as column names and rows.
func Table(t testing.TB, s *results.Store, query string, args ...any) (columns []string, out []map[string]any) {
	t.Helper()
	_, db := s.DB()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { ok(t, rows.Close()) }()
	columns, err = rows.Columns()
	ok(t, err)
	for rows.Next() {
		values, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		ok(t, rows.Scan(to...))
		row := map[string]any{}
		for i, c := range columns {
			row[c] = values[i]
		}
		out = append(out, row)
	}
	ok(t, rows.Err())
	return columns, out
}

func viewColumns(t *testing.T, s *results.Store) {
	for view, want := range Columns() {
		got, _ := Table(t, s, `SELECT * FROM `+view)
		for _, c := range want {
			if !slices.Contains(got, c) {
				t.Errorf("%s has no column %s", view, c)
			}
		}
	}
}

func viewCounts(t *testing.T, s *results.Store) {
	Fill(t, s)
	_, runs := Table(t, s, `SELECT * FROM report_runs WHERE run = ?`, RunOne)
	got := runs[0]
	// 14 live targets: 2 hit, 2 absent, 8 states once (one of them excluded), 2 unasked. The recorded ones stand apart.
	want := map[string]int64{
		"endpoints": 14, "hit": 2, "absent": 2, "partial": 1, "unverified": 1, "error": 1, "denylisted": 1, "unsupported": 1, "timeout": 1,
		"unasked": 2, "asleep": 1, "excluded": 1, "not_seen": 1, "proven": 3, "hunted": 2, "refused": 1, "narrowed": 1, "unaskable": 1,
		"exit_code": 1, "pivot_complete": 1,
	}
	for c, n := range want {
		if got[c] != n {
			t.Errorf("report_runs.%s is %v, want %d", c, got[c], n)
		}
	}
	if got["verified_ratio"] != 3.0/13 {
		t.Errorf("verified_ratio is %v", got["verified_ratio"])
	}
	sum, err := s.Run(t.Context(), RunOne)
	ok(t, err)
	total := 0
	for _, n := range sum.States {
		total += n
	}
	if total != sum.Endpoints || sum.Proven != 3 || sum.NotSeen != 1 || sum.HitsTotal != 5 || sum.VerifiedRatio != 3.0/13 {
		t.Errorf("summary: %+v", sum)
	}
	_, rows := Table(t, s, `SELECT * FROM report_coverage WHERE run = ?`, RunOne)
	if len(rows) != 17 {
		t.Errorf("report_coverage has %d rows", len(rows))
	}
	_, rows = Table(t, s, `SELECT * FROM report_indicators WHERE run = ? AND tool IS NULL`, RunOne)
	if len(rows) != 3 {
		t.Errorf("%d indicators of the whole run", len(rows))
	}
}

func noEndpoints(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), results.SavedPlan{})
	Start(t, s, RunTwo, "sweep", At(1), Plan([]string{"h1"}, []string{"h2"}))
	ok(t, s.SetCoverage(ctx, RunTwo, "h1", "fleet", ledger.Coverage{State: ledger.Excluded, Reason: "by the hunt"}))
	for _, id := range []string{RunOne, RunTwo} {
		r, err := s.Run(ctx, id)
		ok(t, err)
		if r.VerifiedRatio != 0 || r.Proven != 0 {
			t.Errorf("run %s: ratio %v, proven %d", id, r.VerifiedRatio, r.Proven)
		}
	}
}

// viewsSafe looks at every text of every view: valid UTF-8, no control character, no empty text for what is unknown.
func viewsSafe(t *testing.T, s *results.Store) {
	Fill(t, s)
	a := Answered(RunTwo, "host-02", "fleet", At(40), ledger.Partial, false, Row("/tmp/\x9b0m"))
	a.Hostname, a.Coverage.Reason = "evil\x1b]0;x\x07", "could not read /x\x1b[2J\xfe"
	a.Verdict.Hits[0].Owner, a.Verdict.Hits[0].SHA1 = "o\rx", "AB\x00\u202e"
	ok(t, s.RecordAnswer(t.Context(), a))
	for view := range Columns() {
		_, rows := Table(t, s, `SELECT * FROM `+view)
		if len(rows) == 0 {
			t.Errorf("%s is empty", view)
		}
		for _, row := range rows {
			for column, v := range row {
				text, isText := v.(string)
				if isText && !safe(text) {
					t.Errorf("%s.%s is %q", view, column, text)
				}
			}
		}
	}
	_, rows := Table(t, s, `SELECT path FROM report_hits WHERE endpoint = 'host-01' AND conflict = 0`)
	same(t, "escaped path", []map[string]any{{"path": `/tmp/a\x0ab\x1b[31m\xff.bin`}}, rows)
}

func safe(text string) bool {
	return text != "" && utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) })
}
