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

// The bare joins. The casts keep SQLite from compiling them anew for each seed: bare, but as fast as it goes.
const (
	bareMembers = `SELECT r.id, r.uid, r.title, r.tlp, r.published, j.kind, j.value, n.confidence, n.time, n.tlp FROM intel_indicator i
		JOIN intel_member m ON m.indicator = i.id JOIN intel_report r ON r.id = m.report JOIN intel_member n ON n.report = r.id
		JOIN intel_indicator j ON j.id = n.indicator WHERE i.value = CAST(? AS TEXT) AND i.kind = CAST(? AS TEXT)`
	bareObjects = `SELECT DISTINCT o.id, o.size, o.names, y.kind, y.value FROM intel_indicator i JOIN intel_member m ON m.indicator = i.id
		JOIN intel_member n ON n.report = m.report JOIN intel_object_digest d ON d.indicator = n.indicator JOIN intel_object o ON o.id = d.object
		JOIN intel_object_digest e ON e.object = o.id JOIN intel_indicator y ON y.id = e.indicator WHERE i.value = CAST(? AS TEXT) AND i.kind = CAST(? AS TEXT)`
)

// join reads with plain SQL what the pivot rests on. It gives how many members there are.
func (p *pivotBench) join(ctx context.Context, seed indicator.Indicator, stmts ...*sql.Stmt) (int, error) {
	texts, found := make([]sql.NullString, 10), 0
	read := func(s *sql.Stmt) error {
		rows, err := s.QueryContext(ctx, seed.Value, string(seed.Kind))
		if err != nil {
			return err
		}
		defer rows.Close()
		columns := 5
		if s == p.members {
			columns = 10
		}
		into := make([]any, columns)
		for i := range into {
			into[i] = &texts[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				return err
			}
			if s == p.members {
				found++
			}
		}
		return rows.Err()
	}
	for _, s := range stmts {
		if err := read(s); err != nil {
			return 0, err
		}
	}
	return found, nil
}

// pivotBench is a big store that is pivoted in, side by side with the bare joins.
type pivotBench struct {
	p                pivot.Provider
	members, objects *sql.Stmt
	degree           int
	took             [4][]time.Duration // whole pivots, their joins, two steps, their join: each by itself
	rounds           [4][]time.Duration // the same from all seeds together
}

// one measures a whole pivot and the bare joins of what it rests on; then the provider's part of it that goes two steps, from an
// indicator to its reports and on to their indicators, and the join that does the same.
func (p *pivotBench) one(ctx context.Context, seed indicator.Indicator) error {
	plain := context.Background()
	var marks [5]time.Time
	marks[0] = time.Now()
	found, err := expand(ctx, p.p, seed)
	marks[1] = time.Now()
	bare, err2 := p.join(plain, seed, p.members, p.objects)
	marks[2] = time.Now()
	res, err3 := p.p.Related(ctx, seed, pivot.DefaultLimits())
	marks[3] = time.Now()
	_, err4 := p.join(plain, seed, p.members)
	marks[4] = time.Now()
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return err
	}
	if found != bare || len(res.Edges) != bare-1 || found < 3 || found > 100 {
		return fmt.Errorf("the pivot from %s gives %d indicators, the join %d, the provider %d beside the seed", seed, found, bare, len(res.Edges))
	}
	p.degree += found
	for i := range p.took {
		d := marks[i+1].Sub(marks[i])
		p.took[i] = append(p.took[i], d)
		p.rounds[i][len(p.rounds[i])-1] += d
	}
	return nil
}

// BenchmarkPivot pivots from many digests of a big store.
func BenchmarkPivot(b *testing.B) {
	n := sizesOf().known
	db := knownStore(b, n)
	err := withIntel(db, func(s *files.Store, store *results.Store) error {
		ctx, cancel := context.WithCancel(context.Background()) // as a command's, which can be interrupted
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
		p := &pivotBench{p: files.NewProvider("feeds", s, files.ProviderOptions{}), members: members, objects: objects}
		if err := p.round(ctx, n); err != nil { // what is not in memory yet comes there
			return err
		}
		p.degree, p.took, p.rounds = 0, [4][]time.Duration{}, [4][]time.Duration{}
		for b.Loop() {
			if err := p.round(ctx, n); err != nil {
				return err
			}
		}
		p.report(b)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(peakOf(b, "pivot", fmt.Sprintf("%d:%s", n, db)), "MiB-peak")
}

// round goes through 200 seeds.
func (p *pivotBench) round(ctx context.Context, n int) error {
	for i := range p.rounds {
		p.rounds[i] = append(p.rounds[i], 0)
	}
	for i := range 200 {
		if err := p.one(ctx, seedOf(i, n)); err != nil {
			return err
		}
	}
	return nil
}

func (p *pivotBench) report(b *testing.B) {
	b.Helper()
	for i := range p.took {
		slices.Sort(p.took[i])
		slices.Sort(p.rounds[i])
	}
	report(b, p.rounds[0], p.rounds[1], "whole-times-joins")
	report(b, p.rounds[2], p.rounds[3], "steps-times-join")
	for i, name := range []string{"whole", "joins", "steps", "join"} {
		list := p.took[i]
		b.ReportMetric(list[len(list)/2].Seconds()*1000, "ms-"+name)
		b.ReportMetric(list[len(list)*99/100].Seconds()*1000, "ms-"+name+"-p99")
	}
	b.ReportMetric(float64(p.degree)/float64(len(p.took[0])), "indicators")
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
