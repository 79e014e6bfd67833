//go:build sqlite_vtable

package embedded

import (
	"fmt"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// platformTables lists the tables that only Windows has, or has its own way for. What is not here answers "no such table", which
// the ledger counts as unsupported, never as absent.
func (e *Engine) platformTables() []*table {
	one := func(row []any) ([][]any, error) { return [][]any{row}, nil }
	return []*table{
		e.processesTable(), e.usersTable(),
		{name: "services", columns: columnsOf(host.ServiceColumns), open: e.rowsOf("services", func(q *query, f *hostFiles) ([][]any, error) {
			return host.Services(q.ctx, f)
		})},
		{name: "drivers", columns: columnsOf(host.DriverColumns), open: e.rowsOf("drivers", func(q *query, f *hostFiles) ([][]any, error) {
			return host.Drivers(q.ctx, f)
		})},
		{name: "startup_items", columns: columnsOf(host.StartupColumns), open: e.rowsOf("startup_items", func(_ *query, f *hostFiles) ([][]any, error) {
			return host.StartupItems(f), nil
		})},
		{name: "scheduled_tasks", columns: columnsOf(host.ScheduledTaskColumns), open: e.rowsOf("scheduled_tasks", func(_ *query, f *hostFiles) ([][]any, error) {
			return host.ScheduledTasks(f), nil
		})},
		{name: "logical_drives", columns: columnsOf(host.DriveColumns), open: e.rowsOf("logical_drives", func(*query, *hostFiles) ([][]any, error) {
			return host.Drives()
		})},
		{name: "os_version", columns: columnsOf(osVersionColumns + host.VersionMore), open: e.rowsOf("os_version", func(_ *query, f *hostFiles) ([][]any, error) {
			return one(host.Version(f))
		})},
		{name: "system_info", columns: columnsOf(systemInfoColumns + ` emulated_cpu_type:T`), open: e.rowsOf("system_info", func(_ *query, f *hostFiles) ([][]any, error) {
			return one(host.System(f, machineID(e.opt.FS)))
		})},
		{name: "uptime", columns: columnsOf(uptimeColumns), open: e.rowsOf("uptime", func(*query, *hostFiles) ([][]any, error) {
			return one(uptimeRow(host.Uptime()))
		})},
	}
}

func (e *Engine) processesTable() *table {
	return &table{
		name: "processes", columns: columnsOf(host.ProcessColumns), index: []string{"pid"}, cost: 10,
		open: func(q *query, by string, _ bool, value string) (scan, error) {
			want, ok := wanted(by, value)
			if !ok {
				return &listScan{}, nil
			}
			files := e.files(q, "processes")
			rows, err := host.Processes(q.ctx, want, e.opt.Now(), files, e.met)
			return &listScan{rows: rows}, err
		},
	}
}

// usersTable lists accounts. A number that is no account's is looked up among the owners that were met: most files of Windows
// belong to groups and services.
func (e *Engine) usersTable() *table {
	return &table{
		name: "users", columns: columnsOf(host.UserColumns), index: []string{"uid"}, cost: 10,
		open: func(q *query, by string, _ bool, value string) (scan, error) {
			uid, ok := wanted(by, value)
			if !ok {
				return &listScan{}, nil
			}
			files := e.files(q, "users")
			if uid < 0 {
				return &listScan{rows: host.Users(files)}, files.err
			}
			files.quiet = true     // whose a file is, is no part of what was looked at
			if e.accounts.q != q { // a query asks for the owner of each hit
				e.accounts.q, e.accounts.rows = q, host.Users(files)
			}
			var out [][]any
			for _, r := range e.accounts.rows {
				if r[0] == uid {
					out = append(out, r)
				}
			}
			if id, met := e.owners.Load(uid); met && len(out) == 0 {
				if r := host.Known(fmt.Sprint(id)); r != nil {
					out = append(out, r)
				}
			}
			return &listScan{rows: out}, nil
		},
	}
}
