//go:build sqlite_vtable

package embedded_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// Every table of the questions answers on a Mac, and with what every Mac has.
func TestMacTables(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	self, err := os.Executable()
	must(t, err)
	pid := strconv.Itoa(os.Getpid())
	for text, want := range map[string]string{
		"SELECT path, on_disk, start_time > 1000000000, cmdline <> '' FROM processes WHERE pid = " + pid: self + "|1|1|1",
		"SELECT name FROM processes WHERE pid = 0":                                                       "kernel_task",
		"SELECT path FROM processes WHERE pid = 1":                                                       "/sbin/launchd",
		"SELECT username FROM users WHERE uid = 0":                                                       "root",
		"SELECT count(*) > 10 FROM launchd WHERE path LIKE '/%' AND label <> ''":                         "1",
		"SELECT count(*) > 0 FROM mounts WHERE path = '/' AND type = 'apfs'":                             "1",
		"SELECT major > 10, name, build <> '' FROM os_version":                                           "1|macOS|1",
		"SELECT uuid <> '', cpu_logical_cores > 0, physical_memory > 0 FROM system_info":                 "1|1|1",
		"SELECT count(*) >= 0 FROM startup_items":                                                        "1",
		"SELECT count(*) >= 0 FROM crontab":                                                              "1",
		"SELECT total_seconds > 0 FROM uptime":                                                           "1",
		"SELECT length(sha256) FROM hash WHERE path = '/bin/ls'":                                         "64",
		"SELECT btime > 0, type FROM file WHERE path = '/bin/ls'":                                        "1|regular",
	} {
		if got := rows(t, e, text); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v instead of %s", text, got, want)
		}
	}
}
