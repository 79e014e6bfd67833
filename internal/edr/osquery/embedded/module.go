//go:build sqlite_vtable

package embedded

import (
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// column is one column of a table; kind is TEXT, INTEGER or BIGINT.
type column struct {
	name, kind string
	hidden     bool
}

// table is what the module needs to know of one osquery table.
type table struct {
	name    string
	columns []column
	// index names the columns whose equality or LIKE the table uses itself, best first; one constraint is taken per
	// scan, all others are SQLite's. required means that a scan without one is an error, as in osquery.
	index    []string
	likes    bool // index columns take LIKE as well
	required bool
	cost     float64 // of one scan with an index constraint
	// tested names columns that cost little to know: a scan with an index constraint makes comparisons of them itself, and
	// must be a chooser.
	tested []string
	// open starts a scan. by is "" for a scan without a constraint.
	open func(q *query, by string, like bool, value string) (scan, error)
}

// scan is one pass over rows. next reports false at the end; cell gives column i of the current row.
type scan interface {
	next() (bool, error)
	cell(i int) (any, error)
	id() int64
	close()
}

// direct is a scan that hands some of its cells over itself, which saves the making of a value; false for all others.
type direct interface {
	put(ctx *sqlite3.SQLiteContext, i int) bool
}

// restarter is a scan that can begin again with another value, which saves the making of a new one; false when it can not.
type restarter interface {
	restart(by string, like bool, value string) bool
}

// module makes a table known to SQLite; it is eponymous, there is no CREATE.
type module struct {
	engine *Engine
	table  *table
}

// guard turns a panic in a callback into an error: left alone it would leave the connection hanging for ever.
func guard(name string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("table %s: internal error: %v", name, r)
	}
}

func (m *module) EponymousOnlyModule() {}

// DestroyModule frees nothing.
func (m *module) DestroyModule() {}

// Create is Connect.
func (m *module) Create(c *sqlite3.SQLiteConn, args []string) (sqlite3.VTab, error) {
	return m.Connect(c, args)
}

// Connect declares the table's columns.
func (m *module) Connect(c *sqlite3.SQLiteConn, _ []string) (sqlite3.VTab, error) {
	var b strings.Builder
	for i, col := range m.table.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(col.name) + " " + col.kind)
		if digestIndex(col.name) >= 0 {
			b.WriteString(" COLLATE NOCASE")
		}
		if col.hidden {
			b.WriteString(" HIDDEN")
		}
	}
	if err := c.DeclareVTab("CREATE TABLE x (" + b.String() + ")"); err != nil {
		return nil, fmt.Errorf("declare table %s: %w", m.table.name, err)
	}
	return &vtab{m}, nil
}

type vtab struct{ *module }

// noConstraint is the price of a scan that the table would refuse.
const noConstraint = 1e15

// BestIndex takes the best constraint that the table can match exactly, if there is one, and those that it tests itself.
func (v *vtab) BestIndex(cst []sqlite3.InfoConstraint, _ []sqlite3.InfoOrderBy) (res *sqlite3.IndexResult, err error) {
	defer guard(v.table.name, &err)
	res = &sqlite3.IndexResult{Used: make([]bool, len(cst)), EstimatedCost: 1e6, EstimatedRows: 1e4}
	if v.table.required {
		res.EstimatedCost, res.EstimatedRows = noConstraint, 1e9
	}
	// Equality goes first, for any column: a pattern means less to the table than to SQL, which reads it beside an =.
	for _, like := range []bool{false, true} {
		if like && !v.table.likes {
			continue
		}
		for rank, name := range v.table.index {
			for i, c := range cst {
				if !c.Usable || !matches(c.Op, like) || c.Column < 0 || v.table.columns[c.Column].name != name { // -1: the row id
					continue
				}
				if v.engine.collates() && !like && v.table.columns[c.Column].kind == "TEXT" {
					return nil, fmt.Errorf("table %s: %s is compared byte by byte, so the text may not use COLLATE", v.table.name, name)
				}
				key := name + "="
				res.EstimatedCost, res.EstimatedRows = v.table.cost*float64(1+9*rank), float64(1+99*rank)
				if like {
					key = name + "~"
					res.EstimatedCost, res.EstimatedRows = v.table.cost*1000, 1e5
				}
				v.use(res, cst, i, key)
				return res, nil
			}
		}
	}
	// SQLite also asks without the lists of IN. From an answer that needs no other table it concludes that it has seen all
	// such plans; so a comparison that might need one is taken here as it is beside a key, or path IN (…) would be lost.
	v.use(res, cst, -1, "")
	return res, nil
}

// use says which constraints the table takes, in their order: the one at key, and those that it tests itself.
func (v *vtab) use(res *sqlite3.IndexResult, cst []sqlite3.InfoConstraint, at int, key string) {
	var marks []string
	for i, c := range cst {
		switch {
		case i == at:
			marks = append(marks, key)
		case v.table.tests(c, v.engine.collates()):
			marks = append(marks, mark(c))
		default:
			continue
		}
		res.Used[i] = true
	}
	res.IdxStr = strings.Join(marks, ",")
}

// matches tests the operator before anything looks at the column: LIMIT and OFFSET come with a column that is none.
func matches(op sqlite3.Op, like bool) bool {
	if like {
		return op == sqlite3.OpLIKE
	}
	return op == sqlite3.OpEQ
}

func (v *vtab) Disconnect() error { return nil }
func (v *vtab) Destroy() error    { return nil }

// Open makes a cursor.
func (v *vtab) Open() (sqlite3.VTabCursor, error) { return &cursor{vtab: v}, nil }

type cursor struct {
	*vtab
	scan  scan
	tests []tested
	eof   bool
}

// Filter starts a scan.
func (c *cursor) Filter(_ int, idxStr string, vals []any) (err error) {
	defer c.failed(&err)
	defer guard(c.table.name, &err)
	c.eof = false
	by, like, value, ok := c.constraints(idxStr, vals)
	if !ok {
		c.release()
		c.eof = true
		return nil
	}
	if by == "" && c.table.required {
		return fmt.Errorf("Table %s was queried without a required column in the WHERE clause", c.table.name) //nolint:staticcheck // osquery's own text
	}
	q := c.engine.cur
	if q == nil {
		return fmt.Errorf("table %s: no query is running", c.table.name)
	}
	if err := q.ctx.Err(); err != nil {
		return err
	}
	if c.table.required && c.engine.elsewhere(q, c.table.name, value) {
		c.release()
		c.eof = true
		return nil
	}
	if r, ok := c.scan.(restarter); ok && r.restart(by, like, value) {
		return c.advance()
	}
	c.release()
	if c.scan, err = c.table.open(q, by, like, value); err != nil {
		return err
	}
	if len(c.tests) > 0 {
		c.scan.(chooser).choose(c.tests) //nolint:errcheck,forcetypeassert // a table with tested columns has such scans
	}
	return c.advance()
}

// constraints reads what BestIndex wrote: the column to scan by and its value, and the tests, which the cursor keeps. It is
// false when they hold for no row.
func (c *cursor) constraints(idxStr string, vals []any) (by string, like bool, value string, ok bool) {
	c.tests = c.tests[:0]
	for i := 0; idxStr != ""; i++ {
		var mark string
		mark, idxStr, _ = strings.Cut(idxStr, ",")
		if i >= len(vals) {
			return by, like, value, false
		}
		if end := len(mark) - 1; mark[end] == '=' || mark[end] == '~' {
			by, like = mark[:end], mark[end] == '~'
			value, ok = operand(vals[i], like)
		} else {
			var t tested
			t, ok = c.table.marked(mark, vals[i])
			c.tests = append(c.tests, t)
		}
		if !ok {
			return by, like, value, false
		}
	}
	return by, like, value, true
}

// failed keeps the error of a scan for whoever asked: SQLite passes on its text alone.
func (c *cursor) failed(err *error) {
	if q := c.engine.cur; *err != nil && q != nil && q.failed == nil {
		q.failed = *err
	}
}

// operand gives what a column is compared with as text, and false for what no text or number is equal to: NULL, bytes.
func operand(v any, like bool) (string, bool) {
	switch v.(type) {
	case nil:
		return "", false
	case []byte:
		return wire(v), like // LIKE takes bytes for text
	}
	return wire(v), true
}

func (c *cursor) advance() error {
	if err := c.engine.cur.ctx.Err(); err != nil {
		return err
	}
	more, err := c.scan.next()
	c.eof = !more
	return err
}

// Next moves to the next row.
func (c *cursor) Next() (err error) {
	defer c.failed(&err)
	defer guard(c.table.name, &err)
	return c.advance()
}

// EOF reports the end of the scan.
func (c *cursor) EOF() bool { return c.eof }

// Column gives one cell.
func (c *cursor) Column(ctx *sqlite3.SQLiteContext, i int) (err error) {
	defer guard(c.table.name, &err)
	if d, ok := c.scan.(direct); ok && d.put(ctx, i) {
		return nil
	}
	v, err := c.scan.cell(i)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		ctx.ResultNull()
	case int64:
		ctx.ResultInt64(v)
	case int:
		ctx.ResultInt64(int64(v))
	case string:
		ctx.ResultText(v)
	default:
		return fmt.Errorf("table %s: column %d has a value of type %T", c.table.name, i, v)
	}
	return nil
}

// Rowid is stable for the same row, so that SQLite can tell rows that two terms of an OR both found.
func (c *cursor) Rowid() (int64, error) { return c.scan.id(), nil }

// Close ends the scan.
func (c *cursor) Close() (err error) {
	defer guard(c.table.name, &err)
	c.release()
	return nil
}

func (c *cursor) release() {
	if c.scan != nil {
		c.scan.close()
		c.scan = nil
	}
}

// idOf gives the row id of a path, the same in every scan of this engine. Nobody can make two names of one id: SQLite
// would take them for the same row.
func (e *Engine) idOf(path, dir string) int64 {
	var h maphash.Hash
	h.SetSeed(e.seed)
	for _, s := range []string{path, "\x00", dir} {
		h.WriteString(s)
	}
	return int64(h.Sum64() >> 1) //nolint:gosec // one bit dropped: never negative
}

// listScan is a scan over rows that are already in memory.
type listScan struct {
	rows [][]any
	at   int
}

func (l *listScan) next() (bool, error) {
	l.at++
	return l.at <= len(l.rows), nil
}

func (l *listScan) cell(i int) (any, error) { return l.rows[l.at-1][i], nil }
func (l *listScan) id() int64               { return int64(l.at) }
func (l *listScan) close()                  {}

// list makes an open function of one that gives all rows at once.
func list(rows func(q *query) ([][]any, error)) func(*query, string, bool, string) (scan, error) {
	return func(q *query, _ string, _ bool, _ string) (scan, error) {
		r, err := rows(q)
		if err != nil {
			return nil, err
		}
		return &listScan{rows: r}, nil
	}
}

// columnsOf reads "name:T name:I name:B", hidden ones with a trailing "!".
func columnsOf(spec string) []column {
	kinds := map[string]string{"T": "TEXT", "I": "INTEGER", "B": "BIGINT"}
	var out []column
	for f := range strings.FieldsSeq(spec) {
		name, kind, _ := strings.Cut(f, ":")
		hidden := strings.HasSuffix(kind, "!")
		out = append(out, column{name: name, kind: kinds[strings.TrimSuffix(kind, "!")], hidden: hidden})
	}
	return out
}
