package host_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

func TestLong(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		`C:\Users\eve`: `\\?\C:\Users\eve`, `c:/Users/eve/`: `\\?\C:\Users\eve`, `C:\`: `\\?\C:\`, `C:/`: `\\?\C:\`, `d:\a\.\b\..\c`: `\\?\D:\a\c`,
		`C:\..\..\x`: `\\?\C:\x`, `\\srv\share\a b`: `\\?\UNC\srv\share\a b`, `//srv/share`: `\\?\UNC\srv\share`, `\\?\C:\x`: `\\?\C:\x`,
		`\\?\UNC\srv\share\x`: `\\?\UNC\srv\share\x`, `\??\C:\x`: `\\?\C:\x`, `C:\trailing. `: `\\?\C:\trailing. `, `C:\nul`: `\\?\C:\nul`,
		// not a file's
		``: ``, `x`: ``, `C:`: ``, `C:x`: ``, `\x`: ``, `/x`: ``, `C:\a:b`: ``, `C:\a::$DATA`: ``, `C:\a*`: ``, `C:\a?`: ``, "C:\\a\x00b": ``, `\\.\PhysicalDrive0`: ``,
		`\\.\pipe\x`: ``, `\\?\GLOBALROOT\Device\x`: ``, `\\srv`: ``, `\\srv\pipe\x`: ``, `\\srv\IPC$`: ``, `\\?\pipe\x`: ``, `\\srv\share\a:b`: ``, `1:\x`: ``,
		`\\?\UNC\.\x\y`: ``,
	} {
		got, ok := host.Long(path)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("Long(%q) = %q, want %q", path, got, want)
		}
	}
	for path, want := range map[string]string{`c:/x`: `C:`, `\\Srv\Share\x`: `\\Srv\Share`, `\\?\C:\x`: `C:`, `x`: ``} {
		if got := host.Volume(path); got != want {
			t.Errorf("Volume(%q) = %q, want %q", path, got, want)
		}
	}
	if !host.OnShare(`//srv/share/x`) || host.OnShare(`C:\x`) {
		t.Error("a share is told from a drive wrongly")
	}
}

// A long form is its own, is shown without its prefix, and never leads to a device or a stream.
func TestLongIsStable(t *testing.T) {
	t.Parallel()
	letters := []string{"C", ":", `\`, "/", "a", ".", "..", " ", "?", "*", "UNC", "pipe", "ü", "\x00", "|", "d"}
	rapid.Check(t, func(t *rapid.T) {
		checkLong(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 12).Draw(t, "path"), ""))
	})
}

type failer interface {
	Fatalf(format string, args ...any)
}

func checkLong(t failer, path string) {
	long, ok := host.Long(path)
	if !ok {
		return
	}
	if again, ok := host.Long(long); !ok || again != long {
		t.Fatalf("Long(%q) = %q, of which Long is %q", path, long, again)
	}
	short := host.Short(long)
	if strings.HasPrefix(short, `\\?\`) {
		t.Fatalf("%q is shown as %q", long, short)
	}
	if again, ok := host.Long(short); !ok || again != long {
		t.Fatalf("%q is shown as %q, which is %q", long, short, again)
	}
	rest := strings.TrimPrefix(long, `\\?\`)
	if strings.ContainsAny(rest[2:], ":*?\"<>|/\x00") || strings.Contains(rest, `\..\`) || strings.HasSuffix(rest, `\..`) {
		t.Fatalf("Long(%q) = %q", path, long)
	}
}
