package edr_test

import (
	"slices"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
)

func TestFirstOn(t *testing.T) {
	t.Parallel()
	s := edr.Search{First: []edr.Place{
		{Host: "WS-1.corp.example", Path: `C:\Program Files\x\evil.exe`},
		{Host: "ws-1", Path: `C:\Program Files\x\evil.exe`},
		{Host: "ws-1", Path: "/opt/x/evil"},
		{Host: "ws-1", Path: `C:\Users\..\x:stream`},
		{Host: "ws-1", Path: `\\server\share\evil.exe`},
		{Host: "ws-1", Path: "C:\\"},
		{Host: "ws-1.other.example", Path: `D:\b.exe`},
		{Host: "", Path: `D:\c.exe`},
		{Host: "ws-2", Path: `D:\d.exe`},
		{Host: "ws-1", Path: "/opt/../etc"},
		{Host: "ws-1", Path: "/"},
		{Host: "ws-1", Path: "relative/x"},
		{Host: "ws-1", Path: "/opt/nul\x00l"},
	}}
	for _, c := range []struct {
		host, platform string
		want           []string
	}{
		{"ws-1.corp.example", "windows", []string{`C:\Program Files\x\evil.exe`}},
		{"ws-1", "windows", []string{`C:\Program Files\x\evil.exe`, `D:\b.exe`}},
		{"WS-1", "linux", []string{"/opt/x/evil"}},
		{"ws-10", "linux", nil},
		{"", "linux", nil},
	} {
		if inside := (edr.Search{First: s.First, Paths: map[string][]string{"": {"/srv", `D:\`}}}).FirstOn(edr.Endpoint{Hostname: c.host, Platform: c.platform}); len(inside) > 1 ||
			(len(inside) == 1 && inside[0] != `D:\b.exe`) {
			t.Errorf("on %q (%s), which a person did not name: %q", c.host, c.platform, inside)
		}
		got := s.FirstOn(edr.Endpoint{Hostname: c.host, Platform: c.platform})
		if !slices.Equal(got, c.want) {
			t.Errorf("on %q (%s): %q instead of %q", c.host, c.platform, got, c.want)
		}
	}
}

func TestUnnested(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		platform  string
		in, wants []string
	}{
		{"linux", []string{"/a/b", "/a", "/a/", "/ab", "/a"}, []string{"/a", "/ab"}},
		{"linux", []string{"/a", "/"}, []string{"/"}},
		{"windows", []string{`C:\Users\x`, `C:\Users\`, `C:\UsersX`}, []string{`C:\Users`, `C:\UsersX`}},
		{"windows", []string{`C:\`, `C:\Users`, `D:\`}, []string{`C:\`, `D:\`}},
		{"windows", []string{`C:\Users`, `c:/users/eve/`, `C:\USERS\`, `D:\`, `d:\x`}, []string{`C:\Users`, `D:\`}},
		{"windows", []string{`\\srv\share\a`, `//SRV/Share`}, []string{`\\SRV\Share`}},
		{"linux", []string{"/home", "/Home"}, []string{"/home", "/Home"}},
	} {
		if got := edr.Unnested(c.in, c.platform); !slices.Equal(got, c.wants) {
			t.Errorf("%q: %q instead of %q", c.in, got, c.wants)
		}
	}
}
