//go:build sqlite_vtable && (windows || darwin)

package embedded

import (
	"math"
	"strconv"
	"strings"
)

// wanted gives the number that a column is compared with, -1 for a scan of all rows, and false when no row has such a number. A
// text or a fraction can be the same number to SQLite.
func wanted(by, value string) (n int64, ok bool) {
	if by == "" {
		return -1, true
	}
	value = strings.Trim(value, " \t\n\v\f\r")
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || f != math.Trunc(f) || f < 0 || f > math.MaxUint32 || strings.Trim(value, "0123456789.eE+-") != "" {
			return 0, false
		}
		n = int64(f)
	}
	return n, n >= 0
}
