//go:build sqlite_vtable

package embedded

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// connector opens SQLite connections that hold nothing but the engine's tables. It is used instead of a registered
// driver so that any number of engines can live in one process.
type connector struct{ engine *Engine }

// Connect opens one in-memory connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	d := &sqlite3.SQLiteDriver{ConnectHook: c.engine.prepare}
	conn, err := d.Open(":memory:")
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("open SQLite: %w", ctx.Err())
	}
	return conn, nil
}

// Driver gives the driver behind the connector.
func (c connector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

// prepare gives a connection its tables and functions, and then makes it read-only.
func (e *Engine) prepare(conn *sqlite3.SQLiteConn) error {
	for _, t := range e.tables() {
		if err := conn.CreateModule(t.name, &module{engine: e, table: t}); err != nil {
			return fmt.Errorf("make table %s: %w", t.name, err)
		}
	}
	if err := conn.RegisterFunc("split", splitFunc, true); err != nil {
		return fmt.Errorf("make function split: %w", err)
	}
	conn.RegisterAuthorizer(authorize)
	return nil
}

// Action codes of sqlite3_set_authorizer that the binding does not name.
const (
	actionRead      = 20
	actionSelect    = 21
	actionFunction  = 31
	actionRecursive = 33
)

// authorize lets a statement read and compute, and nothing else.
func authorize(action int, _, arg2, _ string) int {
	switch action {
	case actionRead, actionSelect, actionRecursive:
		return sqlite3.SQLITE_OK
	case actionFunction:
		if strings.EqualFold(arg2, "load_extension") {
			return sqlite3.SQLITE_DENY
		}
		return sqlite3.SQLITE_OK
	default:
		return sqlite3.SQLITE_DENY
	}
}

// splitFunc is osquery's split(text, characters, index): the index-th non-empty part between any of the characters.
func splitFunc(text, chars string, index int64) string {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(chars, r) })
	if index < 0 || index >= int64(len(parts)) {
		return ""
	}
	return parts[index]
}
