package osquery_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// tablesOfAgents are the tables that our questions name, with their columns in osquery 5.23, for any platform.
func tablesOfAgents() []string {
	return []string{
		"file (path TEXT, directory TEXT, filename TEXT, inode BIGINT, uid BIGINT, gid BIGINT, mode TEXT, device BIGINT, size BIGINT, block_size INTEGER, atime BIGINT," +
			" mtime BIGINT, ctime BIGINT, btime BIGINT, hard_links INTEGER, symlink INTEGER, type TEXT, symlink_target_path TEXT, attributes TEXT)",
		"hash (path TEXT, directory TEXT, md5 TEXT COLLATE NOCASE, sha1 TEXT COLLATE NOCASE, sha256 TEXT COLLATE NOCASE)",
		"processes (pid BIGINT, name TEXT, path TEXT, cmdline TEXT, state TEXT, cwd TEXT, root TEXT, uid BIGINT, gid BIGINT, euid BIGINT, egid BIGINT, suid BIGINT," +
			" sgid BIGINT, on_disk INTEGER, start_time BIGINT, parent BIGINT, pgroup BIGINT, threads INTEGER, nice INTEGER, cgroup_path TEXT)",
		"startup_items (name TEXT, path TEXT, args TEXT, type TEXT, source TEXT, status TEXT, username TEXT)",
		"crontab (event TEXT, minute TEXT, hour TEXT, day_of_month TEXT, month TEXT, day_of_week TEXT, command TEXT, path TEXT)",
		"launchd (path TEXT, name TEXT, label TEXT, program TEXT, run_at_load TEXT, username TEXT, program_arguments TEXT)",
		"services (name TEXT, service_type TEXT, display_name TEXT, status TEXT, pid INTEGER, start_type TEXT, path TEXT, module_path TEXT, description TEXT, user_account TEXT)",
		"drivers (device_id TEXT, device_name TEXT, image TEXT, description TEXT, service TEXT, service_key TEXT, signed INTEGER)",
		"scheduled_tasks (name TEXT, action TEXT, path TEXT, enabled INTEGER, state TEXT, hidden INTEGER)",
		"users (uid BIGINT, gid BIGINT, username TEXT, directory TEXT)",
		"mounts (device TEXT, device_alias TEXT, path TEXT, type TEXT, flags TEXT)",
		"logical_drives (device_id TEXT, type TEXT, description TEXT, free_space BIGINT, size BIGINT, file_system TEXT, boot_partition INTEGER)",
		"osquery_info (pid INTEGER, uuid TEXT, instance_id TEXT, version TEXT, start_time INTEGER, watcher INTEGER, platform_mask INTEGER)",
		"time (unix_time INTEGER)",
	}
}

// TestGoldenTextsAreSQL compiles every golden text with SQLite over tables of those names and columns: an agent that
// hunter has never met must not be the first to find a fault in them.
func TestGoldenTextsAreSQL(t *testing.T) {
	t.Parallel()
	driver := &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		return c.RegisterFunc("split", func(text, _ string, _ int64) string { return text }, true)
	}}
	conn, err := driver.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	c := conn.(*sqlite3.SQLiteConn)
	for _, table := range tablesOfAgents() {
		if _, err := c.Exec("CREATE TABLE "+table, nil); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, f := range files {
		page, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.SplitSeq(strings.TrimSpace(string(page)), ";\n\n") {
			stmt, err := c.Prepare(strings.TrimSuffix(text, ";"))
			if err != nil {
				t.Errorf("%s: %v\n%s", f, err, text)
				continue
			}
			if err := stmt.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
