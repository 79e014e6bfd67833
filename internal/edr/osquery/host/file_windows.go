package host

import (
	"errors"
	"io/fs"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// shareAll lets others do with a file what they like while it is open here.
const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// Look tells what is known of a file; follow looks at what a link leads to. Errors are those of package os.
func Look(path string, follow bool) (File, error) {
	long, ok := Long(path)
	if !ok {
		return File{}, &fs.PathError{Op: "stat", Path: path, Err: windows.ERROR_FILE_NOT_FOUND}
	}
	flags := uint32(windows.FILE_FLAG_BACKUP_SEMANTICS)
	if !follow {
		flags |= windows.FILE_FLAG_OPEN_REPARSE_POINT
	}
	h, err := openHandle(long, windows.FILE_READ_ATTRIBUTES|windows.READ_CONTROL, flags)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		h, err = openHandle(long, windows.FILE_READ_ATTRIBUTES, flags)
	}
	if err == nil {
		defer func() { _ = windows.CloseHandle(h) }() // nothing was written
		f, err := lookAt(h)
		return f, wrapped("stat", path, err)
	}
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		if f, listed := entry(long); listed == nil && (!follow || !f.Link()) {
			return f, nil // its folder tells enough
		}
	}
	return File{}, wrapped("stat", path, err)
}

func openHandle(long string, access, flags uint32) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(long)
	if err != nil {
		return 0, err
	}
	return windows.CreateFile(name, access, shareAll, nil, windows.OPEN_EXISTING, flags, 0)
}

func wrapped(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// lookAt tells what is known of an open file.
func lookAt(h windows.Handle) (File, error) {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &info); err != nil {
		return File{}, err
	}
	f := File{
		Attributes: info.FileAttributes, Volume: info.VolumeSerialNumber, Index: uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow),
		Size: int64(info.FileSizeHigh)<<32 | int64(info.FileSizeLow), Links: int64(info.NumberOfLinks), UID: -1, GID: -1,
		ATime: timeOf(info.LastAccessTime), MTime: timeOf(info.LastWriteTime), BTime: timeOf(info.CreationTime), CTime: timeOf(info.LastWriteTime),
	}
	var basic struct {
		Creation, Access, Write, Change int64
		Attributes                      uint32
		_                               uint32
	}
	if err := windows.GetFileInformationByHandleEx(h, windows.FileBasicInfo, (*byte)(unsafe.Pointer(&basic)), uint32(unsafe.Sizeof(basic))); err == nil && basic.Change != 0 {
		f.CTime = timeOf(filetime(basic.Change))
	}
	var tag struct{ Attributes, Tag uint32 }
	if f.Attributes&AttrReparse != 0 {
		if err := windows.GetFileInformationByHandleEx(h, windows.FileAttributeTagInfo, (*byte)(unsafe.Pointer(&tag)), uint32(unsafe.Sizeof(tag))); err != nil {
			return File{}, err
		}
		f.Tag = tag.Tag
	}
	f.ownedBy(h)
	return f, nil
}

// ownedBy reads whose the file is, where that may be seen.
func (f *File) ownedBy(h windows.Handle) {
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.GROUP_SECURITY_INFORMATION)
	if err != nil {
		return
	}
	if owner, _, err := sd.Owner(); err == nil && owner != nil {
		f.UID, f.Owner = rid(owner), owner.String()
	}
	if group, _, err := sd.Group(); err == nil && group != nil {
		f.GID = rid(group)
	}
}

// rid is the last part of an id, which osquery takes for a number of a user.
func rid(sid *windows.SID) int64 {
	n := sid.SubAuthorityCount()
	if n == 0 {
		return -1
	}
	return int64(sid.SubAuthority(uint32(n) - 1))
}

// entry tells what a folder says of one of its files that can not be opened.
func entry(long string) (File, error) {
	name, err := windows.UTF16PtrFromString(long)
	if err != nil {
		return File{}, err
	}
	var data windows.Win32finddata
	h, err := windows.FindFirstFile(name, &data)
	if err != nil {
		return File{}, err
	}
	defer func() { _ = windows.FindClose(h) }() // nothing was written
	f := File{
		Attributes: data.FileAttributes, Size: int64(data.FileSizeHigh)<<32 | int64(data.FileSizeLow), Links: 1, UID: -1, GID: -1,
		ATime: timeOf(data.LastAccessTime), MTime: timeOf(data.LastWriteTime), BTime: timeOf(data.CreationTime), CTime: timeOf(data.LastWriteTime),
	}
	if f.Attributes&AttrReparse != 0 {
		f.Tag = data.Reserved0
	}
	return f, nil
}

func timeOf(t windows.Filetime) time.Time {
	if t.HighDateTime == 0 && t.LowDateTime == 0 {
		return time.Unix(0, 0)
	}
	return time.Unix(0, t.Nanoseconds())
}

func filetime(n int64) windows.Filetime {
	return windows.Filetime{LowDateTime: uint32(n), HighDateTime: uint32(n >> 32)} //nolint:gosec // two halves
}

// OpenFile opens a file for reading, without keeping others from it. It opens no device, and nothing whose content would have to
// be fetched.
func OpenFile(path string) (*os.File, error) {
	f, err := Look(path, true)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Mode() != 0:
		return nil, wrapped("open", path, errors.New("is no regular file"))
	case f.Elsewhere():
		return nil, wrapped("open", path, ErrElsewhere)
	}
	long, _ := Long(path)
	h, err := openHandle(long, windows.GENERIC_READ, windows.FILE_FLAG_SEQUENTIAL_SCAN)
	if err != nil {
		return nil, wrapped("open", path, err)
	}
	file := os.NewFile(uintptr(h), path)
	now, err := LookAt(file)
	kind, kindErr := windows.GetFileType(h)
	switch {
	case err != nil:
	case kindErr != nil || kind != windows.FILE_TYPE_DISK || now.Attributes&AttrDirectory != 0:
		err = errors.New("is no regular file")
	case now.Elsewhere():
		err = ErrElsewhere
	default:
		return file, nil
	}
	return nil, errors.Join(wrapped("open", path, err), file.Close())
}

// LookAt tells what is known of an open file.
func LookAt(file *os.File) (File, error) {
	f, err := lookAt(windows.Handle(file.Fd()))
	return f, wrapped("stat", file.Name(), err)
}

// OpenFolder opens a folder for listing.
func OpenFolder(path string) (*os.File, error) {
	f, err := Look(path, true)
	if err != nil {
		return nil, err
	}
	if f.Attributes&AttrDirectory == 0 {
		return nil, wrapped("open", path, windows.ERROR_DIRECTORY)
	}
	long, _ := Long(path)
	file, err := os.Open(long)
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, wrapped("open", path, pe.Err)
	}
	return file, err
}

// Target gives what a link leads to, as it is written in it.
func Target(path string) (string, error) {
	long, ok := Long(path)
	if !ok {
		return "", &fs.PathError{Op: "readlink", Path: path, Err: windows.ERROR_FILE_NOT_FOUND}
	}
	target, err := os.Readlink(long)
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return "", wrapped("readlink", path, pe.Err)
	}
	return Short(target), err
}

// Nowhere reports that an error says that there is no such file: its name can not be one, or its drive holds no medium.
func Nowhere(err error) bool {
	for _, e := range []error{
		fs.ErrNotExist, windows.ERROR_DIRECTORY, windows.ERROR_INVALID_NAME, windows.ERROR_BAD_PATHNAME, windows.ERROR_NOT_READY, windows.ERROR_INVALID_DRIVE,
		windows.ERROR_BAD_NETPATH, windows.ERROR_BAD_NET_NAME, windows.ERROR_UNRECOGNIZED_VOLUME,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Versions reads what a program's file says of its version; empty texts where it says nothing.
func Versions(path string) (file, product, original string) {
	f, err := Look(path, true)
	if err != nil || f.Mode() != 0 || f.Elsewhere() {
		return "", "", ""
	}
	long, _ := Long(path)
	size, err := windows.GetFileVersionInfoSize(long, nil)
	if err != nil || size == 0 || size > 1<<20 {
		return "", "", ""
	}
	block := make([]byte, size)
	if err := windows.GetFileVersionInfo(long, 0, size, unsafe.Pointer(&block[0])); err != nil {
		return "", "", ""
	}
	var fixed *windows.VS_FIXEDFILEINFO
	var length uint32
	if err := windows.VerQueryValue(unsafe.Pointer(&block[0]), `\`, unsafe.Pointer(&fixed), &length); err == nil && uintptr(length) >= unsafe.Sizeof(*fixed) {
		file = quad(fixed.FileVersionMS, fixed.FileVersionLS)
		product = quad(fixed.ProductVersionMS, fixed.ProductVersionLS)
	}
	return file, product, originalName(block)
}
