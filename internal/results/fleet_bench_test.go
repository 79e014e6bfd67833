//go:build !windows

package results_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// nodesOf stores nodes in bulk.
func nodesOf(b *testing.B, s *results.Store, n int) []string {
	b.Helper()
	w, _ := s.DB()
	tx, err := w.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	nodes := make([]string, n)
	for i := range nodes {
		nodes[i] = fmt.Sprintf("0193a000-0000-7000-8000-%012d", i)
		key := resultstest.KeyOf(nodes[i])
		if _, err := tx.ExecContext(b.Context(), `INSERT INTO node (id, key_hash, identifier, hostname, platform, host, agent, version, instance, secret, address, approved, enrolled_at, last_seen)
			VALUES (?1, ?2, ?1, 'host-' || ?1, 'linux', '{"os":"Debian GNU/Linux 12 (bookworm)"}', 'osquery', '5.23.0', ?1, 'main', '192.0.2.7', 1, '', '')`, nodes[i], key[:]); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	return nodes
}

// oldRuns stores finished runs, each with ten of the nodes.
func oldRuns(b *testing.B, s *results.Store, nodes []string, n int) {
	b.Helper()
	w, _ := s.DB()
	execAll(b, w, `PRAGMA synchronous = OFF`)
	for i := range n {
		id := fmt.Sprintf("0192a000-0000-7000-8000-%012d", i)
		var some []string
		for k := range min(10, len(nodes)) {
			some = append(some, nodes[(i*10+k)%len(nodes)])
		}
		resultstest.StartFleet(b, s, id, resultstest.At(-i), resultstest.FleetPlan(some))
		if _, err := s.Release(b.Context(), id, "fleet", some, 0, resultstest.At(-i)); err != nil {
			b.Fatal(err)
		}
		if err := s.FinishRun(b.Context(), id, results.RunFinished, 0, ""); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Drop(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
	execAll(b, w, `PRAGMA synchronous = FULL`)
}

// BenchmarkPollIdle is a poll when nothing is due, with more and more nodes, and with many old runs.
func BenchmarkPollIdle(b *testing.B) {
	for _, size := range []struct{ nodes, runs int }{{100, 0}, {10_000, 0}, {10_000, 1000}, {100_000, 0}} {
		b.Run(fmt.Sprintf("nodes=%d/runs=%d", size.nodes, size.runs), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "hunter.db"), results.Options{})
			nodes := nodesOf(b, s, size.nodes)
			oldRuns(b, s, nodes, size.runs)
			keys := make([]ledger.KeyHash, len(nodes))
			for i, n := range nodes {
				keys[i] = resultstest.KeyOf(n)
			}
			ctx, cancel := context.WithCancel(b.Context()) // as that of a request
			defer cancel()
			i := 0
			b.ReportAllocs()
			began := cpu(b)
			for b.Loop() {
				p, known, err := s.Poll(ctx, keys[i*7919%len(keys)], resultstest.At(0))
				if err != nil || !known || p.Handout != nil {
					b.Fatal(p, known, err)
				}
				i++
			}
			b.ReportMetric(float64((cpu(b)-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu is the processor time of this process so far: other work on the machine does not count.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fleetWith makes a run of 1,000 hashes on nodes, without letting any go.
func fleetWith(b *testing.B, n int) (*results.Store, string, []string) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "hunter.db")
	s := open(b, path, results.Options{})
	nodes := nodesOf(b, s, n)
	plan := resultstest.FleetPlan(nodes)
	shared := map[string]ledger.Query{}
	for i, q := range plan.Queries {
		big, there := shared[q.Query.ID]
		if !there {
			big = q.Query
			for k := range 1000 {
				h := big.Hashes[0]
				h.Value = fmt.Sprintf("%064x", k)
				big.Hashes = append(big.Hashes, h)
				big.Text += "'" + h.Value + "',"
			}
			shared[q.Query.ID] = big
		}
		plan.Queries[i].Query = big
	}
	resultstest.StartFleet(b, s, resultstest.RunOne, resultstest.At(0), plan)
	return s, path, nodes
}

// BenchmarkRelease10000 lets a wave of 10,000 endpoints go at once.
func BenchmarkRelease10000(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s, _, nodes := fleetWith(b, 10_000)
		b.StartTimer()
		if n, err := s.Release(b.Context(), resultstest.RunOne, "fleet", nodes, 0, resultstest.At(0)); err != nil || n != len(nodes) {
			b.Fatal(n, err)
		}
		b.StopTimer()
		began := time.Now()
		if c, err := s.FleetCounts(b.Context(), resultstest.RunOne); err != nil || c.Posts.Due != len(nodes) {
			b.Fatal(c, err)
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "ms/FleetCounts")
		b.StartTimer()
	}
}

// BenchmarkSaveFleetPlan stores a plan of 1,000 hashes for 10,000 endpoints.
func BenchmarkSaveFleetPlan(b *testing.B) {
	for b.Loop() {
		fleetWith(b, 10_000)
	}
}

// BenchmarkDeliver hands a query out and takes its answer, from 64 agents at once: time, commits and bytes written for each.
func BenchmarkDeliver(b *testing.B) {
	s, path, nodes := fleetWith(b, 10_000)
	if _, err := s.Release(b.Context(), resultstest.RunOne, "fleet", nodes, 0, resultstest.At(0)); err != nil {
		b.Fatal(err)
	}
	w, _ := s.DB()
	execAll(b, w, `PRAGMA wal_checkpoint(TRUNCATE)`, `PRAGMA wal_autocheckpoint = 0`)
	var next atomic.Int64
	var commits, before int64
	commits = -results.Commits(s)
	before = sizeOf(b, path+"-wal")
	rows := sizeOfAll(b, s)
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	began := cpu(b)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := next.Add(1) - 1
			node, query, at := nodes[i%int64(len(nodes))], "running-1", resultstest.At(int(i))
			if i >= int64(len(nodes)) {
				query = "files-1"
			}
			if i >= 2*int64(len(nodes)) {
				b.Error("no more to answer; lower -benchtime")
				return
			}
			if got, _, err := s.Poll(b.Context(), resultstest.KeyOf(node), at); err != nil || got.Handout == nil {
				b.Error(err)
				return
			}
			if _, _, err := s.Posted(b.Context(), node, ledger.PostName(resultstest.RunOne, query, 1)); err != nil {
				b.Error(err)
				return
			}
			if _, err := s.EndpointQueries(b.Context(), resultstest.RunOne, node, "fleet"); err != nil {
				b.Error(err)
				return
			}
			if _, err := s.RecordDelivery(b.Context(), resultstest.Delivered(resultstest.RunOne, node, query, 1, at, ledger.Absent, true)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
	commits += results.Commits(s)
	b.ReportMetric(float64(commits)/float64(b.N), "commits/op")
	b.ReportMetric(float64(sizeOf(b, path+"-wal")-before)/float64(b.N), "log-B/op")
	b.ReportMetric(float64(sizeOfAll(b, s)-rows)/float64(b.N), "kept-B/op")
}

func sizeOf(b *testing.B, path string) int64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// sizeOfAll is the size of the database with what its log holds.
func sizeOfAll(b *testing.B, s *results.Store) (n int64) {
	b.Helper()
	_, r := s.DB()
	if err := r.QueryRowContext(b.Context(), `SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)`).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}
