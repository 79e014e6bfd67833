//go:build !windows

package local_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

func TestFilesHitByEachKind(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a", ".hidden", "it's [odd]\n\xff"), "planted")
	write(t, filepath.Join(dir, "b", "other"), "something else")
	full := sums("planted")
	for _, k := range indicator.DigestKinds() {
		for _, size := range []int64{0, 7} {
			f := indicator.File{Size: size}
			f.SetDigest(k, full.Digest(k))
			cov, hits, all := hunt(t, local.Options{}, in(dir), f)
			if cov.State != ledger.Hit || !cov.Proven || len(hits) != 1 {
				t.Fatalf("%s size %d: coverage %+v hits %v verdicts %+v", k, size, cov, hits, all)
			}
			h := hits[0]
			if h.SHA256 != full.SHA256 || h.MD5 != full.MD5 || h.SHA1 != full.SHA1 || h.Matched.Kind != k {
				t.Errorf("%s: hit %+v", k, h)
			}
			if h.Path != filepath.Join(dir, "a", ".hidden", "it's [odd]\n\xff") || h.Size != 7 || h.MTime.IsZero() || h.Owner == "" {
				t.Errorf("%s: hit %+v", k, h)
			}
		}
	}
}

func TestAbsentIsProven(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "something")
	write(t, filepath.Join(dir, "empty"), "")
	if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	cov, hits, all := hunt(t, local.Options{}, in(dir), sums("not there"))
	if cov.State != ledger.Absent || !cov.Proven || len(hits) != 0 || cov.Counts.FilesSeen != 3 || cov.Counts.FilesHashed != 1 {
		t.Errorf("coverage %+v verdicts %+v", cov, all)
	}
}

func TestMissingFolderIsPartial(t *testing.T) {
	cov, _, _ := hunt(t, local.Options{}, in(filepath.Join(t.TempDir(), "nope")), sums("x"))
	if cov.State != ledger.Partial || cov.Proven || !strings.Contains(cov.Reason, "no such folder") {
		t.Errorf("coverage %+v", cov)
	}
}

func TestBiggerThanMaxSizeIsSaid(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "big"), strings.Repeat("x", 2000))
	s := in(dir)
	s.MaxSize = 1000
	cov, _, all := hunt(t, local.Options{}, s, sums("x"))
	if cov.State != ledger.Absent || !strings.Contains(strings.Join(all[0].Notes, ";"), "out of scope") {
		t.Errorf("coverage %+v notes %v", cov, all[0].Notes)
	}
}

func TestRunningFindsOurselves(t *testing.T) {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	s := edr.DefaultSearch()
	s.Where = []ledger.Stage{ledger.Running, ledger.Autoruns}
	sum := sha256.Sum256(self)
	cov, hits, all := hunt(t, local.Options{}, s, indicator.File{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(self))})
	if cov.State != ledger.Hit || len(hits) == 0 {
		t.Fatalf("coverage %+v verdicts %+v", cov, all)
	}
	h := hits[0]
	if h.PID == 0 || h.Cmdline == "" || h.StartedAt.IsZero() || h.FoundIn != ledger.Running || h.MD5 == "" {
		t.Errorf("hit %+v", h)
	}
}

// blind is a file system on which hashing stops in mid-query, or one folder can't be read.
type blind struct {
	embedded.FS
	after  atomic.Int64 // opens that still work
	folder string       // can't be opened
	empty  string       // lists nothing
}

func (b *blind) Open(path string) (embedded.File, error) {
	if b.after.Add(-1) < 0 {
		return nil, &os.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	}
	return b.FS.Open(path)
}

func blindAfter(opens int64) *blind {
	b := &blind{FS: embedded.RealFS()}
	b.after.Store(opens)
	return b
}

// emptyDir is a folder that lists nothing and says that all is well.
type emptyDir struct{}

func (emptyDir) Names(int) ([]string, error) { return nil, io.EOF }
func (emptyDir) Close() error                { return nil }

func (b *blind) OpenDir(path string) (embedded.Dir, error) {
	if path == b.folder {
		return nil, &os.PathError{Op: "open", Path: path, Err: syscall.EPERM}
	}
	if path == b.empty {
		return emptyDir{}, nil
	}
	return b.FS.OpenDir(path)
}

func TestBlindedTablesNeverLookAbsent(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"a", "b", "c", "sub/d", "sub/deep/e"} {
		write(t, filepath.Join(dir, n), "text of "+n)
	}
	for after := range 6 {
		fs := blindAfter(int64(after))
		cov, _, _ := hunt(t, local.Options{FS: fs}, in(dir), sums("x"))
		if cov.State == ledger.Absent || cov.Proven {
			t.Errorf("hash blind after %d files: coverage %+v", after, cov)
		}
	}
	fs := blindAfter(1 << 30)
	fs.folder = filepath.Join(dir, "sub")
	cov, _, _ := hunt(t, local.Options{FS: fs}, in(dir), sums("x"))
	if cov.State != ledger.Partial || !strings.Contains(cov.Reason, "sub") {
		t.Errorf("folder blinded: coverage %+v", cov)
	}
	fs = blindAfter(1 << 30)
	fs.empty = filepath.Join(dir, "sub")
	cov, _, _ = hunt(t, local.Options{FS: fs}, in(dir), sums("x"))
	if cov.State != ledger.Partial || !strings.Contains(cov.Reason, "looks empty") {
		t.Errorf("folder that looks empty: coverage %+v", cov)
	}
}

// Where an alert saw a file on this host is looked at first, also outside of the usual places; a folder there is not
// walked, and nothing there is no gap.
func TestAlertPlaceFirst(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	write(t, filepath.Join(place, "evil.bin"), "seen by an alert")
	write(t, filepath.Join(place, "deep", "down", "evil.bin"), "seen by an alert")
	tool := local.New("this-machine", local.Options{})
	t.Cleanup(func() {
		if err := tool.Close(); err != nil {
			t.Error(err)
		}
	})
	eps, err := tool.Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	search := edr.DefaultSearch()
	search.Where = []ledger.Stage{ledger.Files}
	file := sums("seen by an alert")
	work := edr.Work{Targets: []edr.Target{{Ask: file.Best(), File: file}}, Search: search}
	for path, want := range map[string]ledger.State{"evil.bin": ledger.Hit, "deep": ledger.Absent, "gone": ledger.Absent} {
		work.Search.First = []edr.Place{{Host: "another", Path: "/etc/passwd"}, {Host: eps[0].Hostname, Path: filepath.Join(place, path)}}
		queries, err := tool.Compile(eps[0], work)
		if err != nil {
			t.Fatal(err)
		}
		a, err := tool.Ask(t.Context(), eps[0], queries[0])
		if err != nil {
			t.Fatal(err)
		}
		v := ledger.Judge(queries[0], a)
		if v.State != want || !v.Proven || queries[0].Root != filepath.Join(place, path) || queries[1].Root == queries[0].Root || strings.Contains(queries[1].ID, "alert") {
			t.Errorf("%s: %+v of %s, then %s", path, v, queries[0].ID, queries[1].ID)
		}
	}
}

// What a search will read is counted beforehand, by the same rules, and without reading any of it.
func TestEstimate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "12345")
	write(t, filepath.Join(dir, "sub", ".b"), "123")
	write(t, filepath.Join(dir, "empty"), "")
	write(t, filepath.Join(dir, "big"), strings.Repeat("x", 2000))
	if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	fs := &blind{FS: embedded.RealFS()} // no file can be opened
	tool := local.New("this-machine", local.Options{FS: fs})
	t.Cleanup(func() { _ = tool.Close() })
	search := in(dir)
	search.MaxSize = 1000
	for want, files := range map[edr.Cost][]indicator.File{
		{Files: 2, Bytes: 8}: {sums("x")}, {Files: 1, Bytes: 3}: {{MD5: strings.Repeat("a", 32), Size: 3}}, {}: nil,
	} {
		plan, err := edr.MakePlan(t.Context(), files, []edr.Tool{tool}, edr.Selection{}, search)
		if err != nil {
			t.Fatal(err)
		}
		ep := plan.Tools[0].Endpoints[0]
		got, ok, err := tool.Estimate(t.Context(), ep.Endpoint, ep.Queries)
		if err != nil || !ok || got != want {
			t.Errorf("%+v, %v, %v instead of %+v", got, ok, err, want)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got, ok, err := tool.Estimate(ctx, ep.Endpoint, ep.Queries); len(files) > 0 && (err != nil || !ok || got != edr.Cost{Least: true}) {
			t.Errorf("without time: %+v, %v, %v", got, ok, err)
		}
	}
}
