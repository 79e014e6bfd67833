//go:build sqlite_vtable

package embedded

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

// tables lists every table of this platform.
func (e *Engine) tables() []*table {
	return append([]*table{e.fileTable(), e.hashTable(), e.timeTable(), e.osqueryInfoTable()}, e.platformTables()...)
}

func (e *Engine) timeTable() *table {
	return &table{
		name: "time",
		columns: columnsOf(`weekday:T year:I month:I day:I hour:I minutes:I seconds:I timezone:T local_timezone:T unix_time:I
			timestamp:T datetime:T iso_8601:T ` + timeMore),
		open: list(func(*query) ([][]any, error) {
			now := e.opt.Now()
			zone, _ := now.Local().Zone()
			u := now.UTC()
			iso := u.Format("2006-01-02T15:04:05Z")
			return [][]any{append([]any{
				u.Weekday().String(), u.Year(), int(u.Month()), u.Day(), u.Hour(), u.Minute(), u.Second(), "UTC", zone, u.Unix(),
				u.Format("Mon Jan _2 15:04:05 2006") + " UTC", iso, iso,
			}, timeCells(u)...)}, nil
		}),
	}
}

func (e *Engine) osqueryInfoTable() *table {
	return &table{
		name: "osquery_info",
		columns: columnsOf(`pid:I uuid:T instance_id:T version:T config_hash:T config_valid:I extensions:T build_platform:T
			build_distro:T start_time:I watcher:I platform_mask:I`),
		open: list(func(*query) ([][]any, error) {
			masks := map[string]int{"linux": 9, "darwin": 21, "windows": 2}
			id := machineID(e.opt.FS)
			instance := e.opt.Instance
			if instance == "" {
				instance = fmt.Sprintf("%s-%d", id, os.Getpid())
			}
			return [][]any{{
				os.Getpid(), id, instance, e.opt.Version, "", 1, "inactive", runtime.GOOS, "hunter",
				e.started.Unix(), -1, masks[runtime.GOOS],
			}}, nil
		}),
	}
}

func uptimeRow(up time.Duration) []any {
	s := int64(up / time.Second)
	return []any{s / 86400, s / 3600 % 24, s / 60 % 60, s % 60, s}
}

const uptimeColumns = `days:I hours:I minutes:I seconds:I total_seconds:B`

const systemInfoColumns = `hostname:T uuid:T cpu_type:T cpu_subtype:T cpu_brand:T cpu_physical_cores:I cpu_logical_cores:I
	cpu_sockets:I cpu_microcode:T physical_memory:B hardware_vendor:T hardware_model:T hardware_version:T hardware_serial:T
	board_vendor:T board_model:T board_version:T board_serial:T computer_name:T local_hostname:T`

const osVersionColumns = `name:T version:T major:I minor:I patch:I build:T platform:T platform_like:T codename:T arch:T `

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
