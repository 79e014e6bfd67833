package httpx_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/httpx"
)

// Every way in which a question can fail is told as what it means, with what to do, and never as OK.
func TestChecks(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		200: "reachable ok, credentials ok, clock ok", 401: "reachable ok, credentials fail, clock ok", 403: "reachable ok, credentials fail, clock ok",
		429: "reachable ok, quota fail, clock ok", 400: "reachable fail, clock ok", 302: "reachable fail, clock ok", 500: "reachable fail, credentials unknown, clock ok",
	} {
		url, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		c := client(t, func(o *httpx.Options) { o.Attempts = 1 })
		res, err := c.Get(t.Context(), httpx.Request{URL: url})
		checks := httpx.Checks(res, err, time.Now(), "look here")
		var got []string
		for _, c := range checks {
			got = append(got, c.What+" "+string(c.State))
			if c.State == diag.CheckFail && (c.Detail == "" || c.Next == "") {
				t.Errorf("%d: %+v", status, c)
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%d: %s instead of %s", status, got, want)
		}
	}
	if got := httpx.Checks(nil, errors.New("no such host"), time.Now(), ""); diag.AllOK(got) || len(got) != 2 {
		t.Errorf("%+v", got)
	}
	for off, want := range map[time.Duration]string{0: "", time.Second: "", -29 * time.Second: "", time.Hour: "1h0m0s ahead of", -time.Minute: "1m0s behind"} {
		now := time.Now()
		if got := httpx.Skew(now.Add(off), now); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", off, got)
		}
	}
	if got := httpx.Skew(time.Now(), time.Time{}); got != "" {
		t.Errorf("a clock against none: %q", got)
	}
}
