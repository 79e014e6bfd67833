package threatscape_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/pivot/threatscape"
	"github.com/hunter-project/hunter/internal/pivot/threatscape/threatscapetest"
)

// states gives what was checked, with how it was found.
func states(checks []diag.Check) []string {
	var out []string
	for _, c := range checks {
		out = append(out, c.What+" "+string(c.State))
	}
	return out
}

func TestCheck(t *testing.T) {
	t.Parallel()
	body := func(name string) string { return string(threatscapetest.Read(name)) }
	for name, tc := range map[string]struct {
		instead func(http.ResponseWriter, *http.Request) bool
		want    []string
		words   string
	}{
		"well":           {nil, []string{"reachable ok", "credentials ok", "clock ok"}, "within"},
		"refused":        {reply(401, "application/json", body("error_401.json")), []string{"reachable ok", "credentials fail", "clock ok"}, "public_key and private_key"},
		"quota":          {reply(403, "application/json", body("error_403_quota.json")), []string{"reachable ok", "credentials fail", "clock ok"}, "quota"},
		"too often":      {reply(429, "application/json", body("error_429.json")), []string{"reachable ok", "quota fail", "clock ok"}, "wait"},
		"says no":        {reply(200, "application/json", body("error_200_success_false.json")), []string{"reachable fail", "clock ok"}, "look at url"},
		"another page":   {reply(200, "text/html", "<html>welcome"), []string{"reachable fail", "clock ok"}, "an HTML page"},
		"no such path":   {reply(404, "text/html", body("error_404.html")), []string{"reachable fail", "clock ok"}, "no such path"},
		"nothing":        {reply(204, "", ""), []string{"reachable fail", "clock ok"}, "no such path"},
		"out of order":   {reply(503, "text/html", "down"), []string{"reachable fail", "credentials unknown", "clock ok"}, "503"},
		"half an answer": {reply(200, "application/json", `{"success":`), []string{"reachable fail", "clock ok"}, "documented form"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t, tc.instead)
			p := provider(t, s, func(o *threatscape.Options) { o.HTTP.Attempts = 1 })
			got := p.Check(t.Context())
			if diff := cmp.Diff(tc.want, states(got)); diff != "" {
				t.Errorf("%s\n%+v", diff, got)
			}
			said := ""
			for _, c := range got {
				said += c.Detail + " " + c.Next + "\n"
				if c.State != diag.CheckOK && c.Detail == "" {
					t.Errorf("%s is not OK without a word", c.What)
				}
			}
			if !strings.Contains(said, tc.words) || strings.Contains(said, "EXAMPLE") {
				t.Errorf("no %q in %s", tc.words, said)
			}
			if asked := s.Asked(); len(asked) != 1 || asked[0] != "/test" {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

// A check asks now, whatever is remembered; a server with another time and one that is not there are told.
func TestCheckAsksNow(t *testing.T) {
	t.Parallel()
	s := threatscapetest.New()
	s.Now = func() time.Time { return clock().Add(-2 * time.Minute) }
	now := clock()
	p := provider(t, s, func(o *threatscape.Options) {
		o.HTTP.Now, o.HTTP.Attempts = func() time.Time { return now }, 1
	})
	got := p.Check(t.Context())
	if c := got[len(got)-1]; c.What != "clock" || c.State != diag.CheckFail || !strings.Contains(c.Detail, "2m0s ahead of") {
		t.Errorf("%+v", got)
	}
	s.Close()
	now = now.Add(time.Second)
	if diff := cmp.Diff([]string{"reachable fail", "credentials unknown"}, states(p.Check(t.Context()))); diff != "" {
		t.Error(diff)
	}
}
