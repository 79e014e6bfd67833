package agent

import (
	"os"
	"path/filepath"
	"strings"
)

func power() Power { return powerAt("/sys/class/power_supply") }

// powerAt reads the power supplies of the kernel (Documentation/ABI/testing/sysfs-class-power). Batteries of devices, such as
// a mouse, are not the machine's.
func powerAt(dir string) Power {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return Mains // a kernel without power supplies, as in most virtual machines
	}
	if err != nil {
		return PowerUnknown
	}
	read := func(name, file string) string {
		text, err := os.ReadFile(filepath.Join(dir, name, file))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(text))
	}
	drained := false
	for _, e := range entries {
		kind := read(e.Name(), "type")
		if read(e.Name(), "scope") == "Device" {
			continue
		}
		if kind == "Battery" {
			drained = drained || read(e.Name(), "status") == "Discharging"
		} else if read(e.Name(), "online") == "1" {
			return Mains
		}
	}
	if drained {
		return Battery
	}
	return Mains
}
