package host_test

import (
	"encoding/binary"
	"testing"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

func FuzzWindowsPath(f *testing.F) {
	for _, s := range []string{`C:\x`, `\\?\UNC\a\b\c`, `//srv/share/..`, `\??\c:/x`, `C:\a:b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		checkLong(t, path)
		host.Volume(path)
		host.Program(host.Image(path, `C:\Windows`, environment), func(p string) bool { return len(p)%3 == 0 })
	})
}

func FuzzTask(f *testing.F) {
	f.Add([]byte(task))
	f.Add(utf16File(task, binary.LittleEndian))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = host.ParseTask(data) })
}

func FuzzMachineBytes(f *testing.F) {
	f.Add(shortcut(`C:\x.exe`, `C:\`, "-a"))
	f.Add(smbios(1, make([]byte, 24), "a", "b"))
	f.Add([]byte("\x02\x00\x00\x00/x\x00\x00x\x00-a\x00"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		host.ParseShortcut(data)
		host.ParseSMBIOS(data)
		host.ParseArguments(data)
	})
}

func FuzzPlist(f *testing.F) {
	f.Add(archive(f))
	f.Add(bplist(f, map[string]any{"Label": "x", "ProgramArguments": []string{"a"}, "KeepAlive": true, "StartInterval": 1.5}))
	f.Add(xmlPlist(`<dict><key>Label</key><array><integer>1</integer></array></dict>`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		m := &mac{files: map[string][]byte{
			"/Library/LaunchDaemons/a.plist": data, "/private/var/db/com.apple.backgroundtaskmanagement/a.btm": data,
			"/private/var/db/dslocal/nodes/Default/users/a.plist": data, "/System/Library/CoreServices/SystemVersion.plist": data,
		}}
		host.Launchd(m, nil)
		host.MacStartupItems(m, func(p []string) string { return p[0] }, func(id string) string { return id })
		host.Accounts(m)
		host.MacVersion(m)
	})
}
