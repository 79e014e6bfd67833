package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// ErrNoQueue says that the queue's tables are not there, or are older than this hunter: a server makes them when it starts.
var ErrNoQueue = errors.New("no server of this version has worked on this database yet")

// version is the last migration of River that this program knows.
const version = 8

// migrate brings River's tables up to date, forward only.
func migrate(ctx context.Context, db *sql.DB) error {
	m, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read the queue's migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the queue's tables: %w", err)
	}
	return nil
}

// there says whether jobs can be stored.
func there(ctx context.Context, tx *sql.Tx) error {
	var tables int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name IN ('river_migration', 'river_job')").Scan(&tables); err != nil {
		return fmt.Errorf("look for the queue's tables: %w", err)
	}
	if tables < 2 {
		return ErrNoQueue
	}
	var at sql.NullInt64
	if err := tx.QueryRowContext(ctx, "SELECT max(version) FROM river_migration").Scan(&at); err != nil {
		return fmt.Errorf("look for the queue's version: %w", err)
	}
	if at.Int64 < version {
		return ErrNoQueue
	}
	return nil
}

// rescue makes jobs available again in which a server died. River would do so after a time that must be longer than any job;
// here nobody else can be at work, so nothing that runs is anybody's.
func rescue(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `UPDATE river_job SET state = 'available', max_attempts = max(max_attempts, attempt + 1) WHERE state = 'running'`)
	if err != nil {
		return fmt.Errorf("take up the jobs of the last server: %w", err)
	}
	return nil
}

// quiet lets warnings and errors of River through: what it does otherwise is no news.
type quiet struct{ slog.Handler }

// Enabled reports whether a message of that level is passed on.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

// WithAttrs gives a handler that adds attributes.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup gives a handler that groups attributes.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
