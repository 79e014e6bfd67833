//go:build sqlite_vtable && (windows || darwin)

package embedded

import (
	"io"
	"strings"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// hostFiles is the engine's file system as package host reads it, for one table of one query.
type hostFiles struct {
	engine *Engine
	q      *query
	op     string
	err    error // the end of the query
	quiet  bool  // nothing is noted
}

var _ host.Files = (*hostFiles)(nil)

func (e *Engine) files(q *query, op string) *hostFiles { return &hostFiles{engine: e, q: q, op: op} }

// Read gives a file, nil when it is not there or can not be read.
func (f *hostFiles) Read(path string, limit int64) []byte {
	file, err := f.engine.opt.FS.Open(path)
	if err != nil {
		if !nowhere(err) {
			f.Note(path, reason(err))
		}
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		f.Note(path, reason(err))
		return nil
	case int64(len(data)) > limit:
		f.Note(path, "is too long to be read")
		return nil
	}
	return data
}

// Names lists a folder, sorted.
func (f *hostFiles) Names(dir string) []string {
	if f.err != nil {
		return nil
	}
	names, err := f.engine.names(f.q, f.op, dir)
	if err != nil {
		f.err = err
	}
	return names
}

// Note tells of something that is there and can not be looked at.
func (f *hostFiles) Note(path, reason string) {
	if !f.quiet {
		f.q.note(f.op, path, 0, strings.TrimSpace(reason))
	}
}

// rowsOf makes an open function of one that gives all rows of a table at once.
func (e *Engine) rowsOf(table string, rows func(q *query, files *hostFiles) ([][]any, error)) func(*query, string, bool, string) (scan, error) {
	return list(func(q *query) ([][]any, error) {
		files := e.files(q, table)
		out, err := rows(q, files)
		if err == nil {
			err = files.err
		}
		return out, err
	})
}
