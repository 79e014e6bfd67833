package results

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a database as hunter's own (SQLite's application_id): "hunt".
const applicationID = 0x68756e74

// quickCheckMax is the size in bytes up to which all pages are checked when a database is opened: some milliseconds.
const quickCheckMax = 8 << 20

// probe looks at an existing database without writing: is it whole, is it hunter's, and is its version one that we know?
func probe(ctx context.Context, path string, opt Options, latest int64) (err error) {
	db := sql.OpenDB(connector{dsn: dsn(path, opt, true)})
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkOwner(ctx, db); err != nil {
		return explain(err)
	}
	if err := quickCheck(ctx, db); err != nil {
		return explain(err)
	}
	version, err := versionOf(ctx, db)
	if err != nil {
		return explain(err)
	}
	if version >= latest {
		return newer(version, latest)
	}
	server, there, err := heldBy(ctx, db, path, opt)
	switch {
	case err != nil:
		return explain(err)
	case there:
		return fmt.Errorf("%w: it has version %d, this hunter needs %d, and the server at %s (hunter %s, process %d on %s) holds it, so it stays as it is; use that version, or stop the server first",
			ErrOlder, version, latest, server.Address, server.Version, server.PID, server.Host)
	case opt.ReadOnly || opt.NoMigrate:
		return fmt.Errorf("%w: it has version %d, this hunter needs %d", ErrOlder, version, latest)
	}
	return nil
}

func newer(version, latest int64) error {
	if version > latest {
		return fmt.Errorf("%w: it has version %d, this hunter knows %d", ErrNewer, version, latest)
	}
	return nil
}

// checkOwner refuses the database of another program; an empty one is nobody's. Both looks are of one moment: between two
// another hunter may have made the database.
func checkOwner(ctx context.Context, db *sql.DB) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return err
	}
	defer func() {
		_, ended := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, ended)
	}()
	var id, tables int64
	if err := conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if id != applicationID && (id != 0 || tables > 0) {
		return fmt.Errorf("%w: it is a SQLite database of another program", ErrNotADatabase)
	}
	return nil
}

func quickCheck(ctx context.Context, db *sql.DB) error {
	var pages, size int64
	if err := db.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&size); err != nil {
		return err
	}
	if pages*size > quickCheckMax {
		return nil
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, verdict)
	}
	return nil
}

// versionOf gives the number of the last migration; 0 is an empty database.
func versionOf(ctx context.Context, db *sql.DB) (int64, error) {
	var there int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'").Scan(&there); err != nil {
		return 0, err
	}
	if there == 0 {
		return 0, nil
	}
	var version sql.NullInt64
	err := db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied = 1").Scan(&version)
	return version.Int64, err
}

// migrate brings a database up to date, forward only. When two processes do so at once, each step is done by one of
// them, and the other goes on from there.
func migrate(ctx context.Context, db *sql.DB, latest int64) error {
	version, err := versionOf(ctx, db)
	if err != nil || version == latest {
		return err
	}
	if err := newer(version, latest); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	p, err := provider(db)
	if err != nil {
		return err
	}
	for {
		_, failed := p.Up(ctx)
		if failed == nil {
			return nil
		}
		now, err := versionOf(ctx, db)
		if err != nil || now <= version {
			return errors.Join(fmt.Errorf("migrate the database: %w", failed), err)
		}
		if now >= latest {
			return newer(now, latest)
		}
		version = now
	}
}

func provider(db *sql.DB) (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	p, err := goose.NewProvider(database.DialectSQLite3, db, sub, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

// latestVersion is the number of the last migration that this program knows.
func latestVersion() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, fmt.Errorf("read the migrations: %w", err)
	}
	var latest int64
	for _, f := range files {
		n, err := goose.NumericComponent(f)
		if err != nil {
			return 0, fmt.Errorf("read the migrations: %w", err)
		}
		latest = max(latest, n)
	}
	return latest, nil
}
