// Package house_test holds the rules that the whole tree keeps: sizes, package state, doc comments, the direction of
// imports and texts that must not be there. The rules are told in ARCHITECTURE.md and CONTRIBUTING.md.
package house_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// top is the root of the project, seen from this folder.
const top = "../.."

// module is the path of the project's module.
const module = "github.com/hunter-project/hunter"

// goFile is one parsed Go file of ours.
type goFile struct {
	path string // from the root, with slashes
	dir  string // its folder: the package
	ast  *ast.File
	fset *token.FileSet
	n    int // lines
}

// test reports whether the file is test code: a _test.go file, or part of a suite such as pivottest.
func (f goFile) test() bool {
	return strings.HasSuffix(f.path, "_test.go") || strings.HasSuffix(f.dir, "test")
}

// main reports whether the file belongs to a command.
func (f goFile) main() bool { return f.ast.Name.Name == "main" }

// at names a place in the file.
func (f goFile) at(p token.Pos) string {
	return f.path + ":" + itoa(f.fset.Position(p).Line)
}

// span is how many lines a node has.
func (f goFile) span(n ast.Node) int {
	return f.fset.Position(n.End()).Line - f.fset.Position(n.Pos()).Line + 1
}

// skipped names the folders whose content is not ours or is not code.
func skipped(name string) bool {
	switch name {
	case "third_party", "testdata", "vendor", "bin", "node_modules":
		return true
	}
	return strings.HasPrefix(name, ".") && name != "." && name != ".." && name != ".ci"
}

// walk hands every file of ours below root to each, with its path from there.
func walk(t testing.TB, root string, each func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != root && skipped(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		each(filepath.ToSlash(rel), text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// parse reads one Go file.
func parse(t testing.TB, path string, text []byte) goFile {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	dir := path[:max(strings.LastIndex(path, "/"), 0)]
	return goFile{path: path, dir: dir, ast: f, fset: fset, n: bytes.Count(text, []byte("\n"))}
}

// tree parses every Go file of ours that no tool wrote.
func tree(t testing.TB) []goFile {
	t.Helper()
	var out []goFile
	walk(t, top, func(path string, text []byte) {
		if !strings.HasSuffix(path, ".go") {
			return
		}
		if f := parse(t, path, text); !ast.IsGenerated(f.ast) {
			out = append(out, f)
		}
	})
	if len(out) < 20 {
		t.Fatalf("only %d Go files were found: the test looks in the wrong place", len(out))
	}
	return out
}
