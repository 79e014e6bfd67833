//go:build sqlite_vtable

package embedded

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// batch is how many names of a folder are read at a time: a folder of any size costs the same memory.
const batch = 1024

// maxAgain is how many entries of a folder are held for whoever asks for the same folder next; more are read again.
const maxAgain = 50_000

// entry is one name in a folder, with what is known of it where that was asked for.
type entry struct {
	name string
	st   Stat
	err  error // st is not known
	sums *Sums // of an earlier run, when they were looked for and are there
}

// gap is something about a folder that could not be read; it is told when the folder is asked for, and never before.
type gap struct{ path, reason string }

// folder is a folder that is being listed, by SQLite's own walk or ahead of it.
type folder struct {
	path string
	op   string // the table that asks
	stat bool   // each entry is looked at as well

	dir     Dir
	entries []entry // that were read; those before at have been given
	at      int
	whole   bool // entries are all that there were
	seen    bool // it had an entry
	done    bool // it has no more than entries
	gaps    []gap

	ahead *ahead // that wants to know what is in it; nil for none
	depth int
	dev   uint64
	state folderState // guarded by ahead
}

// next gives the next entry, nil at the end. What could not be read is noted.
func (f *folder) next(e *Engine, q *query) (*entry, error) {
	for {
		if len(f.gaps) > 0 {
			for _, g := range f.gaps {
				q.note(f.op, g.path, 0, g.reason)
			}
			f.gaps = nil
		}
		if f.at < len(f.entries) {
			f.at++
			return &f.entries[f.at-1], nil
		}
		if f.done {
			return nil, nil
		}
		if err := q.ctx.Err(); err != nil {
			return nil, err
		}
		if err := e.rest(q.ctx, 0); err != nil {
			return nil, err
		}
		if f.at > maxAgain || !f.stat {
			f.entries, f.at, f.whole = nil, 0, false
		}
		f.fill(e, f.entries)
		if f.ahead != nil {
			f.ahead.found(f, f.entries[f.at:])
		}
	}
}

// again gives the same entries once more; nil when some of them are no longer held.
func (f *folder) again(path string) *folder {
	if f == nil || !f.whole || !f.done || f.path != path {
		return nil
	}
	return &folder{path: path, op: f.op, stat: f.stat, entries: f.entries, whole: true, done: true}
}

// fill reads the next names, or finds out that there are none. The new entries go behind what is in into.
func (f *folder) fill(e *Engine, into []entry) {
	f.entries = into
	if f.dir == nil {
		dir, err := e.opt.FS.OpenDir(f.path)
		if err != nil {
			if !nowhere(err) {
				f.gap(f.path, reason(err))
			}
			f.done = true
			return
		}
		f.dir = dir
	}
	names, err := f.dir.Names(batch)
	f.entries = slices.Grow(f.entries, len(names))
	for _, n := range names {
		f.entries = append(f.entries, f.look(e, n))
	}
	f.seen = f.seen || len(names) > 0
	if err == nil && len(names) > 0 {
		return
	}
	if err != nil && !errors.Is(err, io.EOF) && !gone(err) {
		f.gap(f.path, reason(err))
	}
	if err == nil || errors.Is(err, io.EOF) {
		f.hollow(e)
	}
	f.close()
	f.done = true
}

// maxPath is the longest path that the system takes in one piece (PATH_MAX): beyond it a name can be looked at in its folder
// and is no use to anybody, so it is unread.
const maxPath = 4096

// looker is a folder whose entries can be looked at by name, which is cheaper than by path.
type looker interface {
	Lstat(name string) (Stat, error)
}

func (f *folder) look(e *Engine, name string) entry {
	out := entry{name: name}
	if !f.stat {
		return out
	}
	if d, ok := f.dir.(looker); ok && len(f.path)+len(name)+2 <= maxPath {
		out.st, out.err = d.Lstat(name)
	} else {
		out.st, out.err = e.opt.FS.Lstat(join(f.path, name))
	}
	return out
}

// hollow notes a folder that lists nothing although its link count says that it has subfolders.
func (f *folder) hollow(e *Engine) {
	if f.seen {
		return
	}
	st, err := e.opt.FS.Lstat(f.path)
	if err == nil && st.Mode.IsDir() && st.Links > 2 {
		f.gap(f.path, fmt.Sprintf("looks empty, yet has %d links", st.Links))
	}
}

func (f *folder) gap(path, reason string) { f.gaps = append(f.gaps, gap{path, reason}) }

func (f *folder) close() {
	if f.dir != nil {
		if err := f.dir.Close(); err != nil {
			f.gap(f.path, reason(err))
		}
		f.dir = nil
	}
}
