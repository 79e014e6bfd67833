//go:build sqlite_vtable

package embedded_test

import (
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// pretend is a machine made of texts: files, links and errors by path. Folders are those that the paths name.
type pretend struct {
	files map[string]string
	links map[string]string
	errs  map[string]error
}

func fault(op, path string, err error) error { return &fs.PathError{Op: op, Path: path, Err: err} }

func (p pretend) Lstat(path string) (embedded.Stat, error) {
	if _, ok := p.links[path]; ok {
		return embedded.Stat{Mode: fs.ModeSymlink, Inode: 1, Links: 1}, nil
	}
	return p.Stat(path)
}

func (p pretend) Stat(path string) (embedded.Stat, error) {
	if err := p.errs[path]; err != nil {
		return embedded.Stat{}, fault("stat", path, err)
	}
	if text, ok := p.files[path]; ok {
		return regular(int64(len(text))), nil
	}
	if len(p.list(path)) > 0 {
		return embedded.Stat{Mode: fs.ModeDir, Inode: 2, Links: 2}, nil
	}
	return embedded.Stat{}, fault("stat", path, syscall.ENOENT)
}

func (p pretend) Readlink(path string) (string, error) {
	if err := p.errs[path]; err != nil {
		return "", fault("readlink", path, err)
	}
	if target, ok := p.links[path]; ok {
		return target, nil
	}
	return "", fault("readlink", path, syscall.ENOENT)
}

// list gives the names right under a folder.
func (p pretend) list(dir string) []string {
	var out []string
	add := func(path string) {
		if rest, ok := strings.CutPrefix(path, strings.TrimSuffix(dir, "/")+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			out = append(out, name)
		}
	}
	for f := range p.files {
		add(f)
	}
	for l := range p.links {
		add(l)
	}
	for e := range p.errs {
		add(e)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (p pretend) OpenDir(path string) (embedded.Dir, error) {
	if err := p.errs[path]; err != nil {
		return nil, fault("open", path, err)
	}
	names := p.list(path)
	if len(names) == 0 {
		return nil, fault("open", path, syscall.ENOENT)
	}
	return &listDir{parts: [][]string{names}}, nil
}

func (p pretend) Open(path string) (embedded.File, error) {
	if err := p.errs[path]; err != nil {
		return nil, fault("open", path, err)
	}
	text, ok := p.files[path]
	if !ok {
		return nil, fault("open", path, syscall.ENOENT)
	}
	return &memFile{regular(int64(len(text))), []step{{text: text}}}, nil
}
