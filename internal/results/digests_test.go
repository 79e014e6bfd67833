//go:build unix

package results_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/results"
)

func digestsOf(t testing.TB, path string, opt results.Options) *results.Digests {
	t.Helper()
	d, err := open(t, path, opt).Digests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func fileKey(inode uint64) results.FileKey {
	return results.FileKey{Device: 1<<63 + 5, Inode: inode, Size: 7, MTime: -3, CTime: 1_795_614_566_123_456_789}
}

// sum256 are digests of which sha256 is known, and the rest follows from n.
func sum256(n byte) results.FileSums {
	return results.FileSums{Has: [3]bool{false, false, true}, SHA256: [32]byte{n, 31: n}}
}

func TestDigestsOutliveAProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "h.db")
	d := digestsOf(t, path, results.Options{})
	const many = 200_000 // more pages than are held in memory
	for i := range uint64(many) {
		d.Put(t.Context(), fileKey(i), sum256(byte(i%251)))
	}
	md5 := results.FileSums{Has: [3]bool{true, false, false}, MD5: [16]byte{9}}
	d.Put(t.Context(), fileKey(77), md5)
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	d = digestsOf(t, path, results.Options{})
	for i := range uint64(many) {
		want := sum256(byte(i % 251))
		if i == 77 {
			want.Has[0], want.MD5 = true, md5.MD5 // both readings were of the same file
		}
		if got, ok := d.Get(t.Context(), fileKey(i)); !ok || got != want {
			t.Fatalf("inode %d: %v %+v", i, ok, got)
		}
	}
	for name, change := range map[string]func(k *results.FileKey){
		"device": func(k *results.FileKey) { k.Device++ }, "inode": func(k *results.FileKey) { k.Inode += many },
		"size": func(k *results.FileKey) { k.Size++ }, "mtime": func(k *results.FileKey) { k.MTime++ }, "ctime": func(k *results.FileKey) { k.CTime-- },
	} {
		k := fileKey(5)
		change(&k)
		if _, ok := d.Get(t.Context(), k); ok {
			t.Errorf("a file with another %s has the digests", name)
		}
	}
}

// What had the inode before is forgotten, and none of its digests are mixed in.
func TestDigestsOfAReplacedFile(t *testing.T) {
	t.Parallel()
	d := digestsOf(t, filepath.Join(t.TempDir(), "h.db"), results.Options{})
	was, is := fileKey(5), fileKey(5)
	is.CTime++
	d.Put(t.Context(), was, results.FileSums{Has: [3]bool{true, true, true}, MD5: [16]byte{1}, SHA1: [20]byte{1}, SHA256: [32]byte{1}})
	d.Put(t.Context(), is, sum256(2))
	got, ok := d.Get(t.Context(), is)
	if diff := cmp.Diff(sum256(2), got); !ok || diff != "" {
		t.Error(ok, diff)
	}
	if _, ok := d.Get(t.Context(), was); ok {
		t.Error("the file that is gone has digests still")
	}
}

// A page that makes no sense says nothing, and harms nothing.
func TestDamagedDigests(t *testing.T) {
	t.Parallel()
	for name, blob := range map[string]string{
		"empty": "x''", "another version": "zeroblob(400)", "cut in its head": "x'0105040000'", "cut in a digest": "substr(entries, 1, 40)",
		"unknown kinds": "x'0105FF' || substr(entries, 4)", "twice": "entries || substr(entries, 2)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "h.db")
			d := digestsOf(t, path, results.Options{})
			d.Put(t.Context(), fileKey(5), sum256(1))
			if err := d.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			execAll(t, raw(t, path), "UPDATE digest_page SET entries = CAST("+blob+" AS BLOB)")
			d = digestsOf(t, path, results.Options{})
			if got, ok := d.Get(t.Context(), fileKey(5)); ok && (got != sum256(1) || name != "twice") {
				t.Errorf("%+v", got)
			}
			d.Put(t.Context(), fileKey(5), sum256(3))
			if got, ok := d.Get(t.Context(), fileKey(5)); !ok || got != sum256(3) {
				t.Errorf("after a new reading: %v %+v", ok, got)
			}
		})
	}
}

// Old pages go when there are too many, also when the clock was set back.
func TestDigestsAreBounded(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			digestsAreBounded(t, step)
		})
	}
}

func digestsAreBounded(t *testing.T, step time.Duration) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "h.db")
	at := time.Unix(1_795_000_000, 0)
	d := digestsOf(t, path, results.Options{Now: func() time.Time { return at }})
	put := func(from uint64) {
		for i := range uint64(5000) {
			d.Put(t.Context(), fileKey((from+i)<<8), sum256(1))
		}
		if err := d.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		at = at.Add(step)
	}
	put(0)
	put(5000)
	d = digestsOf(t, path, results.Options{})
	left := 0
	for i := range uint64(10_000) {
		if _, ok := d.Get(t.Context(), fileKey(i<<8)); ok {
			left++
		} else if i >= 5000 {
			t.Fatalf("page %d is gone, and older ones are there", i)
		}
	}
	if left != 8192 {
		t.Errorf("%d pages are kept", left)
	}
}

// Who may write to the database could make a changed file look as it was.
func TestDigestsOfOthers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "h.db")
	s := open(t, path, results.Options{})
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o644: true, 0o660: false, 0o602: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Digests(t.Context()); (err == nil) != ok {
			t.Errorf("%o: %v", mode, err)
		} else if !ok {
			wantErr(t, err, results.ErrNotOurs)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, path, results.Options{ReadOnly: true}).Digests(t.Context())
	wantErr(t, err, results.ErrNotOurs)
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		_, err := s.Digests(t.Context())
		wantErr(t, err, results.ErrNotOurs)
	}
}

func TestDigestsOnAFullDisk(t *testing.T) {
	t.Parallel()
	d := digestsOf(t, filepath.Join(t.TempDir(), "h.db"), results.Options{MaxPages: 150})
	for i := range uint64(50_000) {
		d.Put(t.Context(), fileKey(i), sum256(1))
	}
	wantErr(t, d.Flush(t.Context()), results.ErrFull)
	if err := d.Flush(t.Context()); err != nil {
		t.Errorf("told twice: %v", err)
	}
}
