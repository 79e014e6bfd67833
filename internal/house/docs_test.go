package house_test

import (
	"go/ast"
	"maps"
	"slices"
	"testing"
)

// undocumented gives the exported names of a file that have no comment. A comment on a group of constants or variables
// counts for all of them.
func undocumented(f goFile) []string {
	if f.main() {
		return nil
	}
	var out []string
	note := func(n *ast.Ident, docs ...*ast.CommentGroup) {
		has := slices.ContainsFunc(docs, func(c *ast.CommentGroup) bool { return c.Text() != "" })
		if n.IsExported() && !has {
			out = append(out, f.at(n.Pos())+": "+n.Name+" is exported and has no comment")
		}
	}
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type)) {
				note(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					note(s.Name, d.Doc, s.Doc, s.Comment)
				case *ast.ValueSpec:
					for _, n := range s.Names {
						note(n, d.Doc, s.Doc, s.Comment)
					}
				}
			}
		}
	}
	return out
}

// receiver names the type of a method's receiver.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.ParenExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	}
	return ""
}

func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, f := range tree(t) {
		for _, fault := range undocumented(f) {
			if !isTestFile(f) {
				t.Error(fault)
			}
		}
	}
}

// isTestFile is narrower than goFile.test: suites such as pivottest export names that others read.
func isTestFile(f goFile) bool { return len(f.path) > 8 && f.path[len(f.path)-8:] == "_test.go" }

func TestPackagesAreDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, f := range tree(t) {
		if !isTestFile(f) {
			documented[f.dir] = documented[f.dir] || f.ast.Doc.Text() != ""
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(documented)) {
		if !documented[dir] {
			t.Errorf("%s: no file has a package comment", dir)
		}
	}
}

func TestUndocumented(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]int{
		"package p\nfunc F() {}":                                          1,
		"package p\n// F does.\nfunc F() {}":                              0,
		"package p\nfunc f() {}":                                          0,
		"package p\ntype T struct{}\nfunc (*T) M() {}":                    2,
		"package p\ntype t struct{}\nfunc (*t) M() {}":                    0,
		"package p\n// T is.\ntype T[X any] struct{}\nfunc (T[X]) M() {}": 1,
		"package p\n// All.\nconst (\nA = 1\nB = 2\n)":                    0,
		"package p\nconst (\nA = 1 // one\nB = 2\n)":                      1,
		"package main\nfunc F() {}":                                       0,
	} {
		if got := undocumented(parse(t, "p/p.go", []byte(src))); len(got) != want {
			t.Errorf("%q: %d faults instead of %d: %q", src, len(got), want, got)
		}
	}
}
