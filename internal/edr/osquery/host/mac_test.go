package host_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"howett.net/plist"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// mac is a Mac made of texts.
type mac struct {
	files map[string][]byte
	notes []string
}

func (m *mac) Read(path string, limit int64) []byte {
	if data := m.files[path]; int64(len(data)) <= limit {
		return data
	}
	m.Note(path, "too long")
	return nil
}

func (m *mac) Names(dir string) []string {
	var out []string
	for f := range m.files {
		if rest, ok := strings.CutPrefix(f, dir+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (m *mac) Note(path, reason string) { m.notes = append(m.notes, path+": "+reason) }

func bplist(t testing.TB, v any) []byte {
	t.Helper()
	data, err := plist.Marshal(v, plist.BinaryFormat)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func xmlPlist(body string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "x"><plist version="1.0">` + body + `</plist>`)
}

// cells gives some columns of each row.
func cells(rows [][]any, columns ...int) []string {
	var out []string
	for _, r := range rows {
		var c []string
		for _, i := range columns {
			c = append(c, fmt.Sprint(r[i]))
		}
		out = append(out, strings.Join(c, "|"))
	}
	return out
}

func TestLaunchd(t *testing.T) {
	t.Parallel()
	job := map[string]any{
		"Label": "com.evil", "ProgramArguments": []string{"/bin/sh", "-c", "x y"}, "RunAtLoad": true, "KeepAlive": map[string]any{"SuccessfulExit": false},
		"StartInterval": 300, "UserName": "eve", "Disabled": false,
	}
	m := &mac{files: map[string][]byte{
		"/Library/LaunchDaemons/a.plist":             bplist(t, job),
		"/Library/LaunchDaemons/.hidden.plist":       xmlPlist(`<dict><key>Label</key><string>h</string><key>Program</key><string>/tmp/é</string></dict>`),
		"/Library/LaunchDaemons/readme.txt":          []byte("no list"),
		"/Users/eve/Library/LaunchAgents/bad.plist":  []byte("bplist00 and nothing more"),
		"/Users/eve/Library/LaunchAgents/text.plist": xmlPlist(`<string>x</string>`),
	}}
	rows := host.Launchd(m, []string{"/Users/eve"})
	want := []string{ // path, label, program, run at load, keep alive, disabled, user, interval, arguments
		"/Library/LaunchDaemons/.hidden.plist|h|/tmp/é||||||", "/Library/LaunchDaemons/a.plist|com.evil||1||0|eve|300|/bin/sh -c x y",
	}
	if diff := cmp.Diff(want, cells(rows, 0, 2, 3, 4, 5, 7, 8, 12, 13)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(m.notes) != 2 || !strings.Contains(m.notes[0], "bad.plist") || !strings.Contains(m.notes[1], "text.plist") {
		t.Errorf("notes: %v", m.notes)
	}
	if n := len(strings.Fields(host.LaunchdColumns)); n != len(rows[0]) {
		t.Errorf("%d cells for %d columns", len(rows[0]), n)
	}
}

// archive makes a file of login items as macOS does: objects that refer to each other by number.
func archive(t testing.TB) []byte {
	t.Helper()
	uid := func(n int) plist.UID { return plist.UID(n) }
	return bplist(t, map[string]any{
		"$archiver": "NSKeyedArchiver", "$version": 100000, "$top": map[string]any{"store": uid(1)},
		"$objects": []any{
			"$null", map[string]any{"itemsByUserIdentifier": uid(2)},
			map[string]any{"NS.keys": []plist.UID{uid(3)}, "NS.objects": []plist.UID{uid(4)}}, "UUID-1",
			map[string]any{"NS.objects": []plist.UID{uid(5), uid(8), uid(99)}},
			map[string]any{"name": uid(6), "url": uid(7), "type": 4, "disposition": 3, "programArguments": uid(10)}, "Evil",
			map[string]any{"NS.base": uid(0), "NS.relative": uid(9)}, map[string]any{"name": uid(6), "type": 0x20, "disposition": 1}, "file:///Applications/Evil%20One.app/",
			map[string]any{"NS.objects": []plist.UID{uid(11), uid(11)}}, "-a",
		},
	})
}

func TestMacStartupItems(t *testing.T) {
	t.Parallel()
	const dir = "/private/var/db/com.apple.backgroundtaskmanagement/"
	m := &mac{files: map[string][]byte{dir + "old.btm": []byte("x"), dir + "new.btm": archive(t), "/Library/StartupItems/Old/script": []byte("x")}}
	rows := host.MacStartupItems(m, func([]string) string { return dir + "new.btm" }, func(id string) string { return "user of " + id })
	want := []string{
		"/Library/StartupItems/Old|/Library/StartupItems/Old||Startup Item|/Library/StartupItems/|enabled|",
		"Evil|/Applications/Evil One.app/|-a -a|login item|Background Task Management|enabled, allowed|user of UUID-1",
	}
	got := cells(rows, 0, 1, 2, 3, 4, 5, 6)
	if diff := cmp.Diff(want, got); diff != "" || len(m.notes) != 0 {
		t.Errorf("%v (-want +got):\n%s", m.notes, diff)
	}
	m.files[dir+"new.btm"] = bplist(t, map[string]any{"$top": map[string]any{}, "$objects": []any{}})
	host.MacStartupItems(m, func([]string) string { return dir + "new.btm" }, strings.ToLower)
	if len(m.notes) != 1 || !strings.Contains(m.notes[0], "no login items") {
		t.Errorf("an empty archive is not told: %v", m.notes)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	m := &mac{files: map[string][]byte{
		"/etc/passwd": []byte("# x\nroot:*:0:0:System Administrator:/var/root:/bin/sh\nbad\nnobody:*:-2:-2:Nobody:/var/empty:/usr/bin/false\n"),
	}}
	want := []host.Account{
		{Name: "root", Full: "System Administrator", Home: "/var/root", Shell: "/bin/sh"},
		{Name: "nobody", Full: "Nobody", Home: "/var/empty", Shell: "/usr/bin/false", UID: -2, GID: -2},
	}
	if diff := cmp.Diff(want, host.Accounts(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{int64(4294967294), int64(4294967294), int64(-2), int64(-2)}, host.MacUserRow(want[1])[:4]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m.files["/private/var/db/dslocal/nodes/Default/users/eve.plist"] = bplist(t, map[string][]string{
		"name": {"eve", "alias"}, "uid": {"501"}, "gid": {"20"}, "realname": {"Eve"}, "home": {"/Users/eve"}, "shell": {"/bin/zsh"}, "generateduid": {"U"}, "IsHidden": {"YES"},
	})
	want = []host.Account{{Name: "eve", Full: "Eve", Home: "/Users/eve", Shell: "/bin/zsh", UUID: "U", UID: 501, GID: 20, Hidden: true}}
	if diff := cmp.Diff(want, host.Accounts(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMacVersion(t *testing.T) {
	t.Parallel()
	m := &mac{files: map[string][]byte{
		"/System/Library/CoreServices/SystemVersion.plist": xmlPlist(`<dict><key>ProductName</key><string>macOS</string><key>ProductVersion</key><string>15.4.1</string>` +
			`<key>ProductBuildVersion</key><string>24E263</string></dict>`),
		"/Library/Preferences/SystemConfiguration/preferences.plist": bplist(t, map[string]any{"System": map[string]any{
			"System": map[string]any{"ComputerName": "Eve's Mac"}, "Network": map[string]any{"HostNames": map[string]any{"LocalHostName": "Eves-Mac"}},
		}}),
	}}
	name, version, n, build, extra := host.MacVersion(m)
	if got := fmt.Sprint(name, version, n, build, extra); got != "macOS15.4.1[15 4 1]24E263" {
		t.Error(got)
	}
	if computer, local := host.MacNames(m); computer != "Eve's Mac" || local != "Eves-Mac" {
		t.Errorf("%q, %q", computer, local)
	}
}

// A binary list in which everything refers to the same few objects says more than any memory holds.
func TestPlistBombs(t *testing.T) {
	t.Parallel()
	bomb := []byte("bplist00")
	var offsets []byte
	add := func(object ...byte) {
		offsets = append(offsets, byte(len(bomb)>>8), byte(len(bomb)))
		bomb = append(bomb, object...)
	}
	const levels = 60
	add(0xd1, 1, 2) // {1: 2}
	add(append([]byte{0x5f, 0x10, 16}, "ProgramArguments"...)...)
	for i := range levels { // each an array of the next one, twice
		add(0xa2, byte(i+3), byte(i+3))
	}
	add(0x51, 'x')
	table := len(bomb)
	bomb = append(bomb, offsets...)
	bomb = append(bomb, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, byte(len(offsets)/2), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(table>>8), byte(table))
	itself := slices.Clone(bomb)
	itself[len("bplist00")+2] = 0 // the value is the dictionary itself
	m := &mac{files: map[string][]byte{
		"/Library/LaunchDaemons/a.plist": bomb, "/Library/LaunchDaemons/b.plist": itself, "/Library/LaunchDaemons/c.plist": xmlPlist(strings.Repeat("<array>", 250_000)),
	}}
	if rows := host.Launchd(m, nil); len(rows) != 0 || len(m.notes) != 3 {
		t.Errorf("%v\n%v", rows, m.notes)
	}
	for i, words := range []string{"written out", "nested", "no property list"} {
		if i < len(m.notes) && !strings.Contains(m.notes[i], words) {
			t.Errorf("%s does not say %q", m.notes[i], words)
		}
	}
}
