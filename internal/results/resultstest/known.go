package resultstest

import (
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// known tells what hits teach: this machine by itself, others when several agree and none tells another thing.
func known(t *testing.T, s *results.Store) {
	ctx := t.Context()
	asked := []indicator.Indicator{ind(indicator.SHA256, SHA256A), ind(indicator.MD5, MD5A)}
	learned := func(trusted string) []indicator.File {
		t.Helper()
		files, err := s.KnownFiles(ctx, asked, trusted)
		ok(t, err)
		return files
	}
	want := []indicator.File{{MD5: MD5A, SHA1: SHA1A, SHA256: SHA256A, Size: 84480}}
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1", "h2", "h3", "h4", "h5"}, []string{"e1"}))
	hit := func(endpoint, tool string, row ledger.HitRow) {
		t.Helper()
		ok(t, s.RecordAnswer(ctx, Answered(RunOne, endpoint, tool, At(1), ledger.Hit, true, row)))
	}
	hit("e1", "edr", Row("/a"))
	hit("h1", "fleet", Row("/a"))
	same(t, "one machine that nobody trusts", []indicator.File(nil), learned("h9"))
	same(t, "this machine", want, learned("h1"))
	hit("h2", "fleet", Row("/a"))
	same(t, "two machines", []indicator.File(nil), learned("h9"))
	hit("h3", "fleet", Row("/elsewhere"))
	same(t, "three that agree", want, learned("h9"))
	conflict := Row("/twin")
	conflict.Conflict, conflict.Size = true, 5
	hit("h4", "fleet", conflict)
	same(t, "a conflict teaches nothing", want, learned("h9"))
	lie := Row("/a")
	lie.Size = 1
	hit("h5", "fleet", lie)
	same(t, "one that disagrees", []indicator.File(nil), learned("h9"))
	same(t, "one that disagrees with this machine", want, learned("h1"))
	files, err := s.KnownFiles(ctx, nil, "h1")
	ok(t, err)
	same(t, "nothing asked", []indicator.File(nil), files)
}
