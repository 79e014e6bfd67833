package hunts

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
)

// Bounds on what Load walks.
const (
	maxFiles      = 2000
	maxDepth      = 20
	maxTotalBytes = 64 << 20
)

// ErrNoPaths says that Load was given nothing to read.
var ErrNoPaths = errors.New("no hunts file given; name a file, a folder, or - for standard input")

// Load reads files, folders (all *.yaml and *.yml below, sorted; hidden folders and those named testdata are left out) and
// "-", which is stdin. The rest is as with Parse. The error is for what concerns no file, such as no paths at all.
func Load(paths []string, stdin io.Reader, cat Catalog) (*Set, diag.List, error) {
	if len(paths) == 0 {
		return nil, nil, ErrNoPaths
	}
	l := &loader{seen: map[string]bool{}}
	for _, p := range paths {
		if err := l.add(p, stdin); err != nil {
			return nil, nil, err
		}
	}
	set, list := Parse(l.sources, cat)
	list = append(list, l.faults...)
	list.Sort()
	if list.HasErrors() {
		return nil, list, nil
	}
	return set, list, nil
}

type loader struct {
	sources []Source
	faults  diag.List
	seen    map[string]bool // absolute paths; a file given twice is read once
	bytes   int
}

func (l *loader) fault(name, message, hint string) {
	l.faults = append(l.faults, diag.Diagnostic{File: name, Severity: diag.Error, Message: message, Hint: hint})
}

func (l *loader) add(path string, stdin io.Reader) error {
	if path == "-" {
		return l.stdin(stdin)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.fault(path, "no such file or folder", "")
	case err != nil:
		l.fault(path, "can not be read: "+reason(err), "")
	case info.IsDir():
		l.folder(path)
	default:
		l.file(path, info)
	}
	return nil
}

func (l *loader) stdin(r io.Reader) error {
	if l.seen["-"] {
		return nil
	}
	l.seen["-"] = true
	if r == nil {
		return errors.New("standard input can not be read here")
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the working folder: %w", err)
	}
	l.sources = append(l.sources, Source{Name: "-", Dir: dir, Data: data})
	return nil
}

// file reads one regular file; a pipe would hang and a device would never end.
func (l *loader) file(path string, info fs.FileInfo) {
	abs, err := filepath.Abs(path)
	if err != nil {
		l.fault(path, "can not be read: "+reason(err), "")
		return
	}
	switch {
	case l.seen[abs]:
		return
	case !info.Mode().IsRegular():
		l.fault(path, "not a regular file", "")
		return
	case info.Size() > maxFileBytes:
		l.fault(path, tooBig(info.Size()), "split it into several files")
		return
	case len(l.sources) >= maxFiles || l.bytes > maxTotalBytes:
		l.fault(path, "too many hunts files", fmt.Sprintf("at most %d files and %s", maxFiles, ByteSize(maxTotalBytes)))
		return
	}
	l.seen[abs] = true
	data, err := readBounded(path)
	if err != nil {
		l.fault(path, "can not be read: "+reason(err), "")
		return
	}
	l.bytes += len(data)
	l.sources = append(l.sources, Source{Name: path, Dir: filepath.Dir(abs), Data: data})
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxFileBytes+1))
}

// folder reads the hunts files below a folder, in the order of their names.
func (l *loader) folder(root string) {
	before, found := len(l.sources), false
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.fault(path, "can not be read: "+reason(err), "")
			return nil
		case e.IsDir():
			if path != root && (strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata" || depth(root, path) > maxDepth) {
				return fs.SkipDir
			}
			return nil
		case !isHuntsFile(e.Name()):
			return nil
		case len(l.sources)-before > maxFiles:
			return fs.SkipAll
		}
		found = true
		info, err := os.Stat(path)
		if err != nil {
			l.fault(path, "can not be read: "+reason(err), "")
			return nil
		}
		l.file(path, info)
		return nil
	})
	if err != nil {
		l.fault(root, "can not be read: "+reason(err), "")
	}
	if !found {
		l.fault(root, "no *.yaml or *.yml file in this folder", "name another folder or a file")
	}
}

func isHuntsFile(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(name, ".")
}

func depth(root, path string) int {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return 0
	}
	return strings.Count(filepath.ToSlash(rel), "/") + 1
}

// reason is an error without the path, which stands before it anyway.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
