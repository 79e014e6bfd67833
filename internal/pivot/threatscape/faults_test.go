package threatscape_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot/threatscape"
	"github.com/hunter-project/hunter/internal/pivot/threatscape/threatscapetest"
	"github.com/hunter-project/hunter/internal/secret"
)

// signed is one vector of signing.json.
type signed struct {
	RequestURI string `json:"request_uri"`
	Accept     string `json:"accept"`
	Version    string `json:"accept_version"`
	Date       string `json:"date"`
	Message    string `json:"string_to_sign"`
	Public     string `json:"x_auth"`
	Private    string `json:"private_key"`
	Hash       string `json:"x_auth_hash"`
}

func vectors(t *testing.T) []signed {
	t.Helper()
	var file struct {
		Cases []signed `json:"cases"`
	}
	if err := json.Unmarshal(threatscapetest.Read("signing.json"), &file); err != nil || len(file.Cases) != 5 {
		t.Fatal(err, len(file.Cases))
	}
	return file.Cases
}

func TestSignature(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		if got := threatscape.Signature(secret.New(v.Private), v.RequestURI, v.Version, v.Accept, v.Date); got != v.Hash {
			t.Errorf("%s: %s, not %s", v.Message, got, v.Hash)
		}
	}
}

// What the wire carries is what was signed, byte for byte.
func TestSignatureOnTheWire(t *testing.T) {
	t.Parallel()
	all := vectors(t)
	for i, ask := range map[int]func(p *threatscape.Provider) error{
		0: func(p *threatscape.Provider) error {
			_, err := p.Related(t.Context(), sha(sampleA), limits())
			return err
		},
		2: func(p *threatscape.Provider) error {
			ind := indicator.Indicator{Kind: indicator.URL, Value: "http://dl.hunter-fixture.example/a.exe?x=1 y"}
			_, err := p.Related(t.Context(), ind, limits())
			return err
		},
		3: func(p *threatscape.Provider) error { _, err := p.Fetch(t.Context(), "15-00008884", "pdf"); return err },
	} {
		v := all[i]
		var seen http.Header
		uri := ""
		s := server(t, func(_ http.ResponseWriter, r *http.Request) bool {
			seen, uri = r.Header.Clone(), r.RequestURI
			return false
		})
		if err := ask(provider(t, s, nil)); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"Date": v.Date, "Accept": v.Accept, "Accept-Version": v.Version, "X-Auth": v.Public, "X-Auth-Hash": v.Hash, "X-App-Name": "hunter",
		} {
			if got := strings.Join(seen.Values(name), "|"); got != want || uri != v.RequestURI {
				t.Errorf("%s: %s is %q, not %q", uri, name, got, want)
			}
		}
	}
}

// Each attempt has a date and a signature of its own.
func TestSignedAnew(t *testing.T) {
	t.Parallel()
	now := clock()
	hashes := map[string]bool{}
	s := server(t, func(w http.ResponseWriter, r *http.Request) bool {
		hashes[r.Header.Get("X-Auth-Hash")] = true
		if now = now.Add(time.Second); len(hashes) < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	})
	s.Now = func() time.Time { return now }
	p := provider(t, s, func(o *threatscape.Options) { o.HTTP.Now = s.Now })
	if _, err := p.Related(t.Context(), sha(sampleA), limits()); err != nil || len(hashes) != 3 {
		t.Errorf("%v, %d signatures", err, len(hashes))
	}
}

func reply(status int, media, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// bomb unpacks to many times its size.
func bomb() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range 4 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	return b.String()
}

// Every answer that is none is told for what it is. Skipped says nothing about the next question; an error ends the asking.
func TestStatuses(t *testing.T) {
	t.Parallel()
	const envelope = `{"success":true,"message":%s}`
	for name, tt := range map[string]struct {
		status int
		body   string
		err    error  // nil: no error
		words  string // of the error or the skip
		asked  int
	}{
		"204":                 {204, "", nil, "", 1},
		"empty list":          {200, fmt.Sprintf(envelope, `{"publishedIndicators":[]}`), nil, "", 1},
		"null":                {200, fmt.Sprintf(envelope, "null"), nil, "", 1},
		"success as text":     {200, `{"success":"true","message":{"publishedIndicators":null}}`, nil, "", 1},
		"says no":             {200, string(threatscapetest.Read("error_200_success_false.json")), nil, "Bad Request: invented: the date range exceeds 90 days", 1},
		"says no, no reason":  {200, `{"success":"false","message":7}`, nil, "without a reason", 1},
		"400":                 {400, `{"success":false,"message":{"error":"Bad Request","description":"no such type"}}`, nil, "Bad Request: no such type", 1},
		"401":                 {401, string(threatscapetest.Read("error_401.json")), httpx.ErrAuth, "Unauthorized: invented: the signature does not match; look at public_key and private_key", 1},
		"403":                 {403, string(threatscapetest.Read("error_403_quota.json")), httpx.ErrForbidden, "not entitled, or a quota is used up (HTTP 403): Forbidden: invented: daily quota exceeded", 1},
		"404":                 {404, string(threatscapetest.Read("error_404.html")), nil, "look at url and api_version", 1},
		"429":                 {429, string(threatscapetest.Read("error_429.json")), httpx.ErrQuota, "asked too often (HTTP 429)", 2},
		"500":                 {500, "oh", httpx.ErrTemporary, "oh", 2},
		"HTML":                {200, "<!DOCTYPE html><title>Log in</title>\x1b[31m", httpx.ErrShape, "an HTML page", 1},
		"text":                {200, "hello", httpx.ErrShape, "hello", 1},
		"nothing":             {200, "", httpx.ErrShape, "unexpected end", 1},
		"cut":                 {200, `{"success":true,"message":{"publishedIndicators":[{"reportId":"1"},`, httpx.ErrShape, "unexpected end", 1},
		"no success":          {200, `{"message":{"publishedIndicators":[]}}`, httpx.ErrShape, "whether it is a success", 1},
		"no list":             {200, fmt.Sprintf(envelope, `{"indicators":[]}`), httpx.ErrShape, "no publishedIndicators", 1},
		"strange rows":        {200, fmt.Sprintf(envelope, `[1,2]`), httpx.ErrShape, "neither an object", 1},
		"a number":            {200, fmt.Sprintf(envelope, `3`), httpx.ErrShape, "a list is due", 1},
		"too large":           {200, strings.Repeat("x", 2<<20), nil, "too large", 1},
		"302":                 {302, "", httpx.ErrRedirect, "redirects are not followed", 1},
		"nested":              {200, fmt.Sprintf(envelope, strings.Repeat("[", 20_000)), httpx.ErrShape, "", 1},
		"invalid UTF-8, NUL":  {200, "\xff\x00\xfe", httpx.ErrShape, "", 1},
		"rows without report": {200, fmt.Sprintf(envelope, `[{"md5":"`+md5E+`"}]`), nil, "1 rows of the answer name no report", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t, reply(tt.status, "application/json", tt.body))
			p := provider(t, s, func(o *threatscape.Options) { o.HTTP.Attempts, o.HTTP.MaxBody = 2, 1<<20 })
			if name == "404" { // of a wrong address it would be an error
				s.Instead = nil
				if _, err := p.Related(t.Context(), sha(unknown), limits()); err != nil {
					t.Fatal(err)
				}
				s.Instead = reply(tt.status, "text/html", tt.body)
				tt.asked++
			}
			res, err := p.Related(t.Context(), sha(sampleA), limits())
			said := ""
			if err != nil {
				said = err.Error()
			} else if len(res.Skipped) > 0 {
				said = res.Skipped[0].Reason
			}
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || !strings.Contains(said, tt.words) || (tt.words == "") != (said == "") && tt.err == nil {
				t.Errorf("%v; said %q", err, said)
			}
			if len(s.Asked()) != tt.asked || len(res.Edges) > 0 || strings.ContainsAny(said, "\x1b\x00") || len(said) > 600 {
				t.Errorf("asked %d times, %d edges, said %q", len(s.Asked()), len(res.Edges), said)
			}
		})
	}
}

// A service that never knew any path is at another address.
func TestWrongAddress(t *testing.T) {
	t.Parallel()
	s := server(t, reply(404, "text/html", "<html>"))
	if _, err := provider(t, s, nil).Resolve(t.Context(), []indicator.Indicator{sha(sampleA), sha(sampleB)}); err == nil || len(s.Asked()) != 1 {
		t.Errorf("%v, asked %d", err, len(s.Asked()))
	}
}

func TestGzipBomb(t *testing.T) {
	t.Parallel()
	packed := bomb()
	s := server(t, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte(packed))
		return true
	})
	p := provider(t, s, func(o *threatscape.Options) { o.HTTP.MaxBody = 1 << 20 })
	if res, err := p.Related(t.Context(), sha(sampleA), limits()); err != nil || len(res.Skipped) != 1 || !strings.Contains(res.Skipped[0].Reason, "too large") {
		t.Errorf("%v, %v", res.Skipped, err)
	}
}

// Refused keys stop the provider: one request, and the clocks are compared.
func TestClockSkew(t *testing.T) {
	t.Parallel()
	for ahead, words := range map[time.Duration]string{
		20 * time.Minute: "this machine's clock is 20m0s behind the server's", -time.Hour: "this machine's clock is 1h0m0s ahead of the server's", 0: "",
	} {
		s := threatscapetest.New()
		t.Cleanup(s.Close)
		s.Now = func() time.Time { return clock().Add(ahead) }
		s.Instead = reply(401, "application/json", string(threatscapetest.Read("error_401.json")))
		p := provider(t, s, nil)
		_, err := p.Resolve(t.Context(), []indicator.Indicator{sha(sampleA), sha(sampleB)})
		if !errors.Is(err, httpx.ErrAuth) || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "clock") != (words != "") {
			t.Errorf("%v", err)
		}
		if _, err := p.Fetch(t.Context(), "15-00008884", "pdf"); !errors.Is(err, httpx.ErrAuth) || len(s.Asked()) != 1 {
			t.Errorf("%v, asked %d times", err, len(s.Asked()))
		}
	}
}

// A server that repeats what it was sent gets no secret into an error, an answer, or anything that prints.
func TestSecrets(t *testing.T) {
	t.Parallel()
	echo := func(status int, form string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(status)
			text := threatscapetest.PrivateKey + " " + r.Header.Get("X-Auth") + " " + r.Header.Get("X-Auth-Hash")
			_, _ = fmt.Fprintf(w, form, text)
			return true
		}
	}
	hash := vectors(t)[0].Hash
	for status, form := range map[int]string{
		200: `{"success":true,"message":{"publishedIndicators":[{"reportId":"1","title":"%s","domain":"x.example"}]}}`,
		201: `{"success":false,"message":{"error":"%s"}}`, 400: `{"success":false,"message":{"error":"%s"}}`, 401: "%s", 403: "%s", 429: "%s", 500: "%s", 404: "%s",
	} {
		s := server(t, echo(status, form))
		memory := &spy{}
		p := provider(t, s, func(o *threatscape.Options) { o.HTTP.Attempts, o.HTTP.Cache = 1, memory })
		res, err := p.Related(t.Context(), sha(sampleA), limits())
		said := fmt.Sprintf("%v %+v %#v %+v %s", err, err, err, res, memory.all)
		for _, r := range res.Raw {
			said += string(r.Body)
		}
		if status == 200 && len(res.Edges) != 1 {
			t.Errorf("%v, %v", res, err)
		}
		for _, v := range []any{p, threatscape.Options{Config: threatscape.Config{PrivateKey: ref(t, "env:X")}}} {
			said += fmt.Sprintf("%v %+v %#v", v, v, v)
		}
		for _, no := range []string{threatscapetest.PrivateKey, threatscapetest.PublicKey, hash} {
			if strings.Contains(said, no) {
				t.Errorf("%d: %q is told in %q", status, no, said)
			}
		}
	}
}

// spy keeps all that a client remembers.
type spy struct{ all []string }

func (*spy) Get(context.Context, string) (*httpx.Cached, error) { return nil, nil }

func (s *spy) Put(_ context.Context, key string, c httpx.Cached) error {
	s.all = append(s.all, key+" "+string(c.Body))
	return nil
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"": true, "https://api.example": true, "https://api.example/base/": true, "http://127.0.0.1:1": true, "http://[::1]:1": true, "http://localhost": true,
		"http://api.example": false, "http://127.evil.example": false, "ftp://x": false, "https://u:p@x": false, "https://x?k=v": false, "https://x#f": false, "x": false, "://": false,
	} {
		c := threatscape.Config{URL: url}
		err := c.Validate()
		if (err == nil) != ok || (err != nil && strings.Contains(err.Error(), "u:p")) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := (&threatscape.Config{Cache: -1}).Validate(); err == nil {
		t.Error("a negative time is taken")
	}
	_, err := threatscape.New("x", threatscape.Options{Config: threatscape.Config{PublicKey: ref(t, "env:NO_SUCH_VARIABLE_HERE")}})
	if err == nil || !strings.Contains(err.Error(), "NO_SUCH_VARIABLE_HERE") {
		t.Errorf("%v", err)
	}
}
