// Package httpx is the one HTTP client: it retries what is worth it and has each attempt made anew (a signature may hold
// the date), waits as told, keeps to a rate, stops asking a server that is down, remembers answers, bounds their size,
// follows no redirect, and lets no secret into an error.
package httpx

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/hunter-project/hunter/internal/secret"
)

// Options make a Client. Zero fields take the defaults.
type Options struct {
	Name       string          // whose client it is, for errors and the cache
	Scope      string          // what else answers depend on, such as a version and a mark of the account; for the cache
	Timeout    time.Duration   // of one attempt; 30 seconds
	MaxBody    int64           // bytes of an answer, unpacked; 64 MiB
	Attempts   uint            // 4
	FirstWait  time.Duration   // before the second attempt; 500 milliseconds, then twice as long each time
	MaxWait    time.Duration   // the longest Retry-After that is waited for; 30 seconds. Longer ones are ErrQuota at once
	Rate       rate.Limit      // requests a second; 5
	Secrets    []secret.String // never in any error or answer
	UserAgent  string          // "hunter"
	Cache      Cache           // nil remembers nothing
	CacheFor   time.Duration   // how long an answer holds; 24 hours
	UnknownFor time.Duration   // how long "nothing known" holds; 1 hour
	Now        func() time.Time
	// Refuse says why an address may not be called; nil is RefuseAddress.
	Refuse func(netip.Addr) error
}

// Client asks one service. It is safe for several goroutines.
type Client struct {
	opt     Options
	http    *http.Client
	limiter *rate.Limiter
	breaker *gobreaker.CircuitBreaker[*Response]
	redact  *secret.Redactor
	flights flights
}

// New makes a Client.
func New(opt Options) *Client {
	opt = opt.settled()
	c := &Client{opt: opt, limiter: rate.NewLimiter(opt.Rate, max(int(opt.Rate), 1)), redact: secret.NewRedactor(opt.Secrets...)}
	c.http = &http.Client{
		Timeout:       opt.Timeout,
		Transport:     transport(opt),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.breaker = gobreaker.NewCircuitBreaker[*Response](gobreaker.Settings{
		Name: opt.Name, Timeout: time.Minute,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= 5 },
		// What the server refuses is no sign that it is down, and neither is the caller's end.
		IsSuccessful: func(err error) bool { return !isTemporary(err) },
	})
	return c
}

func (o Options) settled() Options {
	set(&o.Timeout, 30*time.Second)
	set(&o.MaxBody, 64<<20)
	set(&o.Attempts, 4)
	set(&o.FirstWait, 500*time.Millisecond)
	set(&o.MaxWait, 30*time.Second)
	set(&o.Rate, 5)
	set(&o.UserAgent, "hunter")
	set(&o.CacheFor, 24*time.Hour)
	set(&o.UnknownFor, time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Refuse == nil {
		o.Refuse = RefuseAddress
	}
	return o
}

func set[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// transport dials only addresses that may be called; what a name resolves to is looked at, not the name.
func transport(opt Options) http.RoundTripper {
	dialer := &net.Dialer{Timeout: 10 * time.Second, ControlContext: controlOf(opt.Refuse)}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ResponseHeaderTimeout: opt.Timeout, MaxResponseHeaderBytes: 1 << 20,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}
}

// Close ends what is still asked and the connections that are kept.
func (c *Client) Close() {
	c.flights.end()
	c.http.CloseIdleConnections()
}

// Request is a question: it is made anew for every attempt.
type Request struct {
	URL    string // absolute
	Accept string
	// Sign adds what depends on the moment, such as a date and a signature over it. nil adds nothing.
	Sign func(r *http.Request) error
	// Check looks at an answer before it is given on or remembered. It may set Unknown and Value. A cause, such as one of
	// this package's errors, says that it is none; detail says why, and may hold foreign text. nil takes every answer.
	Check func(res *Response) (detail string, cause error)
	// Explain gives the words of an answer that is none; nil gives its body.
	Explain func(res *Response) string
}

// Response is an answer.
type Response struct {
	Status  int
	Type    string // media type, without parameters
	Date    time.Time
	Body    []byte        // shared with whoever asked the same: not to be written to
	Age     time.Duration // 0: asked just now; else how old the remembered answer is
	Unknown bool          // nothing is known: 204, 404, and what Request.Check finds so; it is remembered for UnknownFor
	Value   any           // what Request.Check made of it, shared too
	echo    bool          // it repeated a secret, which is taken out
	retry   string        // Retry-After as sent
}

// Get asks. Answers are those with status 200 and, as "nothing known", 204 and 404; everything else is an *Error. Who asks
// the same at the same time gets the same answer; who stops waiting does not take it from the others.
func (c *Client) Get(ctx context.Context, req Request) (*Response, error) {
	key := c.opt.Name + " " + c.opt.Scope + " GET " + req.URL + " " + req.Accept
	flight := fmt.Sprint(key, " ", maxAgeOf(ctx))
	return c.flights.do(ctx, flight, func(ctx context.Context) (*Response, error) { return c.get(ctx, key, req) })
}

func (c *Client) get(ctx context.Context, key string, req Request) (*Response, error) {
	if res := c.remembered(ctx, key, req); res != nil {
		return res, nil
	}
	res, err := c.breaker.Execute(func() (*Response, error) { return c.retry(ctx, req) })
	if err != nil {
		return nil, c.fault(req, err)
	}
	if err := c.check(req, res); err != nil {
		return nil, err
	}
	c.remember(ctx, key, res)
	return res, nil
}

// check asks the caller what it thinks of an answer.
func (c *Client) check(req Request, res *Response) error {
	res.Unknown = res.Status != http.StatusOK
	if req.Check == nil {
		return nil
	}
	if detail, cause := req.Check(res); cause != nil {
		return c.bad(res, cause, detail, c.redact)
	}
	return nil
}
