//go:build sqlite_vtable

package embedded_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

func TestReadOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, embedded.Options{})
	out := quote(filepath.Join(dir, "out"))
	for _, text := range []string{
		"INSERT INTO file (path) VALUES ('/x')", "INSERT INTO users (username) VALUES ('x')", "REPLACE INTO users (username) VALUES ('x')",
		"UPDATE file SET size = 1 WHERE path = '/etc/passwd'", "DELETE FROM processes WHERE pid = 1", "DELETE FROM users",
		"CREATE TABLE t (a)", "CREATE TEMP TABLE t (a)", "CREATE TABLE t AS SELECT 1", "CREATE VIEW v AS SELECT 1", "CREATE TEMP VIEW v AS SELECT 1",
		"CREATE INDEX i ON sqlite_master (name)", "CREATE VIRTUAL TABLE t USING file", "CREATE VIRTUAL TABLE t USING fts3(a)",
		"CREATE TEMP TRIGGER g AFTER INSERT ON users BEGIN SELECT 1; END", "DROP TABLE file", "ALTER TABLE users RENAME TO u", "DROP VIEW v",
		"ATTACH " + out + " AS a", "DETACH main", "VACUUM", "VACUUM INTO " + out, "PRAGMA journal_mode = WAL", "PRAGMA case_sensitive_like = 1",
		"PRAGMA user_version", "PRAGMA temp_store_directory = '/tmp'", "SELECT * FROM pragma_database_list", "SELECT * FROM pragma_table_info('users')",
		"SELECT load_extension('x.so')", "SELECT load_extension('x.so', 'f')", "SELECT LOAD_EXTENSION('x')", "BEGIN", "COMMIT", "SAVEPOINT s", "RELEASE s",
		"ANALYZE", "WITH x AS (SELECT 1) INSERT INTO users (username) SELECT * FROM x", "SELECT writefile(" + out + ", 'x')",
		"SELECT readfile('/etc/passwd')", "SELECT edit('x')", "EXPLAIN DELETE FROM users", "INSERT INTO sqlite_master VALUES (1,2,3,4,5)",
	} {
		res, err := e.Query(t.Context(), text)
		if err == nil {
			t.Errorf("%s: not refused, %d rows", text, len(res.Rows))
		}
	}
	refused(t, e, "ATTACH ':memory:' AS a", "not authorized")
	refused(t, e, "PRAGMA user_version", "not authorized")
	refused(t, e, "SELECT load_extension('x')", "not authorized")
	names, err := os.ReadDir(dir)
	must(t, err)
	if len(names) > 0 {
		t.Errorf("a statement wrote %v", names)
	}
	expect(t, e, "SELECT count(*) FROM sqlite_master", "0")
}

func TestOneStatement(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	for text, words := range map[string]string{
		"":                                      "no statement",
		" \n\t":                                 "no statement",
		"-- SELECT 1":                           "no statement",
		"/* SELECT 1 */;;":                      "no statement",
		"/* SELECT 1":                           "no statement",
		"SELECT 1; SELECT 2":                    "more than one statement",
		"SELECT 1; -- more\n x":                 "more than one statement",
		";SELECT 1;'":                           "more than one statement",
		"SELECT 'a';SELECT 'b'":                 "more than one statement",
		"SELECT 1\x00; DROP":                    "zero byte",
		"SELECT '":                              "unrecognized token",
		"SELEKT 1":                              "syntax error",
		"SELECT * FROM nope":                    "no such table: nope",
		"SELECT nope FROM users":                "no such column: nope",
		"SELECT nope()":                         "no such function: nope",
		"SELECT ?":                              "not enough args",
		"SELECT zeroblob(100000000)":            "too big",
		"SELECT path FROM file WHERE path = ?1": "not enough args",
	} {
		refused(t, e, text, words)
	}
	for text, want := range map[string]string{
		"SELECT 1;":            "1",
		"SELECT 1 ; ; -- end":  "1",
		";;SELECT 1; /* ; */ ": "1",
		"SELECT ';' || \"x;\" FROM (SELECT 2 AS \"x;\")": ";2",
		"SELECT [;] FROM (SELECT 3 AS [;])":              "3",
		"SELECT `;` FROM (SELECT 4 AS `;`)":              "4",
		"SELECT 'it''s; fine'":                           "it's; fine",
		"SELECT 5 -- a ; comment\n + 1":                  "6",
		"EXPLAIN QUERY PLAN SELECT 1":                    "",
	} {
		if got := rows(t, e, text); want != "" && strings.Join(got, "\n") != want {
			t.Errorf("%s: %q instead of %q", text, got, want)
		}
	}
}

func TestCollationsArePathsUnsafe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "")
	e := open(t, embedded.Options{})
	upper := quote(strings.ToUpper(filepath.Join(dir, "a")))
	// The table finds a path by its bytes. What SQL would find without case it must not seem to have looked for.
	for _, where := range []string{
		"path = " + upper + " COLLATE NOCASE", "path COLLATE NOCASE = " + upper, "path COLLATE/**/ \"rtrim\" = " + upper, "directory = '/X' COLLATE nocase",
		"path collate NoCase IN (" + upper + ")",
	} {
		refused(t, e, "SELECT path FROM file WHERE "+where, "COLLATE")
		refused(t, e, "SELECT path FROM hash WHERE "+where, "COLLATE")
	}
	expect(t, e, "SELECT path FROM file WHERE path = "+upper+" COLLATE BINARY")
	expect(t, e, "SELECT path FROM file WHERE path = "+quote(dir+"/a")+" COLLATE BINARY", dir+"/a")
	expect(t, e, "SELECT username FROM users WHERE username = 'ROOT' COLLATE NOCASE", "root")
	expect(t, e, "SELECT path FROM file WHERE path = 'collate nocase' /* COLLATE NOCASE */")
}

func TestResultBounds(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	numbers := "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c LIMIT %d) SELECT n FROM c"
	refused(t, e, strings.Replace(numbers, "%d", "500001", 1), embedded.ErrTooLarge.Error())
	refused(t, e, strings.Replace(strings.Replace(numbers, "%d", "30", 1), "SELECT n FROM", "SELECT hex(zeroblob(5000000)) AS n FROM", 1), embedded.ErrTooLarge.Error())
	if testing.Short() {
		return
	}
	if got := len(ask(t, e, strings.Replace(numbers, "%d", "500000", 1)).Rows); got != 500_000 {
		t.Errorf("%d rows", got)
	}
}

func TestWire(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	for expr, want := range map[string]string{
		"NULL": "", "''": "", "1": "1", "-9223372036854775808": "-9223372036854775808", "1.5": "1.5", "1.0": "1.0", "1e6": "1000000.0", "1e15": "1.0e+15",
		"1e300": "1.0e+300", "0.1": "0.1", "1e-7": "1.0e-07", "9e999": "Inf", "-9e999": "-Inf", "x'00ff'": "\x00\xff", "'a' || char(0) || 'b'": "a\x00b",
		"1 = 1": "1", "'\xff'": "\xff",
	} {
		expect(t, e, "SELECT "+expr+" AS v", want)
	}
	expect(t, e, "SELECT CAST(1.0 AS TEXT), CAST(1e-7 AS TEXT), 0.1 + 0.2", "1.0|1.0e-07|0.3")
	res := ask(t, e, "SELECT 1 AS a, 2 AS a, 3 AS b")
	if len(res.Rows) != 1 || res.Rows[0]["a"] != "2" || res.Rows[0]["b"] != "3" {
		t.Errorf("of two columns of one name the last is kept: %v", res.Rows)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	for args, want := range map[string]string{
		"'/bin/sh -c x', ' ', 0": "/bin/sh", "'/bin/sh -c x', ' ', 2": "x", "'a,b;c', ',;', 1": "b", "'  a  b', ' ', 1": "b", "'a', ' ', 1": "NULL",
		"'a', ' ', -1": "NULL", "NULL, ' ', 0": "NULL", "'a', NULL, 0": "NULL", "'a', ' ', NULL": "NULL", "'', ' ', 0": "NULL", "12, ' ', 0": "12", "'a', ' ', 'x'": "NULL",
	} {
		expect(t, e, "SELECT coalesce(split("+args+"), 'NULL')", want)
	}
}
