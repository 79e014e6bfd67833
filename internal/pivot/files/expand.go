package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// expand lists the files of a path, sorted, and what of it could not be looked at. A link that is named is followed, and
// so are links to files; links to folders further down are not. Hidden files, and what MISP feeds keep beside their
// events, are left out.
func expand(path string) (found []string, faults []FileResult) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, []FileResult{unread(path, err)}
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	root := path
	if link, err := os.Lstat(path); err == nil && link.Mode()&fs.ModeSymlink != 0 {
		root += string(filepath.Separator) // WalkDir does not enter a link
	}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		name := filepath.Base(p)
		hidden := strings.HasPrefix(name, ".") && p != root
		switch {
		case err != nil:
			faults = append(faults, unread(p, err))
			return nil
		case hidden && d.IsDir():
			return filepath.SkipDir
		case !hidden && isFile(p, d) && name != "manifest.json" && name != "hashes.csv" && !isProse(name):
			found = append(found, p)
		}
		if len(found) > maxFiles {
			return fmt.Errorf("over %d files; import them in parts", maxFiles)
		}
		return nil
	})
	if err != nil {
		return nil, append(faults, unread(path, err))
	}
	if len(found) == 0 && len(faults) == 0 {
		faults = append(faults, unread(path, errors.New("no file of intelligence is in this folder")))
	}
	slices.Sort(found)
	return found, faults
}

// isFile reports whether an entry is a regular file or a link to one.
func isFile(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// isProse tells files that lie beside feeds and are none.
func isProse(name string) bool {
	upper := strings.ToUpper(name)
	return strings.HasSuffix(upper, ".MD") || upper == "LICENSE" || upper == "LICENSE.TXT" || upper == "COPYING"
}

// unread is the result of a path that could not be read.
func unread(path string, err error) FileResult {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		err = of.Err
	}
	return FileResult{Name: path, Error: (&Fault{File: path, Message: err.Error()}).Error()}
}
