package host

import (
	"regexp"
	"strings"
)

// disabled is a value under StartupApproved of an item that somebody turned off: 0 and a digit, then a time.
var disabled = regexp.MustCompile(`^0[0-9](0*[1-9A-F])`)

// startupState is osquery's word for a value under StartupApproved, in hexadecimal digits.
func startupState(hex string) string {
	if disabled.MatchString(strings.ToUpper(hex)) {
		return "disabled"
	}
	return "enabled"
}
