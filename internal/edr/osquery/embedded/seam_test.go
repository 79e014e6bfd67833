//go:build sqlite_vtable

package embedded_test

import (
	"errors"
	"io"
	"io/fs"
	"sync/atomic"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// errDisk is what a failing disk says.
var errDisk = errors.New("input/output error")

// seam is the real file system with calls replaced; a nil field leaves the call as it is.
type seam struct {
	embedded.FS
	lstat   func(path string) (embedded.Stat, error)
	stat    func(path string) (embedded.Stat, error)
	openDir func(path string) (embedded.Dir, error)
	open    func(path string) (embedded.File, error)
	dirs    atomic.Int64 // folders that are open
	files   atomic.Int64 // files that are open
	opened  atomic.Int64 // files that were opened
}

func newSeam() *seam { return &seam{FS: embedded.RealFS()} }

func (s *seam) Lstat(path string) (embedded.Stat, error) {
	if s.lstat != nil {
		return s.lstat(path)
	}
	return s.FS.Lstat(path)
}

func (s *seam) Stat(path string) (embedded.Stat, error) {
	if s.stat != nil {
		return s.stat(path)
	}
	return s.FS.Stat(path)
}

func (s *seam) OpenDir(path string) (embedded.Dir, error) {
	open := s.FS.OpenDir
	if s.openDir != nil {
		open = s.openDir
	}
	d, err := open(path)
	if err != nil {
		return nil, err
	}
	s.dirs.Add(1)
	return countedDir{d, &s.dirs}, nil
}

func (s *seam) Open(path string) (embedded.File, error) {
	open := s.FS.Open
	if s.open != nil {
		open = s.open
	}
	s.opened.Add(1)
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	s.files.Add(1)
	return countedFile{f, &s.files}, nil
}

type countedDir struct {
	embedded.Dir
	open *atomic.Int64
}

func (d countedDir) Close() error { d.open.Add(-1); return d.Dir.Close() }

type countedFile struct {
	embedded.File
	open *atomic.Int64
}

func (f countedFile) Close() error { f.open.Add(-1); return f.File.Close() }

// listDir gives names in parts, then an error.
type listDir struct {
	parts [][]string
	err   error // with the last part
}

func (d *listDir) Names(int) ([]string, error) {
	if len(d.parts) == 0 {
		return nil, io.EOF
	}
	names := d.parts[0]
	d.parts = d.parts[1:]
	if len(d.parts) == 0 {
		return names, d.err
	}
	return names, nil
}

func (d *listDir) Close() error { return nil }

// endlessDir has as many entries as anybody asks for.
type endlessDir struct{ name string }

func (d endlessDir) Names(n int) ([]string, error) {
	out := make([]string, n)
	for i := range out {
		out[i] = d.name
	}
	return out, nil
}

func (endlessDir) Close() error { return nil }

// memFile is a file made of steps: each read gives the next one, before which the step may change what Stat says.
type memFile struct {
	stat  embedded.Stat
	steps []step
}

type step struct {
	text string
	size int64 // what Stat says from here on; 0 leaves it
	err  error
}

func (f *memFile) Read(p []byte) (int, error) {
	if len(f.steps) == 0 {
		return 0, io.EOF
	}
	s := f.steps[0]
	if s.size != 0 {
		f.stat.Size = s.size
	}
	n := copy(p, s.text)
	f.steps[0].text, f.steps[0].size = s.text[n:], 0
	if n < len(s.text) {
		return n, nil
	}
	f.steps = f.steps[1:]
	return n, s.err
}

func (f *memFile) Stat() (embedded.Stat, error) { return f.stat, nil }
func (f *memFile) Close() error                 { return nil }

// regular describes a regular file of a size.
func regular(size int64) embedded.Stat {
	return embedded.Stat{Mode: fs.FileMode(0o644), Perm: 0o644, Size: size, Inode: 1 << 60, Links: 1}
}
