//go:build !windows

package local_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/edr/osquery/socket"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// inParts asks everything, and asks on what is over budget. It gives the coverage, the paths that hit, and the questions
// whose parts do not speak for them.
func inParts(t *testing.T, tool *local.Tool, search edr.Search, files []indicator.File, between func()) (cov ledger.Coverage, hit []string, asked []ledger.Query, verdicts map[string][]ledger.Verdict) {
	t.Helper()
	plan, err := edr.MakePlan(t.Context(), files, []edr.Tool{tool}, edr.Selection{}, search)
	if err != nil {
		t.Fatal(err)
	}
	ep := plan.Tools[0].Endpoints[0]
	planned := ep.Queries
	verdicts = map[string][]ledger.Verdict{}
	for i := 0; i < len(planned); i++ {
		q := planned[i]
		a, err := tool.Ask(t.Context(), ep.Endpoint, q)
		if err != nil {
			t.Fatal(err)
		}
		v := ledger.Judge(q, a)
		if v.State == ledger.Unverified || v.State == ledger.Error || v.State == ledger.Unsupported {
			t.Fatalf("%s: %+v\n%s", q.ID, v, q.Text)
		}
		verdicts[q.ID] = []ledger.Verdict{v}
		for _, h := range v.Hits {
			hit = append(hit, h.Path)
		}
		parts, err := tool.Split(q, v.Subs, ledger.PartsLeft(planned, q))
		if err != nil {
			t.Fatal(err)
		}
		planned = append(planned, parts...)
		between()
	}
	replaced := ledger.Replaced(planned)
	asked = slices.DeleteFunc(slices.Clone(planned), func(q ledger.Query) bool { return replaced[q.ID] })
	slices.Sort(hit)
	return ledger.Cover(planned, verdicts, "not asked"), hit, asked, verdicts
}

// The texts of parts, asked through osquery's own interface, walk the tree of the whole question, each file once.
func TestPartsThroughSocket(t *testing.T) {
	t.Parallel()
	path := startDaemon(t)
	random := rand.New(rand.NewPCG(5, 3)) //nolint:gosec // the same trees each time
	names := []string{"a", "b", "o'dd", "ü ü", ".d", "\xff", "c"}
	for n := range 12 {
		dir := t.TempDir()
		var files []indicator.File
		var want []string
		for i := range 40 {
			p := dir
			for range random.IntN(5) {
				p = filepath.Join(p, names[random.IntN(len(names))])
			}
			p = filepath.Join(p, fmt.Sprintf("file%d", i))
			text := fmt.Sprint(n, i, strings.Repeat("x", random.IntN(50)))
			write(t, p, text)
			files, want = append(files, sums(text)), append(want, p)
		}
		if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		budget := ledger.Budget{Files: 8 + int64(random.IntN(20)), Bytes: int64(300 + random.IntN(500))}
		tool := local.New("this-machine", local.Options{
			Budget: budget, Dial: func(ctx context.Context) (local.Asker, error) { return socket.Dial(ctx, path, socket.Options{}) },
		})
		t.Cleanup(func() { _ = tool.Close() }) // the server waits for it
		cov, hit, asked, verdicts := inParts(t, tool, in(dir), files, func() {})
		seen, over := int64(0), int64(0)
		for _, q := range asked {
			v := verdicts[q.ID][0]
			seen += v.Counts.FilesSeen
			if v.Counts.FilesHashed > budget.Files {
				t.Errorf("tree %d: %s hashes %d files", n, q.ID, v.Counts.FilesHashed)
			}
			if strings.Contains(v.Reason, "over budget") {
				over += v.Counts.FilesUnread
			}
		}
		if int64(len(hit))+over != 40 || seen != 40 || (over == 0 && !slices.Equal(hit, want)) || cov.Counts.FilesSeen != 40 {
			t.Errorf("tree %d, %+v: %d hit, %d over, %d seen, %+v", n, budget, len(hit), over, seen, cov)
		}
		if strings.Contains(cov.Reason, "over budget") != (over > 0) || len(asked) < 2 {
			t.Errorf("tree %d: %d questions, %+v", n, len(asked), cov)
		}
		if over == 0 && os.Geteuid() == 0 && !cov.Proven {
			t.Errorf("tree %d: every part is proven, and the whole is not: %+v", n, cov)
		}
	}
}

// A folder that comes between two questions is looked at, and one that goes is fine; what stays over is named.
func TestPartsOfWhatChanges(t *testing.T) {
	t.Parallel()
	path, dir := startDaemon(t), t.TempDir()
	for _, sub := range []string{"a", "b", "goes"} {
		for i := range 4 {
			write(t, filepath.Join(dir, sub, fmt.Sprint(i)), sub+fmt.Sprint(i))
		}
	}
	for i := range 9 {
		write(t, filepath.Join(dir, "full", fmt.Sprint(i)), strings.Repeat("y", 1024))
	}
	tool := local.New("this-machine", local.Options{
		Budget: ledger.Budget{Files: 6}, Dial: func(ctx context.Context) (local.Asker, error) { return socket.Dial(ctx, path, socket.Options{}) },
	})
	defer func() { _ = tool.Close() }()
	come := filepath.Join(dir, "comes", "evil")
	changed := false
	cov, hit, _, _ := inParts(t, tool, in(dir), []indicator.File{sums("evil")}, func() {
		if !changed {
			changed = true
			write(t, come, "evil")
			if err := os.RemoveAll(filepath.Join(dir, "goes")); err != nil {
				t.Fatal(err)
			}
		}
	})
	if !slices.Equal(hit, []string{come}) || cov.State != ledger.Hit || cov.Proven {
		t.Errorf("%v, %+v", hit, cov)
	}
	if want := "9 files not hashed: over budget, 9 KiB in " + filepath.Join(dir, "full"); !strings.Contains(cov.Reason, want) || strings.Count(cov.Reason, "over budget") != 1 {
		t.Errorf("%q does not say %q alone", cov.Reason, want)
	}
}
