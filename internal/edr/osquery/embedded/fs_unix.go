//go:build sqlite_vtable && (linux || darwin)

package embedded

import (
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// realFS is this machine's file system.
type realFS struct{}

func (realFS) Lstat(path string) (Stat, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Lstat(path, &st) }); err != nil {
		return Stat{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return statOf(&st), nil
}

func (realFS) Stat(path string) (Stat, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Stat(path, &st) }); err != nil {
		return Stat{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return statOf(&st), nil
}

func (realFS) Readlink(path string) (string, error) { return os.Readlink(path) }

func (realFS) OpenDir(path string) (Dir, error) {
	fd, err := openFD(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return newDir(fd, path), nil
}

// Open uses plain read calls: the runtime's poller would wait for ever on a pseudo file that has no data.
func (realFS) Open(path string) (File, error) {
	fd, err := openFD(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY)
	if err != nil {
		return nil, err
	}
	return &realFile{fd: fd, path: path}, nil
}

type realFile struct {
	fd   int
	path string
}

func (f *realFile) Read(p []byte) (int, error) {
	var n int
	err := retry(func() (err error) { n, err = unix.Read(f.fd, p); return err })
	switch {
	case err != nil:
		return 0, &fs.PathError{Op: "read", Path: f.path, Err: err}
	case n <= 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

func (f *realFile) Stat() (Stat, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstat(f.fd, &st) }); err != nil {
		return Stat{}, &fs.PathError{Op: "fstat", Path: f.path, Err: err}
	}
	return statOf(&st), nil
}

func (f *realFile) Close() error { return unix.Close(f.fd) }

func openFD(path string, flags int) (fd int, err error) {
	err = retry(func() (err error) { fd, err = unix.Open(path, flags, 0); return err })
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

func retry(f func() error) error {
	for {
		err := f()
		if err != unix.EINTR { //nolint:errorlint // bare errno
			return err
		}
	}
}

// modeOf turns st_mode into Go's form.
func modeOf(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		m |= fs.ModeDir
	case syscall.S_IFLNK:
		m |= fs.ModeSymlink
	case syscall.S_IFIFO:
		m |= fs.ModeNamedPipe
	case syscall.S_IFSOCK:
		m |= fs.ModeSocket
	case syscall.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case syscall.S_IFBLK:
		m |= fs.ModeDevice
	case syscall.S_IFREG:
	default:
		m |= fs.ModeIrregular
	}
	return m
}
