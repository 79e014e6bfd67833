package house_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// state gives the init functions and mutable package variables of a file. Allowed are sentinel errors, compiled regular
// expressions, embedded files, interface assertions to _, and the version that the linker sets in a command.
func state(f goFile) []string {
	var out []string
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				out = append(out, f.at(d.Pos())+": func init; call it from where it is needed")
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			for _, s := range d.Specs {
				out = append(out, variables(f, d, s.(*ast.ValueSpec))...)
			}
		}
	}
	return out
}

func variables(f goFile, d *ast.GenDecl, s *ast.ValueSpec) []string {
	if embedded(d.Doc) || embedded(s.Doc) {
		return nil
	}
	var out []string
	for i, n := range s.Names {
		switch {
		case n.Name == "_":
		case i < len(s.Values) && fixed(s.Values[i]):
		case f.main() && n.Name == "version":
		default:
			out = append(out, f.at(n.Pos())+": package variable "+n.Name+"; make it a constant, a function or a field")
		}
	}
	return out
}

// embedded reports whether a comment holds a go:embed directive.
func embedded(c *ast.CommentGroup) bool {
	return c != nil && slices.ContainsFunc(c.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// fixed reports whether a value is one that nobody changes.
func fixed(v ast.Expr) bool {
	call, ok := v.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && slices.Contains([]string{"errors.New", "fmt.Errorf", "regexp.MustCompile"}, pkg.Name+"."+sel.Sel.Name)
}

func TestNoPackageState(t *testing.T) {
	t.Parallel()
	for _, f := range tree(t) {
		if f.test() {
			continue
		}
		for _, fault := range state(f) {
			t.Error(fault)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]int{
		`package p; import "errors"; var errX = errors.New("x")`:                        0,
		`package p; import "fmt"; var (errX = fmt.Errorf("x"); errY = fmt.Errorf("y"))`: 0,
		`package p; import "regexp"; var r = regexp.MustCompile("x")`:                   0,
		"package p\nimport \"embed\"\n//go:embed a\nvar f embed.FS":                     0,
		"package p\nimport _ \"embed\"\nvar (\n//go:embed a\nf []byte\n)":               0,
		`package p; import "io"; var _ io.Reader = (*T)(nil); type T struct{}`:          0,
		`package main; var version = "dev"`:                                             0,
		`package p; var version = "dev"`:                                                1,
		`package p; var cache = map[string]int{}`:                                       1,
		`package p; var a, b int`:                                                       2,
		`package p; import "embed"; var f embed.FS`:                                     1,
		`package p; var ErrCount int`:                                                   1,
		`package p; func init() {}`:                                                     1,
		`package p; type T int; func (T) init() {}`:                                     0,
		`package p; const x = 1; func f() { var y int; _ = y }`:                         0,
	} {
		if got := state(parse(t, "p/p.go", []byte(src))); len(got) != want {
			t.Errorf("%s: %d faults instead of %d: %q", src, len(got), want, got)
		}
	}
}
