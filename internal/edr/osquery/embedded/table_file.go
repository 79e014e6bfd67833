//go:build sqlite_vtable

package embedded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// batch is how many names of a folder are read at a time: a folder of any size costs the same memory.
const batch = 1024

func (e *Engine) fileTable() *table {
	return &table{
		name: "file",
		columns: columnsOf(`path:T directory:T filename:T inode:B uid:B gid:B mode:T device:B size:B block_size:I atime:B mtime:B
			ctime:B btime:B hard_links:I symlink:I type:T symlink_target_path:T ` + fileMore),
		index: []string{"path", "directory"}, likes: true, required: true, cost: 10,
		open: func(q *query, by string, like bool, value string) (scan, error) {
			src, err := e.paths(q, "file", by, like, value)
			if err != nil {
				return nil, err
			}
			return &fileScan{engine: e, q: q, src: src}, nil
		},
	}
}

// source gives paths one after another; directory is the column's value for each.
type source interface {
	next() (path, directory string, ok bool, err error)
	close()
}

// paths gives the candidates of a scan by path or directory.
func (e *Engine) paths(q *query, op, by string, like bool, value string) (source, error) {
	switch {
	case value == "" || strings.ContainsRune(value, 0):
		return &listed{}, nil
	case by == "path" && !like:
		return &listed{paths: []string{value}}, nil
	case by == "directory" && !like:
		return &dirSource{engine: e, q: q, op: op, dirs: []string{value}}, nil
	}
	found, err := e.glob(q, op, value)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range found {
		if by == "directory" { // the column has no separator at its end
			folder, ok := strings.CutSuffix(p, sep)
			if !ok {
				continue
			}
			p = folder
		}
		if matchesLike(value, p) {
			out = append(out, p)
		}
	}
	if by == "path" {
		return &listed{paths: out}, nil
	}
	return &dirSource{engine: e, q: q, op: op, dirs: out}, nil
}

const sep = string(filepath.Separator)

// listed gives paths from memory.
type listed struct {
	paths []string
	at    int
}

func (l *listed) next() (path, directory string, ok bool, err error) {
	if l.at >= len(l.paths) {
		return "", "", false, nil
	}
	l.at++
	p := l.paths[l.at-1]
	return p, parent(p), true, nil
}

func (l *listed) close() {}

// parent gives the folder of a path as written, without resolving anything; a root has none.
func parent(p string) string {
	root := filepath.VolumeName(p)
	rest := strings.TrimRight(p[len(root):], seps)
	if rest == "" {
		return ""
	}
	dir := strings.TrimRight(rest[:strings.LastIndexAny(rest, seps)+1], seps)
	if dir == "" && strings.ContainsAny(rest[:1], seps) {
		dir = rest[:1]
	}
	return root + dir
}

// dirSource lists folders one level deep, dot files included. A folder that can't be read, or that looks empty while
// its link count says otherwise, is noted as unread.
type dirSource struct {
	engine *Engine
	q      *query
	op     string
	dirs   []string
	dir    Dir
	names  []string
	seen   bool // the current folder had an entry
	done   bool // the current folder has no more than names
}

func (d *dirSource) next() (path, directory string, ok bool, err error) {
	for {
		if len(d.names) > 0 {
			name := d.names[0]
			d.names = d.names[1:]
			return join(d.dirs[0], name), d.dirs[0], true, nil
		}
		if d.done {
			d.dirs, d.done = d.dirs[1:], false
		}
		if len(d.dirs) == 0 {
			return "", "", false, nil
		}
		if err := d.q.ctx.Err(); err != nil {
			return "", "", false, err
		}
		d.fill()
	}
}

// fill reads the next names, or moves to the next folder.
func (d *dirSource) fill() {
	if d.dir == nil {
		dir, err := d.engine.opt.FS.OpenDir(d.dirs[0])
		if err != nil {
			if !nowhere(err) {
				d.q.note(d.op, d.dirs[0], 0, reason(err))
			}
			d.done = true
			return
		}
		d.dir, d.seen = dir, false
	}
	names, err := d.dir.Names(batch)
	d.names = names
	d.seen = d.seen || len(names) > 0
	if err == nil && len(names) > 0 {
		return
	}
	if err != nil && !errors.Is(err, io.EOF) && !gone(err) {
		d.q.note(d.op, d.dirs[0], 0, reason(err))
	}
	if err == nil || errors.Is(err, io.EOF) {
		d.hollow()
	}
	d.closeDir()
	d.done = true
}

// hollow notes a folder that lists nothing although its link count says that it has subfolders.
func (d *dirSource) hollow() {
	if d.seen {
		return
	}
	st, err := d.engine.opt.FS.Lstat(d.dirs[0])
	if err == nil && st.Mode.IsDir() && st.Links > 2 {
		d.q.note(d.op, d.dirs[0], 0, fmt.Sprintf("looks empty, yet has %d links", st.Links))
	}
}

func (d *dirSource) closeDir() {
	if d.dir != nil {
		if err := d.dir.Close(); err != nil {
			d.q.note(d.op, d.dirs[0], 0, reason(err))
		}
		d.dir = nil
	}
}

func (d *dirSource) close() { d.closeDir() }

// join puts a name under a folder as written.
func join(dir, name string) string {
	if dir != "" && strings.ContainsAny(dir[len(dir)-1:], seps) {
		return dir + name
	}
	return dir + sep + name
}

// gone reports that a path is not there: it vanished, or never was.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// reason is the short text of a file error, without the path.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err.Error()
	}
	return err.Error()
}

// fileScan gives one row a path that exists.
type fileScan struct {
	engine  *Engine
	q       *query
	src     source
	path    string
	dir     string
	st      Stat
	symlink int64
}

func (s *fileScan) next() (bool, error) {
	for {
		path, dir, ok, err := s.src.next()
		if err != nil || !ok {
			return false, err
		}
		if s.look(path, dir) {
			return true, nil
		}
	}
}

// look reads what is known of a path; a link gives its target's size, type and times, as in osquery.
func (s *fileScan) look(path, dir string) bool {
	st, err := s.engine.opt.FS.Lstat(path)
	if err != nil {
		if !nowhere(err) {
			s.q.note("file", path, 0, reason(err))
		}
		return false
	}
	s.path, s.dir, s.symlink = path, dir, 0
	if st.Mode&fs.ModeSymlink != 0 {
		s.symlink = 1
		if target, err := s.engine.opt.FS.Stat(path); err == nil {
			st = target
		}
	}
	s.st = st
	return true
}

// Columns of the table file, by position.
const (
	filePath = iota
	fileDirectory
	fileFilename
	fileInode
	fileUID
	fileGID
	fileMode
	fileDevice
	fileSize
	fileBlockSize
	fileATime
	fileMTime
	fileCTime
	fileBTime
	fileHardLinks
	fileSymlink
	fileType
	fileSymlinkTarget
)

func (s *fileScan) cell(i int) (any, error) { //nolint:gocyclo // one line a column
	switch i {
	case filePath:
		return s.path, nil
	case fileDirectory:
		return s.dir, nil
	case fileFilename:
		return filepath.Base(s.path), nil
	case fileInode:
		return int64(s.st.Inode), nil //nolint:gosec // SQLite has signed numbers alone
	case fileUID:
		s.engine.met(s.st.UID, s.st.Owner)
		return s.st.UID, nil
	case fileGID:
		return s.st.GID, nil
	case fileMode:
		return permissions(s.st), nil
	case fileDevice:
		return int64(s.st.Device), nil //nolint:gosec // SQLite has signed numbers alone
	case fileSize:
		return s.st.Size, nil
	case fileBlockSize:
		return s.st.BlockSize, nil
	case fileATime:
		return s.st.ATime.Unix(), nil
	case fileMTime:
		return s.st.MTime.Unix(), nil
	case fileCTime:
		return s.st.CTime.Unix(), nil
	case fileBTime:
		return birth(s.st), nil
	case fileHardLinks:
		return s.st.Links, nil
	case fileSymlink:
		return s.symlink, nil
	case fileType:
		return s.st.typeName(), nil
	case fileSymlinkTarget:
		if s.symlink == 0 {
			return "", nil
		}
		target, err := s.engine.opt.FS.Readlink(s.path)
		if err != nil {
			return "", nil //nolint:nilerr // the link vanished: osquery gives an empty text
		}
		return target, nil
	default:
		return fileCell(s.path, s.st, i-fileSymlinkTarget-1), nil
	}
}

func (s *fileScan) id() int64 { return s.engine.idOf(s.path, s.dir) }
func (s *fileScan) close()    { s.src.close() }
