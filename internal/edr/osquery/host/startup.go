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

// runKeys are the keys under which programs that start at login stand, below a root of the registry.
func runKeys() []string {
	return []string{
		`SOFTWARE\Microsoft\Windows\CurrentVersion`, `SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion`,
		`SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\Explorer`,
	}
}

const approvedKey = `SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved`

// startupFolder is where a profile has what starts at login.
const startupFolder = `\Microsoft\Windows\Start Menu\Programs\Startup`
