package edr_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr"
)

func TestUnnested(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		platform    string
		roots, want []string
	}{
		{"windows", []string{`C:\Users`, `c:/users/eve/`, `C:\USERS\`, `D:\`, `d:\x`, `C:\Users2`}, []string{`C:\Users`, `D:\`, `C:\Users2`}},
		{"windows", []string{`\\srv\share\a`, `//SRV/Share`}, []string{`\\SRV\Share`}},
		{"linux", []string{"/home", "/Home", "/home/eve/", "/homes", "/home"}, []string{"/home", "/Home", "/homes"}},
		{"darwin", []string{"/", "/Users"}, []string{"/"}},
	} {
		if diff := cmp.Diff(c.want, edr.Unnested(c.roots, c.platform)); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", c.platform, c.roots, diff)
		}
	}
}
