//go:build !windows

package local_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// invented gives n files that nobody has; kind -1 gives each all digests in turn.
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

// sweep looks for files in a folder as hunter does: plan, ask, judge. What it proves and how much it looked at must be right.
func sweep(opt local.Options, root string, wantSeen, wantHashed int64, files []indicator.File) error {
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
	var counts ledger.Counts
	for _, q := range ep.Queries {
		a, err := tool.Ask(ctx, ep.Endpoint, q)
		if err != nil {
			return err
		}
		v := ledger.Judge(q, a)
		if v.State != ledger.Absent || !v.Proven {
			return fmt.Errorf("%s ends %s: %s", q.ID, v.State, v.Reason)
		}
		counts.FilesSeen += v.Counts.FilesSeen
		counts.FilesHashed += v.Counts.FilesHashed
	}
	if counts.FilesSeen != wantSeen || wantHashed >= 0 && counts.FilesHashed != wantHashed {
		return fmt.Errorf("%d files seen instead of %d, %d hashed instead of %d", counts.FilesSeen, wantSeen, counts.FilesHashed, wantHashed)
	}
	return nil
}

// pair measures two works side by side, one after the other in each round, which of them first changing.
func pair(b *testing.B, subject, base func() error) (subjects, bases []time.Duration) {
	b.Helper()
	timed := func(work func() error) time.Duration {
		runtime.GC()
		start := time.Now()
		if err := work(); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
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
		rate(b, func() error { return sweep(local.Options{}, root, n, n, files) }, func() error { return reader(root, one()...) }, "reader")
	})
	b.Run("three", func(b *testing.B) {
		files := invented(12, unsized, indicator.DigestKinds()...)
		rate(b, func() error { return sweep(local.Options{}, root, n, n, files) }, func() error { return reader(root, three()...) }, "reader")
	})
	b.Run("10000-hashes-to-10", func(b *testing.B) {
		few, many := invented(10, unsized, indicator.SHA256), invented(10_000, unsized, indicator.SHA256)
		times(b, func() error { return sweep(local.Options{}, root, n, n, many) }, func() error { return sweep(local.Options{}, root, n, n, few) }, "ten")
	})
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
		times(b, func() error { return sweep(local.Options{}, root, n, -1, files) }, look, "find")
		b.ReportMetric(peakMiB(b, root, s.many), "MiB-peak")
	})
	b.Run("10000-hashes-to-10", func(b *testing.B) {
		few, many := invented(10, hundredSizes, indicator.SHA256), invented(10_000, hundredSizes, indicator.SHA256)
		times(b, func() error { return sweep(local.Options{}, root, n, -1, many) }, func() error { return sweep(local.Options{}, root, n, -1, few) }, "ten")
	})
}

// peakChild is set in the child process that sweeps alone, so that its memory can be measured.
const peakChild = "HUNTER_BENCH_PEAK"

// peakMiB is the most memory that a process took which does nothing but the sweep for 100 sizes.
func peakMiB(b *testing.B, root string, many int) float64 {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), exe, "-test.run", "^TestPeakChild$")
	cmd.Env = append(os.Environ(), peakChild+"="+strconv.Itoa(many)+":"+root)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		b.Fatalf("the child: %v\n%s", err, &out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("this system does not tell how much memory a process took")
	}
	unit := 1024.0
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return float64(usage.Maxrss) * unit / (1 << 20)
}

func TestPeakChild(t *testing.T) {
	count, root, ok := strings.Cut(os.Getenv(peakChild), ":")
	if !ok {
		t.Skip("runs in a child of BenchmarkWalking")
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		t.Fatal(err)
	}
	if err := sweep(local.Options{}, root, int64(n), -1, invented(100, hundredSizes, indicator.SHA256)); err != nil {
		t.Fatal(err)
	}
}
