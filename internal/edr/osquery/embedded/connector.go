//go:build sqlite_vtable

package embedded

import (
	"context"
	"database/sql/driver"
	"errors"
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
		return nil, errors.Join(fmt.Errorf("open SQLite: %w", ctx.Err()), conn.Close())
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
	conn.SetLimit(sqlite3.SQLITE_LIMIT_LENGTH, maxCell)
	conn.SetLimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
	if e.opt.MaxHeap > 0 {
		if _, err := conn.Exec(fmt.Sprintf("PRAGMA hard_heap_limit = %d", e.opt.MaxHeap), nil); err != nil {
			return fmt.Errorf("bound the memory of SQLite: %w", err)
		}
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

// splitFunc is osquery's split(text, characters, index): the index-th non-empty part between any of the characters, NULL
// when there is none or when any of the three is NULL.
func splitFunc(text, chars, index any) any {
	for _, v := range []any{text, chars, index} {
		if b, bytes := v.([]byte); v == nil || bytes && b == nil {
			return nil
		}
	}
	at, ok := index.(int64)
	if !ok {
		return nil
	}
	set := wire(chars)
	parts := strings.FieldsFunc(wire(text), func(r rune) bool { return strings.ContainsRune(set, r) })
	if at < 0 || at >= int64(len(parts)) {
		return nil
	}
	return parts[at]
}
