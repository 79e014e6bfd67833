//go:build sqlite_vtable

package embedded

import (
	"os"
	"syscall"
	"time"
)

// realFS is this machine's file system.
type realFS struct{}

func (realFS) Lstat(path string) (Stat, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return Stat{}, err
	}
	return statOf(fi), nil
}

func (realFS) Stat(path string) (Stat, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return Stat{}, err
	}
	return statOf(fi), nil
}

func (realFS) Readlink(path string) (string, error) { return os.Readlink(path) }

func (realFS) OpenDir(path string) (Dir, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return realDir{f}, nil
}

type realDir struct{ *os.File }

func (d realDir) Names(n int) ([]string, error) { return d.Readdirnames(n) }

func (realFS) Open(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return realFile{f}, nil
}

type realFile struct{ *os.File }

func (f realFile) Stat() (Stat, error) {
	fi, err := f.File.Stat()
	if err != nil {
		return Stat{}, err
	}
	return statOf(fi), nil
}

// statOf reads what Windows tells of a file; it has no inode here, as in osquery.
func statOf(fi os.FileInfo) Stat {
	s := Stat{Mode: fi.Mode(), Perm: uint32(fi.Mode().Perm()), Size: fi.Size(), MTime: fi.ModTime(), CTime: fi.ModTime(), ATime: fi.ModTime(), Links: 1}
	if d, ok := fi.Sys().(*syscall.Win32FileAttributeData); ok {
		s.ATime = time.Unix(0, d.LastAccessTime.Nanoseconds())
	}
	return s
}

// steadyFS trusts nothing: files have no identity here.
func steadyFS(string) bool { return false }
