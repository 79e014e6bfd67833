// Package socket asks the osqueryd of this machine through its extension
// socket. It uses nothing but the public API of osquery-go.
package socket

import (
	"os"
	"runtime"
)

// Find gives the path of osqueryd's socket: explicit when that is not empty,
// else the platform's default. ok says that a socket is there and can be seen;
// path is what was looked for in any case, and empty where there is no default.
// It does not connect.
//
// On Windows only an explicit pipe is looked for: without one the answer is no.
func Find(explicit string) (path string, ok bool) {
	path = explicit
	if path == "" {
		path = defaultPath(runtime.GOOS)
	}
	if path == "" {
		return "", false
	}
	info, err := os.Stat(path)
	if err != nil {
		return path, false
	}
	// A named pipe of Windows is not told apart from a file by its mode.
	return path, runtime.GOOS == "windows" || info.Mode().Type() == os.ModeSocket
}

// defaultPath is osqueryd's --extensions_socket where it is not set.
func defaultPath(goos string) string {
	switch goos {
	case "linux", "darwin":
		return "/var/osquery/osquery.em"
	case "freebsd":
		return "/var/run/osquery.em"
	default:
		return ""
	}
}
