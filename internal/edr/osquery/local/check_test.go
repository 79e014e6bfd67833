//go:build !windows

package local_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
)

// rows is an osqueryd that gives these rows whatever it is asked.
type rows []map[string]string

func (r rows) Query(context.Context, string) ([]map[string]string, error) { return r, nil }

func (rows) Close() error { return nil }

func TestCheck(t *testing.T) {
	t.Parallel()
	tool := local.New("this-machine", local.Options{})
	t.Cleanup(func() { _ = tool.Close() })
	got := tool.Check(t.Context())
	root := diag.CheckOK
	if os.Geteuid() != 0 {
		root = diag.CheckUnknown
	}
	if len(got) != 2 || got[0].State != diag.CheckOK || !strings.Contains(got[0].Detail, "hashes /etc/passwd") || got[1].What != "rights" || got[1].State != root {
		t.Errorf("%+v", got)
	}

	dials := 0
	good := dialing(t, &agent{}, &dials)
	empty := map[string]string{
		"kind": "control", "md5": "d41d8cd98f00b204e9800998ecf8427e", "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	}
	for name, tc := range map[string]struct {
		dial  func(context.Context) (local.Asker, error)
		state diag.CheckState
		words string
	}{
		"well":           {good, diag.CheckOK, "osqueryd"},
		"not there":      {func(context.Context) (local.Asker, error) { return nil, errors.New("no socket") }, diag.CheckFail, "no socket"},
		"refuses":        {dialing(t, &agent{fail: errors.New("no such table: hash")}, &dials), diag.CheckFail, "no such table"},
		"finds nothing":  {func(context.Context) (local.Asker, error) { return rows{{"kind": "meta", "name": "5.1"}}, nil }, diag.CheckFail, "osqueryd 5.1 answers, and gives no digest"},
		"an empty file":  {func(context.Context) (local.Asker, error) { return rows{empty}, nil }, diag.CheckFail, "no digest"},
		"nothing at all": {func(context.Context) (local.Asker, error) { return rows{}, nil }, diag.CheckFail, "no digest"},
	} {
		tool := local.New("agent", local.Options{Dial: tc.dial})
		got := tool.Check(t.Context())
		if len(got) != 1 || got[0].State != tc.state || !strings.Contains(got[0].Detail, tc.words) || (tc.state != diag.CheckOK && got[0].Next == "") {
			t.Errorf("%s: %+v", name, got)
		}
		if err := tool.Close(); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := tool.Check(ctx); diag.AllOK(got) {
		t.Errorf("a check that nobody waited for: %+v", got)
	}
}
