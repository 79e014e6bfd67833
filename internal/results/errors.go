package results

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// What can be wrong with a database or a request to it, each with what to do next. Every error of this package that has
// one of these causes says so through errors.Is.
var (
	ErrNotADatabase = errors.New("this is no results database; give another --db")
	ErrDamaged      = errors.New("the results database is damaged; restore a backup, or move it away and start a new one")
	ErrLocked       = errors.New("the results database is locked by another process; wait for it to end, or give another --db")
	ErrFull         = errors.New("no room is left for the results database; free some space, then `hunter run --resume`")
	ErrNewer        = errors.New("the results database was written by a newer hunter; use that one")
	ErrOlder        = errors.New("the results database was written by an older hunter; `hunter run` brings it up to date")
	ErrNoAccess     = errors.New("the results database may not be opened or written; check the owner and modes of the file and of its folder, or give another --db")
	ErrNoRun        = errors.New("no such run; `hunter runs` lists them")
	ErrAmbiguous    = errors.New("more than one run begins like that; give more of its id")
	ErrNoHit        = errors.New("no such hit; `hunter hits` lists them")
	ErrNoFinding    = errors.New("no such finding; `hunter findings` lists them")
	ErrNoRaw        = errors.New("no such answer is kept")
	ErrNoNode       = errors.New("no such host has enrolled; `hunter hosts` lists them")
	ErrManyNodes    = errors.New("more than one host is called so; give the endpoint's id")
	ErrNotPlanned   = errors.New("that is not in the run's plan")
	ErrAnswered     = errors.New("the run has answers already; its plan can't change")
	ErrNotPosted    = errors.New("the node was never given a query of that name")
	ErrRunOver      = errors.New("the run is over")
	ErrNotServed    = errors.New("no server carries the run")
	ErrNoServer     = errors.New("no such server is known to the database")
)

// withReason says of a failure to make a file what it means and what to do.
func withReason(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w (%w)", ErrNoAccess, err)
	}
	return err
}

// Explain says of an error that comes from the database what it means and what to do, for rooms that own tables in it; any
// other error stays as it is.
func Explain(err error) error { return explain(err) }

// explain turns SQLite's codes into what they mean; the cause stays in the chain.
func explain(err error) error {
	var se sqlite3.Error
	if err == nil || known(err) || !errors.As(err, &se) {
		return err
	}
	var what error
	switch se.Code {
	case sqlite3.ErrNotADB:
		what = ErrNotADatabase
	case sqlite3.ErrCorrupt:
		what = ErrDamaged
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		what = ErrLocked
	case sqlite3.ErrFull:
		what = ErrFull
	case sqlite3.ErrCantOpen, sqlite3.ErrPerm, sqlite3.ErrReadonly, sqlite3.ErrAuth:
		what = ErrNoAccess
	case sqlite3.ErrIoErr:
		what = diskTrouble(se)
	}
	if what == nil {
		return err
	}
	return fmt.Errorf("%w (%w)", what, err)
}

// diskTrouble tells a full disk, quota or file (a limit on sizes, a file system of old) from other failures of reading and
// writing.
func diskTrouble(se sqlite3.Error) error {
	switch {
	case se.SystemErrno == syscall.ENOSPC, se.SystemErrno == syscall.EDQUOT, se.SystemErrno == syscall.EFBIG:
		return ErrFull
	case se.ExtendedCode == sqlite3.ErrIoErrShortRead:
		return ErrDamaged
	default:
		return nil
	}
}

// known reports whether an error says already what it means.
func known(err error) bool {
	for _, e := range []error{
		ErrNotADatabase, ErrDamaged, ErrLocked, ErrFull, ErrNewer, ErrOlder, ErrNoAccess, ErrNoRun,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// fail says what was being done when err came, and what err means.
func fail(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, explain(err))
}
