package results

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// What can be wrong with a database, each with what to do.
var (
	ErrNotADatabase = errors.New("this is no results database; give another --db")
	ErrDamaged      = errors.New("the results database is damaged; restore a backup, or move it away and start a new one")
	ErrLocked       = errors.New("the results database is locked by another process; wait for it, or give another --db")
	ErrFull         = errors.New("no room left for the results database; free some disk space, then `hunter run --resume`")
	ErrNewer        = errors.New("the results database was written by a newer hunter; use that one")
	ErrNoRun        = errors.New("no such run; `hunter runs` lists them")
	ErrAmbiguous    = errors.New("more than one run begins like that; give more of its id")
	ErrNoHit        = errors.New("no such hit; `hunter hits` lists them")
)

// explain turns SQLite's codes into what they mean; the cause stays in the chain.
func explain(err error) error {
	var se sqlite3.Error
	if err == nil || !errors.As(err, &se) {
		return err
	}
	known := map[sqlite3.ErrNo]error{
		sqlite3.ErrNotADB: ErrNotADatabase, sqlite3.ErrCorrupt: ErrDamaged, sqlite3.ErrBusy: ErrLocked,
		sqlite3.ErrLocked: ErrLocked, sqlite3.ErrFull: ErrFull,
	}
	if what, ok := known[se.Code]; ok {
		return fmt.Errorf("%w (%w)", what, err)
	}
	return err
}

func at(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
}

// connector opens SQLite connections without a registered driver name.
type connector struct {
	dsn      string
	maxPages int
}

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
		if c.maxPages <= 0 {
			return nil
		}
		_, err := conn.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", c.maxPages), nil)
		return err
	}}
}
