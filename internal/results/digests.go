package results

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// FileKey names a file as it was when it was read: where it is, how big, and both its times in nanoseconds.
type FileKey struct {
	Device, Inode uint64
	Size          int64
	MTime, CTime  int64
}

// FileSums are the digests of a file; Has says which of md5, sha1 and sha256 are known.
type FileSums struct {
	Has    [3]bool
	MD5    [16]byte
	SHA1   [20]byte
	SHA256 [32]byte
}

// Bounds of the memory of digests.
const (
	digestPagesHeld = 512  // in memory
	digestPagesKept = 8192 // in the database: two million files, some 120 MB
)

// Digests remembers digests of files from one run to the next. It forgets rather than fails: a page that can not be read is
// as good as none, and what could not be written is told by Flush.
type Digests struct {
	s     *Store
	mu    sync.Mutex
	pages map[pageKey]*digestPage
	dirty int
	err   error // of the last write, until Flush tells it
}

// pageKey names 256 inodes in a row of one device.
type pageKey struct{ device, page uint64 }

// ErrNotOurs says why digests are not remembered in a database: who may write to it could make a file look as it was.
var ErrNotOurs = errors.New("the results database may be written by others than who runs hunter; digests are not remembered in it")

// Digests gives the memory of digests. It is there only in a database that nobody else may write: else ErrNotOurs.
func (s *Store) Digests(ctx context.Context) (*Digests, error) {
	const what = "look for remembered digests"
	var path string
	if err := s.r.QueryRowContext(ctx, `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path); err != nil {
		return nil, fail(what, err)
	}
	ok, err := ownAlone(path)
	if err != nil {
		return nil, fail(what, err)
	}
	if !ok || s.w == s.r {
		return nil, ErrNotOurs
	}
	return &Digests{s: s, pages: map[pageKey]*digestPage{}}, nil
}

func keyOfPage(k FileKey) pageKey { return pageKey{k.Device, k.Inode >> 8} }

// Get gives the digests of a file that is still as it was.
func (d *Digests) Get(ctx context.Context, k FileKey) (FileSums, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.page(ctx, keyOfPage(k)).get(k)
}

// Put remembers the digests of a file, in place of those of whatever had its inode before.
func (d *Digests) Put(ctx context.Context, k FileKey, sums FileSums) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.page(ctx, keyOfPage(k))
	if !p.dirty {
		p.dirty = true
		d.dirty++
	}
	p.put(k, sums)
}

// page gives a page from memory or the database. The caller holds the lock.
func (d *Digests) page(ctx context.Context, k pageKey) *digestPage {
	if p := d.pages[k]; p != nil {
		return p
	}
	if len(d.pages) >= digestPagesHeld {
		d.write(ctx)
		d.pages = map[pageKey]*digestPage{}
	}
	var blob []byte
	err := d.s.r.QueryRowContext(ctx, `SELECT entries FROM digest_page WHERE device = ? AND page = ?`, int64(k.device), int64(k.page)).Scan(&blob) //nolint:gosec // the same bits
	p := &digestPage{}
	if err == nil {
		p = unpackPage(blob)
	}
	d.pages[k] = p
	return p
}

// Flush writes what was put. Its error tells of earlier writes too.
func (d *Digests) Flush(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.write(ctx)
	err := d.err
	d.err = nil
	return err
}

// write keeps the pages that changed, and lets the oldest go when there are too many. The caller holds the lock.
func (d *Digests) write(ctx context.Context) {
	if d.dirty == 0 {
		return
	}
	now := d.s.now().Unix()
	d.err = errors.Join(d.err, d.s.tx(ctx, "remember digests", func(tx *sql.Tx) error {
		stmt, err := tx.PrepareContext(ctx, `INSERT INTO digest_page (device, page, entries, written) VALUES (?, ?, ?, max(?, coalesce((SELECT max(written) FROM digest_page), 0)))
			ON CONFLICT (device, page) DO UPDATE SET entries = excluded.entries, written = excluded.written`)
		if err != nil {
			return err
		}
		defer stmt.Close() // ends with the transaction
		for k, p := range d.pages {
			if !p.dirty {
				continue
			}
			if _, err := stmt.ExecContext(ctx, int64(k.device), int64(k.page), p.pack(), now); err != nil { //nolint:gosec // the same bits
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM digest_page WHERE rowid IN (
			SELECT rowid FROM digest_page ORDER BY written, rowid LIMIT max(0, (SELECT count(*) FROM digest_page) - ?))`, digestPagesKept)
		return err
	}))
	for _, p := range d.pages {
		p.dirty = false
	}
	d.dirty = 0
}
