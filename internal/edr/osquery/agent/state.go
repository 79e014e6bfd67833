package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Folders and files below the state folder.
const (
	identityFile = "node.json"
	pendingFile  = "pending.json"
	lockFile     = "lock"
	spoolDir     = "spool"
	marksDir     = "running"
	halfDone     = ".tmp" // the end of the name of a file that is being written
)

const maxStateFile = 256 << 20 // the biggest answer is smaller

// state is the folder in which an agent keeps what must outlive it. One agent alone has it.
type state struct {
	dir  string
	lock *os.File
}

// openState makes the folder, sees to it that nobody else may look into it, and takes its lock.
func openState(dir string) (*state, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("the state folder: %w", err)
	}
	if err := ownFolder(dir); err != nil {
		return nil, fmt.Errorf("the state folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the state folder: %w", err)
	}
	s := &state{dir: dir, lock: lock}
	if err := takeLock(lock); err != nil {
		return nil, errors.Join(fmt.Errorf("the state folder %s: another agent has it (%w); give each its own", dir, err), lock.Close())
	}
	for _, sub := range []string{spoolDir, marksDir} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, errors.Join(fmt.Errorf("the state folder: %w", err), lock.Close())
		}
	}
	for _, sub := range []string{".", spoolDir, marksDir} {
		if err := s.sweep(sub); err != nil {
			return nil, errors.Join(fmt.Errorf("the state folder: %w", err), lock.Close())
		}
	}
	return s, nil
}

// sweep removes what a death left half written.
func (s *state) sweep(sub string) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, sub))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), halfDone) {
			if err := os.Remove(filepath.Join(s.dir, sub, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// close gives the folder back.
func (s *state) close() error { return s.lock.Close() }

// write replaces a file below the folder; after a crash it is there as it was or as it is to be.
func (s *state) write(name string, data []byte) (err error) {
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	f, err := os.OpenFile(path+halfDone, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+halfDone, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep %s: %w", name, err), ignoreGone(os.Remove(path+halfDone)))
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return nil
}

// read gives a file below the folder, nil when there is none.
func (s *state) read(name string) ([]byte, error) {
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxStateFile) {
		err = fmt.Errorf("is no regular file of up to %d MiB", maxStateFile>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// remove removes a file below the folder for good.
func (s *state) remove(name string) error {
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := ignoreGone(os.Remove(path)); err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return syncFolder(filepath.Dir(path))
}

// list names the files of a folder below the state folder, sorted.
func (s *state) list(sub string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, sub))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", sub, err)
	}
	out := entries[:0]
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasSuffix(e.Name(), halfDone) {
			out = append(out, e)
		}
	}
	return out, nil
}

// load reads a JSON file; false when there is none, or when it is none.
func (s *state) load(name string, into any) (bool, error) {
	data, err := s.read(name)
	if err != nil || data == nil {
		return false, err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	return true, nil
}

// save writes a JSON file.
func (s *state) save(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return s.write(name, data)
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
