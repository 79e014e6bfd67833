package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/hunter-project/hunter/internal/secret"
)

// retry asks until there is an answer, a refusal, or no attempt left.
func (c *Client) retry(ctx context.Context, req Request) (*Response, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.Multiplier, wait.MaxInterval = c.opt.FirstWait, 2, c.opt.MaxWait
	var last error // a wait that was asked for stands in the place of what failed
	res, err := backoff.Retry(ctx, func() (*Response, error) {
		res, err := c.once(ctx, req)
		switch {
		case err == nil:
			return res, nil
		case ctx.Err() != nil:
			return nil, backoff.Permanent(ctx.Err())
		}
		last = err
		return nil, c.again(err)
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(c.opt.Attempts), backoff.WithMaxElapsedTime(0))
	if _, told := errors.AsType[*backoff.RetryAfterError](err); told {
		err = last
	}
	return res, err
}

// again says whether and when a failed attempt is worth another.
func (c *Client) again(err error) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		if errors.Is(err, ErrAddress) || errors.Is(err, errSign) {
			return backoff.Permanent(err)
		}
		return err // the connection
	case !errors.Is(e, ErrTemporary) && !errors.Is(e, ErrQuota):
		return backoff.Permanent(err)
	}
	told, given := retryAfter(e.answer, c.opt.Now())
	switch {
	case given && told > c.opt.MaxWait:
		e.Detail = fmt.Sprintf("it asks to wait %s", told.Round(time.Second))
		return backoff.Permanent(err)
	case given && told > 0:
		return &backoff.RetryAfterError{Duration: told}
	}
	return err
}

// header is kept of an answer that is none.
const retryHeader = "Retry-After"

func retryAfter(r *Response, now time.Time) (wait time.Duration, told bool) {
	if r == nil || r.retry == "" {
		return 0, false
	}
	if n, err := strconv.Atoi(r.retry); err == nil && n >= 0 && n < 1e9 {
		return time.Duration(n) * time.Second, true
	}
	if at, err := http.ParseTime(r.retry); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}

var errSign = errors.New("make the request")

// once makes one attempt.
func (c *Client) once(ctx context.Context, req Request) (*Response, error) {
	if err := c.limiter.Wait(ctx); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, req.URL, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSign, err)
	}
	if at, err := netip.ParseAddr(r.URL.Hostname()); err == nil { // a proxy would call it for us
		if err := c.opt.Refuse(at.WithZone("")); err != nil {
			return nil, err
		}
	}
	r.Header.Set("User-Agent", c.opt.UserAgent)
	if req.Accept != "" {
		r.Header.Set("Accept", req.Accept)
	}
	if req.Sign != nil {
		if err := req.Sign(r); err != nil {
			return nil, fmt.Errorf("%w: %w", errSign, err)
		}
	}
	got, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	return c.read(got, req, secret.NewRedactor(append(credentials(r.Header), c.opt.Secrets...)...))
}

// credentials gives the values of the headers that prove who asks: keys, and signatures, which hold for a while.
func credentials(h http.Header) []secret.String {
	var out []secret.String
	for name, values := range h {
		for _, part := range []string{"auth", "key", "token", "cookie", "secret", "sign"} {
			if strings.Contains(strings.ToLower(name), part) {
				for _, v := range values {
					out = append(out, secret.New(v))
				}
				break
			}
		}
	}
	const shortest = 8 // a word such as "none" would be taken out of everything
	return slices.DeleteFunc(out, func(s secret.String) bool { return len(s.Reveal()) < shortest })
}

// read takes an answer in, up to its bound. What repeats a secret loses it here, before anyone sees or keeps it.
func (c *Client) read(got *http.Response, req Request, redact *secret.Redactor) (*Response, error) {
	body, err := io.ReadAll(io.LimitReader(got.Body, c.opt.MaxBody+1))
	media, _, _ := mime.ParseMediaType(got.Header.Get("Content-Type")) // none is ""
	date, _ := http.ParseTime(got.Header.Get("Date"))                  // none is zero
	res := &Response{Status: got.StatusCode, Type: media, Date: date, Body: body, retry: got.Header.Get(retryHeader)}
	if clean := redact.Redact(string(body)); clean != string(body) {
		res.Body, res.echo = []byte(clean), true
	}
	switch {
	case int64(len(body)) > c.opt.MaxBody:
		return nil, c.bad(&Response{Status: res.Status}, ErrTooLarge, "over "+sizeText(c.opt.MaxBody), redact)
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	cause := causeOf(got.StatusCode)
	switch {
	case cause == nil:
		return res, nil
	case cause == ErrRedirect: //nolint:errorlint // its own value, not wrapped
		return nil, c.bad(res, cause, "", redact)
	case req.Explain != nil:
		return nil, c.bad(res, cause, req.Explain(res), redact)
	}
	return nil, c.bad(res, cause, string(res.Body[:min(len(res.Body), maxRead)]), redact)
}

// causeOf says what a status means; nil is an answer.
func causeOf(status int) error {
	switch s := status; {
	case s == http.StatusOK, s == http.StatusNoContent, s == http.StatusNotFound:
		return nil
	case s >= 300 && s < 400:
		return ErrRedirect
	case s == http.StatusUnauthorized:
		return ErrAuth
	case s == http.StatusForbidden:
		return ErrForbidden
	case s == http.StatusTooManyRequests:
		return ErrQuota
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly, s >= 500 && s <= 504, s >= 520 && s <= 524:
		return ErrTemporary
	default:
		return ErrRefused
	}
}

// maxRead is how much of a text is looked at for an error.
const maxRead = 4096

func sizeText(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

func (c *Client) bad(res *Response, cause error, detail string, redact *secret.Redactor) error {
	return &Error{Name: c.opt.Name, Status: res.Status, Detail: safe(detail[:min(len(detail), maxRead)], redact), cause: cause, answer: res}
}
