//go:build sqlite_vtable

package embedded_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/indicator"
)

// small is a machine without anything that a query could wait for.
func small() pretend {
	return pretend{
		files: map[string]string{
			"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\neve:x:5:5::/home/eve:/bin/sh\n", "/home/eve/a": "text", "/home/eve/.b/c": "", "/tmp/it's\n\xff": "odd",
			"/proc/stat": "btime 1\n", "/proc/1/stat": stat(1, "init", "S", 0, 0), "/proc/1/cmdline": "init", "/proc/1/status": "Uid:\t0\t0\t0\n", "/sbin/init": "i",
			"/etc/crontab": "* * * * * root /tmp/x\n", "/proc/uptime": "5.0 1.0\n", "/proc/meminfo": "MemTotal: 5 kB\n", "/etc/os-release": "NAME=x\n",
		},
		links: map[string]string{"/proc/1/exe": "/sbin/init", "/home/eve/link": "a"},
		errs:  map[string]error{"/root": syscall.EACCES, "/tmp/locked": syscall.EACCES},
	}
}

// seeds are the texts that hunter itself asks, and the traps of other tests.
func seeds(f *testing.F) []string {
	f.Helper()
	out := []string{
		"SELECT * FROM file WHERE path = '/etc/passwd'", "SELECT * FROM file WHERE directory = '/home/eve' OR path LIKE '/tmp/%' LIMIT 3 OFFSET 1",
		"SELECT * FROM file WHERE path LIKE '/%%'", "SELECT * FROM file WHERE path LIKE '%' ESCAPE '\\'", "SELECT h.*, f.* FROM file f LEFT JOIN hash h USING (path) WHERE f.path IN ('/etc/passwd', NULL, 5)",
		"SELECT * FROM processes p JOIN users u USING (uid) WHERE pid = 1.0", "SELECT * FROM mounts, uptime, time, os_version, system_info, osquery_info, crontab, startup_items",
		"SELECT split('a b', ' ', 1), split(NULL, 5, x'00')", "SELECT * FROM hash WHERE rowid = -1", "SELECT * FROM file WHERE path = '/etc/passwd' COLLATE NOCASE", "ATTACH 'x' AS y", "PRAGMA x",
		"SELECT 1; SELECT 2", "--", "", "SELECT * FROM file WHERE path IN () AND directory IS NULL", "SELECT json_group_array(path) OVER (ORDER BY path) FROM file WHERE directory = '/tmp'",
		"SELECT * FROM pragma_table_info('file')", "SELECT * FROM json_each('[1,2]')", "SELECT * FROM file(5)", "SELECT * FROM file('/etc/passwd', 7)", "EXPLAIN SELECT * FROM hash WHERE path = 'x'",
	}
	w := edr.Work{Search: edr.DefaultSearch(), Chunks: 1}
	file := indicator.File{MD5: strings.Repeat("a", 32), Size: 4}
	w.Targets = []edr.Target{{Ask: indicator.Indicator{Kind: indicator.MD5, Value: file.MD5}, File: file}}
	for _, flavor := range []osquery.Flavor{osquery.Embedded("/bin/hunter"), osquery.Osqueryd()} {
		queries, err := osquery.Compile(flavor, edr.Endpoint{Platform: "linux"}, w)
		if err != nil {
			f.Fatal(err)
		}
		for _, q := range queries {
			out = append(out, q.Text)
		}
	}
	return out
}

// FuzzQuery puts any text to the engine: it answers or refuses in time, never panics, and still works afterwards.
func FuzzQuery(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	e := open(f, embedded.Options{FS: small()})
	f.Fuzz(func(t *testing.T, text string) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		res, err := e.Query(ctx, text)
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("took %v", took)
		}
		switch {
		case err == nil && res == nil:
			t.Error("neither an answer nor an error")
		case err != nil && res != nil:
			t.Error("an answer beside an error")
		case err != nil && strings.Contains(err.Error(), "internal error"):
			t.Errorf("a panic: %v", err)
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			t.Errorf("out of time before its time: %v", err)
		}
		expect(t, e, "SELECT uid FROM users WHERE username = 'eve'", "5")
	})
}
