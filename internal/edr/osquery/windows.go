package osquery

import "github.com/hunter-project/hunter/internal/ledger"

// On Windows the embedded engine tells more than osqueryd: which files are folders, which ones have their content elsewhere and
// would be fetched by reading them, and where other volumes are mounted. None of these is walked or read, and each is told.

// ownWindows says whether hunter's own engine is asked, on Windows.
func (w words) ownWindows() bool { return w.q.Platform == "windows" && !w.osqueryd() }

// fetched tests a file for attributes that say that its content is elsewhere: offline, or recalled when it is read.
const fetched = "(f.attributes LIKE '%M%' OR f.attributes LIKE '%O%')"

func (w words) ownWindowsFiles() string { return "f.type = 'regular' AND NOT " + fetched }

// ownWindowsSorts gives the sorts beside files and folders: 2 content elsewhere, 3 another volume.
func (w words) ownWindowsSorts() string {
	return "WHEN f.symlink = 1 THEN 3 WHEN " + fetched + " THEN 2 "
}

// ownWindowsLeftOut names and counts what is left out, network drives too.
func (w words) ownWindowsLeftOut(root string) string {
	from := "(SELECT path, CASE sort WHEN 2 THEN 'content elsewhere' ELSE 'another volume' END AS why FROM g WHERE sort > 1"
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
