package main

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The agents of the load generator must be taken for what they pretend to be, or the bench measures something else.
func TestAnswersAreTakenForWhatTheyAre(t *testing.T) {
	targets := []edr.Target{{Ask: indicator.Indicator{Kind: indicator.SHA256, Value: strings.Repeat("ab", 32)}}}
	work := edr.Work{Targets: targets, Search: edr.DefaultSearch(), Chunks: 1}
	queries, err := osquery.Compile(osquery.Osqueryd(), edr.Endpoint{ID: "e", Platform: "linux"}, work)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		rows := func(from []row) (out []ledger.Row) {
			for _, r := range from {
				out = append(out, ledger.Row(r))
			}
			return out
		}
		v := ledger.Judge(q, ledger.Answer{Rows: rows(clean(q.Text, "i", 1_800_000_000))})
		if v.State != ledger.Absent || !v.Proven {
			t.Errorf("%s: a clean machine is %s, proven %v: %s", q.ID, v.State, v.Proven, v.Reason)
		}
		v = ledger.Judge(q, ledger.Answer{Rows: rows(planted(q.Text, "i", 1_800_000_000))})
		if v.State != ledger.Hit || len(v.Hits) != 1 {
			t.Errorf("%s: a machine with the file is %s with %d hits: %s", q.ID, v.State, len(v.Hits), v.Reason)
		}
	}
}
