package results

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// Options say how a store is opened.
type Options struct {
	ReadOnly  bool             // fails when the database is not there, and never migrates
	NoMigrate bool             // fails when the database is older or not there, as ReadOnly does. For commands that only ask a server
	Holder    bool             // the caller has the hold on the database: no server lives on it
	MaxPages  int              // SQLite's max_page_count; 0 is no limit. For tests of a full disk
	Busy      time.Duration    // how long a write waits for another process; 0 is 5 s
	Now       func() time.Time // nil is time.Now
	Approval  Approval         // which nodes may be sent digests for their labels; the zero one: none
}

// readers is how many connections read at once.
const readers = 4

// Store is the results database: one writer, many readers. It is safe for concurrent use.
type Store struct {
	w, r   *sql.DB // the same pool when the store is read-only
	now    func() time.Time
	poll   *sql.Stmt // nil when the store is read-only
	shared writes
	asked  questions
	zips   sync.Pool // of *gzip.Writer

	approval Approval
}

// Open opens the database at path, makes it when it is not there, and brings an older one up to date. A new file and its
// new folders are for their owner alone. What is no database of hunter's is left untouched. Causes of errors are
// ErrNotADatabase, ErrDamaged, ErrLocked, ErrFull, ErrNoAccess, ErrNewer and, when only reading, ErrOlder and fs.ErrNotExist. An
// older one that a live server holds is ErrOlder in any case, and the error names the server.
func Open(ctx context.Context, path string, opt Options) (*Store, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Busy <= 0 {
		opt.Busy = 5 * time.Second
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the results database: %w", err)
	}
	s, err := open(ctx, full, opt)
	if err != nil {
		return nil, fmt.Errorf("open the results database %s: %w", full, explain(err))
	}
	return s, nil
}

func open(ctx context.Context, path string, opt Options) (*Store, error) {
	size, err := prepareFile(path, opt.ReadOnly || opt.NoMigrate)
	if err != nil {
		return nil, err
	}
	latest, err := latestVersion()
	if err != nil {
		return nil, err
	}
	if size > 0 || opt.ReadOnly || opt.NoMigrate {
		if err := probe(ctx, path, opt, latest); err != nil {
			return nil, err
		}
	}
	s := &Store{now: opt.Now, approval: opt.Approval, r: sql.OpenDB(connector{dsn: dsn(path, opt, true)})}
	s.r.SetMaxOpenConns(readers)
	s.r.SetMaxIdleConns(readers) // database/sql keeps two: the others would be opened anew, and compile all statements again, many times a second
	s.w = s.r
	if opt.ReadOnly {
		return s, nil
	}
	s.w = sql.OpenDB(connector{dsn: dsn(path, opt, false), maxPages: opt.MaxPages, writes: true})
	s.w.SetMaxOpenConns(1)
	err = migrate(ctx, s.w, latest)
	if err == nil {
		s.poll, err = s.r.PrepareContext(ctx, pollText)
	}
	if err != nil {
		return nil, errors.Join(explain(err), s.Close())
	}
	return s, nil
}

// DB gives the writer and the read pool, for rooms that own tables in the same database. The writer has one connection,
// and its transactions hold SQLite's write lock from their begin on: keep them short.
func (s *Store) DB() (w, r *sql.DB) { return s.w, s.r }

// Close closes the database, once the writes that are under way have ended.
func (s *Store) Close() error {
	s.shared.worker.Wait()
	var err error
	if s.poll != nil {
		err = s.poll.Close()
	}
	err = errors.Join(err, s.r.Close())
	if s.w != s.r {
		err = errors.Join(err, s.w.Close())
	}
	return fail("close the results database", err)
}
