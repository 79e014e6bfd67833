package host_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

func environment(name string) (string, bool) {
	switch strings.ToLower(name) {
	case "systemroot", "windir":
		return `C:\Windows`, true
	case "programfiles":
		return `C:\Program Files`, true
	}
	return "", false
}

func TestExpand(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`%SystemRoot%\x`: `C:\Windows\x`, `%WINDIR%%windir%`: `C:\WindowsC:\Windows`, `%nope%\x`: `%nope%\x`, `100%`: `100%`, `%%`: `%%`, `%`: `%`, ``: ``,
		`%a%windir%`: `%aC:\Windows`, `50% %windir%`: `50% C:\Windows`,
	} {
		if got := host.Expand(in, environment); got != want {
			t.Errorf("Expand(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestImage(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`\SystemRoot\System32\drivers\x.sys`: `C:\Windows\System32\drivers\x.sys`, `\systemroot\x`: `C:\Windows\x`, `system32\DRIVERS\x.sys`: `C:\Windows\system32\DRIVERS\x.sys`,
		`\??\C:\x.sys`: `C:\x.sys`, `%windir%\x.sys`: `C:\Windows\x.sys`, `C:\x.sys`: `C:\x.sys`, ``: ``, `\SystemRootX\y`: `\SystemRootX\y`,
	} {
		if got := host.Image(in, `C:\Windows`, environment); got != want {
			t.Errorf("Image(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestProgram(t *testing.T) {
	t.Parallel()
	there := []string{`C:\Program Files\x y\z.exe`, `C:\a.exe`, `C:\odd name`, `C:\d e`, `C:\d e f.exe`}
	exists := func(p string) bool { return slices.Contains(there, p) }
	for in, want := range map[string][2]string{
		`"C:\Program Files\x y\z.exe" -a "b c"`: {`C:\Program Files\x y\z.exe`, `-a b c`},
		`C:\Program Files\x y\z.exe -a b`:       {`C:\Program Files\x y\z.exe`, `-a b`},
		`C:\Program Files\x y\z.exe`:            {`C:\Program Files\x y\z.exe`, ``},
		`C:\a.exe /k`:                           {`C:\a.exe`, `/k`},
		`C:\odd name`:                           {`C:\odd name`, ``},
		`C:\d e f.exe /x`:                       {`C:\d e f.exe`, `/x`}, // the longest, as osquery
		`"C:\gone.exe" /k`:                      {`C:\gone.exe`, `/k`},
		`C:\not here at all`:                    {`C:\not here at all`, ``},
		`gone.exe`:                              {`gone.exe`, ``},
		`  `:                                    {``, ``},
		`"`:                                     {``, ``},
	} {
		path, args := host.Program(in, exists)
		if diff := cmp.Diff(want, [2]string{path, args}); diff != "" {
			t.Errorf("Program(%q) (-want +got):\n%s", in, diff)
		}
	}
}
