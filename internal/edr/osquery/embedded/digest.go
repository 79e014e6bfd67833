//go:build sqlite_vtable

package embedded

import (
	"context"
	"crypto/md5"  //nolint:gosec // what intelligence names files by
	"crypto/sha1" //nolint:gosec // what intelligence names files by
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"
	"time"
)

const (
	readBuffer = 256 << 10
	maxCached  = 200_000
	settled    = 2 * time.Second // a file changed more recently than this may change again within its time stamp
)

var errChanged = errors.New("changed while it was read")

// errTooBig is no failure: a file over ReadMax has empty digests, as in osquery.
var errTooBig = errors.New("bigger than read_max")

// cacheKey says that a file is the same: where it is, how big, and both its times in nanoseconds.
type cacheKey struct {
	dev, ino     uint64
	size         int64
	mtime, ctime int64
}

// digestCache keeps digests of files that have not changed.
type digestCache struct {
	mu   sync.Mutex
	sums map[cacheKey][3]string
}

func newDigestCache() *digestCache { return &digestCache{sums: map[cacheKey][3]string{}} }

func (c *digestCache) get(k cacheKey) [3]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sums[k]
}

func (c *digestCache) put(k cacheKey, sums [3]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sums) >= maxCached {
		clear(c.sums)
	}
	old := c.sums[k]
	for i, s := range sums {
		if s != "" {
			old[i] = s
		}
	}
	c.sums[k] = old
}

func keyOf(st Stat) cacheKey {
	return cacheKey{st.Device, st.Inode, st.Size, st.MTime.UnixNano(), st.CTime.UnixNano()}
}

// digests gives the wanted digests of a file; all empty when it is bigger than read_max or can't be read, which is
// noted. The error is the end of the context alone.
func (e *Engine) digests(q *query, path string, st Stat, want [3]bool) ([3]string, error) {
	if st.Size > e.opt.ReadMax {
		return [3]string{}, nil
	}
	if st.Inode != 0 {
		if sums := e.cache.get(keyOf(st)); complete(sums, want) {
			return sums, nil
		}
	}
	var err error
	for range 2 { // a file that changes while it is read gets a second chance
		var sums [3]string
		var after Stat
		sums, after, err = e.read(q.ctx, path, want)
		if err == nil {
			if now := e.opt.Now(); after.Inode != 0 && now.Sub(after.MTime) > settled && now.Sub(after.CTime) > settled {
				e.cache.put(keyOf(after), sums)
			}
			return sums, nil
		}
		if !errors.Is(err, errChanged) {
			break
		}
	}
	switch {
	case q.ctx.Err() != nil:
		return [3]string{}, q.ctx.Err()
	case gone(err), errors.Is(err, errTooBig):
	default:
		q.note("hash", path, st.Size, reason(err))
	}
	return [3]string{}, nil
}

func complete(sums [3]string, want [3]bool) bool {
	for i, w := range want {
		if w && sums[i] == "" {
			return false
		}
	}
	return true
}

// read makes digests of one open file and makes sure that it was the same before and after.
func (e *Engine) read(ctx context.Context, path string, want [3]bool) (sums [3]string, after Stat, err error) {
	f, err := e.opt.FS.Open(path)
	if err != nil {
		return sums, after, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	before, err := f.Stat()
	if err != nil {
		return sums, after, err
	}
	if !before.Mode.IsRegular() {
		return sums, after, errors.New("no longer a regular file")
	}
	hashes := [3]hash.Hash{}
	for i, make := range []func() hash.Hash{md5.New, sha1.New, sha256.New} {
		if want[i] {
			hashes[i] = make()
		}
	}
	total, err := e.feed(ctx, f, hashes)
	if err != nil {
		return sums, after, err
	}
	if after, err = f.Stat(); err != nil {
		return sums, after, err
	}
	if keyOf(before) != keyOf(after) || (before.Size > 0 && total != before.Size) {
		return sums, after, errChanged
	}
	for i, h := range hashes {
		if h != nil {
			sums[i] = hex.EncodeToString(h.Sum(nil))
		}
	}
	return sums, after, nil
}

// feed reads a file to its end, at most ReadMax bytes: a pseudo file may have no end.
func (e *Engine) feed(ctx context.Context, f io.Reader, hashes [3]hash.Hash) (total int64, err error) {
	if e.buf == nil {
		e.buf = make([]byte, readBuffer) // queries run one after another
	}
	buf := e.buf
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := f.Read(buf)
		total += int64(n)
		if total > e.opt.ReadMax {
			return total, errTooBig
		}
		for _, h := range hashes {
			if h != nil {
				h.Write(buf[:n])
			}
		}
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
