package carbonblack_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/carbonblack"
	"github.com/hunter-project/hunter/internal/edr/carbonblack/carbonblacktest"
	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/secret"
)

func plant(t *testing.T, n int) *carbonblacktest.Server {
	s := carbonblacktest.New(t)
	for i := range n {
		s.Sensors = append(s.Sensors, carbonblacktest.Sensor{ID: i + 1, Name: fmt.Sprintf("lab-%04d", i+1)})
	}
	return s
}

// The list is whole or it is none: last page short, full and empty; and both forms of the list.
func TestSensorPages(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 500, 501, 1000} {
		for _, old := range []bool{false, true} {
			s := plant(t, n)
			s.NoPaging = old
			eps, err := connect(t, s.URL, nil).Endpoints(t.Context())
			if n == 0 && old {
				if err == nil { // null is no list
					t.Errorf("%v", eps)
				}
				continue
			}
			if err != nil || len(eps) != n || (n > 0 && eps[n-1].Hostname != fmt.Sprintf("lab-%04d", n)) {
				t.Errorf("%d, old %t: %d, %v", n, old, len(eps), err)
			}
		}
	}
}

// A list that is not whole is refused: there would be endpoints that nobody counts.
func TestSensorsRefused(t *testing.T) {
	t.Parallel()
	second := func(w http.ResponseWriter, r *http.Request, status int, body string) bool {
		if r.URL.Query().Get("start") != "500" {
			return false
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
	for words, spoil := range map[string]func(s *carbonblacktest.Server){
		"HTTP 502": func(s *carbonblacktest.Server) {
			s.Intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool { return second(w, r, 502, "<html>") }
		},
		"HTTP 404": func(s *carbonblacktest.Server) {
			s.Intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool { return second(w, r, 404, "{}") }
		},
		"HTML": func(s *carbonblacktest.Server) {
			s.Intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool { return second(w, r, 200, "<html>") }
		},
		"can not be read": func(s *carbonblacktest.Server) {
			s.Intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool { return second(w, r, 200, `{"results":[`) }
		},
		"counts 700 sensors and lists 500": func(s *carbonblacktest.Server) {
			s.Change = func(r *http.Request, body map[string]any) {
				if r.URL.Query().Get("start") == "500" {
					body["results"] = []any{}
				}
			}
		},
		"counts 9999 sensors and lists 700": func(s *carbonblacktest.Server) {
			s.Change = func(_ *http.Request, body map[string]any) { body["total_results"] = 9999 }
		},
		"how many there are": func(s *carbonblacktest.Server) {
			s.Change = func(_ *http.Request, body map[string]any) { delete(body, "total_results") }
		},
		"no list of results": func(s *carbonblacktest.Server) {
			s.Change = func(_ *http.Request, body map[string]any) { delete(body, "results") }
		},
		"has no id": func(s *carbonblacktest.Server) { s.Sensors[600].Fields = map[string]any{"id": "0 OR 1"} },
	} {
		s := plant(t, 700)
		spoil(s)
		tool := connect(t, s.URL, nil)
		if eps, err := tool.Endpoints(t.Context()); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %d sensors, %v", words, len(eps), err)
		}
	}
}

func TestSensorStates(t *testing.T) {
	t.Parallel()
	s := plant(t, 12)
	const form = "2006-01-02 15:04:05.000000-07:00"
	east := time.FixedZone("", 5*3600)
	for i, fields := range []map[string]any{
		{},
		{"uninstall": true},
		{"status": "Uninstalled"},
		{"uninstalled": "true"},
		{"os_type": "2", "os_environment_display_string": "Mac OS X 10.15"},
		{"os_type": 3, "os_environment_display_string": "CentOS 8"},
		{"os_type": nil, "os_environment_display_string": "Ubuntu 24.04"},
		{"next_checkin_time": clock().Add(-time.Hour).In(east).Format(form), "last_checkin_time": clock().Add(-time.Hour - time.Minute).In(east).Format(form)},
		{"event_log_flush_time": clock().Add(time.Hour).Format(form)},
		{"event_log_flush_time": clock().Add(-time.Hour).Format(form), "num_eventlog_bytes": "1048576"},
		{"num_eventlog_bytes": 20 << 20},
		{"status": nil, "last_checkin_time": nil, "os_type": nil, "os_environment_display_string": nil},
	} {
		s.Sensors[i].Fields = fields
	}
	eps, err := connect(t, s.URL, nil).Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ platform, gone, behind string }{
		{"windows", "", ""},
		{"windows", "marked to be uninstalled", ""},
		{"windows", "uninstalled", "uninstalled since 2026-11-23T22:59:30Z"},
		{"windows", "uninstalled", ""},
		{"darwin", "", ""},
		{"linux", "", ""},
		{"linux", "", ""},
		{"windows", "", "not heard of since 2026-11-23T21:59:00Z"},
		{"windows", "", "its records are being collected until 2026-11-24T00:00:00Z"},
		{"windows", "", ""},
		{"windows", "", "20 MiB of records wait on the sensor"},
		{"", "", "of unknown status since its last check-in, of which no time is known"},
	} {
		if got := eps[i]; got.Platform != want.platform || got.Gone != want.gone || got.Behind != want.behind {
			t.Errorf("%d: %+v instead of %+v", i+1, got, want)
		}
	}
}

// The list holds for a while, a search never.
func TestCache(t *testing.T) {
	t.Parallel()
	s := plant(t, 1)
	now := clock()
	tool := connect(t, s.URL, func(o *carbonblack.Options) { o.Now = func() time.Time { return now } })
	for i, want := range []int{1, 1, 2} {
		eps, err := tool.Endpoints(t.Context())
		if err != nil || len(s.Requests()) != want {
			t.Errorf("%d: %d requests, %v", i, len(s.Requests()), err)
		}
		eps[0].Hostname = "changed by the caller"
		now = now.Add(40 * time.Second)
	}
	if eps, err := tool.Endpoints(t.Context()); err != nil || eps[0].Hostname != "lab-0001" {
		t.Errorf("%v, %v", eps, err)
	}
}

// What the tool can't go on with is an error, asked once, and shows no secret.
func TestRefused(t *testing.T) {
	t.Parallel()
	for status, cause := range map[int]error{401: httpx.ErrAuth, 403: httpx.ErrForbidden, 302: httpx.ErrRedirect} {
		s := lab(t)
		s.Intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			w.Header().Set("Location", "https://elsewhere.example/?token="+r.Header.Get("X-Auth-Token"))
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "no entry for "+r.Header.Get("X-Auth-Token"))
			return true
		}
		tool := connect(t, s.URL, nil)
		if _, err := tool.Endpoints(t.Context()); !errors.Is(err, cause) || strings.Contains(err.Error(), carbonblacktest.Token) || len(s.Requests()) != 1 {
			t.Errorf("%d: %v, %d requests", status, err, len(s.Requests()))
		}
	}
	tool := connect(t, "http://127.0.0.1:1", func(o *carbonblack.Options) {
		o.Token = func() (secret.String, error) {
			return secret.String{}, errors.New("environment variable CB_TOKEN is not set")
		}
	})
	queries, err := tool.Searches(work(eicar))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tool.Search(t.Context(), queries[0]); err == nil || !strings.Contains(err.Error(), "CB_TOKEN is not set") {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := carbonblack.NewConfig()
	good.URL = "https://cb.plant.example"
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for words, change := range map[string]func(*carbonblack.Config){
		"url":     func(c *carbonblack.Config) { c.URL = "http://cb.plant.example" },
		"window":  func(c *carbonblack.Config) { c.Window = 0 },
		"cache":   func(c *carbonblack.Config) { c.Cache = -1 },
		"timeout": func(c *carbonblack.Config) { c.Timeout = 0 },
	} {
		bad := *good
		change(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
	for _, k := range []indicator.Kind{indicator.SHA256, indicator.SHA1} {
		if _, err := carbonblack.New("x", carbonblack.Options{Kinds: []indicator.Kind{indicator.MD5, k}}); err == nil || !strings.Contains(err.Error(), string(k)) {
			t.Errorf("%s: %v", k, err)
		}
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(carbonblacktest.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := secret.ParseRef("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	s := lab(t)
	tool := connect(t, s.URL+"/", func(o *carbonblack.Options) {
		o.Token, o.Config.Token, o.Kinds = nil, ref, []indicator.Kind{indicator.MD5}
	})
	if eps, err := tool.Endpoints(t.Context()); err != nil || len(eps) != 2 {
		t.Errorf("%v, %v", eps, err)
	}
}
