package ledger_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// A file's times are what its owner made of them. A hit whose times no calendar has is a hit, and can be stored.
func TestHitWithTimesOfNoCalendar(t *testing.T) {
	t.Parallel()
	ind := indicator.Indicator{Kind: indicator.SHA256, Value: strings.Repeat("ab", 32)}
	q := ledger.Query{Stage: ledger.Running, Platform: "linux", Engine: ledger.EngineOsqueryd, Hashes: []indicator.Indicator{ind}}
	for _, at := range []string{"253402300800", "99999999999999", fmt.Sprint(int64(math.MaxInt64))} {
		row := ledger.Row{"kind": "hit", "path": "/tmp/x", "sha256": ind.Value, "pid": "7", "mtime": at, "n": at}
		v := ledger.Judge(q, ledger.Answer{Rows: []ledger.Row{row}})
		if len(v.Hits) != 1 || v.State != ledger.Hit {
			t.Fatalf("%s: %+v", at, v)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// What an agent writes into a column does not make the reasons of its endpoint grow, and numbers that no machine has are none.
func TestHostileWordsAndNumbersAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	q := ledger.Query{Stage: ledger.Running, Platform: "linux", Engine: ledger.EngineOsqueryd}
	var rows []ledger.Row
	for range 30 {
		rows = append(rows, ledger.Row{"kind": long}, ledger.Row{"kind": "count", "name": long, "n": "x"})
	}
	if v := ledger.Judge(q, ledger.Answer{Rows: rows}); len(v.Reason) > 16<<10 {
		t.Errorf("a reason of %d bytes", len(v.Reason))
	}
	most := fmt.Sprint(int64(math.MaxInt64))
	v := ledger.Judge(q, ledger.Answer{Rows: []ledger.Row{{"kind": "count", "name": "candidates", "n": most, "size": "0"}}})
	if v.Counts.FilesSeen != 0 || !strings.Contains(v.Reason, "is no number") {
		t.Errorf("%+v", v)
	}
}

// A folder's name that no file system takes names no folder: nothing is asked about it.
func TestSumsOfImpossibleFolders(t *testing.T) {
	t.Parallel()
	for name, folder := range map[string]string{"zero byte": "/home/a\x00b", "long": "/home/" + strings.Repeat("x", 2000)} {
		q := ledger.Query{Stage: ledger.Files, Platform: "linux", Engine: ledger.EngineOsqueryd, Root: "/home", Splits: true, Budget: ledger.Budget{Files: 1}}
		v := ledger.Judge(q, ledger.Answer{Rows: []ledger.Row{{"kind": "sub", "path": folder, "n": "3", "size": "5"}}})
		if len(v.Subs) > 0 || v.Proven {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
