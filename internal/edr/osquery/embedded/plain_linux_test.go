//go:build sqlite_vtable

package embedded_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// plain is an ordinary SQLite database with copies of the rows that the tables file and hash have for a tree.
type plain struct {
	db    *sql.DB
	dirs  []string
	paths []string
}

const fileColumns = "path, directory, filename, inode, size, mode, type, symlink, hard_links"

// newPlain makes a tree and its copy.
func newPlain(t *testing.T, e *embedded.Engine) *plain {
	t.Helper()
	dir := t.TempDir()
	for i, n := range []string{"a", "A", "ab", "a_b", "a%b", "b.exe", ".a", "5", "it's", "sub/a", "sub/b", "sub/.a", "Sub/a", "Sub/deep/x"} {
		write(t, filepath.Join(dir, n), strings.Repeat("x", i%4))
	}
	must(t, os.Symlink("a", filepath.Join(dir, "link")), os.Link(filepath.Join(dir, "ab"), filepath.Join(dir, "hard")))
	db, err := sql.Open("sqlite3", ":memory:")
	must(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { must(t, db.Close()) })
	p := &plain{db: db, dirs: []string{dir, dir + "/sub", dir + "/Sub", dir + "/Sub/deep"}}
	p.exec(t, "CREATE TABLE file (path TEXT, directory TEXT, filename TEXT, inode BIGINT, size BIGINT, mode TEXT, type TEXT, symlink INTEGER, hard_links INTEGER)")
	p.exec(t, "CREATE TABLE hash (path TEXT, directory TEXT, md5 TEXT COLLATE NOCASE, sha1 TEXT COLLATE NOCASE, sha256 TEXT COLLATE NOCASE)")
	for _, d := range p.dirs {
		p.paths = append(p.paths, p.fill(t, e, "file", fileColumns, d)...)
		p.fill(t, e, "hash", "path, directory, md5, sha1, sha256", d)
	}
	return p
}

func (p *plain) exec(t *testing.T, text string) {
	t.Helper()
	if _, err := p.db.ExecContext(context.Background(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// fill copies the rows of one folder, and gives their paths.
func (p *plain) fill(t *testing.T, e *embedded.Engine, table, cols, dir string) (paths []string) {
	t.Helper()
	res := ask(t, e, "SELECT "+cols+" FROM "+table+" WHERE directory = "+quote(dir))
	for _, row := range res.Rows {
		var cells []string
		for _, c := range res.Columns {
			cells = append(cells, quote(row[c]))
		}
		p.exec(t, "INSERT INTO "+table+" VALUES ("+strings.Join(cells, ",")+")")
		paths = append(paths, row["path"])
	}
	return paths
}

// rows answers a query whose columns are all text or numbers.
func (p *plain) rows(t *rapid.T, text string) []string {
	rows, err := p.db.QueryContext(context.Background(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for rows.Next() {
		cells := make([]sql.NullString, len(cols))
		ptrs := make([]any, len(cols))
		for i := range cells {
			ptrs[i] = &cells[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, c := range cells {
			texts = append(texts, c.String)
		}
		out = append(out, strings.Join(texts, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// maker draws queries over the tree.
type maker struct {
	*plain
	t *rapid.T
}

func (m maker) pick(of ...string) string { return rapid.SampledFrom(of).Draw(m.t, "of") }

// constant draws a value to compare a path or folder with.
func (m maker) constant(known []string) string {
	switch m.pick("real", "real", "real", "odd") {
	case "real":
		return quote(rapid.SampledFrom(known).Draw(m.t, "path"))
	default:
		return m.pick("NULL", "''", "5", "5.5", "x'2f'", quote(m.dirs[0]+"/none"), quote(strings.ToUpper(m.paths[0])), "CAST("+quote(m.paths[1])+" AS BLOB)", "-1", "'5'", "char(0)")
	}
}

func (m maker) list(known []string) string {
	var out []string
	for range rapid.IntRange(1, 4).Draw(m.t, "length") {
		out = append(out, m.constant(known))
	}
	return "(" + strings.Join(out, ",") + ")"
}

// anchor draws what a scan of the table x needs.
func (m maker) anchor(x string) string {
	switch m.pick("path", "flipped", "in", "dir", "dirin", "both", "or", "orin", "sub", "twice") {
	case "path":
		return x + ".path = " + m.constant(m.paths)
	case "flipped":
		return m.constant(m.paths) + " = " + x + ".path"
	case "in":
		return x + ".path IN " + m.list(m.paths)
	case "dir":
		return x + ".directory = " + m.constant(m.dirs)
	case "dirin":
		return x + ".directory IN " + m.list(m.dirs)
	case "both":
		return x + ".directory IN " + m.list(m.dirs) + " AND " + x + ".path IN " + m.list(m.paths)
	case "or":
		return "(" + x + ".path = " + m.constant(m.paths) + " OR " + x + ".directory = " + m.constant(m.dirs) + ")"
	case "orin":
		return "(" + x + ".path IN " + m.list(m.paths) + " OR " + x + ".directory IN " + m.list(m.dirs) + " OR " + x + ".path = " + m.constant(m.paths) + ")"
	case "sub":
		return x + ".path IN (SELECT y.path FROM file y WHERE y.directory = " + m.constant(m.dirs) + " AND y.size > " + m.pick("0", "1", "2") + ")"
	default:
		return x + ".path = " + m.constant(m.paths) + " AND " + x + ".path = " + m.constant(m.paths)
	}
}

// compared draws a comparison that the table file may make itself.
func (m maker) compared() string {
	column := m.pick("f.size", "f.size", "f.symlink", "f.type")
	value := m.pick("0", "1", "2", "3", "-1", "1.0", "1.5", "-0.0", "9e99", "-9e99", "9223372036854775807", "9223372036854775807.0", "NULL", "''", "'1'", "' 2 '", "'2x'", "'0x2'",
		"'1e0'", "'.5'", "'2.'", "'1_0'", "'inf'", "'nan'", "'99999999999999999999'", "x''", "x'32'", "'regular'", "'directory'", "'Regular'", "x'726567756c6172'", "1 + 1", "f.symlink", "f.hard_links", "f.filename")
	op := m.pick("=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT", "IN")
	switch {
	case op == "IN":
		return column + m.pick(" IN (", " NOT IN (") + value + ", 2, 'regular')"
	case m.pick("straight", "flipped") == "flipped":
		return value + " " + op + " " + column
	default:
		return column + " " + op + " " + value
	}
}

// condition draws a test that is SQLite's own affair, or one of those that the table makes.
func (m maker) condition() string {
	if m.pick("compared", "other") == "compared" {
		return m.compared()
	}
	dir := m.dirs[0]
	return m.pick(
		"f.size > 1", "f.size = '2'", "f.size IN (1, 3)", "f.size IS NOT NULL", "f.mode = 5", "f.filename = 5", "f.filename LIKE 'a%'", "f.filename LIKE 'a!_%' ESCAPE '!'",
		"f.filename LIKE 'a!%%' ESCAPE '!'", "f.filename GLOB 'a*'", "f.path GLOB '*/[a-b]'", "f.path LIKE "+quote(dir+"/%"), "f.path LIKE '%_B%'", "f.path NOT LIKE '%a'",
		"f.path LIKE "+quote(dir+"/A!%%")+" ESCAPE '!'", "f.directory LIKE "+quote(strings.ToUpper(dir)+"%"), "f.path IS "+m.constant(m.paths), "f.path IS NOT "+m.constant(m.paths),
		"f.path <> "+m.constant(m.paths), "f.path > "+m.constant(m.paths), "f.type IS 'regular'", "f.filename IN ('a','5',5,NULL)", "(f.size = 1 OR f.filename = 'A')", "f.path NOT IN "+m.list(m.paths),
		"f.path BETWEEN '/' AND "+m.constant(m.paths), "NOT f.path = "+m.constant(m.paths), "EXISTS (SELECT 1 FROM hash e WHERE e.path = f.path)", "f.filename LIKE x'6125'",
	)
}

// query draws a whole statement, and whether its rows have an order.
func (m maker) query() (text string, ordered bool) {
	cols, from := "f."+strings.ReplaceAll(fileColumns, ", ", ", f."), "file f"
	switch m.pick("none", "none", "hash", "left", "chosen", "flipped", "comma", "self") {
	case "hash":
		cols, from = cols+", h.path AS hp, h.sha256", "file f CROSS JOIN hash h ON h.path = f.path"
	case "chosen":
		cols, from = cols+", g.path AS gp", "file f LEFT JOIN file g ON g.directory = f.directory AND g.symlink = 0 AND g.size >= f.size AND g.type "+m.pick("=", "<>")+" f.type"
	case "left":
		cols, from = cols+", h.path AS hp, h.md5", "file f LEFT JOIN hash h ON h.path = f.path AND h.sha1 <> 'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709'"
	case "flipped":
		cols, from = cols+", h.directory AS hd, h.md5", "hash h JOIN file f ON h.path = f.path"
	case "comma":
		cols, from = cols+", g.size AS gs", "file f JOIN file g ON g.directory = f.directory AND g.filename = f.filename"
	case "self":
		cols, from = cols+", g.path AS gp", "file f LEFT JOIN file g ON g.directory = f.path"
	}
	text = "SELECT " + m.pick("", "DISTINCT ") + cols + " FROM " + from + " WHERE " + m.anchor("f")
	for range rapid.IntRange(0, 2).Draw(m.t, "conditions") {
		text += " AND " + m.condition()
	}
	if m.pick("all", "some") == "all" {
		return text, false
	}
	var order []string
	for i := range strings.Count(cols, ",") + 1 {
		order = append(order, fmt.Sprint(i+1))
	}
	return text + " ORDER BY " + strings.Join(order, ",") + " LIMIT " + m.pick("0", "1", "3", "-1", "100") + m.pick("", " OFFSET 0", " OFFSET 2"), true
}

// TestAnswersAreThoseOfPlainSQL compares answers with those that SQLite gives over the same rows in ordinary tables.
func TestAnswersAreThoseOfPlainSQL(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	p := newPlain(t, e)
	rapid.Check(t, func(t *rapid.T) {
		text, ordered := maker{p, t}.query()
		want := p.rows(t, text)
		res, err := e.Query(context.Background(), text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got := flat(res)
		if !ordered {
			slices.Sort(want)
			slices.Sort(got)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-plain +engine):\n%s", text, diff)
		}
	})
}

// TestPidIsANumber compares what a pid is equal to with an ordinary column of the same type.
func TestPidIsANumber(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	p := newPlain(t, e)
	p.exec(t, "CREATE TABLE processes (pid BIGINT)")
	p.exec(t, fmt.Sprintf("INSERT INTO processes VALUES (1), (%d)", os.Getpid()))
	odd := []string{"1", "'1'", "' 1 '", "'1x'", "1.0", "1.5", "'1.0'", "'1e0'", "10e-1", "x'31'", "NULL", "'0x1'", "0x1", "'+1'", "-1", "0", "''", "'abc'", "'inf'", "TRUE", "'1_0'",
		"CAST('1' AS TEXT)", "'٣'", "9e18", "1e300", "'NaN'", "'1' || ''", fmt.Sprint(os.Getpid()), fmt.Sprintf("%d.0", os.Getpid()), fmt.Sprintf("'00%d'", os.Getpid())}
	rapid.Check(t, func(t *rapid.T) {
		m := maker{p, t}
		text := "SELECT pid FROM processes WHERE pid = " + m.pick(odd...)
		if m.pick("=", "in") == "in" {
			text = "SELECT pid FROM processes WHERE pid IN (" + m.pick(odd...) + ", " + m.pick(odd...) + ")"
		}
		res, err := e.Query(context.Background(), text+" ORDER BY pid")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(p.rows(t, text+" ORDER BY pid"), flat(res)); diff != "" {
			t.Fatalf("%s (-plain +engine):\n%s", text, diff)
		}
	})
}
