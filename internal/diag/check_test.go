package diag_test

import (
	"testing"

	"github.com/hunter-project/hunter/internal/diag"
)

func TestAllOK(t *testing.T) {
	t.Parallel()
	ok := diag.OK("a", "b")
	for name, tc := range map[string]struct {
		checks []diag.Check
		want   bool
	}{
		"none":       {nil, false},
		"ok":         {[]diag.Check{ok, ok}, true},
		"a fault":    {[]diag.Check{ok, diag.Fail("a", "b", "c")}, false},
		"not known":  {[]diag.Check{diag.Unknown("a", "b", "c"), ok}, false},
		"no state":   {[]diag.Check{{What: "a"}}, false},
		"other word": {[]diag.Check{{What: "a", State: "OK"}}, false},
	} {
		if got := diag.AllOK(tc.checks); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
