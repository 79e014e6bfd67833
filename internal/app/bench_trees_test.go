//go:build !windows

package app_test

import (
	"crypto/md5"  //nolint:gosec // a kind of digest that is measured
	"crypto/sha1" //nolint:gosec // a kind of digest that is measured
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// benchFull and benchDir name what the environment may say: full asks for the sizes of the published figures, the folder
// keeps the trees from one run to the next.
const (
	benchFull = "HUNTER_BENCH"
	benchDir  = "HUNTER_BENCH_DIR"
)

// benchSizes are how big the trees are.
type benchSizes struct {
	files, bytes int // files that are hashed, and their bytes together
	many         int // files that are walked
	indicators   int // that a file brings
	known        int // indicators of the store that is pivoted in
	hits         int // of each of 100 endpoints
}

func sizesOf() benchSizes {
	if os.Getenv(benchFull) == "full" {
		return benchSizes{files: 4000, bytes: 1 << 30, many: 200_000, indicators: 250_000, known: 1_000_000, hits: 1000}
	}
	return benchSizes{files: 200, bytes: 16 << 20, many: 4000, indicators: 4000, known: 6000, hits: 20}
}

// tree gives a folder that make fills, once if the environment says where trees are kept.
func tree(tb testing.TB, name string, fill func(dir string) error) string {
	tb.Helper()
	keep := os.Getenv(benchDir)
	if keep == "" {
		dir := tb.TempDir()
		if err := fill(dir); err != nil {
			tb.Fatal(err)
		}
		return dir
	}
	dir := filepath.Join(keep, name)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := errors.Join(os.MkdirAll(dir+".part", 0o755), fill(dir+".part"), os.Rename(dir+".part", dir)); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// bigTree has files whose bytes nobody can guess, from a quarter to seven quarters of the mean size, 100 in a folder.
func bigTree(tb testing.TB, s benchSizes) string {
	tb.Helper()
	return tree(tb, fmt.Sprintf("big-%d-%d", s.files, s.bytes), func(dir string) error {
		noise := make([]byte, 2*s.bytes/s.files)
		mean := s.bytes / s.files
		source := rand.NewChaCha8([32]byte{1})
		for i := range s.files {
			size := mean/4 + i*7919%s.files*(mean*3/2)/s.files
			if _, err := source.Read(noise[:size]); err != nil {
				return err
			}
			path := filepath.Join(dir, fmt.Sprintf("d%02d", i/1000), fmt.Sprintf("e%02d", i/100%10), fmt.Sprintf("file-%04d.bin", i))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, noise[:size], 0o644)); err != nil {
				return err
			}
		}
		return nil
	})
}

// wideTree has many files without a block on the disk, of sizes from 1 byte to 64 KiB, 100 in a folder.
func wideTree(tb testing.TB, s benchSizes) string {
	tb.Helper()
	return tree(tb, fmt.Sprintf("wide-%d", s.many), func(dir string) error {
		for i := range s.many {
			folder := filepath.Join(dir, fmt.Sprintf("d%03d", i/10_000), fmt.Sprintf("e%03d", i/100%100))
			if i%100 == 0 {
				if err := os.MkdirAll(folder, 0o755); err != nil {
					return err
				}
			}
			f, err := os.Create(filepath.Join(folder, fmt.Sprintf("some-file-%06d.dat", i)))
			if err != nil {
				return err
			}
			if err := errors.Join(f.Truncate(wideSize(i)), f.Close()); err != nil {
				return err
			}
		}
		return nil
	})
}

func wideSize(i int) int64 { return int64(i*40_503%65_536) + 1 }

// reader is what hunter is compared with: read every file of a tree once, on all cores, and digest it.
func reader(root string, kinds ...func() hash.Hash) error {
	paths := make(chan string, 1024)
	errs := make([]error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			buf := make([]byte, 256<<10)
			for p := range paths {
				errs[i] = errors.Join(errs[i], digestOf(p, buf, kinds))
			}
		})
	}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths <- p
		}
		return err
	})
	close(paths)
	wg.Wait()
	return errors.Join(append(errs, err)...)
}

func digestOf(path string, buf []byte, kinds []func() hash.Hash) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var sums []hash.Hash
	for _, k := range kinds {
		sums = append(sums, k())
	}
	for {
		n, err := f.Read(buf)
		for _, h := range sums {
			h.Write(buf[:n])
		}
		if err != nil {
			for _, h := range sums {
				h.Sum(nil)
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func one() []func() hash.Hash   { return []func() hash.Hash{sha256.New} }
func three() []func() hash.Hash { return []func() hash.Hash{md5.New, sha1.New, sha256.New} }

// find runs find over a tree and throws away what it prints.
func find(root string, args ...string) error {
	return exec.Command("find", append([]string{root}, args...)...).Run()
}
