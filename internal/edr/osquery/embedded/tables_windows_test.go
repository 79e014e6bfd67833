//go:build sqlite_vtable

package embedded_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

func TestWindowsProcesses(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	pid := strconv.Itoa(os.Getpid())
	self, err := os.Executable()
	must(t, err)
	res := ask(t, e, "SELECT p.path, p.cmdline, p.on_disk, p.state, p.start_time > 1000000000 AS started, u.username FROM processes p LEFT JOIN users u ON u.uid = p.uid WHERE p.pid = "+pid)
	if len(res.Rows) != 1 {
		t.Fatalf("%v", flat(res))
	}
	r := res.Rows[0]
	if !strings.EqualFold(r["path"], self) || !strings.Contains(strings.ToLower(r["cmdline"]), ".exe") || r["on_disk"] != "1" || r["started"] != "1" ||
		r["state"] != "STILL_ACTIVE" || r["username"] == "" {
		t.Errorf("%v instead of %s", r, self)
	}
	if got := rows(t, e, "SELECT count(*) > 1, sum(pid = "+pid+"), min(pid) >= 0 FROM processes WHERE pid >= 0"); got[0] != "1|1|1" {
		t.Error(got)
	}
	for _, none := range []string{"-1", "'x'", pid + ".5", "99999999"} {
		if got := rows(t, e, "SELECT pid FROM processes WHERE pid = "+none); len(got) != 0 {
			t.Errorf("pid %s: %v", none, got)
		}
	}
}

// Every table of the questions answers, and with what every Windows has.
func TestWindowsTables(t *testing.T) {
	t.Parallel()
	e := open(t, embedded.Options{})
	for text, want := range map[string]string{
		"SELECT count(*) > 0 FROM services WHERE path <> '' AND start_type <> 'UNKNOWN'":                  "1",
		"SELECT count(*) > 0 FROM users WHERE username <> '' AND uuid LIKE 'S-1-%'":                       "1",
		"SELECT major >= 6, platform, build > 0, name LIKE 'Microsoft%' FROM os_version":                  "1|windows|1|1",
		"SELECT hostname <> '', uuid <> '', cpu_logical_cores > 0, cpu_type <> '' FROM system_info":       "1|1|1|1",
		"SELECT count(*) FROM logical_drives WHERE device_id = 'C:' AND boot_partition = 1":               "1",
		"SELECT count(*) >= 0 FROM scheduled_tasks":                                                       "1",
		"SELECT count(*) >= 0 FROM startup_items":                                                         "1",
		"SELECT count(*) >= 0 FROM drivers":                                                               "1",
		"SELECT total_seconds > 0 FROM uptime":                                                            "1",
		"SELECT platform_mask FROM osquery_info":                                                          "2",
		"SELECT win_timestamp / 10000000 - 11644473600 BETWEEN unix_time - 1 AND unix_time + 1 FROM time": "1",
	} {
		res := ask(t, e, text)
		if got := flat(res); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v instead of %s, unread %v", text, got, want, unread(res))
		}
	}
}
