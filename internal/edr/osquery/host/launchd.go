package host

import (
	"path"
	"strings"
)

// LaunchdColumns are the columns of the table launchd.
const LaunchdColumns = `path:T name:T label:T program:T run_at_load:T keep_alive:T on_demand:T disabled:T username:T groupname:T
	stdout_path:T stderr_path:T start_interval:T program_arguments:T watch_paths:T queue_directories:T inetd_compatibility:T
	start_on_mount:T root_directory:T working_directory:T process_type:T`

// launchdJob is a job of launchd (launchd.plist(5)), as far as the table has columns for it.
type launchdJob struct {
	Label              scalar `plist:"Label"`
	Program            scalar `plist:"Program"`
	RunAtLoad          scalar `plist:"RunAtLoad"`
	KeepAlive          scalar `plist:"KeepAlive"`
	OnDemand           scalar `plist:"OnDemand"`
	Disabled           scalar `plist:"Disabled"`
	UserName           scalar `plist:"UserName"`
	GroupName          scalar `plist:"GroupName"`
	StandardOutPath    scalar `plist:"StandardOutPath"`
	StandardErrorPath  scalar `plist:"StandardErrorPath"`
	StartInterval      scalar `plist:"StartInterval"`
	ProgramArguments   words  `plist:"ProgramArguments"`
	WatchPaths         words  `plist:"WatchPaths"`
	QueueDirectories   words  `plist:"QueueDirectories"`
	InetdCompatibility scalar `plist:"inetdCompatibility"`
	StartOnMount       scalar `plist:"StartOnMount"`
	RootDirectory      scalar `plist:"RootDirectory"`
	WorkingDirectory   scalar `plist:"WorkingDirectory"`
	ProcessType        scalar `plist:"ProcessType"`
}

// launchdFolders are where launchd finds the jobs of the machine.
func launchdFolders() []string {
	return []string{
		"/System/Library/LaunchDaemons", "/Library/LaunchDaemons", "/System/Library/LaunchAgents", "/Library/LaunchAgents",
		"/Library/Apple/System/Library/LaunchDaemons", "/Library/Apple/System/Library/LaunchAgents",
	}
}

// Launchd lists the jobs of launchd: those of the machine, and those in the home folders. Files whose name begins with a dot are
// read too; osquery misses them.
func Launchd(files Files, homes []string) [][]any {
	var out rows
	folders := launchdFolders()
	for _, h := range homes {
		folders = append(folders, strings.TrimSuffix(h, "/")+"/Library/LaunchAgents")
	}
	for _, dir := range folders {
		for _, name := range files.Names(dir) {
			file := dir + "/" + name
			data := files.Read(file, MaxPlist)
			if data == nil {
				continue
			}
			row, err := launchdRow(file, data)
			if err != nil {
				if strings.HasSuffix(name, ".plist") {
					files.Note(file, err.Error())
				}
				continue
			}
			out = append(out, row)
		}
	}
	return out
}

func launchdRow(file string, data []byte) ([]any, error) {
	var j launchdJob
	if err := parsePlist(data, &j); err != nil {
		return nil, err
	}
	return []any{
		file, path.Base(file), string(j.Label), string(j.Program), string(j.RunAtLoad), string(j.KeepAlive), string(j.OnDemand), string(j.Disabled),
		string(j.UserName), string(j.GroupName), string(j.StandardOutPath), string(j.StandardErrorPath), string(j.StartInterval), j.ProgramArguments.join(),
		j.WatchPaths.join(), j.QueueDirectories.join(), string(j.InetdCompatibility), string(j.StartOnMount), string(j.RootDirectory), string(j.WorkingDirectory),
		string(j.ProcessType),
	}, nil
}
