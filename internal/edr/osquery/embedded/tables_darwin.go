//go:build sqlite_vtable

package embedded

import (
	"slices"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// platformTables lists the tables that only macOS has, or has its own way for. What is not here answers "no such table", which the
// ledger counts as unsupported, never as absent.
func (e *Engine) platformTables() []*table {
	one := func(row []any) ([][]any, error) { return [][]any{row}, nil }
	return []*table{
		e.processesTable(), e.usersTable(), e.launchdTable(), e.crontabTable(),
		{name: "startup_items", columns: columnsOf(host.StartupColumns), open: e.rowsOf("startup_items", func(_ *query, f *hostFiles) ([][]any, error) {
			return host.MacStartupItems(f, host.Newest, userNames(f)), nil
		})},
		{name: "mounts", columns: columnsOf(`device:T device_alias:T path:T type:T blocks_size:B blocks:B blocks_free:B
			blocks_available:B inodes:B inodes_free:B flags:T`), open: e.rowsOf("mounts", func(*query, *hostFiles) ([][]any, error) {
			return host.Mounts()
		})},
		{name: "os_version", columns: columnsOf(osVersionColumns + `extra:T`), open: e.rowsOf("os_version", func(_ *query, f *hostFiles) ([][]any, error) {
			name, version, n, build, extra := host.MacVersion(f)
			return one([]any{name, version, n[0], n[1], n[2], build, "darwin", "darwin", "", host.Machine(), extra})
		})},
		{name: "system_info", columns: columnsOf(systemInfoColumns), open: e.rowsOf("system_info", func(_ *query, f *hostFiles) ([][]any, error) {
			return one(host.System(f, machineID(e.opt.FS)))
		})},
		{name: "uptime", columns: columnsOf(uptimeColumns), open: e.rowsOf("uptime", func(*query, *hostFiles) ([][]any, error) {
			return one(uptimeRow(host.Uptime(e.opt.Now())))
		})},
	}
}

func (e *Engine) processesTable() *table {
	return &table{
		name: "processes", columns: columnsOf(host.MacProcessColumns), index: []string{"pid"}, cost: 10,
		open: func(q *query, by string, _ bool, value string) (scan, error) {
			want, ok := wanted(by, value)
			if !ok {
				return &listScan{}, nil
			}
			rows, err := host.Processes(q.ctx, want, e.files(q, "processes"))
			return &listScan{rows: rows}, err
		},
	}
}

// usersTable lists accounts; one that is asked for by its number may be of a directory.
func (e *Engine) usersTable() *table {
	return &table{
		name: "users", columns: columnsOf(host.MacUserColumns), index: []string{"uid"}, cost: 10,
		open: func(q *query, by string, _ bool, value string) (scan, error) {
			uid, ok := wanted(by, value)
			if !ok {
				return &listScan{}, nil
			}
			if uid >= 0 {
				if a, known := host.Known(uid); known {
					return &listScan{rows: [][]any{host.MacUserRow(a)}}, nil
				}
				return &listScan{}, nil
			}
			files := e.files(q, "users")
			var out [][]any
			for _, a := range host.Accounts(files) {
				out = append(out, host.MacUserRow(a))
			}
			return &listScan{rows: out}, files.err
		},
	}
}

func (e *Engine) launchdTable() *table {
	return &table{name: "launchd", columns: columnsOf(host.LaunchdColumns), open: e.rowsOf("launchd", func(_ *query, f *hostFiles) ([][]any, error) {
		var homes []string
		for _, a := range host.Accounts(f) {
			if a.Home != "" && a.Home != "/" && a.Home != "/var/empty" && !slices.Contains(homes, a.Home) {
				homes = append(homes, a.Home)
			}
		}
		for _, name := range f.Names("/Users") { // also where the accounts can not be read
			if home := "/Users/" + name; !slices.Contains(homes, home) {
				homes = append(homes, home)
			}
		}
		return host.Launchd(f, homes), nil
	})}
}

// userNames gives the name behind the id of an account, the id itself where nobody knows it.
func userNames(f *hostFiles) func(uuid string) string {
	names := map[string]string{}
	for _, a := range host.Accounts(f) {
		names[a.UUID] = a.Name
	}
	return func(uuid string) string {
		if name := names[uuid]; name != "" {
			return name
		}
		return uuid
	}
}
