// Package host gathers what osquery's tables tell of a Windows machine or a Mac: rows without SQLite, so that most of it
// builds and is tested anywhere. The columns of each table stand beside its rows.
//
// Parsers of what a machine holds (paths, command lines, task files, property lists, firmware tables) have no platform; they
// take hostile bytes, and are bounded by the size of what they are given.
package host

// Files is how a table reads the machine's files. What is there and can not be read it notes itself.
type Files interface {
	// Read gives a file, nil when it is not there or can not be read. What is longer than limit bytes is noted and not given.
	Read(path string, limit int64) []byte
	// Names lists a folder, sorted; nil when there is none.
	Names(dir string) []string
	// Note tells of something that is there and can not be looked at.
	Note(path, reason string)
}

// rows are the rows of one table, a cell (string, int or int64) for each column.
type rows = [][]any

// number makes a cell of a number that may not be known: osquery writes -1 for that.
func number[N int | int32 | int64 | uint32 | uint64](n N, known bool) int64 {
	if !known {
		return -1
	}
	return int64(n) //nolint:gosec // SQLite has signed numbers alone
}

// flag makes a cell of a truth.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
