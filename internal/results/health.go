package results

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Check says whether the database can be written, is whole, and has the tables that this hunter knows. What it writes it
// takes back.
func (s *Store) Check(ctx context.Context) []diag.Check {
	out := []diag.Check{diag.OK("writable", "a write went through, and was taken back")}
	if err := s.tryWrite(ctx); err != nil {
		out[0] = diag.Fail("writable", explain(err).Error(), "")
	}
	var verdict string
	switch err := s.r.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); {
	case err != nil:
		out = append(out, diag.Unknown("whole", explain(err).Error(), ""))
	case verdict != "ok":
		out = append(out, diag.Fail("whole", verdict, ErrDamaged.Error()))
	default:
		out = append(out, diag.OK("whole", "no page is damaged"))
	}
	return append(out, s.schema(ctx))
}

func (s *Store) schema(ctx context.Context) diag.Check {
	version, err := versionOf(ctx, s.r)
	latest, err2 := latestVersion()
	switch err := errors.Join(err, err2); {
	case err != nil:
		return diag.Unknown("schema", explain(err).Error(), "")
	case version != latest:
		return diag.Fail("schema", fmt.Sprintf("version %d; this hunter knows %d", version, latest), "use the hunter that wrote it, or give another --db")
	}
	return diag.OK("schema", fmt.Sprintf("version %d", version))
}

// tryWrite makes a table in a transaction and takes it back.
func (s *Store) tryWrite(ctx context.Context) (err error) {
	if s.w == s.r {
		return ErrNoAccess // opened for reading alone
	}
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if back := tx.Rollback(); !errors.Is(back, sql.ErrTxDone) {
			err = errors.Join(err, back)
		}
	}()
	_, err = tx.ExecContext(ctx, "CREATE TABLE doctor_was_here (x INTEGER)")
	return err
}

// How much room a database wants: a run keeps every answer.
const (
	leastRoom  = 64 << 20
	enoughRoom = 1 << 30
)

// Room says how much room is left where the database at path is, or will be.
func Room(path string) diag.Check {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return diag.Unknown("room", err.Error(), "")
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir) // it is made when the database is
	}
	free, err := freeBytes(dir)
	if err != nil {
		return diag.Unknown("room", fmt.Sprintf("%s: %v", dir, err), "")
	}
	return room(dir, free)
}

func room(dir string, free int64) diag.Check {
	text := fmt.Sprintf("%s free at %s", ledger.Size(free), dir)
	switch {
	case free < leastRoom:
		return diag.Fail("room", text, "make room, or give another --db")
	case free < enoughRoom:
		return diag.Unknown("room", text+", which a large run may fill", "make room, or give another --db")
	}
	return diag.OK("room", text)
}
