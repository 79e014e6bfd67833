//go:build !windows

package app_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/files"
	"github.com/hunter-project/hunter/internal/results"
)

// knownStore is a database into which n indicators were imported, in reports of 3 to 99.
func knownStore(tb testing.TB, n int) string {
	tb.Helper()
	return filepath.Join(tree(tb, fmt.Sprintf("known-%d", n), func(dir string) error {
		path := filepath.Join(dir, "intel.csv")
		if err := errors.Join(os.MkdirAll(dir, 0o755), writeCSV(path, n)); err != nil {
			return err
		}
		return importInto(filepath.Join(dir, "hunter.db"), path, n)
	}), "hunter.db")
}

// seedOf gives the sha256 of one of the lines of the known store, all over it.
func seedOf(i, n int) indicator.Indicator {
	return indicator.Indicator{Kind: indicator.SHA256, Value: digestHex(i*7919%(n/3)*3, 64)}
}

// expand takes an indicator to its reports, to what they name, and to the file objects of all that: a whole pivot of depth 1.
func expand(ctx context.Context, p pivot.Provider, seed indicator.Indicator) (int, error) {
	var file indicator.File
	file.SetDigest(seed.Kind, seed.Value)
	opt := pivot.DefaultOptions()
	opt.Limits.Depth = 1
	g, err := pivot.Expand(ctx, pivot.Seed{Files: []indicator.File{file}}, []pivot.Provider{p}, opt)
	if err != nil {
		return 0, err
	}
	if !g.Complete {
		return 0, fmt.Errorf("the pivot from %s is not complete: %v %v", seed, g.Cut, g.Skipped)
	}
	found := 0
	for _, n := range g.Nodes {
		if _, ok := n.Ref.Indicator(); ok {
			found++
		}
	}
	return found, nil
}

const (
	bareMembers = `SELECT r.id, r.uid, r.title, r.tlp, r.published, j.kind, j.value, n.confidence, n.time, n.tlp FROM intel_indicator i
		JOIN intel_member m ON m.indicator = i.id JOIN intel_report r ON r.id = m.report JOIN intel_member n ON n.report = r.id
		JOIN intel_indicator j ON j.id = n.indicator WHERE i.value = ? AND i.kind = ?`
	bareObjects = `SELECT DISTINCT o.id, o.size, o.names, y.kind, y.value FROM intel_indicator i JOIN intel_member m ON m.indicator = i.id
		JOIN intel_member n ON n.report = m.report JOIN intel_object_digest d ON d.indicator = n.indicator JOIN intel_object o ON o.id = d.object
		JOIN intel_object_digest e ON e.object = o.id JOIN intel_indicator y ON y.id = e.indicator WHERE i.value = ? AND i.kind = ?`
)

// bareJoin reads with plain SQL what the pivot rests on. It gives how many members there are.
func bareJoin(ctx context.Context, members, objects *sql.Stmt, seed indicator.Indicator) (int, error) {
	texts, found := make([]sql.NullString, 10), 0
	read := func(s *sql.Stmt, columns int) error {
		rows, err := s.QueryContext(ctx, seed.Value, string(seed.Kind))
		if err != nil {
			return err
		}
		defer rows.Close()
		into := make([]any, columns)
		for i := range into {
			into[i] = &texts[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				return err
			}
			if columns == 10 {
				found++
			}
		}
		return rows.Err()
	}
	return found, errors.Join(read(members, 10), read(objects, 5))
}

// BenchmarkPivot pivots from many digests of a big store, each side by side with the bare joins.
func BenchmarkPivot(b *testing.B) {
	n := sizesOf().known
	db := knownStore(b, n)
	err := withIntel(db, func(s *files.Store, store *results.Store) error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		_, r := store.DB()
		members, err := r.PrepareContext(ctx, bareMembers)
		if err != nil {
			return err
		}
		defer members.Close()
		objects, err := r.PrepareContext(ctx, bareObjects)
		if err != nil {
			return err
		}
		defer objects.Close()
		p := files.NewProvider("feeds", s, files.ProviderOptions{})
		var pivots, joins []time.Duration
		degree, step := 0, 0
		one := func(i int) error {
			seed := seedOf(i, n)
			start := time.Now()
			found, err := expand(ctx, p, seed)
			middle := time.Now()
			bare, berr := bareJoin(context.Background(), members, objects, seed)
			end := time.Now()
			if err := errors.Join(err, berr); err != nil {
				return err
			}
			if found != bare || found < 3 || found > 100 {
				return fmt.Errorf("the pivot from %s gives %d indicators, the join %d", seed, found, bare)
			}
			degree += found
			pivots, joins = append(pivots, middle.Sub(start)), append(joins, end.Sub(middle))
			return nil
		}
		const each = 200
		for i := range each { // what is not in memory yet comes there
			if err := one(i); err != nil {
				return err
			}
		}
		pivots, joins, degree = nil, nil, 0
		for b.Loop() {
			for range each {
				if err := one(step % each); err != nil {
					return err
				}
				step++
			}
		}
		slices.Sort(pivots)
		slices.Sort(joins)
		report(b, pivots, joins, "times-join")
		b.ReportMetric(pivots[len(pivots)/2].Seconds()*1000, "ms")
		b.ReportMetric(pivots[len(pivots)*99/100].Seconds()*1000, "ms-p99")
		b.ReportMetric(float64(degree)/float64(len(pivots)), "indicators")
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(peakOf(b, "pivot", fmt.Sprintf("%d:%s", n, db)), "MiB-peak")
}

// pivots goes through a store from many seeds, and no more.
func pivots(db string, n int) error {
	return withIntel(db, func(s *files.Store, _ *results.Store) error {
		p := files.NewProvider("feeds", s, files.ProviderOptions{})
		for i := range 2000 {
			if _, err := expand(context.Background(), p, seedOf(i, n)); err != nil {
				return err
			}
		}
		return nil
	})
}
