//go:build sqlite_vtable

package embedded

import (
	"context"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
)

const (
	maxAhead   = 8_000   // entries that are read and not asked for yet
	maxFolder  = 4096    // entries of one folder that are read ahead; whoever asks for it reads the rest
	maxWaiting = 200_000 // folders that are known and not asked for yet
	jobQueue   = 2048    // files that wait for a worker
)

type folderState int

const (
	waiting folderState = iota // nobody has begun it
	reading                    // a walker has
	given                      // SQLite's walk has it, or it is ready for that
)

// ahead reads folders and files before SQLite's walk comes to them. It begins when the walk asks for the root and follows
// the same order, so it goes nowhere where the walk would not: not over links, and not to another device. Nothing that it
// sees is told unless the walk asks for the same; what it could not read the walk reads itself.
type ahead struct {
	engine *Engine
	hints  Hints
	kinds  [3]bool
	ctx    context.Context //nolint:containedctx // ends with the query
	cancel context.CancelFunc

	mu      sync.Mutex
	changed *sync.Cond
	todo    []*folder // first in, first out; of those some are no longer waiting
	known   map[string]*folder
	held    int // entries of folders that are ready

	jobs    chan job
	workers sync.WaitGroup
}

// job is a file to be digested.
type job struct {
	path string
	key  Key
}

// look begins to look ahead; nil when the hints give nothing to look for.
func (e *Engine) look(ctx context.Context, h Hints) *ahead {
	if h.Root == "" || e.opt.Pace != nil {
		return nil
	}
	a := &ahead{engine: e, hints: h, kinds: h.kinds(), known: map[string]*folder{}, jobs: make(chan job, jobQueue)}
	if a.kinds == [3]bool{} {
		a.hints.MaxSize = 0
	}
	a.changed = sync.NewCond(&a.mu)
	a.ctx, a.cancel = context.WithCancel(ctx)
	context.AfterFunc(a.ctx, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.changed.Broadcast()
	})
	n := runtime.GOMAXPROCS(0)
	for range min(n, 4) {
		a.workers.Go(a.walk)
	}
	if a.hints.MaxSize > 0 {
		for range n {
			a.workers.Go(a.digest)
		}
	}
	return a
}

// stop ends it and waits for its goroutines.
func (a *ahead) stop() {
	if a == nil {
		return
	}
	a.cancel()
	a.workers.Wait()
	for _, f := range a.known {
		f.close()
	}
	for {
		select {
		case j := <-a.jobs:
			a.engine.store.land(j.key)
		default:
			return
		}
	}
}

// folder gives a folder whose entries SQLite asks for: once more, as far as it was read ahead, or from its beginning. A
// statement that looks at a folder in more than one way does so in turn, and sees the same each time.
func (e *Engine) folder(q *query, path string) (*folder, error) {
	if f := q.last.again(path); f != nil {
		return f, nil
	}
	f, err := e.newFolder(q, path)
	q.last = f
	return f, err
}

func (e *Engine) newFolder(q *query, path string) (*folder, error) {
	fresh := &folder{path: path, op: "file", stat: true, whole: true}
	a := q.ahead
	if a == nil {
		return fresh, nil
	}
	if path == a.hints.Root {
		st, err := e.opt.FS.Stat(path)
		if err == nil && st.Mode.IsDir() {
			fresh.ahead, fresh.dev = a, st.Device
		}
		return fresh, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.known[path]
	if f == nil {
		return fresh, nil
	}
	for f.state == reading && a.ctx.Err() == nil {
		a.changed.Wait()
	}
	if f.state == reading {
		return nil, q.ctx.Err()
	}
	delete(a.known, path)
	f.state = given
	a.held -= len(f.entries)
	a.changed.Broadcast()
	return f, nil
}

// walk reads folders until the query ends.
func (a *ahead) walk() {
	for {
		f := a.take()
		if f == nil {
			return
		}
		entries := a.list(f)
		a.remember(f, entries)
		a.mu.Lock()
		f.state = waiting
		if f.done || f.dir != nil { // else it went wrong and is read again
			a.held += len(f.entries)
		}
		a.enter(f, entries)
		a.changed.Broadcast()
		a.mu.Unlock()
		a.offer(f, entries)
	}
}

// take waits for a folder to read; nil at the end.
func (a *ahead) take() *folder {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.ctx.Err() == nil {
		if a.held < maxAhead && len(a.todo) > 0 {
			f := a.todo[0]
			a.todo[0] = nil // the array behind lives on
			a.todo = a.todo[1:]
			if f.state == waiting {
				f.state = reading
				return f
			}
			continue
		}
		a.changed.Wait()
	}
	return nil
}

// list reads a folder, or the beginning of a big one. A panic leaves it as if nobody had begun: SQLite's walk will meet the
// same one, and tell it.
func (a *ahead) list(f *folder) (entries []entry) {
	defer func() {
		if recover() != nil {
			f.close()
			f.entries, f.gaps, f.seen, f.done = nil, nil, false, false
			entries = nil
		}
	}()
	for !f.done && len(f.entries) < maxFolder && a.ctx.Err() == nil {
		f.fill(a.engine, f.entries)
	}
	return f.entries
}

// found takes note of what the walk itself read in a folder.
func (a *ahead) found(f *folder, entries []entry) {
	a.remember(f, entries)
	a.mu.Lock()
	a.enter(f, entries)
	a.changed.Broadcast()
	a.mu.Unlock()
	a.offer(f, entries)
}

// enter adds the subfolders to what is to be read. Those of another device are read by SQLite's walk if it asks for them, as
// it leaves out network mounts.
func (a *ahead) enter(f *folder, entries []entry) {
	if f.depth+1 >= a.hints.MaxDepth {
		return
	}
	for i := range entries {
		e := &entries[i]
		if e.err != nil || !e.st.Mode.IsDir() || fetched(e.st) || len(a.known) >= maxWaiting {
			continue
		}
		sub := &folder{path: join(f.path, e.name), op: "file", stat: true, whole: true, ahead: a, depth: f.depth + 1, dev: e.st.Device}
		a.known[sub.path] = sub
		if sub.dev == f.dev {
			a.todo = append(a.todo, sub)
		}
	}
}

// offer hands the files that will be hashed to the workers.
func (a *ahead) offer(f *folder, entries []entry) {
	for i := range entries {
		e := &entries[i]
		if e.sums != nil || !a.hashes(f, e) {
			continue
		}
		path := join(f.path, e.name)
		key, _ := a.engine.keyOf(e.st, path)
		if !a.engine.store.fly(key, a.kinds) {
			continue
		}
		if e.st.Links > 1 && !a.fresh(f.path, e.name) {
			if sums, ok := a.recall(path, key); ok {
				a.engine.store.put(key, record{sums: sums, settled: true, old: true})
				a.engine.store.land(key)
				continue
			}
		}
		select {
		case a.jobs <- job{path, key}:
		case <-a.ctx.Done():
			a.engine.store.land(key)
			return
		}
	}
}

// remember puts digests of an earlier run beside the entries of a folder that nobody has been given yet. A panic leaves the rest
// to whoever asks.
func (a *ahead) remember(f *folder, entries []entry) {
	defer func() { _ = recover() }()
	if a.engine.opt.Cache == nil {
		return
	}
	var found []Sums // one piece of memory for all
	for i := range entries {
		e := &entries[i]
		if !a.hashes(f, e) {
			continue
		}
		key := identity(e.st)
		if key.Inode == 0 || e.st.Links > 1 || a.fresh(f.path, e.name) {
			continue // by another name this query may have read it already: the store tells
		}
		sums, ok := a.engine.recall(a.ctx, f.path, key, a.kinds)
		if !ok {
			continue
		}
		if len(found) == cap(found) {
			found = make([]Sums, 0, len(entries)-i)
		}
		found = append(found, sums)
		e.sums = &found[len(found)-1]
	}
}

// recall looks for digests of an earlier run.
func (a *ahead) recall(path string, key Key) (sums Sums, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return a.engine.recall(a.ctx, path, key, a.kinds)
}

// fresh reports whether a file is read each time.
func (a *ahead) fresh(dir, name string) bool {
	for _, path := range a.engine.opt.Fresh {
		if strings.HasSuffix(path, name) && path == join(dir, name) {
			return true
		}
	}
	return false
}

// hashes reports whether the statement is going to ask for the digests of an entry.
func (a *ahead) hashes(f *folder, e *entry) bool {
	return e.err == nil && e.st.Mode.IsRegular() && e.st.Device == f.dev && a.wanted(e.st)
}

func (a *ahead) wanted(st Stat) bool {
	if st.Mode&fs.ModeType != 0 || fetched(st) || st.Size > a.engine.opt.ReadMax {
		return false
	}
	if len(a.hints.Sizes) > 0 {
		_, ok := slices.BinarySearch(a.hints.Sizes, st.Size)
		return ok && a.hints.MaxSize > 0
	}
	return st.Size > 0 && st.Size <= a.hints.MaxSize
}

// digest makes digests until the query ends.
func (a *ahead) digest() {
	buf := make([]byte, readBuffer)
	for {
		select {
		case <-a.ctx.Done():
			return
		case j := <-a.jobs:
			a.one(j, buf)
		}
	}
}

// one digests a file. Whatever goes wrong, the walk will read the file itself and tell.
func (a *ahead) one(j job, buf []byte) {
	e := a.engine
	if !e.store.start(j.key) {
		return
	}
	defer e.store.land(j.key)
	defer func() { _ = recover() }()
	if sums, key, err := e.digest(a.ctx, j.path, a.kinds, buf); err == nil {
		e.store.put(key, record{sums: sums})
	}
}
