package results

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrHeld says that another server holds the database.
var ErrHeld = errors.New("another server works on this results database; stop it first, or give another --db")

// errTaken is a lock that another process has.
var errTaken = errors.New("taken")

// Hold is a server's hold on a database: a lock that the system gives back when its process ends, however it ends, beside the
// server's row, which tells others where it is.
type Hold struct{ file *os.File }

// How long a server tries, as a look at the lock takes it for a moment.
const (
	holdTries = 20
	holdPause = 25 * time.Millisecond
)

// holdPath is the lock's file, beside the database. It stays when the server has gone: to remove it could take another's lock away.
func holdPath(path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the results database: %w", err)
	}
	return full + "-server", nil
}

// HoldDatabase takes the hold on the database at path, which may not be there yet. ErrHeld says that a server has it.
func HoldDatabase(ctx context.Context, path string) (*Hold, error) {
	const what = "hold the results database"
	name, err := holdPath(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, fail(what, withReason(err))
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fail(what, withReason(err))
	}
	for try := 0; ; try++ {
		err = lockFile(f)
		if !errors.Is(err, errTaken) || try == holdTries {
			break
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(holdPause):
		}
	}
	if errors.Is(err, errTaken) {
		err = fmt.Errorf("%s: %w", path, ErrHeld)
	}
	if err != nil {
		return nil, errors.Join(fail(what, err), f.Close())
	}
	return &Hold{file: f}, nil
}

// IsHeld reports whether a server holds the database at path just now.
func IsHeld(path string) (bool, error) {
	held, _, err := holdOf(path)
	return held, err
}

// holdOf reports whether a server holds the database at path just now, and whether any ever did on this machine.
func holdOf(path string) (held, ever bool, err error) {
	const what = "look whether a server holds the results database"
	name, err := holdPath(path)
	if err != nil {
		return false, false, err
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fail(what, withReason(err))
	}
	err = lockFile(f)
	held = errors.Is(err, errTaken)
	if err != nil && !held {
		return false, true, errors.Join(fail(what, err), f.Close())
	}
	return held, true, f.Close()
}

// Close gives the hold back.
func (h *Hold) Close() error { return fail("give the results database back", h.file.Close()) }
