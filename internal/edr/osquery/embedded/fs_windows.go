//go:build sqlite_vtable

package embedded

import (
	"os"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// realFS is this machine's file system. Paths are taken with both separators and at any length; what names a device, a pipe or an
// alternate stream is not there.
type realFS struct{}

func (realFS) Lstat(path string) (Stat, error) {
	f, err := host.Look(path, false)
	return statOf(f), err
}

func (realFS) Stat(path string) (Stat, error) {
	f, err := host.Look(path, true)
	return statOf(f), err
}

func (realFS) Readlink(path string) (string, error) { return host.Target(path) }

func (realFS) OpenDir(path string) (Dir, error) {
	f, err := host.OpenFolder(path)
	if err != nil {
		return nil, err
	}
	return realDir{f}, nil
}

type realDir struct{ *os.File }

func (d realDir) Names(n int) ([]string, error) { return d.Readdirnames(n) }

func (realFS) Open(path string) (File, error) {
	f, err := host.OpenFile(path)
	if err != nil {
		return nil, err
	}
	return realFile{f}, nil
}

type realFile struct{ *os.File }

func (f realFile) Stat() (Stat, error) {
	now, err := host.LookAt(f.File)
	return statOf(now), err
}

func statOf(f host.File) Stat {
	return Stat{
		Mode: f.Mode(), Inode: f.Index, Device: uint64(f.Volume), UID: f.UID, GID: f.GID, Size: f.Size, BlockSize: -1, Links: f.Links,
		ATime: f.ATime, MTime: f.MTime, CTime: f.CTime, BTime: f.BTime, Attributes: f.Attributes, Owner: f.Owner,
	}
}

// steadyFS trusts nothing: NTFS may tell of a change only when the file is closed.
func steadyFS(string) bool { return false }
