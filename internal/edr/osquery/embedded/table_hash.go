//go:build sqlite_vtable

package embedded

import "strings"

func (e *Engine) hashTable() *table {
	return &table{
		name:    "hash",
		columns: columnsOf(`path:T directory:T md5:T sha1:T sha256:T ` + namespaces),
		index:   []string{"path", "directory"}, likes: true, required: true, cost: 1e5, // dear: or files are hashed once a joined row
		open: func(q *query, by string, like bool, value string) (scan, error) {
			s := &hashScan{engine: e, q: q}
			if s.restart(by, like, value) {
				return s, nil
			}
			src, err := e.paths(q, "hash", by, like, value)
			if err != nil {
				return nil, err
			}
			s.src = src
			return s, nil
		},
	}
}

// hashScan gives one row a regular file. Digests are made when a cell is read: all kinds that the statement has asked
// for so far in one pass over the file.
type hashScan struct {
	engine *Engine
	q      *query
	src    source // nil for one path
	one    string // that path, until it has been given
	path   string
	dir    string
	st     Stat
	sums   Sums
	have   [3]bool
}

func (s *hashScan) next() (bool, error) {
	for {
		path, dir, ok, err := s.candidate()
		if err != nil || !ok {
			return false, err
		}
		if s.walked(path, dir) {
			return true, nil
		}
		st, err := s.engine.opt.FS.Stat(path)
		if err != nil {
			if !nowhere(err) {
				s.q.note("hash", path, 0, reason(err))
			}
			continue
		}
		if st.Mode.IsRegular() && !strings.ContainsAny(path[len(path)-1:], seps) {
			s.path, s.dir, s.st = path, dir, st
			s.sums, s.have = Sums{}, [3]bool{}
			return true, nil
		}
	}
}

// restart begins with one path.
func (s *hashScan) restart(by string, like bool, value string) bool {
	if by != "path" || like || s.src != nil || strings.ContainsRune(value, 0) {
		return false
	}
	s.one = value
	return true
}

func (s *hashScan) candidate() (path, dir string, ok bool, err error) {
	if s.src != nil {
		return s.src.next()
	}
	path, s.one = s.one, ""
	return path, "", path != "", nil
}

// walked reports whether a path is that of the entry at which a walk is now, and its digests are there: it is not looked at twice.
func (s *hashScan) walked(path, dir string) bool {
	want := s.q.kinds
	if want == [3]bool{} || s.q.at == nil || !s.q.at.is(path) {
		return false
	}
	row := &s.q.at.row
	if row.st.Size > s.engine.opt.ReadMax {
		return false
	}
	if row.sums != nil && row.sums.covers(want) {
		s.q.counted.add(identity(row.st))
		s.sums = *row.sums
	} else {
		sums, ok := s.engine.held(s.q, path, row.st, want)
		if !ok {
			return false
		}
		s.sums = sums
	}
	s.path, s.dir, s.st, s.have = path, dir, row.st, want
	return true
}

func (s *hashScan) cell(i int) (any, error) {
	switch i {
	case 0:
		return s.path, nil
	case 1:
		return s.directory(), nil
	case 2, 3, 4:
		return s.digest(i - 2)
	default:
		return "", nil
	}
}

func (s *hashScan) digest(kind int) (any, error) {
	if !s.have[kind] {
		want := s.q.asked(kind)
		sums, err := s.engine.digests(s.q, s.path, s.st, want)
		if err != nil {
			return nil, err
		}
		for i := range s.have {
			if before := s.sums.text(i); s.have[i] && before != "" && sums.text(i) != before { // the digests of one row would be those of two files
				s.q.note("hash", s.path, s.st.Size, errChanged.Error())
			}
		}
		s.sums, s.have = sums, want
	}
	return s.sums.text(kind), nil
}

func (s *hashScan) directory() string {
	if s.src == nil {
		return parent(s.path)
	}
	return s.dir
}

func (s *hashScan) id() int64 { return s.engine.idOf(s.path, s.directory()) }

func (s *hashScan) close() {
	if s.src != nil {
		s.src.close()
	}
}
