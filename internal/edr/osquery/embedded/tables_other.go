//go:build sqlite_vtable && !linux

package embedded

import (
	"runtime"
)

// platformTables lists the tables beside file and hash; what is not here answers "no such table", which the ledger
// counts as unsupported, never as absent.
func (e *Engine) platformTables() []*table {
	return []*table{
		{name: "os_version", columns: columnsOf(osVersionColumns), open: list(func(*query) ([][]any, error) {
			return [][]any{{runtime.GOOS, "", 0, 0, 0, "", runtime.GOOS, runtime.GOOS, "", runtime.GOARCH, 0, ""}}, nil
		})},
		{name: "system_info", columns: columnsOf(systemInfoColumns), open: list(func(*query) ([][]any, error) {
			return [][]any{systemInfo(machineID(e.opt.FS), runtime.GOARCH, "", "", runtime.NumCPU(), 1, 0, func(string) string { return "" })}, nil
		})},
	}
}
