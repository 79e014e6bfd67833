package local_test

import (
	"context"
	"crypto/md5"  //nolint:gosec // a kind of digest under test
	"crypto/sha1" //nolint:gosec // a kind of digest under test
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// sums gives the three digests of a text.
func sums(text string) indicator.File {
	m, s1, s2 := md5.Sum([]byte(text)), sha1.Sum([]byte(text)), sha256.Sum256([]byte(text)) //nolint:gosec // under test
	return indicator.File{MD5: hex.EncodeToString(m[:]), SHA1: hex.EncodeToString(s1[:]), SHA256: hex.EncodeToString(s2[:])}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// hunt asks everything that a search over paths plans, and gives the coverage and all hits.
func hunt(t *testing.T, opt local.Options, search edr.Search, files ...indicator.File) (ledger.Coverage, []ledger.HitRow, []ledger.Verdict) {
	t.Helper()
	ctx := context.Background()
	tool := local.New("this-machine", opt)
	t.Cleanup(func() {
		if err := tool.Close(); err != nil {
			t.Error(err)
		}
	})
	plan, err := edr.MakePlan(ctx, files, []edr.Tool{tool}, edr.Selection{}, search)
	if err != nil {
		t.Fatal(err)
	}
	ep := plan.Tools[0].Endpoints[0]
	verdicts := map[string][]ledger.Verdict{}
	var hits []ledger.HitRow
	var all []ledger.Verdict
	for _, q := range ep.Queries {
		a, err := tool.Ask(ctx, ep.Endpoint, q)
		if err != nil {
			t.Fatal(err)
		}
		v := ledger.Judge(q, a)
		if len(v.Recheck) > 0 {
			again, ok := tool.Recheck(q, v.Recheck)
			if !ok {
				t.Fatal("no recheck")
			}
			b, err := tool.Ask(ctx, ep.Endpoint, again)
			if err != nil {
				t.Fatal(err)
			}
			v = ledger.Rejudge(q, a, again, b)
		}
		verdicts[q.ID] = append(verdicts[q.ID], v)
		hits = append(hits, v.Hits...)
		all = append(all, v)
	}
	return ledger.Cover(ep.Queries, verdicts, "not asked"), hits, all
}

func in(dirs ...string) edr.Search {
	s := edr.DefaultSearch()
	s.Where = []ledger.Stage{ledger.Files}
	s.Paths = map[string][]string{"": dirs}
	return s
}
