package host

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// Environment gives the machine's variables, those of this process where it has no more of its own.
func Environment() func(name string) (string, bool) {
	dir := windowsFolder()
	return func(name string) (string, bool) {
		switch strings.ToLower(name) {
		case "systemroot", "windir":
			return dir, true
		case "systemdrive":
			return filepath.VolumeName(dir), true
		case "userprofile", "appdata", "localappdata", "homepath", "homedrive", "username", "temp", "tmp":
			return "", false // of whoever runs hunter
		}
		return os.LookupEnv(name)
	}
}

// ofUser gives the variables that a user's profile adds.
func ofUser(profile string) func(name string) (string, bool) {
	machine := Environment()
	return func(name string) (string, bool) {
		if profile != "" {
			switch strings.ToLower(name) {
			case "userprofile":
				return profile, true
			case "appdata":
				return profile + `\AppData\Roaming`, true
			case "localappdata":
				return profile + `\AppData\Local`, true
			case "temp", "tmp":
				return profile + `\AppData\Local\Temp`, true
			}
		}
		return machine(name)
	}
}

// StartupItems lists what starts at login: the Run keys of the machine and of the users whose registry is loaded, and the startup
// folders. A shortcut has a row of its own, as in osquery, and one of what it leads to.
func StartupItems(files Files) [][]any {
	s := startup{files: files}
	s.keys(registry.LOCAL_MACHINE, "", "SYSTEM", Environment())
	profiles := Profiles(files)
	users := openKey(files, registry.USERS, "")
	for _, sid := range users.keys() {
		if strings.HasSuffix(strings.ToLower(sid), "_classes") {
			continue
		}
		s.keys(registry.USERS, sid+`\`, accountName(sid), ofUser(profiles[sid]))
	}
	users.close()
	if dir, ok := Environment()("ProgramData"); ok {
		s.folder(dir+startupFolder, "SYSTEM", Environment())
	}
	for _, dir := range folders(profiles) {
		s.folder(dir+`\AppData\Roaming`+startupFolder, filepath.Base(dir), ofUser(dir))
	}
	return s.rows
}

// folders gives the folders of all profiles: those that are registered, and those beside them.
func folders(profiles map[string]string) []string {
	seen := map[string]bool{}
	var out []string
	add := func(dir string) {
		if k := strings.ToLower(dir); dir != "" && !seen[k] {
			seen[k] = true
			out = append(out, dir)
		}
	}
	for _, dir := range profiles {
		add(dir)
	}
	if public, ok := os.LookupEnv("PUBLIC"); ok {
		base := filepath.Dir(public)
		entries, err := os.ReadDir(base)
		for _, e := range entries {
			if err == nil && e.IsDir() {
				add(filepath.Join(base, e.Name()))
			}
		}
	}
	return out
}

type startup struct {
	files Files
	rows  rows
}

// keys adds the values of all keys whose name begins with Run.
func (s *startup) keys(root registry.Key, below, user string, value func(string) (string, bool)) {
	states := s.states(root, below)
	for _, parent := range runKeys() {
		top := openKey(s.files, root, below+parent)
		for _, name := range top.keys() {
			if _, run := cutFold(name, "Run"); !run {
				continue
			}
			k := openKey(s.files, root, below+parent+`\`+name)
			for _, v := range k.values() {
				if v != "" {
					path, args := Program(Expand(k.text(v), value), exists)
					s.add(v, path, args, k.path, states[v], user)
				}
			}
			k.close()
		}
		top.close()
	}
}

// states reads which items are turned off.
func (s *startup) states(root registry.Key, below string) map[string]string {
	out := map[string]string{}
	top := openKey(s.files, root, below+approvedKey)
	defer top.close()
	for _, name := range top.keys() {
		k := openKey(s.files, root, below+approvedKey+`\`+name)
		for _, v := range k.values() {
			out[v] = hex.EncodeToString(k.bytes(v))
		}
		k.close()
	}
	return out
}

func (s *startup) add(name, path, args, source, state, user string) {
	s.rows = append(s.rows, []any{name, path, args, "Startup Item", source, startupState(state), user})
}

// folder adds the files of a startup folder.
func (s *startup) folder(dir, user string, value func(string) (string, bool)) {
	for _, name := range s.files.Names(dir) {
		file := dir + `\` + name
		s.add(name, file, "", dir, "", user)
		if !strings.EqualFold(filepath.Ext(name), ".lnk") {
			continue
		}
		if link, ok := ParseShortcut(s.files.Read(file, MaxShortcut)); ok && link.Target != "" {
			s.add(name, Expand(link.Target, value), link.Arguments, file, "", user)
		}
	}
}

// exists reports whether a path of this machine, not of a network, is there.
func exists(path string) bool {
	if OnShare(path) || Foreign(Volume(path)) {
		return false
	}
	_, err := Look(path, true)
	return err == nil
}

// Foreign reports whether a drive or share is another machine's.
func Foreign(volume string) bool {
	if strings.HasPrefix(volume, `\\`) {
		return true
	}
	root, err := windows.UTF16PtrFromString(volume + `\`)
	return err == nil && volume != "" && windows.GetDriveType(root) == windows.DRIVE_REMOTE
}

// ScheduledTaskColumns are the columns of the table scheduled_tasks.
const ScheduledTaskColumns = `name:T action:T path:T enabled:I state:T hidden:I last_run_time:B next_run_time:B last_run_message:T
	last_run_code:T`

// ScheduledTasks lists the tasks by their files. When they ran last stands in the registry; when they run next and what came of
// them only the scheduler knows.
func ScheduledTasks(files Files) [][]any {
	top := windowsFolder() + `\System32\Tasks`
	return tasks(files, top, "", 0)
}

// maxTaskDepth bounds how deep the folders of tasks are followed.
const maxTaskDepth = 64

func tasks(files Files, top, below string, depth int) rows {
	var out rows
	for _, name := range files.Names(top + below) {
		path := below + `\` + name
		f, err := Look(top+path, false)
		switch {
		case err != nil:
			if !Nowhere(err) {
				files.Note(top+path, err.Error())
			}
		case f.Mode().IsDir() && depth < maxTaskDepth:
			out = append(out, tasks(files, top, path, depth+1)...)
		case f.Mode().IsRegular():
			data := files.Read(top+path, MaxTask)
			if data == nil {
				continue
			}
			t, err := ParseTask(data)
			if err != nil {
				files.Note(top+path, err.Error())
				continue
			}
			state := "ready"
			if !t.Enabled {
				state = "disabled"
			}
			out = append(out, []any{name, t.Action, path, flag(t.Enabled), state, flag(t.Hidden), lastRun(files, path), int64(0), "", ""})
		}
	}
	return out
}

// lastRun reads from the scheduler's cache when a task ran last; 0 for never, or when it is not known.
func lastRun(files Files, path string) int64 {
	const cache = `SOFTWARE\Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\`
	tree := openKey(files, registry.LOCAL_MACHINE, cache+`Tree`+path)
	defer tree.close()
	id := tree.text("Id")
	if id == "" {
		return 0
	}
	k := openKey(files, registry.LOCAL_MACHINE, cache+`Tasks\`+id)
	defer k.close()
	if b := k.bytes("DynamicInfo"); len(b) >= 20 { // a version, when it was made, when it ran last
		if t := (windows.Filetime{LowDateTime: le32(b[12:]), HighDateTime: le32(b[16:])}); t.HighDateTime != 0 {
			return timeOf(t).Unix()
		}
	}
	return 0
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
