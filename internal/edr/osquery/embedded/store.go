//go:build sqlite_vtable

package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"sync"
	"time"
)

const (
	maxKept = 500_000         // digests held at once, of some 170 bytes each
	settled = 2 * time.Second // a file changed more recently than this may change again within its time stamp
)

// Key says that a file is the same: where it is, how big, and both its times in nanoseconds.
type Key struct {
	Device, Inode uint64
	Size          int64
	MTime, CTime  int64
}

// Sums are the digests of one file; those that are not known are zero, and Has tells.
type Sums struct {
	Has    [3]bool // md5, sha1, sha256
	MD5    [16]byte
	SHA1   [20]byte
	SHA256 [sha256.Size]byte
}

// Cache remembers digests from one run to the next. It is only asked about files that had not changed for two seconds when
// they were read, on file systems that change the times of each file that is written. It may forget; what it gives must be
// what was put under the same key. It is used by several goroutines.
type Cache interface {
	Get(ctx context.Context, k Key) (Sums, bool)
	Put(ctx context.Context, k Key, s Sums)
	// Flush keeps what was put. It is called after each query; an error is told beside the answer.
	Flush(ctx context.Context) error
}

// covers reports whether every wanted digest is known.
func (s *Sums) covers(want [3]bool) bool {
	for i, w := range want {
		if w && !s.Has[i] {
			return false
		}
	}
	return true
}

// add takes over what another reading of the same file brought.
func (s *Sums) add(o Sums) {
	for i, has := range o.Has {
		if has {
			s.set(i, o.bytes(i))
		}
	}
}

func (s *Sums) set(kind int, sum []byte) {
	s.Has[kind] = true
	copy(s.bytes(kind), sum)
}

func (s *Sums) bytes(kind int) []byte {
	switch kind {
	case 0:
		return s.MD5[:]
	case 1:
		return s.SHA1[:]
	default:
		return s.SHA256[:]
	}
}

// text gives a digest as osquery writes it, "" when it is not known.
func (s *Sums) text(kind int) string {
	if !s.Has[kind] {
		return ""
	}
	return hex.EncodeToString(s.bytes(kind))
}

// record is what the store knows of one file.
type record struct {
	sums    Sums
	query   uint32 // that made it
	settled bool   // it holds for later queries too
	old     bool   // it was made by an earlier query, or comes from the cache
}

// store holds digests: those that were made ahead for the running query, and those of earlier ones of files that have not
// changed. The digests of a query are short of being asked for by a whole walk, so they are held without a pointer.
type store struct {
	mu      sync.Mutex
	changed *sync.Cond // an entry of flying is gone
	records map[Key]record
	flying  map[Key]bool // true: being made; false: waiting to be
	query   uint32
	limit   int
}

func newStore(limit int) *store {
	s := &store{records: map[Key]record{}, flying: map[Key]bool{}, limit: limit}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// begin starts a query: only what is settled is still good, and nothing if nothing is to be kept.
func (s *store) begin(keep bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.query++
	if !keep || len(s.records) > s.limit/2 {
		s.records = map[Key]record{}
	}
}

// good reports whether a record may be used by the running query.
func (s *store) good(r record) bool { return r.settled || r.query == s.query }

// fly puts a file on the list of those to be digested ahead; false when that was done, is due, or there is no room.
func (s *store) fly(k Key, want [3]bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.records[k]
	if _, due := s.flying[k]; due || known && s.good(r) && r.sums.covers(want) || len(s.records)+len(s.flying) >= s.limit {
		return false
	}
	s.flying[k] = false
	return true
}

// start begins what fly put on the list; false when whoever asks for the file has taken it from there.
func (s *store) start(k Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	begun, due := s.flying[k]
	if !due || begun {
		return false
	}
	s.flying[k] = true
	return true
}

// land ends what fly began, whatever came of it.
func (s *store) land(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flying, k)
	s.changed.Broadcast()
}

func (s *store) put(k Key, r record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.query = s.query
	if was, ok := s.records[k]; ok && s.good(was) {
		was.sums.add(r.sums)
		was.settled = was.settled || r.settled
		s.records[k] = was
		return
	}
	if len(s.records) < s.limit {
		s.records[k] = r
	}
}

// get waits for a file that is being digested ahead, and gives its digests when all wanted ones are known. One that only
// waits for that is the caller's to read. old says that they were not made in this query.
func (s *store) get(ctx context.Context, k Key, want [3]bool) (sums Sums, ok, old bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if begun, due := s.flying[k]; due && !begun {
		delete(s.flying, k)
	} else if due {
		defer context.AfterFunc(ctx, s.wake)()
	}
	for s.flying[k] && ctx.Err() == nil {
		s.changed.Wait()
	}
	r, found := s.records[k]
	if !found || !s.good(r) || !r.sums.covers(want) {
		return Sums{}, false, false
	}
	if r.query != s.query {
		r.query, r.old = s.query, true
		s.records[k] = r
	}
	return r.sums, true, r.old
}

func (s *store) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

// keyOf names a file by its identity. Where there are no inodes its path stands for it: such a key is no use beyond the
// query (lasting is false).
func (e *Engine) keyOf(st Stat, path string) (k Key, lasting bool) {
	k = identity(st)
	if k.Inode == 0 {
		k.Device, k.Inode = 0, maphash.String(e.seed, path)
		return k, false
	}
	return k, true
}

// identity names a file where there are inodes.
func identity(st Stat) Key {
	return Key{Device: st.Device, Inode: st.Inode, Size: st.Size, MTime: st.MTime.UnixNano(), CTime: st.CTime.UnixNano()}
}

// isSettled reports whether a file can not have changed since within the grain of its time stamps. A time stamp from the
// future says nothing.
func (e *Engine) isSettled(st Stat) bool {
	now := e.opt.Now()
	return now.Sub(st.MTime) > settled && now.Sub(st.CTime) > settled
}
