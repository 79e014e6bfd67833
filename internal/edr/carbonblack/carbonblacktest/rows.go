package carbonblacktest

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

func (s Sensor) row(now time.Time) map[string]any {
	const form = "2006-01-02 15:04:05.000000-07:00"
	out := map[string]any{
		"id": strconv.Itoa(s.ID), "computer_name": s.Name, "computer_dns_name": s.Name, "status": "Online",
		"last_checkin_time": now.Add(-30 * time.Second).Format(form), "next_checkin_time": now.Add(30 * time.Second).Format(form),
		"registration_time": now.Add(-90 * 24 * time.Hour).Format(form), "os_environment_display_string": "Windows 11 Client, 64-bit",
		"os_environment_id": 1, "os_type": 1, "group_id": 1, "build_version_string": "007.004.000.11111", "sensor_health_status": 100,
		"sensor_health_message": "Healthy", "supports_cblr": true, "is_isolating": false, "num_eventlog_bytes": "0", "clock_delta": "0", "uninstall": false,
	}
	maps.Copy(out, s.Fields)
	return out
}

func (p Process) updated(now time.Time) time.Time {
	if p.Updated.IsZero() {
		return now.Add(-time.Hour)
	}
	return p.Updated
}

// row gives the record of the nth process, or of one segment of it.
func (p Process) row(now time.Time, nth, segment int) map[string]any {
	const form = "2006-01-02T15:04:05.99Z"
	pid := p.PID
	if pid == 0 {
		pid = 4000 + nth
	}
	id := fmt.Sprintf("%08x-0000-%04x-01d5-%012x", p.Sensor, pid, nth)
	updated := p.updated(now)
	out := map[string]any{
		"process_md5": p.MD5, "sensor_id": p.Sensor, "id": id, "segment_id": 1618923603240 + segment, "unique_id": fmt.Sprintf("%s-%012x", id, segment),
		"process_pid": pid, "path": p.Path, "process_name": p.Path[strings.LastIndexAny(p.Path, `/\`)+1:], "cmdline": "(unknown)", "username": `LAB\user`,
		"hostname": fmt.Sprintf("lab-win-%02d", p.Sensor), "start": updated.Add(-20 * time.Minute).Format(form), "last_update": updated.Format(form),
		"last_server_update": updated.Format(form), "parent_name": "(unknown)", "parent_md5": strings.Repeat("0", 30), "group": "default group",
		"os_type": "windows", "host_type": "workstation", "filemod_count": len(p.Has), "modload_count": 0, "terminated": false,
	}
	maps.Copy(out, p.Fields)
	return out
}

func (b Binary) row() map[string]any {
	out := map[string]any{
		"md5": b.MD5, "digsig_result": "Unsigned", "observed_filename": b.Names, "signed": "Unsigned", "orig_mod_len": 68, "copied_mod_len": 68,
		"is_executable_image": true, "is_64bit": false, "host_count": len(b.Seen), "endpoint": b.Seen, "timestamp": "2026-11-20T11:26:48.321Z",
		"server_added_timestamp": "2026-11-20T11:26:48.321Z", "os_type": "windows",
	}
	maps.Copy(out, b.Fields)
	return out
}
