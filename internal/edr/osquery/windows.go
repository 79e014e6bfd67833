package osquery

import "github.com/hunter-project/hunter/internal/ledger"

// On Windows the embedded engine tells more than osqueryd: which files are folders, which ones have their content elsewhere and
// would be fetched by reading them, and where other volumes are mounted. None of these is walked or read, and each is told.

// ownWindows says whether hunter's own engine is asked, on Windows.
func (w words) ownWindows() bool { return w.q.Platform == "windows" && !w.osqueryd() }

// What takes the place of a file's type and of the test for links: content elsewhere, which its attributes tell (offline, or
// recalled when it is read), and the place where another volume is mounted.
const (
	ownWindowsTypes = "CASE WHEN f.symlink = 1 THEN 'volume' WHEN f.attributes LIKE '%M%' OR f.attributes LIKE '%O%' THEN 'elsewhere' ELSE f.type END"
	ownWindowsLinks = "(f.symlink = 0 OR f.symlink_target_path LIKE 'Volume{%')"
)

// sort is 1 for a folder and 0 for a file; what is left out there is 2.
func (w words) sort() string {
	if w.ownWindows() {
		return "CASE WHEN type = 'directory' THEN 1 WHEN type IN ('elsewhere','volume') THEN 2 ELSE 0 END"
	}
	return flag(w.dir(""))
}

// ownWindowsLeftOut names and counts what is left out, network drives too.
func (w words) ownWindowsLeftOut(root string) string {
	from := "(SELECT path, 'content elsewhere' AS why FROM g WHERE sort = 2"
	if w.q.Root == DriveRoots {
		from += ` UNION ALL SELECT device_id || '\', 'network drive' FROM logical_drives WHERE description = 'Network Connection'`
	}
	from += ")"
	return statement(
		capped(ledger.ListMax, "SELECT 'leftout', why, path, 0, '', '', '', 0, '', 0, '', '' FROM "+from),
		count("leftout", root, "0", "count(*)", from))
}

// drives is the table of drives, without those of other machines where it tells them.
func (w words) drives() string {
	if w.ownWindows() {
		return "(SELECT * FROM logical_drives WHERE description <> 'Network Connection')"
	}
	return "logical_drives"
}
