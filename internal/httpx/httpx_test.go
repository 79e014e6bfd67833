package httpx_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "priv-EXAMPLE-not-a-key"

// server answers with handle and counts the requests.
func server(t *testing.T, handle http.HandlerFunc) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func client(t *testing.T, change func(*httpx.Options)) *httpx.Client {
	t.Helper()
	opt := httpx.Options{Name: "intel", FirstWait: time.Millisecond, MaxWait: 2 * time.Second, Rate: 10_000, Secrets: []secret.String{secret.New(key)}}
	if change != nil {
		change(&opt)
	}
	c := httpx.New(opt)
	t.Cleanup(c.Close)
	return c
}

func TestWhatIsAskedAgain(t *testing.T) {
	t.Parallel()
	for status, tt := range map[int]struct {
		asked int64
		err   error
	}{
		200: {1, nil}, 204: {1, nil}, 404: {1, nil}, 400: {1, httpx.ErrRefused}, 401: {1, httpx.ErrAuth}, 403: {1, httpx.ErrForbidden}, 405: {1, httpx.ErrRefused},
		408: {4, httpx.ErrTemporary}, 429: {4, httpx.ErrQuota}, 500: {4, httpx.ErrTemporary}, 502: {4, httpx.ErrTemporary}, 503: {4, httpx.ErrTemporary},
		504: {4, httpx.ErrTemporary}, 521: {4, httpx.ErrTemporary}, 302: {1, httpx.ErrRedirect}, 418: {1, httpx.ErrRefused},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			url, asked := server(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
				w.WriteHeader(status)
				if status != 204 {
					_, _ = io.WriteString(w, "body with "+key+" and \x1b[31m")
				}
			})
			res, err := client(t, nil).Get(t.Context(), httpx.Request{URL: url + "/x?key=" + key})
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || asked.Load() != tt.asked {
				t.Errorf("%v, %v, asked %d times", res, err, asked.Load())
			}
			if err != nil && (strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "\x1b") || len(err.Error()) > 500) {
				t.Errorf("the error tells too much: %q", err)
			}
		})
	}
}

// Every attempt is signed anew.
func TestSignedAnew(t *testing.T) {
	t.Parallel()
	seen := sync.Map{}
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Header.Get("X-Auth-Hash"), true)
		if len(r.Header.Get("X-Auth-Hash")) < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	n := 0
	if _, err := client(t, nil).Get(t.Context(), httpx.Request{URL: url, Sign: func(r *http.Request) error {
		n++
		r.Header.Set("X-Auth-Hash", strings.Repeat("s", n))
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	if _, ok := seen.Load("sss"); !ok || asked.Load() != 3 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	first := atomic.Bool{}
	url, asked := server(t, func(w http.ResponseWriter, _ *http.Request) {
		if !first.Swap(true) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	began := time.Now()
	if _, err := client(t, nil).Get(t.Context(), httpx.Request{URL: url}); err != nil || time.Since(began) < 900*time.Millisecond || asked.Load() != 2 {
		t.Errorf("%v after %s, asked %d times", err, time.Since(began), asked.Load())
	}
	always, asked := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if _, err := client(t, func(o *httpx.Options) { o.Attempts = 2 }).Get(t.Context(), httpx.Request{URL: always}); !errors.Is(err, httpx.ErrQuota) || asked.Load() != 2 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	long, asked := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := client(t, nil).Get(t.Context(), httpx.Request{URL: long})
	if !errors.Is(err, httpx.ErrQuota) || asked.Load() != 1 || !strings.Contains(err.Error(), "1h0m0s") {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]http.HandlerFunc{
		"large": func(w http.ResponseWriter, _ *http.Request) {
			for range 64 {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		},
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 64 {
				_, _ = z.Write(make([]byte, 1<<16))
			}
			_ = z.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, asked := server(t, handle)
			_, err := client(t, func(o *httpx.Options) { o.MaxBody = 1 << 20 }).Get(t.Context(), httpx.Request{URL: url})
			if !errors.Is(err, httpx.ErrTooLarge) || asked.Load() != 1 {
				t.Errorf("%v, asked %d times", err, asked.Load())
			}
		})
	}
}

func TestCutAndSlow(t *testing.T) {
	t.Parallel()
	url, asked := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "short")
	})
	if _, err := client(t, nil).Get(t.Context(), httpx.Request{URL: url}); !errors.Is(err, httpx.ErrTemporary) || asked.Load() != 4 {
		t.Errorf("cut: %v, asked %d times", err, asked.Load())
	}
	slow, _ := server(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if _, err := client(t, func(o *httpx.Options) { o.Timeout, o.Attempts = 20*time.Millisecond, 2 }).Get(t.Context(), httpx.Request{URL: slow}); !errors.Is(err, httpx.ErrTemporary) {
		t.Errorf("slow: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := client(t, nil).Get(ctx, httpx.Request{URL: slow}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled: %v", err)
	}
}

// A server that is down is left alone after five failures.
func TestBreaker(t *testing.T) {
	t.Parallel()
	url, asked := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	c := client(t, func(o *httpx.Options) { o.Attempts = 1 })
	for i := range 8 {
		_, err := c.Get(t.Context(), httpx.Request{URL: fmt.Sprint(url, "/", i)})
		if !errors.Is(err, httpx.ErrTemporary) {
			t.Errorf("%v", err)
		}
	}
	if asked.Load() != 5 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/unknown":
			w.WriteHeader(http.StatusNoContent)
		case "/echo":
			_, _ = io.WriteString(w, key)
		case "/down":
			w.WriteHeader(http.StatusForbidden)
		default:
			_, _ = io.WriteString(w, "known")
		}
	})
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	c := client(t, func(o *httpx.Options) {
		o.Cache, o.Now = &httpx.Memory{}, func() time.Time { return now }
	})
	get := func(path string, want int64) *httpx.Response {
		t.Helper()
		before := asked.Load()
		res, err := c.Get(t.Context(), httpx.Request{URL: url + path})
		if err != nil && path != "/down" {
			t.Fatal(err)
		}
		if asked.Load()-before != want {
			t.Errorf("%s at %s: asked %d times", path, now.Format(time.TimeOnly), asked.Load()-before)
		}
		return res
	}
	get("/known", 1)
	get("/unknown", 1)
	now = now.Add(30 * time.Minute)
	if res := get("/known", 0); string(res.Body) != "known" || res.Age != 30*time.Minute {
		t.Errorf("%+v", res)
	}
	get("/unknown", 0)
	now = now.Add(time.Hour)
	get("/known", 0)
	get("/unknown", 1)
	now = now.Add(24 * time.Hour)
	get("/known", 1)
	get("/echo", 1)
	get("/echo", 1) // it repeats a secret: not kept
	get("/down", 1)
	get("/down", 1) // a refusal is not kept
}

// The same question at the same time is asked once.
func TestSingleFlight(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url, asked := server(t, func(w http.ResponseWriter, _ *http.Request) { <-release; _, _ = io.WriteString(w, "x") })
	c := client(t, nil)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if res, err := c.Get(t.Context(), httpx.Request{URL: url}); err != nil || string(res.Body) != "x" {
				t.Errorf("%v, %v", res, err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	close(release)
	wg.Wait()
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for addr, refused := range map[string]bool{
		"169.254.169.254": true, "169.254.1.1": true, "fe80::1": true, "::ffff:169.254.169.254": true, "fd00:ec2::254": true, "100.100.100.200": true,
		"168.63.129.16": true, "fd20:ce::254": true, "64:ff9b::a9fe:a9fe": true, "64:ff9b::c000:201": false,
		"0.0.0.0": true, "::": true, "224.0.0.1": true, "127.0.0.1": false, "10.0.0.1": false, "192.0.2.1": false, "2001:db8::1": false, "::1": false,
	} {
		if err := httpx.RefuseAddress(netip.MustParseAddr(addr)); (err != nil) != refused {
			t.Errorf("%s: %v", addr, err)
		}
	}
	began := time.Now()
	_, err := client(t, nil).Get(t.Context(), httpx.Request{URL: "http://169.254.169.254/latest/meta-data/"})
	if !errors.Is(err, httpx.ErrAddress) || time.Since(began) > time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
