package osquery_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/ledger"
)

// hunter's own engine answers both questions: it can, and it has the labels whose queries give rows.
func TestLookAtThisMachine(t *testing.T) {
	t.Parallel()
	engine, err := embedded.Open(embedded.Options{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	l := someLabels()
	n := ledger.Node{Host: ledger.Host{Platform: "linux"}, Agent: ledger.AgentHunter}
	read := func(q ledger.Query) ledger.Look {
		res, err := engine.Query(t.Context(), q.Text)
		if err != nil {
			return l.Read(n, q, ledger.Delivery{Status: 1, Message: err.Error()})
		}
		return l.Read(n, q, ledger.Delivery{Rows: res.Rows})
	}
	qs := l.Queries(n)
	if got := read(qs[0]); !got.Able || got.Cannot != "" || got.Note != "" || got.Version == "" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(ledger.Look{All: true, Labels: map[string]bool{"server": true, "o-dd": false}}, read(qs[1])); diff != "" {
		t.Error(diff)
	}
	l = osquery.Looks{Labels: map[string]string{"server": "SELECT 1 FROM file WHERE path = '/etc/passwd'", "win": "SELECT 1 FROM registry"}}
	failed := read(l.Queries(n)[1])
	if len(failed.Again) != 2 {
		t.Fatalf("%+v", failed)
	}
	for i, want := range []map[string]bool{{"server": true}, {"win": false}} {
		if diff := cmp.Diff(ledger.Look{Labels: want}, read(failed.Again[i])); diff != "" {
			t.Error(diff)
		}
	}
}
