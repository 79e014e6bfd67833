package campaign_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// crowded puts so many files into each of three folders.
func (f *fleet) crowded(each int) {
	f.t.Helper()
	for d := range 3 {
		dir := filepath.Join(f.root, fmt.Sprint("crowd", d))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			f.t.Fatal(err)
		}
		for i := range each {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), fmt.Append(nil, d, " ", i), 0o600); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

// Every lighter form is good SQL, and finds and proves what the question does; over its smaller budget it is asked in parts.
func TestLighterFormsAnswer(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 0)
	f.crowded(25)
	all := []ledger.Stage{ledger.Running, ledger.Autoruns, ledger.Files}
	search := edr.DefaultSearch()
	search.Where, search.Paths = all, map[string][]string{"": {f.root}}
	search.First = []edr.Place{{Host: "ws-1", Path: f.root + "/deep/evil.bin"}}
	targets := []edr.Target{
		{Ask: indicator.Indicator{Kind: indicator.SHA256, Value: f.digest}, File: indicator.File{SHA256: f.digest}},
		{Ask: indicator.Indicator{Kind: indicator.SHA256, Value: f.digest}, File: indicator.File{SHA256: f.digest, Size: int64(len(evil))}},
	}
	queries, err := osquery.Compile(osquery.Osqueryd(), edr.Endpoint{Hostname: "ws-1", Platform: "linux"}, edr.Work{Targets: targets, Search: search, Chunks: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		if q.Budget.Files > 0 {
			q.Budget.Files = 60
		}
		for attempt := osquery.FirstLighter; attempt <= campaign.MaxAttempts; attempt++ {
			l, _, err := osquery.Lighter(q, attempt)
			if err != nil {
				t.Fatal(err)
			}
			v := ledger.Judge(l, ledger.Answer{Rows: f.run(l.Text, true)})
			files := q.Stage == ledger.Files
			over := strings.HasPrefix(q.ID, "00-files-any")
			switch {
			case v.State == ledger.Unverified, over != (len(v.Subs) > 0), files && !over && len(v.Hits) != 1:
				t.Errorf("%s, attempt %d: %s, %d hits, %d folders, %s", q.ID, attempt, v.State, len(v.Hits), len(v.Subs), v.Reason)
			case files && !over && os.Geteuid() == 0 && !v.Proven:
				t.Errorf("%s, attempt %d proves nothing: %s", q.ID, attempt, v.Reason)
			}
		}
	}
}

// narrow is a fleet whose agents may hash few files at once.
type narrow struct {
	*remote.Tool
	budget ledger.Budget
}

func (n narrow) Compile(ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	flavor := osquery.Osqueryd()
	flavor.Budget = n.budget
	return osquery.Compile(flavor, ep, w)
}

func (n narrow) Ask(context.Context, edr.Endpoint, ledger.Query) (ledger.Answer, error) {
	panic("a fleet is not asked")
}

// What is over an agent's budget is asked in parts, each a question of its own to that agent.
func TestFleetIsAskedInParts(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.crowded(25)
	f.serveTool(narrow{f.tool, ledger.Budget{Files: 30, Bytes: 1 << 20}})
	run := f.request(f.spec(f.digest))
	f.turn(time.Second)
	if n := f.work(0, true); n < 4 {
		t.Errorf("asked in %d parts", n)
	}
	f.work(1, false)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 1, ledger.Absent: 1})
}
