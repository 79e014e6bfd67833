//go:build sqlite_vtable

package embedded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"
)

func (e *Engine) fileTable() *table {
	return &table{
		name: "file",
		columns: columnsOf(`path:T directory:T filename:T inode:B uid:B gid:B mode:T device:B size:B block_size:I atime:B mtime:B
			ctime:B btime:B hard_links:I symlink:I type:T symlink_target_path:T ` + fileMore),
		index: []string{"path", "directory"}, likes: true, required: true, cost: 10, tested: []string{"size", "symlink", "type"},
		open: func(q *query, by string, like bool, value string) (scan, error) {
			if by == "directory" && !like && value != "" && !strings.ContainsRune(value, 0) {
				f, err := e.folder(q, value)
				return &fileScan{engine: e, q: q, folder: f}, err
			}
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
	open   *folder
}

func (d *dirSource) next() (path, directory string, ok bool, err error) {
	for len(d.dirs) > 0 {
		if d.open == nil {
			d.open = &folder{path: d.dirs[0], op: d.op}
		}
		entry, err := d.open.next(d.engine, d.q)
		if err != nil {
			return "", "", false, err
		}
		if entry != nil {
			return join(d.dirs[0], entry.name), d.dirs[0], true, nil
		}
		d.open, d.dirs = nil, d.dirs[1:]
	}
	return "", "", false, nil
}

func (d *dirSource) close() {
	if d.open != nil {
		d.open.close()
		d.open = nil
	}
}

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
	engine *Engine
	q      *query
	src    source  // of paths
	folder *folder // or of the entries of one folder
	tests  []tested
	row    fileRow
}

// fileRow is what is known of a path. The target of a link is looked at when somebody asks for what is known of it, and the
// path of an entry of a folder is put together when somebody asks for it.
type fileRow struct {
	whole, dir, name string
	st               Stat
	symlink          bool
	followed         bool
	sums             *Sums // of an earlier run, nil when they are not known
}

func (r *fileRow) path() string {
	if r.whole == "" {
		r.whole = join(r.dir, r.name)
	}
	return r.whole
}

func (s *fileScan) next() (bool, error) {
	if s.folder != nil {
		return s.nextEntry()
	}
	for {
		path, dir, ok, err := s.src.next()
		if err != nil || !ok {
			return false, err
		}
		st, err := s.engine.opt.FS.Lstat(path)
		if err != nil {
			s.unseen(path, err)
			continue
		}
		if s.row = rowOf(path, dir, st); s.chosen() {
			return true, nil
		}
	}
}

func (s *fileScan) nextEntry() (bool, error) {
	for {
		e, err := s.folder.next(s.engine, s.q)
		if err != nil || e == nil {
			return false, err
		}
		if e.err != nil {
			s.unseen(join(s.folder.path, e.name), e.err)
			continue
		}
		s.row = rowOf("", s.folder.path, e.st)
		if s.row.name, s.row.sums = e.name, e.sums; s.chosen() {
			s.q.at = s
			return true, nil
		}
	}
}

func (s *fileScan) choose(tests []tested) { s.tests = tests }

// chosen reports whether a row is asked for.
func (s *fileScan) chosen() bool {
	for i := range s.tests {
		t, ok := &s.tests[i], false
		switch t.column {
		case fileType:
			ok = t.text(s.stat().typeName())
		case fileSize:
			ok = t.number(s.stat().Size)
		case fileSymlink:
			ok = t.number(s.row.link())
		}
		if !ok {
			return false
		}
	}
	return true
}

// unseen notes a path that is there and can not be looked at.
func (s *fileScan) unseen(path string, err error) {
	if !nowhere(err) {
		s.q.note("file", path, 0, reason(err))
	}
}

func rowOf(path, dir string, st Stat) fileRow {
	return fileRow{whole: path, dir: dir, st: st, symlink: st.Mode&fs.ModeSymlink != 0}
}

// link is the column symlink.
func (r *fileRow) link() int64 {
	if r.symlink {
		return 1
	}
	return 0
}

// stat gives what is known of the file itself; of a link, its target's size, type and times, as in osquery.
func (s *fileScan) stat() *Stat {
	if s.row.symlink && !s.row.followed {
		s.row.followed = true
		if target, err := s.engine.opt.FS.Stat(s.row.path()); err == nil {
			s.row.st = target
		}
	}
	return &s.row.st
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

// put hands over what a walk asks of each entry.
func (s *fileScan) put(ctx *sqlite3.SQLiteContext, i int) bool {
	switch i {
	case filePath:
		ctx.ResultText(s.row.path())
	case fileUID:
		s.engine.met(s.stat().UID, s.stat().Owner)
		ctx.ResultInt64(s.stat().UID)
	case fileSize:
		ctx.ResultInt64(s.stat().Size)
	case fileMTime:
		ctx.ResultInt64(s.stat().MTime.Unix())
	case fileType:
		ctx.ResultText(s.stat().typeName())
	default:
		return false
	}
	return true
}

func (s *fileScan) cell(i int) (any, error) { //nolint:gocyclo // one line a column
	switch i {
	case fileDirectory:
		return s.row.dir, nil
	case fileFilename:
		return filepath.Base(s.row.path()), nil
	case fileInode:
		return int64(s.stat().Inode), nil //nolint:gosec // SQLite has signed numbers alone
	case fileGID:
		return s.stat().GID, nil
	case fileMode:
		return permissions(*s.stat()), nil
	case fileDevice:
		return int64(s.stat().Device), nil //nolint:gosec // SQLite has signed numbers alone
	case fileBlockSize:
		return s.stat().BlockSize, nil
	case fileATime:
		return s.stat().ATime.Unix(), nil
	case fileCTime:
		return s.stat().CTime.Unix(), nil
	case fileBTime:
		return birth(*s.stat()), nil
	case fileHardLinks:
		return s.stat().Links, nil
	case fileSymlink:
		return s.row.link(), nil
	case fileSymlinkTarget:
		if !s.row.symlink {
			return "", nil
		}
		target, err := s.engine.opt.FS.Readlink(s.row.path())
		if err != nil {
			return "", nil //nolint:nilerr // the link vanished: osquery gives an empty text
		}
		return target, nil
	default:
		return fileCell(s.row.path(), *s.stat(), i-fileSymlinkTarget-1), nil
	}
}

func (s *fileScan) id() int64 { return s.engine.idOf(s.row.path(), s.row.dir) }

// is reports whether the scan is at a path, and that is a file.
func (s *fileScan) is(path string) bool {
	return s.row.st.Mode.IsRegular() && !s.row.symlink && s.row.path() == path
}

func (s *fileScan) close() {
	if s.q.at == s {
		s.q.at = nil
	}
	if s.folder != nil {
		s.folder.close()
		return
	}
	s.src.close()
}
