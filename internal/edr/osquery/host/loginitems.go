package host

import (
	"fmt"
	"slices"
	"strings"

	"howett.net/plist"
)

// StartupColumns are the columns of the table startup_items.
const StartupColumns = `name:T path:T args:T type:T source:T status:T username:T`

// btmFolder is where macOS 13 and later keep what starts at login, in files that are archives of their objects.
const btmFolder = "/private/var/db/com.apple.backgroundtaskmanagement"

// Kinds and states of login items, bit by bit. Developers, Spotlight and Quick Look plug-ins start nothing.
const (
	btmDeveloper = 0x20
	btmSpotlight = 0x40
	btmQuickLook = 0x800
)

// bitNames names the bits of a number that are set, from the lowest; "unknown" when there are none.
func bitNames(n int64, names map[int64]string) string {
	var set []int64
	for b := range names {
		if n&b != 0 {
			set = append(set, b)
		}
	}
	if len(set) == 0 {
		return "unknown"
	}
	slices.Sort(set)
	out := make([]string, len(set))
	for i, b := range set {
		out[i] = names[b]
	}
	return strings.Join(out, ", ")
}

func btmTypes() map[int64]string {
	return map[int64]string{
		1: "user item", 2: "app", 4: "login item", 8: "agent", 0x10: "daemon", 0x20: "developer", 0x40: "spotlight", 0x800: "quicklook",
		0x10000: "legacy", 0x80000: "curated",
	}
}

func btmStates() map[int64]string {
	return map[int64]string{1: "enabled", 2: "allowed", 4: "hidden", 8: "notified"}
}

// MacStartupItems lists the startup items of a Mac: the folders of old, and login items. owner names a user by the id that the
// archive has.
func MacStartupItems(files Files, newest func(paths []string) string, owner func(uuid string) string) [][]any {
	var out rows
	for _, dir := range []string{"/System/Library/StartupItems/", "/Library/StartupItems/"} {
		for _, name := range files.Names(strings.TrimSuffix(dir, "/")) {
			out = append(out, []any{dir + name, dir + name, "", "Startup Item", dir, "enabled", ""})
		}
	}
	var archives []string
	for _, name := range files.Names(btmFolder) {
		if strings.HasSuffix(name, ".btm") {
			archives = append(archives, btmFolder+"/"+name)
		}
	}
	if len(archives) == 0 {
		return out
	}
	file := newest(archives)
	data := files.Read(file, MaxPlist)
	if data == nil {
		return out
	}
	items, err := loginItems(data, owner)
	if err != nil {
		files.Note(file, err.Error())
	}
	return append(out, items...)
}

// archived is an object of an archive (NSKeyedArchiver), with the keys that login items have. References are numbers of
// objects.
type archived struct {
	Items     plist.UID   `plist:"itemsByUserIdentifier"`
	Keys      []plist.UID `plist:"NS.keys"`
	Objects   []plist.UID `plist:"NS.objects"`
	Name      plist.UID   `plist:"name"`
	URL       plist.UID   `plist:"url"`
	Base      plist.UID   `plist:"NS.base"`
	Relative  plist.UID   `plist:"NS.relative"`
	Program   plist.UID   `plist:"executablePath"`
	Arguments plist.UID   `plist:"programArguments"`
	Type      scalar      `plist:"type"`
	State     scalar      `plist:"disposition"`
	text      string
}

// UnmarshalPlist takes a dictionary, or a text; other objects say nothing.
func (a *archived) UnmarshalPlist(unmarshal func(any) error) error {
	type plain archived
	var p plain
	if unmarshal(&p) == nil {
		*a = archived(p)
		return nil
	}
	var s scalar
	if unmarshal(&s) == nil {
		a.text = string(s)
	}
	return nil
}

// archive are the objects of a file.
type archive []archived

// at gives an object by its number; the zero object where there is none. 0 stands for nil.
func (a archive) at(id plist.UID) archived {
	if id == 0 || uint64(id) >= uint64(len(a)) {
		return archived{}
	}
	return a[id]
}

// loginItems reads an archive of login items. Damaged references lead nowhere; an object can be referred to over and over, so
// what the items say is bounded.
func loginItems(data []byte, owner func(uuid string) string) (rows, error) {
	var file struct {
		Top struct {
			Store plist.UID `plist:"store"`
		} `plist:"$top"`
		Objects archive `plist:"$objects"`
	}
	if err := parsePlist(data, &file); err != nil {
		return nil, err
	}
	a := file.Objects
	users := a.at(a.at(file.Top.Store).Items)
	if len(users.Keys) == 0 || len(users.Keys) != len(users.Objects) {
		return nil, fmt.Errorf("holds no login items that can be read: %d users, %d lists", len(users.Keys), len(users.Objects))
	}
	var out rows
	left := plistFull
	for i, key := range users.Keys {
		user := owner(a.at(key).text)
		for _, id := range a.at(users.Objects[i]).Objects {
			row := a.item(a.at(id), user, &left)
			if left < 0 {
				return out, errPlistFull
			}
			if row != nil {
				out = append(out, row)
			}
		}
	}
	return out, nil
}

// item makes a row of a login item; nil for one that starts nothing, and for a reference that leads nowhere. What it says is taken
// off what is left.
func (a archive) item(item archived, user string, left *int) []any {
	*left -= 100
	var kind, state int64
	_, _ = fmt.Sscan(string(item.Type), &kind)   // no number: unknown
	_, _ = fmt.Sscan(string(item.State), &state) // no number: unknown
	if kind&(btmDeveloper|btmSpotlight|btmQuickLook) != 0 {
		return nil
	}
	var args []string
	for _, id := range a.at(item.Arguments).Objects {
		arg := a.at(id).text
		if *left -= 1 + len(arg); *left < 0 {
			return nil
		}
		args = append(args, arg)
	}
	file := filePath(a.at(a.at(item.URL).Relative).text)
	if file == "" {
		file = a.at(item.Program).text
	}
	if item.Name == 0 && file == "" {
		return nil
	}
	return []any{
		a.at(item.Name).text, file, strings.Join(args, " "), bitNames(kind, btmTypes()), "Background Task Management", bitNames(state, btmStates()), user,
	}
}
