//go:build sqlite_vtable

package embedded

import (
	"strings"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// Columns that only some platforms have, as osquery has them.
const (
	namespaces = ``
	fileMore   = `attributes:T volume_serial:T file_id:T file_version:T product_version:T original_filename:T shortcut_target_path:T
		shortcut_target_type:T shortcut_target_location:T shortcut_start_in:T shortcut_run:T shortcut_comment:T`
	timeMore = `win_timestamp:B`
)

// seps are the characters that part the names of a path.
const seps = `\/`

// caseOf gives a name as it is compared with others.
func caseOf(name string) string { return strings.ToLower(name) }

// birth is when the file was made.
func birth(st Stat) int64 { return st.BTime.Unix() }

// permissions are lists there, which osquery has a table of its own for.
func permissions(Stat) string { return "-1" }

// fileCell gives a cell of fileMore.
func fileCell(path string, st Stat, i int) any {
	switch i {
	case 0:
		return host.Letters(st.Attributes)
	case 1:
		return host.VolumeSerial(uint32(st.Device)) //nolint:gosec // it came from 32 bits
	case 2:
		return host.FileID(st.Inode)
	case 3, 4, 5:
		file, product, original := host.Versions(path)
		return []string{file, product, original}[i-3]
	default:
		return shortcutCell(path, i-6)
	}
}

// shortcutCell gives a cell of a shortcut; "" for any other file. The type of its target is the shell's to tell.
func shortcutCell(path string, i int) any {
	if !strings.EqualFold(path[max(0, len(path)-4):], ".lnk") {
		return ""
	}
	data, err := slurp(realFS{}, path)
	if err != nil || len(data) > host.MaxShortcut {
		return ""
	}
	s, ok := host.ParseShortcut([]byte(data))
	if !ok {
		return ""
	}
	folder := parent(s.Target)
	return []string{s.Target, "", folder[strings.LastIndexAny(folder, seps)+1:], s.Folder, s.Run, s.Comment}[i]
}

// timeCells give the time as Windows counts: in units of 100 ns since 1601.
func timeCells(now time.Time) []any {
	return []any{host.Ticks(now)}
}

// platform is what the engine holds for this platform alone.
type platform struct {
	owners   sync.Map // number of an owner -> id
	accounts struct { // as the query q found them
		q    *query
		rows [][]any
	}
}

// met takes note of whose id stands behind a number, for the table users.
func (p *platform) met(uid int64, id string) {
	if id != "" && uid >= 0 {
		p.owners.Store(uid, id)
	}
}

// fetched reports a folder or file whose content is elsewhere.
func fetched(st Stat) bool { return host.File{Attributes: st.Attributes}.Elsewhere() }

func sqlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// elsewhere reports, and notes, that a path that is looked at leads to another machine, and that the query names no folder there:
// what this machine holds may name any server, and would make hunter log on to it.
func (e *Engine) elsewhere(q *query, op, path string) bool {
	volume := host.Volume(path)
	if volume == "" || !host.Foreign(volume) {
		return false
	}
	text, folder := strings.ToLower(q.text.text), "directory = "+strings.ToLower(sqlText(volume))
	if strings.Contains(text, folder) || strings.Contains(text, strings.TrimSuffix(folder, "'")+`\`) {
		return false
	}
	q.note(op, path, 0, "is another machine's: left out")
	return true
}
