package house_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"slices"
	"strconv"
	"testing"
)

// The size budget of code that is not test code.
const (
	fileP95, fileMax = 400, 600
	funcP95, funcMax = 50, 100
)

func itoa(n int) string { return strconv.Itoa(n) }

// sized is one file or function and its lines.
type sized struct {
	name  string
	lines int
}

// over gives what breaks a budget: each thing longer than most, and the longest ones when the 95th percentile is too high.
func over(what string, all []sized, p95, most int) []string {
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b sized) int { return cmp.Compare(a.lines, b.lines) })
	var out []string
	for _, s := range all {
		if s.lines > most {
			out = append(out, fmt.Sprintf("%s: a %s of %d lines; at most %d", s.name, what, s.lines, most))
		}
	}
	if at := all[len(all)*95/100].lines; at > p95 {
		out = append(out, fmt.Sprintf("the 95th percentile of %s lengths is %d lines, the budget is %d", what, at, p95))
		for _, s := range all[max(len(all)-5, 0):] {
			out = append(out, fmt.Sprintf("  %d lines: %s", s.lines, s.name))
		}
	}
	return out
}

// functions lists the functions of a file that is not test code.
func functions(f goFile) []sized {
	var out []sized
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			out = append(out, sized{f.at(fn.Pos()) + " " + fn.Name.Name, f.span(fn)})
		}
	}
	return out
}

func TestSizeBudget(t *testing.T) {
	t.Parallel()
	var files, funcs []sized
	for _, f := range tree(t) {
		if f.test() {
			continue
		}
		files = append(files, sized{f.path, f.n})
		funcs = append(funcs, functions(f)...)
	}
	for _, fault := range slices.Concat(over("file", files, fileP95, fileMax), over("function", funcs, funcP95, funcMax)) {
		t.Error(fault)
	}
}

func TestOver(t *testing.T) {
	t.Parallel()
	many := func(n, lines int) []sized { return slices.Repeat([]sized{{"f", lines}}, n) }
	for name, c := range map[string]struct {
		all  []sized
		want int
	}{
		"nothing":        {nil, 0},
		"all short":      {many(100, 10), 0},
		"one too long":   {append(many(99, 10), sized{"g", 101}), 1},
		"a few are long": {append(many(95, 10), many(4, 90)...), 0},
		"many are long":  {append(many(90, 10), many(10, 90)...), 6},
	} {
		if got := over("function", c.all, funcP95, funcMax); len(got) != c.want {
			t.Errorf("%s: %d faults instead of %d: %q", name, len(got), c.want, got)
		}
	}
}
