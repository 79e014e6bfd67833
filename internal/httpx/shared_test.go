package httpx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/secret"
)

// When nobody waits any more, what was asked ends, and the next one asks anew.
func TestNobodyWaits(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 8)
	arrived := make(chan struct{}, 8)
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		if r.Header.Get("X-Wait") != "" {
			<-r.Context().Done()
			ended <- struct{}{}
		}
	})
	c := client(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Get(ctx, httpx.Request{URL: url, Sign: func(r *http.Request) error { r.Header.Set("X-Wait", "1"); return nil }})
		done <- err
	}()
	<-arrived
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-ended
	if _, err := c.Get(t.Context(), httpx.Request{URL: url}); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(ctx, httpx.Request{URL: url}); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone before is answered: %v", err)
	}
}

// Close ends what is under way.
func TestClose(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	url, _ := server(t, func(_ http.ResponseWriter, r *http.Request) { close(arrived); <-r.Context().Done() })
	c := client(t, nil)
	done := make(chan error, 1)
	go func() {
		_, err := c.Get(t.Context(), httpx.Request{URL: url})
		done <- err
	}()
	<-arrived
	c.Close()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A rate holds: the second question waits, here until its caller goes.
func TestRate(t *testing.T) {
	t.Parallel()
	url, asked := server(t, func(http.ResponseWriter, *http.Request) {})
	c := client(t, func(o *httpx.Options) { o.Rate = 0.0001 })
	if _, err := c.Get(t.Context(), httpx.Request{URL: url + "/1"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := c.Get(ctx, httpx.Request{URL: url + "/2"}); !errors.Is(err, context.Canceled) || asked.Load() != 1 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

// A redirect is not followed, wherever it leads, and takes no key with it.
func TestRedirects(t *testing.T) {
	t.Parallel()
	other, reached := server(t, func(http.ResponseWriter, *http.Request) {})
	for _, status := range []int{301, 302, 303, 307, 308} {
		url, asked := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other+"/?k="+key, status) })
		_, err := client(t, nil).Get(t.Context(), httpx.Request{URL: url, Sign: authorize})
		if !errors.Is(err, httpx.ErrRedirect) || asked.Load() != 1 || reached.Load() != 0 || strings.Contains(err.Error(), key) {
			t.Errorf("%d: %v, asked %d, reached %d", status, err, asked.Load(), reached.Load())
		}
	}
}

const token = "Bearer 0123456789abcdef-of-this-moment"

func authorize(r *http.Request) error {
	r.Header.Set("Authorization", token)
	return nil
}

// What proves who asks is of the moment, and not among the known secrets: it is taken out of answers and errors too.
func TestHeadersAreSecret(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 400, 500} {
		url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "sent: "+r.Header.Get("Authorization")+" and "+key)
		})
		memory := &httpx.Memory{}
		c := client(t, func(o *httpx.Options) { o.Attempts, o.Cache = 1, memory })
		for range 2 {
			res, err := c.Get(t.Context(), httpx.Request{URL: url, Sign: authorize})
			said := fmt.Sprintf("%+v %+v %#v %+v", res, err, err, memory)
			if res != nil {
				said += string(res.Body)
			}
			if e, ok := errors.AsType[*httpx.Error](err); ok {
				said += string(e.Answer().Body)
			}
			if strings.Contains(said, token) || strings.Contains(said, key) || (status == 200 && string(res.Body) != "sent: "+secret.Redacted+" and "+secret.Redacted) {
				t.Errorf("%d: %s", status, said)
			}
		}
		if asked.Load() != 2 {
			t.Errorf("%d: an answer that repeats a secret is remembered", status)
		}
	}
}

// An answer that the caller can't read is none: it is told with its cause, and not remembered.
func TestCheck(t *testing.T) {
	t.Parallel()
	body := "garbage \x1b[31m " + key
	url, asked := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	c := client(t, func(o *httpx.Options) { o.Cache, o.Now = &httpx.Memory{}, func() time.Time { return now } })
	req := httpx.Request{URL: url, Check: func(res *httpx.Response) (string, error) {
		switch {
		case strings.HasPrefix(string(res.Body), "garbage"):
			return string(res.Body), httpx.ErrShape
		case string(res.Body) == "[]":
			res.Unknown = true
		}
		res.Value = len(res.Body)
		return "", nil
	}}
	for range 2 {
		_, err := c.Get(t.Context(), req)
		if !errors.Is(err, httpx.ErrShape) || strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q", err)
		}
	}
	body = "[]"
	for range 2 { // nothing known holds an hour
		if res, err := c.Get(t.Context(), req); err != nil || !res.Unknown || res.Value != 2 || asked.Load() != 3 {
			t.Errorf("%+v, %v, asked %d times", res, err, asked.Load())
		}
	}
	now = now.Add(2 * time.Hour)
	body = "known"
	if res, err := c.Get(t.Context(), req); err != nil || res.Unknown || asked.Load() != 4 {
		t.Errorf("%+v, %v, asked %d times", res, err, asked.Load())
	}
	now = now.Add(2 * time.Hour)
	if res, err := c.Get(t.Context(), req); err != nil || res.Age != 2*time.Hour || res.Value != 5 || asked.Load() != 4 {
		t.Errorf("%+v, %v, asked %d times", res, err, asked.Load())
	}
	if res, err := c.Get(httpx.WithMaxAge(t.Context(), time.Hour), req); err != nil || res.Age != 0 || asked.Load() != 5 {
		t.Errorf("%+v, %v, asked %d times", res, err, asked.Load())
	}
	// What was remembered and can't be read any more is asked for again.
	req.Check = func(res *httpx.Response) (string, error) {
		if asked.Load() == 5 {
			return "old", httpx.ErrShape
		}
		return "", nil
	}
	if _, err := c.Get(t.Context(), req); err != nil || asked.Load() != 6 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

// broken is a memory that fails.
type broken struct{}

func (broken) Get(context.Context, string) (*httpx.Cached, error) { return nil, errors.New("disk") }
func (broken) Put(context.Context, string, httpx.Cached) error    { return errors.New("disk") }

// A memory that fails costs a question, not the answer.
func TestBrokenMemory(t *testing.T) {
	t.Parallel()
	url, asked := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })
	c := client(t, func(o *httpx.Options) { o.Cache = broken{} })
	for range 2 {
		if res, err := c.Get(t.Context(), httpx.Request{URL: url}); err != nil || string(res.Body) != "x" {
			t.Errorf("%v, %v", res, err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// Answers belong to a scope: another version or account remembers its own.
func TestScope(t *testing.T) {
	t.Parallel()
	url, asked := server(t, func(http.ResponseWriter, *http.Request) {})
	memory := &httpx.Memory{}
	for _, scope := range []string{"2.5", "2.6", "2.5"} {
		c := client(t, func(o *httpx.Options) { o.Cache, o.Scope = memory, scope })
		if _, err := c.Get(t.Context(), httpx.Request{URL: url}); err != nil {
			t.Error(err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// A memory holds a bounded number of bytes.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := &httpx.Memory{}
	body := make([]byte, 20<<20)
	held := 0
	for i := range 8 {
		if err := m.Put(t.Context(), fmt.Sprint(i), httpx.Cached{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 8 {
		if c, err := m.Get(t.Context(), fmt.Sprint(i)); err == nil && c != nil {
			held++
		}
	}
	if held == 0 || held > 3 {
		t.Errorf("%d answers of 20 MiB are held", held)
	}
}

// Refusals are no sign that a server is down: the breaker counts failures alone.
func TestBreakerCountsFailuresAlone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 429, 302} {
		url, asked := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		c := client(t, func(o *httpx.Options) { o.Attempts = 1 })
		for i := range 8 {
			if _, err := c.Get(t.Context(), httpx.Request{URL: fmt.Sprint(url, "/", i)}); err == nil {
				t.Errorf("%d is an answer", status)
			}
		}
		if asked.Load() != 8 {
			t.Errorf("%d: asked %d times", status, asked.Load())
		}
	}
}

// An address that is never called is not called through a proxy either.
func TestAddressBehindProxy(t *testing.T) {
	proxy, reached := server(t, func(http.ResponseWriter, *http.Request) {})
	t.Setenv("HTTP_PROXY", proxy)
	t.Setenv("HTTPS_PROXY", proxy)
	for _, url := range []string{"http://169.254.169.254/latest/", "http://[::ffff:169.254.169.254]/", "https://[fe80::1]/"} {
		if _, err := client(t, nil).Get(t.Context(), httpx.Request{URL: url}); !errors.Is(err, httpx.ErrAddress) || reached.Load() != 0 {
			t.Errorf("%s: %v, reached %d", url, err, reached.Load())
		}
	}
}
