//go:build sqlite_vtable

package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// maxText is how much of a text file is read: the mounts of a machine with many containers are some MiB.
const maxText = 16 << 20

var errTooLong = fmt.Errorf("longer than %d MiB", maxText>>20)

// slurp reads a small text file whole. What is longer comes cut, with an error.
func slurp(fsys FS, path string) (string, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if len(data) > maxText {
		data, err = data[:maxText], errTooLong
	}
	return string(data), errors.Join(err, f.Close())
}

// MachineID gives a stable id of this machine in the form of a UUID: a digest of the system's own machine id, which
// systemd asks not to publish as it is (machine-id(5)), of that of Windows or of a Mac's hardware, or of the host name where
// there is none.
func MachineID() string { return machineID(realFS{}) }

func machineID(fsys FS) string {
	seed := ""
	for _, p := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if text, err := slurp(fsys, p); err == nil && strings.TrimSpace(text) != "" {
			seed = strings.TrimSpace(text)
			break
		}
	}
	if seed == "" {
		seed = host.MachineSeed()
	}
	if seed == "" {
		seed = "host:" + hostname()
	}
	sum := sha256.Sum256([]byte("hunter endpoint\n" + seed))
	sum[6] = sum[6]&0x0f | 0x80 // version 8: free form (RFC 9562)
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
