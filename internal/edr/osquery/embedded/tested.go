//go:build sqlite_vtable

package embedded

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// tested is a comparison that a table makes itself, before SQLite sees the row: what is not asked for costs no callback then. It
// must come out as SQLite's own, which does not look again.
type tested struct {
	column int
	op     sqlite3.Op
	value  any // int64, float64, string or []byte
}

// tests reports whether the table makes a comparison itself: of a text with = and <>, of a number also by order. An = of a
// number is left to SQLite, which would start a scan for each number of an IN.
func (t *table) tests(c sqlite3.InfoConstraint, collates bool) bool {
	if !c.Usable || c.Column < 0 || !slices.Contains(t.tested, t.columns[c.Column].name) {
		return false
	}
	if t.columns[c.Column].kind == "TEXT" {
		return !collates && (c.Op == sqlite3.OpEQ || c.Op == sqlite3.OpNE)
	}
	if c.Op == sqlite3.OpEQ {
		return t.columns[c.Column].kind == "INTEGER"
	}
	return slices.Contains([]sqlite3.Op{sqlite3.OpNE, sqlite3.OpGT, sqlite3.OpGE, sqlite3.OpLT, sqlite3.OpLE}, c.Op)
}

// mark writes a comparison into the text that BestIndex gives and Filter gets, and marked reads it.
func mark(c sqlite3.InfoConstraint) string {
	return strconv.Itoa(c.Column) + ":" + strconv.Itoa(int(c.Op))
}

// marked gives the comparison with a value; false for one with NULL, which holds for no row.
func (t *table) marked(text string, value any) (tested, bool) {
	column, op, _ := strings.Cut(text, ":")
	i, _ := strconv.Atoi(column)
	o, _ := strconv.Atoi(op)
	if t.columns[i].kind != "TEXT" {
		if s, ok := value.(string); ok {
			value = numeric(s)
		}
	}
	return tested{column: i, op: sqlite3.Op(o), value: value}, value != nil //nolint:gosec // as mark wrote it
}

// numeric turns a text that is a number into one, as SQLite does beside a column of numbers.
func numeric(s string) any {
	t := strings.Trim(s, " \t\n\v\f\r")
	if n, err := strconv.ParseInt(t, 10, 64); err == nil {
		return n
	}
	if strings.Trim(t, "0123456789.eE+-") == "" {
		if f, err := strconv.ParseFloat(t, 64); err == nil || !math.IsNaN(f) && f != 0 && t != "" {
			return f
		}
	}
	return s
}

// number tests a number. Text and bytes come after all numbers.
func (t *tested) number(n int64) bool {
	switch v := t.value.(type) {
	case int64:
		return t.holds(cmp.Compare(n, v))
	case float64:
		return t.holds(compareFloat(n, v))
	default:
		return t.holds(-1)
	}
}

// compareFloat compares exactly: a big number has no float64 of its own.
func compareFloat(n int64, f float64) int {
	switch {
	case f < -(1 << 63):
		return 1
	case f >= 1<<63:
		return -1
	}
	return cmp.Or(cmp.Compare(n, int64(f)), cmp.Compare(0, f-math.Trunc(f)))
}

// text tests a text, which is no number's.
func (t *tested) text(s string) bool {
	v, ok := t.value.(string)
	return (ok && v == s) == (t.op == sqlite3.OpEQ)
}

func (t *tested) holds(order int) bool {
	switch t.op {
	case sqlite3.OpEQ:
		return order == 0
	case sqlite3.OpNE:
		return order != 0
	case sqlite3.OpGT:
		return order > 0
	case sqlite3.OpGE:
		return order >= 0
	case sqlite3.OpLT:
		return order < 0
	default:
		return order <= 0
	}
}

// chooser is a scan whose table makes comparisons itself; next gives the rows for which they all hold.
type chooser interface {
	choose(tests []tested)
}
