package carbonblack_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr/carbonblack"
	"github.com/hunter-project/hunter/internal/edr/carbonblack/carbonblacktest"
	"github.com/hunter-project/hunter/internal/secret"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	wrong := func(o *carbonblack.Options) {
		o.Token = func() (secret.String, error) { return secret.New("another-token"), nil }
		o.HTTP.Attempts = 1
	}
	unset := func(o *carbonblack.Options) {
		o.Token = func() (secret.String, error) { return secret.String{}, errors.New("CB_TOKEN is not set") }
	}
	broken := func(status int, path string) func(*carbonblacktest.Server) {
		return func(s *carbonblacktest.Server) {
			s.Intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if strings.HasPrefix(r.URL.Path, path) {
					http.Error(w, "no", status)
				}
				return strings.HasPrefix(r.URL.Path, path)
			}
		}
	}
	for name, tc := range map[string]struct {
		server func(*carbonblacktest.Server)
		tool   func(*carbonblack.Options)
		want   string
		words  string
	}{
		"well":            {nil, nil, "reachable ok, credentials ok, clock ok, endpoints ok, control ok", "md5:" + svchost + ", which the server lists, is found"},
		"an old server":   {func(s *carbonblacktest.Server) { s.NoPaging = true }, nil, "reachable ok, credentials ok, clock ok, endpoints ok, control ok", "2 sensors"},
		"another token":   {nil, wrong, "reachable ok, credentials fail, clock ok", "look at token"},
		"no token":        {nil, unset, "credentials fail", "CB_TOKEN is not set"},
		"no sensor":       {func(s *carbonblacktest.Server) { s.Sensors = nil }, nil, "reachable ok, credentials ok, clock ok, endpoints unknown, control ok", "no sensor"},
		"no record":       {func(s *carbonblacktest.Server) { s.Processes = nil }, nil, "reachable ok, credentials ok, clock ok, endpoints ok, control unknown", "nothing that could serve"},
		"search is down":  {broken(400, "/api/v1/process"), nil, "reachable ok, credentials ok, clock ok, endpoints ok, control fail", "HTTP 400"},
		"sensors is down": {broken(400, "/api/v2/sensor"), nil, "reachable fail, clock ok", "look at url"},
		"hides records": {func(s *carbonblacktest.Server) {
			s.Change = func(r *http.Request, body map[string]any) {
				if strings.Contains(r.URL.RawQuery, "md5") {
					body["filtered"] = map[string]any{"sensor": []any{1}}
				}
			}
		}, nil, "reachable ok, credentials ok, clock ok, endpoints ok, control unknown", "hides records"},
		"finds nothing": {func(s *carbonblacktest.Server) {
			s.Change = func(r *http.Request, body map[string]any) {
				if strings.Contains(r.URL.RawQuery, "md5") {
					body["results"], body["total_results"] = []any{}, 0
				}
			}
		}, nil, "reachable ok, credentials ok, clock ok, endpoints ok, control fail", "a search for it finds nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := lab(t)
			if tc.server != nil {
				tc.server(s)
			}
			intercept := s.Intercept
			s.Intercept = func(w http.ResponseWriter, r *http.Request, n int) bool {
				w.Header().Set("Date", clock().UTC().Format(http.TimeFormat))
				return intercept != nil && intercept(w, r, n)
			}
			checks := connect(t, s.URL, tc.tool).Check(t.Context())
			var got, said []string
			for _, c := range checks {
				got = append(got, c.What+" "+string(c.State))
				said = append(said, c.Detail+" "+c.Next)
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("%s\n%+v", diff, checks)
			}
			if text := strings.Join(said, "\n"); !strings.Contains(text, tc.words) || strings.Contains(text, carbonblacktest.Token) {
				t.Errorf("no %q in %s", tc.words, text)
			}
			if diag.AllOK(checks) != (name == "well" || name == "an old server") {
				t.Errorf("%+v", checks)
			}
		})
	}
}
