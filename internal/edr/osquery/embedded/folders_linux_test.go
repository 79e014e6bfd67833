//go:build sqlite_vtable

package embedded_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// The words that ask folder by folder and those that osqueryd gets too have the same answer: whatever the root is, what is hit,
// unread, left out, too big or too deep.
func TestByFolderIsAskingAtOnce(t *testing.T) {
	t.Parallel()
	top := oddTree(t)
	deeper := sha256.Sum256([]byte("deeper"))
	hashes := []indicator.Indicator{
		{Kind: indicator.SHA256, Value: hex.EncodeToString(deeper[:])}, {Kind: indicator.MD5, Value: strings.Repeat("a", 32)},
		{Kind: indicator.MD5, Value: "f561aaf6ef0bf14d4208bb46a4ccb3ad"}, // xxx
	}
	hits := 0
	for _, blind := range []bool{false, true} {
		opt := embedded.Options{}
		if blind {
			opt.FS = faulty(top)
		}
		e := open(t, opt)
		for _, root := range []string{top, top + "/", top + "/many", top + "/over", top + "/twin", top + "/to-folder", top + "/to-file", top + "/to-nothing", top + "/none", top + "/a/fifo", "/dev/pts"} {
			for _, q := range []osquery.Question{
				{MaxSize: 1 << 20, MaxDepth: 1000}, {MaxSize: 4 << 20, MaxDepth: 1000}, {MaxSize: 1 << 20, MaxDepth: 1000, Sizes: []int64{3, 6, 2 << 20}},
				{MaxSize: 1 << 20, MaxDepth: 1}, {MaxSize: 4, MaxDepth: 3}, {MaxSize: 1 << 20, MaxDepth: 6}, {MaxSize: 1 << 20, MaxDepth: 7},
			} {
				for _, kinds := range [][]indicator.Indicator{hashes[:1], hashes} {
					if len(kinds) == 1 && (q.MaxDepth == 1 || q.MaxDepth == 6 || q.MaxDepth == 7) {
						continue // how deep it goes is the same whatever is hunted
					}
					q.Stage, q.Platform, q.Engine, q.Root, q.Explicit, q.Hashes, q.Budget = ledger.Files, "linux", ledger.EngineEmbedded, root, root != "/dev/pts", kinds, ledger.Budget{}
					byFolder, err := osquery.Text(q)
					must(t, err)
					q.Budget = ledger.Budget{Files: 1 << 40}
					atOnce, err := osquery.Text(q)
					must(t, err)
					if strings.Contains(atOnce, "CROSS JOIN a LIMIT") || !strings.Contains(byFolder, "CROSS JOIN a LIMIT") {
						t.Fatalf("the words are not those that are meant:\n%s\n%s", byFolder, atOnce)
					}
					got := ask(t, e, byFolder)
					hits += len(slices.DeleteFunc(slices.Clone(got.Rows), func(r map[string]string) bool { return r["kind"] != "hit" }))
					if diff := cmp.Diff(steady(ask(t, e, atOnce)), steady(got)); diff != "" {
						t.Errorf("blind %t, %s, %+v (-at once +by folder):\n%s", blind, root, q, diff)
					}
				}
			}
		}
	}
	if hits == 0 {
		t.Error("nothing was hit")
	}
}

// A folder of more entries than are held has the same answer too.
func TestByFolderBigFolder(t *testing.T) {
	t.Parallel()
	const n = 52_000
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint(i))
	}
	seam := newSeam()
	var listed atomic.Int64
	seam.openDir = func(string) (embedded.Dir, error) {
		listed.Add(1)
		return &listDir{parts: slices.Collect(slices.Chunk(names, 1000))}, nil
	}
	seam.lstat = func(path string) (embedded.Stat, error) {
		if path == "/big" {
			return seam.FS.Lstat("/etc")
		}
		st, err := seam.FS.Lstat("/etc/passwd")
		st.Size = int64(len(filepath.Base(path)))
		return st, err
	}
	e := open(t, embedded.Options{FS: seam})
	for _, r := range ask(t, e, question(t, "/big", indicator.DigestKinds(), 77)).Rows {
		if r["kind"] == "count" && r["name"] == "files" && r["n"] != fmt.Sprint(n) {
			t.Errorf("%s files of %d", r["n"], n)
		}
	}
	if listed.Load() < 2 {
		t.Error("all entries of a big folder were held")
	}
}

// Files whose digests are known are looked at once, in their folder.
func TestKnownFilesAreLookedAtOnce(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	for i := range 50 {
		write(t, filepath.Join(top, fmt.Sprint(i%3), fmt.Sprint(i)), fmt.Sprint("text ", i))
	}
	seam := newSeam()
	var again atomic.Int64
	seam.stat = func(path string) (embedded.Stat, error) {
		if strings.HasPrefix(path, top+"/") {
			again.Add(1)
		}
		return seam.FS.Stat(path)
	}
	e := open(t, embedded.Options{FS: seam, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	text := question(t, top, indicator.DigestKinds())
	first := ask(t, e, text)
	again.Store(0)
	second := ask(t, e, text)
	if diff := cmp.Diff(steady(first), steady(second)); diff != "" {
		t.Errorf("the second answer is another (-first +second):\n%s", diff)
	}
	// The first file is looked at for its first digest: it is not known before which ones are asked for.
	if n := again.Load(); n > 3 || second.Remembered != 51 { // with the control
		t.Errorf("%d files were looked at twice, %d remembered", n, second.Remembered)
	}
}

// What is remembered is counted once a file, also one that is hit, which is looked at again, or that has two names; and what is
// to be read each time is read.
func TestRememberedIsCountedOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	var want indicator.Indicator
	for i := range 20 {
		text := fmt.Sprint("text ", i)
		write(t, filepath.Join(m.dir, "sub", fmt.Sprint(i)), text)
		sum := sha256.Sum256([]byte(text))
		want = indicator.Indicator{Kind: indicator.SHA256, Value: hex.EncodeToString(sum[:])}
	}
	must(t, os.Link(filepath.Join(m.dir, "sub", "3"), filepath.Join(m.dir, "twin")))
	text, err := osquery.Text(osquery.Question{
		Stage: ledger.Files, Platform: "linux", Engine: ledger.EngineEmbedded, Root: m.dir, Explicit: true, Hashes: []indicator.Indicator{want}, MaxSize: 1 << 20, MaxDepth: 1000,
	})
	must(t, err)
	hints := embedded.Hints{Root: m.dir, MaxDepth: 1000, MaxSize: 1 << 20, SHA256: true}
	for i, fresh := range [][]string{nil, nil, {filepath.Join(m.dir, "sub", "7")}} {
		m.opt.Fresh = fresh
		e := open(t, m.opt)
		res, err := e.QueryAhead(t.Context(), text, hints)
		must(t, err)
		hits, hashed := 0, ""
		for _, r := range res.Rows {
			if r["kind"] == "hit" {
				hits++
			}
			if r["kind"] == "count" && r["name"] == "hashed" {
				hashed = r["n"]
			}
		}
		// 20 files, and the control; of a hit the other digests are not remembered the first time.
		if read := []int64{0, 21, 20}[i]; res.Remembered != read || hits != 1 || hashed != "21" {
			t.Errorf("run %d: %d remembered, not %d; %d hits, %s hashed", i, res.Remembered, read, hits, hashed)
		}
	}
}
