//go:build sqlite_vtable

package embedded

import (
	"context"
	"crypto/md5"  //nolint:gosec // what intelligence names files by
	"crypto/sha1" //nolint:gosec // what intelligence names files by
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"slices"
)

const readBuffer = 256 << 10

var errChanged = errors.New("changed while it was read")

// errTooBig is no failure: a file over ReadMax has empty digests, as in osquery.
var errTooBig = errors.New("bigger than read_max")

// digests gives the wanted digests of a file; none when it is bigger than read_max or can't be read, which is noted. The
// error is the end of the context alone.
func (e *Engine) digests(q *query, path string, st Stat, want [3]bool) (Sums, error) {
	if st.Size > e.opt.ReadMax {
		return Sums{}, nil
	}
	if sums, ok := e.held(q, path, st, want); ok {
		return sums, nil
	}
	if key, lasting := e.keyOf(st, path); lasting && !slices.Contains(e.opt.Fresh, path) {
		if sums, ok := e.recall(q.ctx, path, key, want); ok {
			if now, ok := e.held(q, path, st, want); ok { // by another name it was read a moment ago
				return now, nil
			}
			q.counted.add(key)
			e.store.put(key, record{sums: sums, settled: true, old: true})
			return sums, nil
		}
	}
	if e.buf == nil {
		e.buf = make([]byte, readBuffer) // queries run one after another
	}
	sums, _, err := e.digest(q.ctx, path, want, e.buf)
	switch {
	case err == nil, gone(err), errors.Is(err, errTooBig):
	case q.ctx.Err() != nil:
		return Sums{}, q.ctx.Err()
	default:
		q.note("hash", path, st.Size, reason(err))
	}
	return sums, nil
}

// held gives the digests of a file if they are in memory, made ahead or by an earlier query.
func (e *Engine) held(q *query, path string, st Stat, want [3]bool) (Sums, bool) {
	key, lasting := e.keyOf(st, path)
	if !lasting && q.ahead == nil || slices.Contains(e.opt.Fresh, path) {
		return Sums{}, false
	}
	sums, ok, old := e.store.get(q.ctx, key, want)
	if old {
		q.counted.add(key)
	}
	return sums, ok
}

// recall looks for digests of an earlier run.
func (e *Engine) recall(ctx context.Context, path string, key Key, want [3]bool) (Sums, bool) {
	if e.opt.Cache == nil || !e.steady(key.Device, path) {
		return Sums{}, false
	}
	sums, ok := e.opt.Cache.Get(ctx, key)
	if ok = ok && sums.covers(want); ok {
		e.did(1, key.Size)
	}
	return sums, ok
}

// digest reads a file and keeps its digests if they will hold. A file that changes while it is read gets a second chance.
func (e *Engine) digest(ctx context.Context, path string, want [3]bool, buf []byte) (Sums, Key, error) {
	defer e.did(1, 0)
	sums, st, err := e.read(ctx, path, want, buf)
	if errors.Is(err, errChanged) {
		sums, st, err = e.read(ctx, path, want, buf)
	}
	if err != nil {
		return Sums{}, Key{}, err
	}
	key, lasting := e.keyOf(st, path)
	if lasting && e.isSettled(st) {
		e.store.put(key, record{sums: sums, settled: true})
		if e.opt.Cache != nil && e.steady(st.Device, path) {
			e.opt.Cache.Put(ctx, key, sums)
		}
	}
	return sums, key, nil
}

// steady reports whether the file system of a device gives each file that is written new times. One that does not, or of
// which nobody knows, has no digest remembered.
func (e *Engine) steady(device uint64, path string) bool {
	if known, ok := e.devices.Load(device); ok {
		return known.(bool) //nolint:errcheck // nothing else is stored
	}
	ok := e.opt.Steady(path)
	e.devices.Store(device, ok)
	return ok
}

// read makes digests of one open file and makes sure that it was the same before and after.
func (e *Engine) read(ctx context.Context, path string, want [3]bool, buf []byte) (sums Sums, after Stat, err error) {
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
	total, err := e.feed(ctx, f, hashes, buf)
	if err != nil {
		return sums, after, err
	}
	if after, err = f.Stat(); err != nil {
		return sums, after, err
	}
	was, _ := e.keyOf(before, path)
	is, _ := e.keyOf(after, path)
	if was != is || (before.Size > 0 && total != before.Size) {
		return sums, after, errChanged
	}
	for i, h := range hashes {
		if h != nil {
			sums.set(i, h.Sum(nil))
		}
	}
	return sums, after, nil
}

// feed reads a file to its end, at most ReadMax bytes: a pseudo file may have no end.
func (e *Engine) feed(ctx context.Context, f io.Reader, hashes [3]hash.Hash, buf []byte) (total int64, err error) {
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
		e.did(0, int64(n))
		if err := e.rest(ctx, n); err != nil {
			return total, err
		}
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
