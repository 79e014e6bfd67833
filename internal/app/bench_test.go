//go:build !windows

package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// invented gives n files that nobody has, known by one digest each, the kinds in turn.
func invented(n int, size func(i int) int64, kinds ...indicator.Kind) []indicator.File {
	out := make([]indicator.File, n)
	for i := range out {
		sum := sha256.Sum256([]byte(fmt.Sprint("nobody has this ", i)))
		k := kinds[i%len(kinds)]
		out[i].SetDigest(k, hex.EncodeToString(sum[:])[:k.HexLen()])
		out[i].Size = size(i)
	}
	return out
}

func unsized(int) int64 { return 0 }

// seen is how much a sweep looked at; hashed -1 is any number.
type seen struct{ files, hashed, remembered int64 }

// sweep looks for files in a folder as hunter does: plan, ask, judge. What it proves and how much it looked at must be right.
func sweep(opt local.Options, root string, want seen, files []indicator.File) error {
	tool := local.New("this-machine", opt)
	defer tool.Close()
	ctx := context.Background()
	search := edr.DefaultSearch()
	search.Where = []ledger.Stage{ledger.Files}
	search.Paths = map[string][]string{"": {root}}
	plan, err := edr.MakePlan(ctx, files, []edr.Tool{tool}, edr.Selection{}, search)
	if err != nil {
		return err
	}
	ep := plan.Tools[0].Endpoints[0]
	var got seen
	for _, q := range ep.Queries {
		a, err := tool.Ask(ctx, ep.Endpoint, q)
		if err != nil {
			return err
		}
		v := ledger.Judge(q, a)
		if v.State != ledger.Absent || !v.Proven {
			return fmt.Errorf("%s ends %s: %s", q.ID, v.State, v.Reason)
		}
		got.files += v.Counts.FilesSeen
		got.hashed += v.Counts.FilesHashed
		got.remembered += v.Remembered
	}
	if want.hashed < 0 {
		want.hashed = got.hashed
	}
	if got != want {
		return fmt.Errorf("files seen, hashed and remembered are %v instead of %v", got, want)
	}
	return nil
}

// again sweeps a tree with a database that knows it from an earlier sweep: it is opened, asked and closed.
func again(ctx context.Context, db, root string, files int64, first bool) (err error) {
	later := func() time.Time { return time.Now().Add(time.Hour) } // the tree was made a moment ago
	store, err := results.Open(ctx, db, results.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	cache, err := app.DigestCache(ctx, store)
	if err != nil || cache == nil {
		return fmt.Errorf("there is no memory of digests: %w", err)
	}
	remembered := files
	if first {
		remembered = 0
	}
	opt := local.Options{Now: later, Cache: cache, Steady: func(string) bool { return true }}
	return sweep(opt, root, seen{files, files, remembered}, invented(10, unsized, indicator.SHA256))
}

// pair measures two works side by side, one after the other in each round, which of them first changing.
func pair(b *testing.B, subject, base func() error) (subjects, bases []time.Duration) {
	b.Helper()
	timed := func(work func() error) func() time.Duration {
		return func() time.Duration {
			start := time.Now()
			if err := work(); err != nil {
				b.Fatal(err)
			}
			return time.Since(start)
		}
	}
	return pairTimed(b, timed(subject), timed(base))
}

// pairTimed is pair for works that measure themselves.
func pairTimed(b *testing.B, subject, base func() time.Duration) (subjects, bases []time.Duration) {
	b.Helper()
	timed := func(work func() time.Duration) time.Duration {
		runtime.GC()
		return work()
	}
	timed(base) // what is not in memory yet comes there
	timed(subject)
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 {
			subjects = append(subjects, timed(subject))
			bases = append(bases, timed(base))
		} else {
			bases = append(bases, timed(base))
			subjects = append(subjects, timed(subject))
		}
	}
	slices.Sort(subjects)
	slices.Sort(bases)
	return subjects, bases
}

// rate tells how fast the subject is as a share of the other: bigger is better.
func rate(b *testing.B, subject, base func() error, name string) {
	b.Helper()
	s, o := pair(b, subject, base)
	report(b, o, s, "rate-of-"+name)
	b.ReportMetric(s[len(s)/2].Seconds()*1000, "ms")
}

// times tells how many times longer the subject takes: smaller is better.
func times(b *testing.B, subject, base func() error, name string) {
	b.Helper()
	s, o := pair(b, subject, base)
	report(b, s, o, "times-"+name)
	b.ReportMetric(s[len(s)/2].Seconds()*1000, "ms")
}

func report(b *testing.B, above, below []time.Duration, name string) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(above[len(above)/2])/float64(below[len(below)/2]), name)
	b.ReportMetric(float64(above[0])/float64(below[0]), name+"/best")
}

// BenchmarkHashing compares the sweep of a folder in which every file is read with the shortest program that does so.
func BenchmarkHashing(b *testing.B) {
	s := sizesOf()
	root := bigTree(b, s)
	n := int64(s.files)
	b.Run("sha256", func(b *testing.B) {
		files := invented(10, unsized, indicator.SHA256)
		rate(b, func() error { return sweep(local.Options{}, root, seen{n, n, 0}, files) }, func() error { return reader(root, one()...) }, "reader")
	})
	b.Run("three", func(b *testing.B) {
		files := invented(12, unsized, indicator.DigestKinds()...)
		rate(b, func() error { return sweep(local.Options{}, root, seen{n, n, 0}, files) }, func() error { return reader(root, three()...) }, "reader")
	})
	b.Run("10000-hashes-to-10", func(b *testing.B) {
		few, many := invented(10, unsized, indicator.SHA256), invented(10_000, unsized, indicator.SHA256)
		times(b, func() error { return sweep(local.Options{}, root, seen{n, n, 0}, many) }, func() error { return sweep(local.Options{}, root, seen{n, n, 0}, few) }, "ten")
	})
}

// BenchmarkAgain compares the second sweep of a tree in which nothing has changed with find, which looks at each file and digests none.
func BenchmarkAgain(b *testing.B) {
	s := sizesOf()
	for name, c := range map[string]struct {
		root  string
		files int64
	}{"big": {bigTree(b, s), int64(s.files)}, "wide": {wideTree(b, s), int64(s.many)}} {
		b.Run(name, func(b *testing.B) {
			db := filepath.Join(b.TempDir(), "hunter.db")
			if err := again(b.Context(), db, c.root, c.files, true); err != nil {
				b.Fatal(err)
			}
			times(b, func() error { return again(b.Context(), db, c.root, c.files, false) }, func() error { return find(c.root, "-type", "f", "-size", "4000c") }, "find")
		})
	}
}

// hundredSizes are those of files of the wide tree: some of them are hashed.
func hundredSizes(i int) int64 { return wideSize(i % 100 * 37) }

// BenchmarkWalking compares the sweep of a folder for files of 100 known sizes with find, which looks for one.
func BenchmarkWalking(b *testing.B) {
	s := sizesOf()
	root := wideTree(b, s)
	n := int64(s.many)
	look := func() error { return find(root, "-type", "f", "-size", "4000c") }
	b.Run("100-sizes", func(b *testing.B) {
		files := invented(100, hundredSizes, indicator.SHA256)
		times(b, func() error { return sweep(local.Options{}, root, seen{n, -1, 0}, files) }, look, "find")
		b.ReportMetric(peakOf(b, "sweep", fmt.Sprintf("%d:%s", s.many, root)), "MiB-peak")
	})
	b.Run("10000-hashes-to-10", func(b *testing.B) {
		few, many := invented(10, hundredSizes, indicator.SHA256), invented(10_000, hundredSizes, indicator.SHA256)
		times(b, func() error { return sweep(local.Options{}, root, seen{n, -1, 0}, many) }, func() error { return sweep(local.Options{}, root, seen{n, -1, 0}, few) }, "ten")
	})
}
