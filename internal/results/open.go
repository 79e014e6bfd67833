package results

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a database as hunter's own (SQLite's application_id): "hunt".
const applicationID = 0x68756e74

// Options say how a store is opened.
type Options struct {
	ReadOnly bool             // fails when the database is not there, and never migrates
	MaxPages int              // SQLite's max_page_count; 0 is no limit. For tests of a full disk
	Busy     time.Duration    // how long a write waits for another process; 0 is 5 s
	Now      func() time.Time // nil is time.Now
}

// Store is the results database: one writer, many readers. It is safe for concurrent use.
type Store struct {
	w, r *sql.DB
	now  func() time.Time
}

// Open opens the database at path, makes it when it is not there, and brings an older one up to date. The file and its
// folder are for their owner alone. Errors are ErrNotADatabase, ErrDamaged, ErrLocked, ErrFull or ErrNewer where they
// are known.
func Open(ctx context.Context, path string, opt Options) (*Store, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Busy == 0 {
		opt.Busy = 5 * time.Second
	}
	if err := prepareFile(path, opt.ReadOnly); err != nil {
		return nil, err
	}
	s := &Store{now: opt.Now}
	s.w = sql.OpenDB(connector{dsn: dsn(path, opt, opt.ReadOnly), maxPages: opt.MaxPages})
	s.w.SetMaxOpenConns(1)
	if err := s.check(ctx, opt.ReadOnly); err != nil {
		return nil, errors.Join(at(path, err), s.w.Close())
	}
	s.r = sql.OpenDB(connector{dsn: dsn(path, opt, true)})
	s.r.SetMaxOpenConns(4)
	if err := s.r.PingContext(ctx); err != nil {
		return nil, errors.Join(at(path, explain(err)), s.Close())
	}
	return s, nil
}

// prepareFile makes sure of the folder's and the file's modes before SQLite writes anything.
func prepareFile(path string, readOnly bool) error {
	if _, err := os.Stat(path); err == nil || readOnly {
		if err != nil {
			return fmt.Errorf("open the results database: %w; a run makes it", err)
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the results folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the results database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("make the results database: %w", err)
	}
	return nil
}

// dsn puts the pragmas where each connection of a pool gets them.
func dsn(path string, opt Options, readOnly bool) string {
	q := url.Values{}
	q.Set("_busy_timeout", strconv.FormatInt(opt.Busy.Milliseconds(), 10))
	q.Set("_foreign_keys", "1")
	if readOnly {
		q.Set("mode", "ro")
		q.Set("_query_only", "1")
	} else {
		q.Set("mode", "rw")
		q.Set("_journal_mode", "WAL")
		q.Set("_synchronous", "FULL")
		q.Set("_txlock", "immediate")
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// check makes sure that the database is ours and of this version, and migrates an older one.
func (s *Store) check(ctx context.Context, readOnly bool) error {
	var id, version int64
	var tables int
	if err := s.w.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return explain(err)
	}
	if err := s.w.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return explain(err)
	}
	if tables > 0 && id != applicationID {
		return fmt.Errorf("%w: it is a SQLite database of another program", ErrNotADatabase)
	}
	p, err := s.provider()
	if err != nil {
		return err
	}
	if tables > 0 {
		if version, err = p.GetDBVersion(ctx); err != nil {
			return explain(err)
		}
	}
	latest := p.ListSources()[len(p.ListSources())-1].Version
	switch {
	case version > latest:
		return fmt.Errorf("%w: it has version %d, this hunter knows %d", ErrNewer, version, latest)
	case version < latest && readOnly:
		return fmt.Errorf("the database has version %d and needs %d: any run of this hunter brings it up to date", version, latest)
	case version == latest:
		return nil
	}
	if _, err := s.w.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return explain(err)
	}
	if _, err := p.Up(ctx); err != nil {
		return explain(fmt.Errorf("migrate the database: %w", err))
	}
	return nil
}

func (s *Store) provider() (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	p, err := goose.NewProvider(database.DialectSQLite3, s.w, sub)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

// DB gives the writer and the read pool, for rooms that own tables in the same database.
func (s *Store) DB() (w, r *sql.DB) { return s.w, s.r }

// Close closes the database.
func (s *Store) Close() error {
	var errs []error
	if s.r != nil {
		errs = append(errs, s.r.Close())
	}
	errs = append(errs, s.w.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the results database: %w", err)
	}
	return nil
}
