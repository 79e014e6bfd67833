//go:build sqlite_vtable

package embedded

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestColumnsAreOsquerys(t *testing.T) {
	t.Parallel()
	e, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	want := columnsOfOsquery()
	var names []string
	for _, table := range e.tables() {
		names = append(names, table.name)
		var spec, shown, all, kinds []string
		for _, c := range table.columns {
			s := c.name + ":" + c.kind[:1]
			if c.hidden {
				s += "!"
			} else {
				shown = append(shown, c.name)
			}
			spec, all = append(spec, s), append(all, c.name)
			kinds = append(kinds, "typeof("+c.name+") AS "+c.name)
		}
		if diff := cmp.Diff(want[table.name], strings.Join(spec, " ")); diff != "" {
			t.Errorf("%s (-osquery +here):\n%s", table.name, diff)
		}
		from := " FROM " + table.name
		if table.required {
			from += " WHERE path = '" + anyFile() + "'"
		}
		res, err := e.Query(context.Background(), "SELECT *"+from+" LIMIT 1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(shown, res.Columns); diff != "" {
			t.Errorf("%s: columns of * (-want +got):\n%s", table.name, diff)
		}
		res, err = e.Query(context.Background(), "SELECT "+strings.Join(kinds, ", ")+from)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range res.Rows { // no cell is NULL, and each is what its column says
			for i, name := range all {
				kind := map[string]string{"T": "text"}[table.columns[i].kind[:1]]
				if kind == "" {
					kind = "integer"
				}
				if row[name] != kind && !table.columns[i].hidden {
					t.Errorf("%s.%s is %s instead of %s", table.name, name, row[name], kind)
				}
			}
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), names); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}
