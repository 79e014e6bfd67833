package results

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// connector opens SQLite connections without a driver name registered for the whole process.
type connector struct {
	dsn      string
	maxPages int
	writes   bool
}

// checkpointPages is how long the log grows until it is copied into the database: 16 MiB.
const checkpointPages = 4096

// Connect opens one connection.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	return conn, nil
}

// Driver gives a driver that sets what a DSN can't.
func (c connector) Driver() driver.Driver {
	return &sqlite3.SQLiteDriver{ConnectHook: func(conn *sqlite3.SQLiteConn) error {
		if c.writes { // a commit is durable in the log; what is copied on from there less often is copied less
			if _, err := conn.Exec(fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", checkpointPages), nil); err != nil {
				return err
			}
		}
		if c.maxPages <= 0 {
			return nil
		}
		_, err := conn.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", c.maxPages), nil)
		return err
	}}
}

// dsn puts the pragmas where each connection of a pool gets them. FULL makes a commit durable before it is acknowledged.
func dsn(path string, opt Options, readOnly bool) string {
	q := url.Values{}
	q.Set("_busy_timeout", strconv.FormatInt(opt.Busy.Milliseconds(), 10))
	q.Set("_foreign_keys", "1")
	q.Set("_stmt_cache_size", "64") // to compile a statement costs more than most of them take
	if readOnly {
		q.Set("mode", "ro")
		q.Set("_query_only", "1")
	} else {
		q.Set("mode", "rw")
		q.Set("_journal_mode", "WAL")
		q.Set("_synchronous", "FULL")
		q.Set("_txlock", "immediate")
		q.Set("_cache_size", "-16000") // KiB: an answer with many hits stays in memory until it is committed
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// prepareFile makes the folder and an empty file with modes for their owner alone, before SQLite writes anything; SQLite
// gives -wal and -shm the file's mode. A file that is there must be a regular one, as opening a pipe would hang.
func prepareFile(path string, readOnly bool) (size int64, err error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return 0, fmt.Errorf("%w: it is no regular file", ErrNotADatabase)
	case err == nil:
		return info.Size(), nil
	case readOnly && errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("no results database is there yet; `hunter run` makes it: %w", fs.ErrNotExist)
	case !errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%w (%w)", ErrNoAccess, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return 0, fmt.Errorf("make the results folder: %w", withReason(err))
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("make the results database: %w", withReason(err))
	}
	if err := f.Close(); err != nil {
		return 0, fmt.Errorf("make the results database: %w", err)
	}
	return 0, nil
}
